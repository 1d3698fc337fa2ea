// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own blocklist, which heki_listing.ko has put a hash on.
 */
#include <linux/key.h>
#include <linux/keyctl.h>

#include "attacks.h"

/* The kernel forgets all of it. */
static int empty_run(const struct attack *attack, struct result *result)
{
	struct key **keyring = pointer("blacklist_keyring");

	if (!keyring || !*keyring)
		return -ENOENT;
	result->error = keyring_clear(*keyring);
	result->effect = !result->error;
	return 0;
}

const struct attack blocklist_attacks[] = {
	{ "blocklist-empty", empty_run, NULL, NULL },
	{ }
};
