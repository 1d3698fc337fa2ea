// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forged text patches at a site of the kernel's text that lies in two pages.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <heki/heki.h>

#include "attacks.h"

#define SIZE 5

static const u8 nop[SIZE] = { 0x0f, 0x1f, 0x44, 0, 0 };

/* One that nobody has switched on. */
static u8 *site_find(void)
{
	const struct jump_entry *entry = pointer("__start___jump_table");
	const struct jump_entry *end = pointer("__stop___jump_table");
	unsigned long text = symbol("_stext"), etext = symbol("_etext");

	for (; entry && entry < end; entry++) {
		unsigned long at = jump_entry_code(entry);

		if (at >= text && at < etext && offset_in_page(at) > PAGE_SIZE - SIZE &&
		    !memcmp((void *)at, nop, SIZE))
			return (u8 *)at;
	}
	return NULL;
}

/**
 * struct straddle - a patch
 * @bytes: of it
 * @pages: how far behind the first page the second one is, in pages
 */
struct straddle {
	u8 bytes[SIZE];
	u8 pages;
};

static int send(u64 pa, const u8 *code, u64 second, int *answer)
{
	struct heki_patch *patch = (void *)get_zeroed_page(GFP_ATOMIC);
	int error;

	if (!patch)
		return -ENOMEM;
	patch->pa[0] = pa;
	patch->pa[1] = second;
	patch->size = SIZE;
	memcpy(patch->code, code, SIZE);
	error = call_vtl1(HEKI_CALL_PATCH_TEXT, __pa(patch), 0, 0, answer);
	free_page((unsigned long)patch);
	return error;
}

static int straddle_run(const struct attack *attack, struct result *result)
{
	const struct straddle *straddle = attack->data;
	const u8 *site = site_find();
	unsigned long flags;
	u64 pa, page;
	int error, answer;

	if (!site)
		return -ENOENT;
	pa = physical((unsigned long)site);
	page = pa & PAGE_MASK;
	result->address = pa;
	/* What is there is put back by the same way, should it have changed. */
	local_irq_save(flags);
	error = send(pa, straddle->bytes, page + straddle->pages * PAGE_SIZE, &answer);
	result->error = error || answer >= 0 ? 0 : answer;
	result->effect = !error && answer >= 0;
	if (memcmp(site, nop, SIZE))
		send(pa, nop, page + PAGE_SIZE, &answer);
	local_irq_restore(flags);
	return error;
}

#define STRADDLE(case, ...) { case, straddle_run, NULL, &(const struct straddle){ __VA_ARGS__ } }

const struct attack straddle_attacks[] = {
	STRADDLE("patch-straddle", { 0xe9, 0x10, 0x20, 0x30, 0x40 }, 1),
	STRADDLE("patch-straddle-page", { 0x0f, 0x1f, 0x44, 0, 0 }, 2),
	{ }
};
