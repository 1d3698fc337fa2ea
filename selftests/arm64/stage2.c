// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 tables against a plain model: random operations, what each page is then, and what a TLB may
 * still hold of what it was.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "stage2.h"

#define BASE 0x3ff00000ull /* the last MiB of one GiB and what follows */
#define PAGES 2048u
#define ROUNDS 4000u
#define POOL 64u

static struct stage2 tables;
static struct pool pool;

/* The entry that maps an address, as the manual says how tables are walked; its level. */
static uint64_t entry_of(uint64_t address, uint32_t *level)
{
	uint64_t at = tables.root;

	for (*level = 1;; ++*level) {
		uint64_t index = address >> (39 - 9 * *level) & 511;
		uint64_t entry = ((const uint64_t *)at)[index];

		if (*level == 3 && (entry & 3) != 3)
			return 0;
		if (!(entry & 1) || *level == 3 || !(entry & 2))
			return entry & 1 ? entry : 0;
		at = entry & 0xfffffffff000ull;
	}
}

struct seen {
	uint64_t entry;
	uint32_t level;
};

static struct seen tlb[PAGES];
static bool broken; /* an entry was not invalid when it was flushed */

static struct seen seen(uint32_t page)
{
	struct seen s = { .level = 0 };

	s.entry = entry_of(BASE + page * PAGE_SIZE, &s.level);
	return s;
}

void stage2_publish(void)
{
}

void stage2_flush_entry(uint64_t address)
{
	uint32_t level;

	broken |= entry_of(address, &level) != 0;
	for (uint32_t i = 0; i < PAGES; i++) {
		uint64_t size = 1ull << (39 - 9 * tlb[i].level);
		uint64_t at = BASE + i * PAGE_SIZE;

		if (tlb[i].entry && (at & ~(size - 1)) == (address & ~(size - 1)))
			tlb[i].entry = 0;
	}
}

void stage2_flush(uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < PAGES; i++)
		if (BASE + i * PAGE_SIZE - start < size)
			tlb[i].entry = 0;
}

static void tables_init(uint32_t pages, bool xnx)
{
	memset(&pool, 0, sizeof(pool));
	pool_init(&pool, (uint64_t)aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE), pages);
	CHECK(!stage2_init(&tables, &pool, xnx));
}

static void tables_drop(void)
{
	free((void *)pool.base);
}

struct model {
	bool mapped;
	bool device;
	uint32_t rights;
};

static struct model model[PAGES];

static uint64_t xn_of(uint32_t rights)
{
	switch (rights & STAGE2_EXECUTE) {
	case STAGE2_EXECUTE:
		return 0;
	case STAGE2_USER_EXECUTE:
		return 1;
	case STAGE2_KERNEL_EXECUTE:
		return tables.xnx ? 3 : 2;
	default:
		return 2;
	}
}

static bool page_is(uint32_t page)
{
	const struct model *m = &model[page];
	struct seen s = seen(page);
	uint64_t size = 1ull << (39 - 9 * s.level);
	uint64_t at = BASE + page * PAGE_SIZE;

	if (!m->mapped)
		return !s.entry;
	return s.entry & 1 && s.entry & BIT(10) && (s.entry >> 2 & 0xf) == (m->device ? 1 : 0xf) &&
	       !(s.entry & BIT(6)) == !(m->rights & STAGE2_READ) &&
	       !(s.entry & BIT(7)) == !(m->rights & STAGE2_WRITE) &&
	       (s.entry >> 53 & 3) == xn_of(m->rights) &&
	       (s.entry & 0xfffffffff000ull) == (at & ~(size - 1)) &&
	       (m->device || (s.entry >> 8 & 3) == 3);
}

/* No TLB may hold what is not so any more; all that is cached may be used again. */
static bool tlb_is_right(void)
{
	for (uint32_t i = 0; i < PAGES; i++) {
		struct seen s = seen(i);

		if (tlb[i].entry && (tlb[i].entry != s.entry || tlb[i].level != s.level))
			return false;
		tlb[i] = s;
	}
	return true;
}

static bool model_allows(enum stage2_kind kind, uint32_t rights)
{
	uint32_t x = rights & STAGE2_EXECUTE;

	return rights & STAGE2_READ && !(kind == STAGE2_DEVICE && x) &&
	       (!x || x == STAGE2_EXECUTE || tables.xnx);
}

/* What the operation gives, and the model after it. */
static enum stage2_error model_apply(uint32_t what, uint32_t from, uint32_t n, bool device,
				     uint32_t rights)
{
	if (what != 3 && !model_allows(what == 0 && device ? STAGE2_DEVICE : STAGE2_NORMAL, rights))
		return STAGE2_ACCESS;
	for (uint32_t i = from; what % 3 && i < from + n; i++)
		if (!model[i].mapped ||
		    (what == 1 && model[i].device && rights & STAGE2_EXECUTE))
			return STAGE2_UNMAPPED;
	for (uint32_t i = from; i < from + n; i++) {
		if (what == 0)
			model[i] = (struct model){ true, device, rights };
		else if (what == 1)
			model[i].rights = rights;
		else if (what == 2)
			model[i].rights &= rights;
		else
			model[i].mapped = false;
	}
	return STAGE2_GOOD;
}

static enum stage2_error apply(uint32_t what, uint32_t from, uint32_t n, bool device, uint32_t rights)
{
	uint64_t start = BASE + from * PAGE_SIZE;
	uint64_t size = n * PAGE_SIZE;

	switch (what) {
	case 0:
		return stage2_map(&tables, start, size, device ? STAGE2_DEVICE : STAGE2_NORMAL, rights);
	case 1:
		return stage2_protect(&tables, start, size, rights);
	case 2:
		return stage2_take(&tables, start, size, rights);
	default:
		return stage2_unmap(&tables, start, size);
	}
}

static void operations(bool xnx)
{
	tables_init(POOL, xnx);
	memset(model, 0, sizeof(model));
	memset(tlb, 0, sizeof(tlb));
	broken = false;
	for (uint32_t round = 0; round < ROUNDS && test_good; round++) {
		uint32_t what = random32() % 8 < 4 ? 0 : random32() % 4;
		uint32_t from = random32() % PAGES, n = 1 + random32() % (PAGES - from);
		bool device = !(random32() % 8);
		uint32_t rights = random32() % 16 | (random32() % 8 ? STAGE2_READ : 0);

		if (random32() % 2)
			n = 1 + random32() % (PAGES - from < 8 ? PAGES - from : 8);
		if (random32() % 4 == 0)
			from = 0, n = PAGES;
		CHECK(apply(what, from, n, device, rights) ==
		      model_apply(what, from, n, device, rights));
		for (uint32_t i = 0; i < PAGES; i++)
			if (!CHECK(page_is(i)))
				return;
		CHECK(tlb_is_right());
		CHECK(!broken);
	}
	tables_drop();
}

static void with_xnx(void)
{
	operations(true);
}

static void without_xnx(void)
{
	operations(false);
}

static uint32_t level_of(uint64_t address)
{
	uint32_t level;

	return entry_of(address, &level) ? level : 0;
}

static void sizes(void)
{
	tables_init(16, true);
	CHECK(!stage2_map(&tables, 0x40000000, 0xc0201000, STAGE2_NORMAL, STAGE2_RIGHTS));
	CHECK(level_of(0x40000000) == 1 && level_of(0xffffffff) == 1);
	CHECK(level_of(0x100000000) == 2 && level_of(0x1001fffff) == 2 && level_of(0x100200000) == 3);
	CHECK(!level_of(0x100201000) && !level_of(0x3ffff000));
	/* A page of it is made read-only: each of the larger entries is split, what is beside stays. */
	CHECK(!stage2_protect(&tables, 0x80003000, PAGE_SIZE, STAGE2_READ));
	CHECK(level_of(0x80003000) == 3 && level_of(0x80200000) == 2 && level_of(0x7fffffff) == 1);
	CHECK(!stage2_allows(&tables, 0x80003000, STAGE2_WRITE));
	CHECK(stage2_allows(&tables, 0x80002fff, STAGE2_RIGHTS));
	CHECK(stage2_allows(&tables, 0x80004000, STAGE2_RIGHTS));
	CHECK(stage2_allows(&tables, 0xbfffffff, STAGE2_RIGHTS));
	CHECK(!stage2_allows(&tables, STAGE2_LIMIT, STAGE2_READ));
	tables_drop();
}

static void bad_ranges(void)
{
	static const struct {
		uint64_t start;
		uint64_t size;
	} bad[] = {
		{ 0, 0 }, { 1, PAGE_SIZE }, { 0, 1 }, { 0x800, 0x800 }, { STAGE2_LIMIT, PAGE_SIZE },
		{ STAGE2_LIMIT - PAGE_SIZE, 2 * PAGE_SIZE }, { PAGE_SIZE, STAGE2_LIMIT },
		{ PAGE_SIZE, ~0ull & PAGE_MASK }, { ~0ull & PAGE_MASK, PAGE_SIZE },
	};

	tables_init(4, true);
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(stage2_map(&tables, bad[i].start, bad[i].size, STAGE2_NORMAL, STAGE2_READ) ==
		      STAGE2_RANGE);
		CHECK(stage2_protect(&tables, bad[i].start, bad[i].size, STAGE2_READ) == STAGE2_RANGE);
		CHECK(stage2_unmap(&tables, bad[i].start, bad[i].size) == STAGE2_RANGE);
	}
	CHECK(stage2_map(&tables, 0, PAGE_SIZE, STAGE2_NORMAL, STAGE2_READ | 16) == STAGE2_ACCESS);
	CHECK(stage2_map(&tables, 0, PAGE_SIZE, STAGE2_NORMAL, 0) == STAGE2_ACCESS);
	CHECK(pool.free == 3);
	tables_drop();
}

static void no_memory(void)
{
	tables_init(3, true);
	CHECK(!stage2_map(&tables, 0x40000000, HUGE_SIZE, STAGE2_NORMAL, STAGE2_RIGHTS));
	CHECK(!stage2_protect(&tables, 0x40000000, PAGE_SIZE, STAGE2_READ));
	/* Two more pages are needed, none is left: nothing has changed. */
	CHECK(stage2_protect(&tables, 0x40400000 - PAGE_SIZE, 2 * PAGE_SIZE, STAGE2_READ) ==
	      STAGE2_NO_MEMORY);
	CHECK(stage2_allows(&tables, 0x403ff000, STAGE2_RIGHTS));
	CHECK(stage2_map(&tables, 0x80000000, 2 * PAGE_SIZE, STAGE2_NORMAL, STAGE2_READ) ==
	      STAGE2_NO_MEMORY);
	CHECK(!stage2_allows(&tables, 0x80000000, STAGE2_READ));
	tables_drop();
}

/* Whoever holds the lock: the first MiB of the pages goes, the rest stays. */
static void closed(void)
{
	tables_init(16, true);
	memset(tlb, 0, sizeof(tlb));
	CHECK(!stage2_map(&tables, BASE, PAGES * PAGE_SIZE, STAGE2_NORMAL, STAGE2_READ));
	CHECK(tlb_is_right());
	lock(&tables.lock);
	stage2_close(&tables, 0x9000000);
	unlock(&tables.lock);
	CHECK(!level_of(BASE) && !level_of(0x3fffffff) && level_of(0x40000000) == 2);
	CHECK(tlb_is_right());
	tables_drop();
}

void test_stage2(void)
{
	test("stage 2: random operations, execution per level", with_xnx);
	test("stage 2: random operations, without FEAT_XNX", without_xnx);
	test("stage 2: entries of 1 GiB, 2 MiB and 4 KiB, split", sizes);
	test("stage 2: bad ranges and rights", bad_ranges);
	test("stage 2: a GiB is closed without the lock", closed);
	test("stage 2: an empty pool changes nothing", no_memory);
}
