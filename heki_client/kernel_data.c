// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VTL1 must know of the kernel: exported symbols and the snapshot, revoked certificates and
 * hashes, patch sites, the kexec trampoline.
 */
#include "internal.h"

#include <linux/assoc_array.h>
#include <linux/gfp.h>
#include <linux/key.h>
#include <linux/key-type.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/kexec.h>

/* In a page of its own: the range that is sent holds nothing else. */
struct symbols_page {
	struct heki_kernel_info info;
} __aligned(PAGE_SIZE);

/*
 * The names lie behind the tables, in front of the parameters: a few hundred KiB of the many MiB of
 * read-only data. VTL1 refuses a name that is not there.
 */
static int symbols_ranges(struct client_ranges *ranges, struct symbols_page *page)
{
	unsigned long start, end, gpl_start, gpl_end, names_end;
	const struct client_want want[] = {
		{ "__start___ksymtab", &start },
		{ "__stop___ksymtab", &end },
		{ "__start___ksymtab_gpl", &gpl_start },
		{ "__stop___ksymtab_gpl", &gpl_end },
		{ "__start___param", &names_end },
	};
	int error;

	error = client_symbols(want, ARRAY_SIZE(want));
	if (error)
		return error;
	if (names_end <= max(end, gpl_end) || gpl_start < start)
		return -ENOEXEC;
	page->info = (struct heki_kernel_info){ start, end, gpl_start, gpl_end };
	error = client_ranges_add(ranges, &page->info, sizeof(page->info), HEKI_KDATA_KERNEL_INFO);
	if (error)
		return error;
	return client_ranges_add(ranges, (void *)start, names_end - start, HEKI_KDATA_KERNEL_DATA);
}

/* All that modules are judged by: symbol tables, and how the kernel rewrites them. */
int client_kernel_symbols(void)
{
	struct symbols_page *page = (void *)get_zeroed_page(GFP_KERNEL);
	struct client_ranges ranges;
	void *snapshot = NULL;
	int error;

	if (!page)
		return -ENOMEM;
	client_ranges_init(&ranges);
	error = symbols_ranges(&ranges, page);
	if (!error)
		error = client_snapshot_add(&ranges, &snapshot);
	if (!error)
		error = client_ranges_call(&ranges, HEKI_CALL_LOAD_KDATA, 0);
	client_ranges_free(&ranges);
	vfree(snapshot);
	free_page((unsigned long)page);
	return error < 0 ? error : 0;
}

DEFINE_STATIC_CALL_NULL(kernel_data_iterate, assoc_array_iterate);

/* A keyring's leaves are pointers to keys; this bit tells keyrings from other keys. */
#define KEYRING_LEAF_SUBTYPE 0x2ul

struct blocklist {
	char (*records)[HEKI_BLOCKLIST_RECORD];
	size_t count;
	size_t left_out;
};

/* A hash is the description of its key; certificates there are keys of another type. */
static int blocklist_note(const void *object, void *data)
{
	const struct key *key = (const void *)((unsigned long)object & ~KEYRING_LEAF_SUBTYPE);
	struct blocklist *list = data;

	if (strcmp(key->type->name, "blacklist"))
		return 0;
	if (list->count == HEKI_BLOCKLIST_MAX || strlen(key->description) >= HEKI_BLOCKLIST_RECORD)
		list->left_out++;
	else
		strscpy(list->records[list->count++], key->description, HEKI_BLOCKLIST_RECORD);
	return 0;
}

/* The kernel's blocklist keyring: built-in hashes and those of the firmware. */
static int blocklist_collect(struct blocklist *list)
{
	unsigned long iterate = client_symbol("assoc_array_iterate");
	unsigned long at = client_symbol("blacklist_keyring");
	struct key *keyring = NULL;

	if (!at || !iterate)
		return 0;
	if (copy_from_kernel_nofault(&keyring, (void *)at, sizeof(keyring)))
		return -EFAULT;
	if (!keyring)
		return 0;
	list->records = vzalloc(HEKI_BLOCKLIST_MAX * HEKI_BLOCKLIST_RECORD);
	if (!list->records)
		return -ENOMEM;
	static_call_update(kernel_data_iterate, (typeof(&assoc_array_iterate))iterate);
	rcu_read_lock();
	static_call(kernel_data_iterate)(&keyring->keys, blocklist_note, list);
	rcu_read_unlock();
	if (list->left_out)
		client_report("lock", "blocklist", -E2BIG, "hashes were left out");
	return 0;
}

/* Certificates that were revoked when the kernel was built; copied while they are there. */
static void *revoked;
static size_t revoked_size;

int client_kernel_revoked_copy(void)
{
	unsigned long list = client_symbol("revocation_certificate_list");
	unsigned long size_at = client_symbol("revocation_certificate_list_size");
	unsigned long size;

	if (!list || !size_at)
		return 0;
	if (copy_from_kernel_nofault(&size, (void *)size_at, sizeof(size)))
		return -EFAULT;
	if (!size)
		return 0;
	revoked = vzalloc(size);
	if (!revoked)
		return -ENOMEM;
	revoked_size = size;
	return copy_from_kernel_nofault(revoked, (void *)list, size);
}

void client_kernel_data_free(void)
{
	vfree(revoked);
	revoked = NULL;
	revoked_size = 0;
}

static int lists_ranges(struct client_ranges *ranges, const struct blocklist *list)
{
	unsigned long trampoline = client_symbol("relocate_kernel");
	int error = 0;

	error = client_ranges_add(ranges, revoked, revoked_size, HEKI_KDATA_REVOCATION_CERTS);
	if (error)
		return error;
	error = client_ranges_add(ranges, list->records, list->count * HEKI_BLOCKLIST_RECORD,
				  HEKI_KDATA_BLOCKLIST_HASHES);
	if (error || !trampoline)
		return error;
	return client_ranges_add(ranges, (void *)trampoline, KEXEC_CONTROL_CODE_MAX_SIZE,
				 HEKI_KDATA_KEXEC_TRAMPOLINE);
}

/* All that is to be read when the kernel is final. */
int client_kernel_lists(void)
{
	struct blocklist list = {};
	struct client_ranges ranges;
	void *patches = NULL;
	int error;

	client_ranges_init(&ranges);
	error = blocklist_collect(&list);
	if (!error)
		error = lists_ranges(&ranges, &list);
	if (!error)
		error = client_patch_sites_kernel(&ranges, &patches);
	if (!error)
		error = client_ranges_call(&ranges, HEKI_CALL_LOAD_KDATA, 0);
	client_ranges_free(&ranges);
	vfree(patches);
	vfree(list.records);
	return error < 0 ? error : 0;
}
