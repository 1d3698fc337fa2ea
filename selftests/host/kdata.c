// SPDX-License-Identifier: GPL-2.0-only
/* LOAD_KDATA: types, trampoline, patch lists. */
#include "vtl0.h"

static int load(struct guest *g, const void *bytes, size_t n, uint64_t type)
{
	return call_bytes(g, HEKI_CALL_LOAD_KDATA, bytes, n, type);
}

static int load_refused(struct guest *g, const void *bytes, size_t n, uint64_t type)
{
	struct snapshot *s = snapshot_take(g);
	int result = load(g, bytes, n, type);

	snapshot_check(g, s);
	return result;
}

/* --- types --- */

static void unknown_types(void)
{
	static const uint64_t types[] = { 7, 0xff, 0x105, 1ull << 32, HEKI_KDATA_UNKNOWN };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(types); i++)
		CHECK_REFUSED(KDATA_TYPE, load_refused(g, "x", 1, types[i]));
	vtl0_end(g);
}

static void trampoline(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 3);

	/* 2048 bytes across two pages: both are protected */
	CHECK_OK(call_range(g, HEKI_CALL_LOAD_KDATA, pa + 3072, 2048, HEKI_KDATA_KEXEC_TRAMPOLINE));
	CHECK(!(guest_access(g, pa) & HEKI_ATTR_WRITE));
	CHECK(!(guest_access(g, pa + HEKI_PAGE_SIZE) & HEKI_ATTR_WRITE));
	CHECK(guest_access(g, pa + 2 * HEKI_PAGE_SIZE) & HEKI_ATTR_WRITE);
	CHECK_EQUAL(guest_store(g, pa + 4095, "xx", 2), -1);
	vtl0_end(g);
}

static void trampoline_overlap(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 3);
	struct snapshot *s;

	CHECK_OK(call_range(g, HEKI_CALL_PROTECT_MEMORY, pa, HEKI_PAGE_SIZE,
			    HEKI_ATTR_READ | HEKI_ATTR_WRITE));
	s = snapshot_take(g);
	CHECK_REFUSED(OVERLAP, call_range(g, HEKI_CALL_LOAD_KDATA, pa + 2048, 4096,
					  HEKI_KDATA_KEXEC_TRAMPOLINE));
	snapshot_check(g, s);
	vtl0_end(g);
}

/* --- patch lists --- */

static void patch_lists(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	for (uint32_t list = 0; list < 5; list++) { /* headers with 1, 2, .. patches */
		if (list)
			add_patch_header(&k.sites, HEKI_PATCH_JUMP_LABEL);
		for (uint32_t i = 0; i <= list; i++)
			kernel_site(g, &k, 0x100 * (list + 1) + 8 * i, i & 1 ? 2 : 5);
	}
	CHECK_OK(kernel_protect(g, &k));
	CHECK_OK(load(g, k.sites.bytes, k.sites.n, HEKI_KDATA_PATCH_INFO));
	CHECK_EQUAL(g->core->kernel_patches.count, 15);
	for (uint32_t list = 0; list < 5; list++)
		for (uint32_t i = 0; i <= list; i++)
			CHECK_OK(patch_text(g, k.text + 0x100 * (list + 1) + 8 * i, 0,
					    (uint8_t[]){ 0xcc }, 1));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Each damage to a list of two headers with two patches each is seen, wherever it is. */
static void patch_lists_malformed(void)
{
	static const struct {
		size_t offset; /* in a header, or in a patch when >= 48 */
		uint64_t value;
		unsigned int bytes;
	} damage[] = {
		{ 0, 1, 4 }, { 0, 0xffffffff, 4 }, { 0, 0x104, 4 }, /* type */
		{ 32, 0, 8 }, { 32, 3, 8 }, { 32, 1, 8 }, { 32, ~0ull, 8 }, { 32, 1ull << 60, 8 },
		{ 40, 1, 8 }, { 40, 0, 8 }, /* room less than patches */
		{ 48 + 0, 0, 8 }, /* pa 0 */
		{ 48 + 16, 0, 1 }, { 48 + 16, 6, 1 }, { 48 + 16, 255, 1 }, { 48 + 16, 3, 1 }, /* size */
		{ 48 + 0, 1ull << 52, 8 }, /* not a physical address */
		{ 48 + 8, 1ull << 52, 8 },
		{ 48 + 8, 0x5000, 8 }, /* second page without straddling */
		{ 48 + 8, 0x5001, 8 },
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	kernel_site(g, &k, 0x100, 5);
	kernel_site(g, &k, 0x110, 5);
	add_patch_header(&k.sites, HEKI_PATCH_JUMP_LABEL);
	kernel_site(g, &k, 0x200, 5);
	kernel_site(g, &k, 0x210, 5);
	CHECK_OK(kernel_protect(g, &k));
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(damage); i++) {
		for (size_t list = 0; list < 2; list++) {
			uint8_t copy[2 * (48 + 2 * 24)];

			CHECK_EQUAL(k.sites.n, sizeof(copy));
			memcpy(copy, k.sites.bytes, sizeof(copy));
			memcpy(copy + list * sizeof(copy) / 2 + damage[i].offset, &damage[i].value,
			       damage[i].bytes);
			CHECK(load_refused(g, copy, sizeof(copy), HEKI_KDATA_PATCH_INFO) < 0);
		}
	}
	for (size_t n = 1; n < k.sites.n; n++) /* cut short; half of it is a whole list */
		if (n != k.sites.n / 2)
			CHECK_REFUSED(PATCH_FORMAT, load_refused(g, k.sites.bytes, n,
								 HEKI_KDATA_PATCH_INFO));
	CHECK_OK(load(g, k.sites.bytes, k.sites.n, HEKI_KDATA_PATCH_INFO));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Two sites of 5 bytes at these offsets: refused when they share a byte, in either order. */
static void two_sites(uint32_t a, uint32_t b, bool overlap)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	int result;

	kernel_make(g, &k, NULL, 0);
	kernel_site(g, &k, a, 5);
	kernel_site(g, &k, b, 5);
	CHECK_OK(kernel_protect(g, &k));
	if (overlap) {
		result = load_refused(g, k.sites.bytes, k.sites.n, HEKI_KDATA_PATCH_INFO);
		CHECK_EQUAL(result, -HEKI_E_PATCH_LIST);
	} else {
		CHECK_OK(load(g, k.sites.bytes, k.sites.n, HEKI_KDATA_PATCH_INFO));
	}
	kernel_drop(&k);
	vtl0_end(g);
}

static void patch_sites_overlap(void)
{
	/* in a line of 64 bytes, over its end, over the end of a page by any part */
	static const uint32_t first[] = { 0x100, 0x13d, 0xffc, 0xffd, 0xffe, 0xfff };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(first); i++) {
		for (uint32_t distance = 0; distance <= 5; distance++) {
			two_sites(first[i], first[i] + distance, distance < 5);
			two_sites(first[i] + distance, first[i], distance < 5);
		}
	}
}

/* Load one 5-byte site at this address; whatever the call says of it, end of boot must drop it. */
static void site_elsewhere(struct guest *g, uint64_t pa)
{
	struct patches bad = { 0 };
	uint8_t jump[5];

	make_jump(KERNEL_VA, KERNEL_VA + 64, 5, jump);
	add_patch_header(&bad, HEKI_PATCH_JUMP_LABEL);
	add_patch(&bad, pa, page_up(pa + 1), jump, 5);
	(void)load(g, bad.bytes, bad.n, HEKI_KDATA_PATCH_INFO);
	drop_patches(&bad);
}

/* A site outside of executable read-only memory would let VTL0 write anywhere. */
static void patch_target_not_text(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;
	uint64_t data = guest_pages(g, 2);
	uint64_t where[4];

	kernel_make(g, &k, NULL, 0);
	CHECK_OK(kernel_protect(g, &k));
	where[0] = data; /* not protected at all */
	where[1] = k.rodata + 0x3000;
	where[2] = k.text + KERNEL_TEXT_PAGES * HEKI_PAGE_SIZE - 2; /* half of it in text */
	where[3] = VTL1_PA + 16;
	for (unsigned int i = 0; i < 4; i++)
		site_elsewhere(g, where[i]);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t before = *(uint8_t *)guest_at(g, where[i]);

		CHECK_REFUSED(NO_PATCH, patch_text(g, where[i], 0, (uint8_t[]){ 0xcc }, 1));
		CHECK_EQUAL(*(uint8_t *)guest_at(g, where[i]), before);
	}
	CHECK_EQUAL(g->core->patches.budget.used, 0);
	kernel_drop(&k);
	vtl0_end(g);
}

/* The types may come in any order and in one call. */
static void everything_in_any_order(void)
{
	for (unsigned int rotation = 0; rotation < 5; rotation++) {
		struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
		struct ranges parts = { 0 }, list = { 0 };
		struct file f = load_file("system.der"), r = load_file("revoked.der");
		struct kernel k;
		uint64_t pa;

		kernel_make(g, &k, NULL, 0);
		kernel_site(g, &k, 0x100, 5);
		kernel_symbol_ranges(g, &k, &parts);
		pa = put_bytes(g, f.p, f.n);
		add_range(&parts, DIRECT_MAP + pa, pa, f.n, HEKI_KDATA_SYSTEM_CERTS);
		pa = put_bytes(g, r.p, r.n);
		add_range(&parts, DIRECT_MAP + pa, pa, r.n, HEKI_KDATA_REVOCATION_CERTS);
		pa = put_bytes(g, k.sites.bytes, k.sites.n);
		add_range(&parts, DIRECT_MAP + pa, pa, k.sites.n, HEKI_KDATA_PATCH_INFO);
		for (size_t i = 0; i < parts.n; i++) {
			struct heki_range *p = &parts.r[(i + rotation) % parts.n];

			add_range(&list, p->va, p->pa, p->epa - p->pa, p->attributes);
		}
		CHECK_OK(call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
		CHECK_OK(kernel_protect(g, &k));
		CHECK_EQUAL(g->core->certs_count, 6);
		CHECK_EQUAL(g->core->kernel_patches.count, 1);
		CHECK_EQUAL(g->core->kernel_symbols.count, 5);
		drop_ranges(&parts);
		drop_ranges(&list);
		drop_file(&f);
		drop_file(&r);
		kernel_drop(&k);
		vtl0_end(g);
	}
}

const struct test kdata_tests[] = {
	{ "unknown_types", unknown_types },
	{ "trampoline", trampoline },
	{ "trampoline_overlap", trampoline_overlap },
	{ "patch_lists", patch_lists },
	{ "patch_lists_malformed", patch_lists_malformed },
	{ "patch_sites_overlap", patch_sites_overlap },
	{ "patch_target_not_text", patch_target_not_text },
	{ "everything_in_any_order", everything_in_any_order },
	{ NULL, NULL },
};
