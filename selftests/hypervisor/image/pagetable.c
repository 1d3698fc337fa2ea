// SPDX-License-Identifier: GPL-2.0-only
/* Page tables: what is mapped, what is not, and running out of memory. */
#include "pagetable.h"
#include "suites.h"

static struct pages pages;
static struct pagetable table;

static void start(size_t n)
{
	uint8_t *memory = aligned_alloc(4096, n ? n * 4096 : 4096);

	memset(memory, 0xaa, n * 4096);
	pages.next = pa_of(memory);
	pages.end.v = pages.next.v + n * 4096;
	table = (struct pagetable){ .pages = &pages };
}

/* As the CPU walks: the entry of an address, 0 where a table is missing. */
static uint64_t walk(uint64_t va)
{
	const uint64_t *t = table.root;

	for (int shift = 39; shift > 12; shift -= 9) {
		uint64_t entry = t[va >> shift & 511];

		if (!(entry & 1))
			return 0;
		CHECK_EQUAL(entry & ~PTE_ADDRESS, PTE_PRESENT | PTE_WRITE | PTE_ACCESSED);
		t = (const uint64_t *)(uintptr_t)(entry & PTE_ADDRESS);
	}
	return t[va >> 12 & 511];
}

static int map(uint64_t from, uint64_t to, uint64_t flags)
{
	return pagetable_map(&table, (struct pa){ from }, (struct pa){ to }, flags);
}

static void maps_what_is_asked(void)
{
	start(16);
	CHECK_EQUAL(map(0x1ff000, 0x203000, PTE_TEXT), 0);
	CHECK_EQUAL(map(0x203000, 0x204000, PTE_RODATA), 0);
	CHECK_EQUAL(map(0x204000, 0x205000, PTE_DATA), 0);
	for (uint64_t va = 0x1ff000; va < 0x203000; va += 4096)
		CHECK_EQUAL(walk(va), va | PTE_PRESENT | PTE_ACCESSED);
	CHECK_EQUAL(walk(0x203000) & (PTE_WRITE | PTE_NX), PTE_NX);
	CHECK_EQUAL(walk(0x204000) & (PTE_WRITE | PTE_NX), PTE_WRITE | PTE_NX);
	CHECK_EQUAL(walk(0x1fe000), 0);
	CHECK_EQUAL(walk(0x205000), 0);
	CHECK_EQUAL(walk(0), 0);
}

static void nothing_is_writable_and_executable(void)
{
	const uint64_t flags[] = { PTE_TEXT, PTE_RODATA, PTE_DATA };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(flags); i++) {
		CHECK(flags[i] & PTE_NX || !(flags[i] & PTE_WRITE));
		CHECK(!(flags[i] & 1ull << 2)); /* user */
	}
}

static void unmaps(void)
{
	start(8);
	CHECK_EQUAL(map(0x1000, 0x4000, PTE_DATA), 0);
	CHECK_EQUAL(map(0x2000, 0x3000, 0), 0);
	CHECK_EQUAL(walk(0x2000), 0);
	CHECK_EQUAL(walk(0x1000), 0x1000 | PTE_DATA);
	CHECK_EQUAL(walk(0x3000), 0x3000 | PTE_DATA);
}

static void high_addresses(void)
{
	const struct va high = { 0xffff800000001000ull };
	uint64_t *entry;

	start(16);
	entry = pagetable_entry(&table, high);
	CHECK(entry && !*entry);
	*entry = 0x5000 | PTE_RODATA;
	CHECK_EQUAL(walk(high.v), 0x5000 | PTE_RODATA);
	CHECK_EQUAL(walk(0x1000), 0);
	CHECK(pagetable_entry(&table, high) == entry);
}

static void tables_are_made_once(void)
{
	uint64_t used;

	start(16);
	CHECK_EQUAL(map(0x200000, 0x400000, PTE_DATA), 0);
	used = pages.next.v;
	CHECK_EQUAL(used - pa_of(table.root).v, 4 * 4096);
	CHECK_EQUAL(map(0x200000, 0x400000, PTE_DATA), 0);
	CHECK_EQUAL(pages.next.v, used);
}

static void out_of_memory(void)
{
	for (size_t n = 0; n < 4; n++) {
		start(n);
		CHECK(!pagetable_entry(&table, (struct va){ 0x1000 }));
		CHECK_EQUAL(map(0x1000, 0x2000, PTE_DATA), -1);
	}
	start(4); /* one lowest table */
	CHECK_EQUAL(map(0x1ff000, 0x201000, PTE_DATA), -1);
	CHECK_EQUAL(walk(0x1ff000), 0x1ff000 | PTE_DATA);
	CHECK_EQUAL(walk(0x200000), 0);
}

static void pages_run_out(void)
{
	uint8_t *p;

	start(3);
	CHECK(!pages_take(&pages, 4));
	CHECK(!pages_take(&pages, ~0ull));
	CHECK(!pages_take(&pages, 1ull << 52));
	p = pages_take(&pages, 2);
	for (size_t i = 0; i < 8192; i++)
		CHECK_EQUAL(p[i], 0);
	CHECK(!pages_take(&pages, 2));
	CHECK(pages_take(&pages, 1) == p + 8192);
	CHECK(!pages_take(&pages, 1));
}

const struct test pagetable_tests[] = {
	{ "maps_what_is_asked", maps_what_is_asked },
	{ "nothing_is_writable_and_executable", nothing_is_writable_and_executable },
	{ "unmaps", unmaps },
	{ "high_addresses", high_addresses },
	{ "tables_are_made_once", tables_are_made_once },
	{ "out_of_memory", out_of_memory },
	{ "pages_run_out", pages_run_out },
	{ NULL, NULL },
};
