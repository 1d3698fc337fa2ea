// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's symbol tables: every malformation, and what is found afterwards. */
#include "vtl0.h"

#include "siphash.h"

static int load_symbols(struct guest *g, const struct kernel *k)
{
	struct ranges list = { 0 };
	int result;

	kernel_symbol_ranges(g, k, &list);
	result = call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0);
	drop_ranges(&list);
	return result;
}

static int load_refused(struct guest *g, const struct kernel *k)
{
	struct snapshot *s = snapshot_take(g);
	int result = load_symbols(g, k);

	snapshot_check(g, s);
	return result;
}

static bool find(struct guest *g, const char *name, struct symbol *out)
{
	return symbols_find(g->core, name, strlen(name), out);
}

static void found(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	struct symbol s;

	kernel_make(g, &k, NULL, 0);
	CHECK_OK(load_symbols(g, &k));
	CHECK_EQUAL(g->core->kernel_symbols.count, 5);
	CHECK(find(g, "kmalloc", &s) && s.value == KERNEL_VA + 0x120 && !s.gpl);
	CHECK(find(g, "secret_gpl", &s) && s.value == KERNEL_VA + 0x160 && s.gpl);
	CHECK_EQUAL(s.owner, HEKI_OWNER_KERNEL);
	CHECK(!find(g, "kmallo", &s) && !find(g, "kmallocs", &s) && !find(g, "", &s));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Published answers of SipHash-2-4 for the bytes 0, 1, 2... under the key 0...15. */
static void siphash_answers(void)
{
	static const struct {
		size_t n;
		uint64_t short_one;
		uint8_t long_one[SIPHASH128];
	} known[] = {
		{ 0, 0x726fdb47dd0e0e31,
		  { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
		    0x55, 0x02, 0x93 } },
		{ 1, 0x74f839c593dc67fd,
		  { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
		    0x22, 0xfc, 0x45 } },
		{ 15, 0xa129ca6149be45e5,
		  { 0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97,
		    0xcf, 0xc3, 0xd9 } },
	};
	uint8_t key[SIPHASH_KEY], bytes[16], found[SIPHASH128];

	for (uint8_t i = 0; i < sizeof(bytes); i++)
		key[i] = bytes[i] = i;
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(known); i++) {
		CHECK_EQUAL(siphash(key, bytes, known[i].n), known[i].short_one);
		siphash128(key, bytes, known[i].n, found);
		CHECK(!memcmp(found, known[i].long_one, sizeof(found)));
	}
}

static void set_once(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	CHECK_OK(load_symbols(g, &k));
	CHECK_REFUSED(ALREADY_LOADED, load_refused(g, &k));
	kernel_drop(&k);
	vtl0_end(g);
}

static void info_without_data(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	CHECK_REFUSED(NO_SYMBOL_TABLE, call_bytes(g, HEKI_CALL_LOAD_KDATA, &k.info, sizeof(k.info),
						  HEKI_KDATA_KERNEL_INFO));
	CHECK_REFUSED(NO_SYMBOL_TABLE, call_range(g, HEKI_CALL_LOAD_KDATA, k.rodata, 4096,
						  HEKI_KDATA_KERNEL_DATA));
	kernel_drop(&k);
	vtl0_end(g);
}

static void short_info(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	for (size_t n = 1; n < sizeof(k.info); n++) {
		struct ranges list = { 0 };

		kernel_symbol_ranges(g, &k, &list);
		list.r[0].epa = list.r[0].pa + n;
		CHECK_REFUSED(BUFFER_TOO_SMALL, call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
		drop_ranges(&list);
	}
	CHECK(!g->core->kernel_symbols.count);
	kernel_drop(&k);
	vtl0_end(g);
}

/* Architecture data behind the four addresses is ignored. */
static void long_info(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct ranges list = { 0 };
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	kernel_symbol_ranges(g, &k, &list);
	list.r[0].epa += 1000;
	memset(guest_at(g, list.r[0].pa + sizeof(k.info)), 0xee, 1000);
	CHECK_OK(call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
	CHECK_EQUAL(g->core->kernel_symbols.count, 5);
	drop_ranges(&list);
	kernel_drop(&k);
	vtl0_end(g);
}

/* The plain table [start, end) as VTL0 says it, @start and @end relative to the true ones. */
static int with_table(struct guest *g, struct kernel k, int64_t start, int64_t end)
{
	k.info.ksymtab_start += (uint64_t)start;
	k.info.ksymtab_end += (uint64_t)end;
	return load_refused(g, &k);
}

static int with_gpl_table(struct guest *g, struct kernel k, int64_t start, int64_t end)
{
	k.info.ksymtab_gpl_start += (uint64_t)start;
	k.info.ksymtab_gpl_end += (uint64_t)end;
	return load_refused(g, &k);
}

static void table_bounds(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	int64_t size, all;
	int result;

	kernel_make(g, &k, NULL, 0);
	size = k.plain * 12;
	all = (int64_t)k.rodata_pages * HEKI_PAGE_SIZE;
	for (int64_t cut = 1; cut < 12; cut++) {
		CHECK_REFUSED(SYMBOL_TABLE_LENGTH, with_table(g, k, 0, -cut));
		CHECK_REFUSED(SYMBOL_TABLE_LENGTH, with_gpl_table(g, k, 0, -cut));
	}
	CHECK_REFUSED(SYMBOL_TABLE_LENGTH, with_table(g, k, 0, -size)); /* empty */
	result = with_table(g, k, 0, -size - 12); /* end before start */
	CHECK(result == -HEKI_E_SYMBOL_TABLE_LENGTH || result == -HEKI_E_SYMBOL_TABLE_RANGE);
	CHECK_REFUSED(SYMBOL_TABLE_RANGE, with_table(g, k, -12, 0)); /* before the data */
	CHECK_REFUSED(SYMBOL_TABLE_RANGE, with_table(g, k, 0, all / 12 * 12 + 12 - size));
	CHECK_REFUSED(SYMBOL_TABLE_RANGE, with_table(g, k, all, all));
	CHECK_REFUSED(SYMBOL_TABLE_RANGE, with_gpl_table(g, k, -(1 << 20) * 12, -(1 << 20) * 12));
	result = with_table(g, k, 1ll << 62, 1ll << 62); /* not canonical */
	CHECK(result == -HEKI_E_SYMBOL_TABLE_RANGE || result == -HEKI_E_VIRT_ADDRESS);
	k.info.ksymtab_end = ~0ull - 3;
	result = load_refused(g, &k);
	CHECK(result == -HEKI_E_SYMBOL_TABLE_RANGE || result == -HEKI_E_SYMBOL_TABLE_LENGTH);
	kernel_drop(&k);
	vtl0_end(g);
}

static struct heki_kernel_symbol *symbol_at(struct guest *g, const struct kernel *k, unsigned int i)
{
	return guest_at(g, k->rodata + i * 12);
}

static void name_offsets(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	int64_t all;

	kernel_make(g, &k, NULL, 0);
	all = (int64_t)k.rodata_pages * HEKI_PAGE_SIZE;
	for (unsigned int i = 0; i < 5; i++) {
		struct heki_kernel_symbol *s = symbol_at(g, &k, i), good = *s;
		int32_t here = (int32_t)(i * 12 + 4);
		int32_t wrong[] = { -here - 1, (int32_t)(all - here), INT32_MAX, INT32_MIN };

		for (size_t j = 0; j < HEKI_ARRAY_SIZE(wrong); j++) {
			s->name_offset = wrong[j];
			CHECK_REFUSED(SYMBOL_NAME_BOUNDS, load_refused(g, &k));
		}
		*s = good;
	}
	CHECK_OK(load_symbols(g, &k));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Names may lie before the tables: offsets may be negative. */
static void negative_name_offsets(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	struct ranges list = { 0 };
	uint64_t pa = guest_pages(g, 2);
	struct heki_kernel_symbol *s = guest_at(g, pa + HEKI_PAGE_SIZE);
	struct symbol found;

	kernel_make(g, &k, NULL, 0);
	strcpy(guest_at(g, pa + 100), "before");
	s->value_offset = -0x1000;
	s->name_offset = 100 - (int32_t)HEKI_PAGE_SIZE - 4;
	k.info.ksymtab_start = k.rodata_va + HEKI_PAGE_SIZE;
	k.info.ksymtab_end = k.info.ksymtab_start + 12;
	k.info.ksymtab_gpl_start = k.info.ksymtab_start;
	k.info.ksymtab_gpl_end = k.info.ksymtab_end;
	k.rodata = pa;
	k.rodata_pages = 2;
	kernel_symbol_ranges(g, &k, &list);
	CHECK_OK(call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
	CHECK(find(g, "before", &found) && found.value == k.rodata_va);
	drop_ranges(&list);
	kernel_drop(&k);
	vtl0_end(g);
}

/* Put a name of the test's at the end of rodata and point symbol 0 there. */
static void set_name(struct guest *g, const struct kernel *k, const void *name, size_t n)
{
	uint64_t offset = k->rodata_pages * (uint64_t)HEKI_PAGE_SIZE - n;

	memcpy(guest_at(g, k->rodata + offset), name, n);
	symbol_at(g, k, 0)->name_offset = (int32_t)(offset - 4);
}

static void names(void)
{
	static const char *const not_utf8[] = {
		"\x80", "\xff", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80", "a\xc3", "\xe2\x82", "\xf0\x80\x80\xaf", "\xc3(",
	};
	static const char *const utf8[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf" };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	char name[HEKI_SYMBOL_NAME_MAX + 2];

	kernel_make(g, &k, NULL, 0);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(not_utf8); i++) {
		set_name(g, &k, not_utf8[i], strlen(not_utf8[i]) + 1);
		CHECK_REFUSED(SYMBOL_NAME_UTF8, load_refused(g, &k));
	}
	memset(name, 'n', sizeof(name));
	set_name(g, &k, name, 100); /* runs to the end of the data */
	CHECK_REFUSED(SYMBOL_NAME_NUL, load_refused(g, &k));
	name[HEKI_SYMBOL_NAME_MAX] = 0;
	set_name(g, &k, name, HEKI_SYMBOL_NAME_MAX + 1);
	CHECK_REFUSED(SYMBOL_NAME_LENGTH, load_refused(g, &k));
	set_name(g, &k, "", 1);
	CHECK_REFUSED(SYMBOL, load_refused(g, &k));
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(utf8); i++)
		CHECK(utf8_valid((const uint8_t *)utf8[i], strlen(utf8[i])));
	name[HEKI_SYMBOL_NAME_MAX - 1] = 0;
	set_name(g, &k, name, HEKI_SYMBOL_NAME_MAX);
	CHECK_OK(load_symbols(g, &k));
	CHECK(symbols_find(g->core, name, HEKI_SYMBOL_NAME_MAX - 1, &(struct symbol){ 0 }));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Relocations are 32 bits wide: a value that is no kernel address is not one of a symbol. */
static void values(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	k.rodata_va = 0xffff888012345000; /* tables outside the top 2 GiB */
	k.info.ksymtab_start = k.rodata_va;
	k.info.ksymtab_end = k.info.ksymtab_gpl_start = k.rodata_va + k.plain * 12;
	k.info.ksymtab_gpl_end = k.info.ksymtab_gpl_start + k.gpl * 12;
	CHECK_REFUSED(SYMBOL, load_refused(g, &k));
	kernel_drop(&k);
	vtl0_end(g);
}

static void budget(void)
{
	struct heki_limits limits = test_limits;
	struct guest *g;
	struct kernel k;

	limits.symbols = 4;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	kernel_make(g, &k, NULL, 0);
	CHECK_REFUSED(NO_MEMORY, load_refused(g, &k));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Thousands of symbols: each is found, with the value that was given. */
static void many(void)
{
	enum { COUNT = 5000 };
	static char names[COUNT][16];
	static struct export exports[COUNT];
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	struct symbol s;

	for (unsigned int i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "sym_%u", i);
		exports[i] = (struct export){ names[i], 16 * i, i % 3 == 0 };
	}
	kernel_make(g, &k, exports, COUNT);
	CHECK_OK(load_symbols(g, &k));
	CHECK_EQUAL(g->core->kernel_symbols.count, COUNT);
	for (unsigned int i = 0; i < COUNT; i++)
		CHECK(find(g, names[i], &s) && s.value == KERNEL_VA + 16 * i && s.gpl == (i % 3 == 0));
	kernel_drop(&k);
	vtl0_end(g);
}

const struct test symbols_tests[] = {
	{ "siphash_answers", siphash_answers },
	{ "found", found },
	{ "set_once", set_once },
	{ "info_without_data", info_without_data },
	{ "short_info", short_info },
	{ "long_info", long_info },
	{ "table_bounds", table_bounds },
	{ "name_offsets", name_offsets },
	{ "negative_name_offsets", negative_name_offsets },
	{ "names", names },
	{ "values", values },
	{ "budget", budget },
	{ "many", many },
	{ NULL, NULL },
};
