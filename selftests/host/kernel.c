// SPDX-License-Identifier: GPL-2.0-only
/* The small kernel of the host tests: text at KERNEL_VA, rodata with symbol tables behind it. */
#include "vtl0.h"

#define RODATA_PLAIN 0x0000 /* where the tables start, offsets in rodata */

static const struct export own_exports[] = {
	{ "printk", 0x100, false },
	{ "kmalloc", 0x120, false },
	{ "kfree", 0x140, false },
	{ "secret_gpl", 0x160, true },
	{ "other_gpl", 0x180, true },
};

static void put_symbol(struct guest *g, struct kernel *k, uint32_t offset, const struct export *e)
{
	uint64_t at = k->rodata_va + offset;
	size_t length = strlen(e->name) + 1;
	struct heki_kernel_symbol s = {
		.value_offset = (int32_t)(KERNEL_VA + e->value - at),
		.name_offset = (int32_t)(k->rodata_va + k->strings - (at + 4)),
		.namespace_offset = 0,
	};

	CHECK(k->strings + length <= k->rodata_pages * HEKI_PAGE_SIZE);
	memcpy(guest_at(g, k->rodata + k->strings), e->name, length);
	memcpy(guest_at(g, k->rodata + offset), &s, sizeof(s));
	k->strings += (uint32_t)length;
}

static void put_symbols(struct guest *g, struct kernel *k, const struct export *exports,
			size_t count)
{
	uint32_t plain = RODATA_PLAIN, gpl = RODATA_PLAIN + k->plain * 12;

	k->info.ksymtab_start = k->rodata_va + plain;
	k->info.ksymtab_end = k->info.ksymtab_gpl_start = k->rodata_va + gpl;
	k->info.ksymtab_gpl_end = k->rodata_va + gpl + k->gpl * 12;
	k->strings = gpl + k->gpl * 12;
	for (size_t i = 0; i < count; i++) {
		uint32_t *at = exports[i].gpl ? &gpl : &plain;

		put_symbol(g, k, *at, &exports[i]);
		*at += 12;
	}
}

void kernel_make(struct guest *g, struct kernel *k, const struct export *exports, size_t count)
{
	size_t bytes = 0;

	if (!exports) {
		exports = own_exports;
		count = HEKI_ARRAY_SIZE(own_exports);
	}
	memset(k, 0, sizeof(*k));
	k->text_pages = KERNEL_TEXT_PAGES;
	for (size_t i = 0; i < count; i++) {
		*(exports[i].gpl ? &k->gpl : &k->plain) += 1;
		bytes += 12 + strlen(exports[i].name) + 1;
		if (exports[i].value >= k->text_pages * (uint64_t)HEKI_PAGE_SIZE)
			k->text_pages = (uint32_t)(exports[i].value >> HEKI_PAGE_SHIFT) + 1;
	}
	k->rodata_pages = (uint32_t)(page_up(bytes) >> HEKI_PAGE_SHIFT) + 1;
	if (k->rodata_pages < KERNEL_RODATA_PAGES)
		k->rodata_pages = KERNEL_RODATA_PAGES;
	k->text = guest_pages(g, k->text_pages);
	k->rodata = guest_pages(g, k->rodata_pages);
	k->rodata_va = KERNEL_VA + 0x1000000;
	CHECK(k->text && k->rodata);
	memset(guest_at(g, k->text), 0x90, k->text_pages * (uint64_t)HEKI_PAGE_SIZE);
	put_symbols(g, k, exports, count);
	add_patch_header(&k->sites, HEKI_PATCH_JUMP_LABEL);
}

void kernel_symbol_ranges(struct guest *g, const struct kernel *k, struct ranges *list)
{
	uint64_t info = put_bytes(g, &k->info, sizeof(k->info));

	add_range(list, DIRECT_MAP + info, info, sizeof(k->info), HEKI_KDATA_KERNEL_INFO);
	add_range(list, k->rodata_va, k->rodata, k->rodata_pages * (uint64_t)HEKI_PAGE_SIZE,
		  HEKI_KDATA_KERNEL_DATA);
}

int kernel_protect(struct guest *g, const struct kernel *k)
{
	struct ranges list = { 0 };
	int result;

	add_range(&list, KERNEL_VA, k->text, k->text_pages * (uint64_t)HEKI_PAGE_SIZE,
		  HEKI_ATTR_READ | HEKI_ATTR_EXEC | HEKI_ATTR_IMMUTABLE);
	add_range(&list, k->rodata_va, k->rodata, k->rodata_pages * (uint64_t)HEKI_PAGE_SIZE,
		  HEKI_ATTR_READ | HEKI_ATTR_IMMUTABLE);
	result = call_ranges(g, HEKI_CALL_PROTECT_MEMORY, &list, 0);
	drop_ranges(&list);
	return result;
}

void kernel_site(struct guest *g, struct kernel *k, uint32_t offset, uint8_t size)
{
	uint8_t code[HEKI_POKE_MAX];

	make_jump(KERNEL_VA + offset, KERNEL_VA + offset + size + 0x20, size, code);
	add_patch(&k->sites, k->text + offset, page_up(k->text + offset + 1), code, size);
	memcpy(guest_at(g, k->text + offset), size == 2 ? nop2 : nop5, size);
}

void kernel_load(struct guest *g, struct kernel *k, const char *certificates)
{
	struct file f = load_file(certificates);

	kernel_load_bytes(g, k, &f);
	drop_file(&f);
}

void kernel_load_bytes(struct guest *g, struct kernel *k, const struct file *certificates)
{
	struct ranges list = { 0 };
	uint64_t pa = put_bytes(g, certificates->p, certificates->n);

	add_range(&list, DIRECT_MAP + pa, pa, certificates->n, HEKI_KDATA_SYSTEM_CERTS);
	kernel_symbol_ranges(g, k, &list);
	if (k->sites.n > sizeof(struct heki_patch_info)) {
		pa = put_bytes(g, k->sites.bytes, k->sites.n);
		add_range(&list, DIRECT_MAP + pa, pa, k->sites.n, HEKI_KDATA_PATCH_INFO);
	}
	CHECK_OK(call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
	drop_ranges(&list);
	CHECK_OK(kernel_protect(g, k));
}

void kernel_boot(struct guest *g, struct kernel *k)
{
	kernel_make(g, k, NULL, 0);
	kernel_start(g, k);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
}

void kernel_start(struct guest *g, struct kernel *k)
{
	kernel_site(g, k, 0x200, 5);
	kernel_site(g, k, 0x300, 2);
	kernel_site(g, k, 0x1ffe, 5);
	kernel_load(g, k, "system.der");
	for (uint32_t vp = 0; vp < 2; vp++) {
		guest_set_vp(vp);
		CHECK_OK(vtlcall(g, HEKI_CALL_LOCK_REGS, 0, 0, 0));
	}
	guest_set_vp(0);
}

void kernel_drop(struct kernel *k)
{
	drop_patches(&k->sites);
}
