// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts a hash on the kernel's own blocklist, as the firmware would, before anything else looks at the list.
 * For tests only; its start fails when that is done, so that nothing of it stays.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>
#include <crypto/sha2.h>
#include <keys/system_keyring.h>

static char *hash;
module_param(hash, charp, 0);
MODULE_PARM_DESC(hash, "SHA-256 of a file, in hex");

/* The function is not exported. Behind ENDBR, if there is one, its address is good enough for one call. */
static int list(const u8 *digest)
{
	struct kprobe probe = { .symbol_name = "mark_hash_blacklisted" };
	typeof(&mark_hash_blacklisted) mark;
	int error = register_kprobe(&probe);

	if (error)
		return error;
	mark = (void *)probe.addr;
	unregister_kprobe(&probe);
	return mark(digest, SHA256_DIGEST_SIZE, BLACKLIST_HASH_BINARY);
}

static int __init listing_init(void)
{
	u8 digest[SHA256_DIGEST_SIZE];
	int error;

	if (!hash || strlen(hash) != 2 * sizeof(digest) || hex2bin(digest, hash, sizeof(digest)))
		return -EINVAL;
	error = list(digest);
	return error ? error : -ENODEV;
}

module_init(listing_init);

MODULE_DESCRIPTION("Puts a hash on the kernel's blocklist, for HEKI's own tests");
MODULE_LICENSE("GPL");
