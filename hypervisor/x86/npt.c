// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page tables.
 *
 * Trust boundary: addresses come from a VTL by way of hypercalls; callers have compared them with
 * the memory map. Locks: npt->lock around changes; reading needs none, entries change as a whole.
 */
#include <hyperv/hypercall.h>

#include "console.h"
#include "npt.h"

#define ENTRY_PRESENT BIT(0)
#define ENTRY_WRITE BIT(1)
#define ENTRY_USER BIT(2)
#define ENTRY_USED (BIT(5) | BIT(6))
#define ENTRY_LARGE BIT(7)
#define ENTRY_KX BIT(9) /* for us: the access that @NX has been computed from */
#define ENTRY_UX BIT(10)
#define ENTRY_NX BIT(63)
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define ENTRY_TABLE (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_USED)

#define ENTRIES 512u
#define LOW_MEMORY BIT(32) /* devices below are mapped at start */
#define MORE_TABLES 576u /* devices above all RAM, pages beside RAM, joined tables still walked */

static bool executable(enum npt_tree tree, uint32_t access)
{
	if (tree == NPT_KERNEL)
		return access & HV_MAP_KERNEL_EXECUTE;
	return (access & (HV_MAP_KERNEL_EXECUTE | HV_MAP_USER_EXECUTE)) == HV_MAP_USER_EXECUTE;
}

static uint64_t make_entry(enum npt_tree tree, uint64_t hpa, uint32_t access)
{
	uint64_t entry = hpa | ENTRY_PRESENT | ENTRY_USER | ENTRY_USED;

	if (!(access & HV_MAP_READ))
		return 0;
	entry |= access & HV_MAP_WRITE ? ENTRY_WRITE : 0;
	entry |= access & HV_MAP_KERNEL_EXECUTE ? ENTRY_KX : 0;
	entry |= access & HV_MAP_USER_EXECUTE ? ENTRY_UX : 0;
	return entry | (executable(tree, access) ? 0 : ENTRY_NX);
}

static uint32_t entry_access(uint64_t entry)
{
	if (!(entry & ENTRY_PRESENT))
		return 0;
	return HV_MAP_READ | (entry & ENTRY_WRITE ? HV_MAP_WRITE : 0) |
	       (entry & ENTRY_KX ? HV_MAP_KERNEL_EXECUTE : 0) |
	       (entry & ENTRY_UX ? HV_MAP_USER_EXECUTE : 0);
}

static uint64_t *table_at(uint64_t entry)
{
	return (uint64_t *)(entry & ENTRY_ADDRESS);
}

static uint64_t *slot(uint64_t *table, uint64_t gpa, uint32_t level)
{
	return &table[gpa >> (PAGE_SHIFT + 9 * level) & (ENTRIES - 1)];
}

/* The table that an entry points to, made when there is none; NULL when that fails. */
static uint64_t *descend(struct npt *npt, uint64_t *entry)
{
	uint64_t page;

	if (!(*entry & ENTRY_PRESENT)) {
		page = pool_get(npt->pool);
		if (!page)
			return NULL;
		store_release(*entry, page | ENTRY_TABLE);
	}
	return table_at(*entry);
}

/* The directory of a GiB: entries of 2 MiB. */
static uint64_t *directory(struct npt *npt, enum npt_tree tree, uint64_t gpa)
{
	uint64_t *table = descend(npt, slot((uint64_t *)npt->root[tree], gpa, 3));

	return table ? descend(npt, slot(table, gpa, 2)) : NULL;
}

static uint32_t *others(struct npt *npt, const uint64_t *table)
{
	return &npt->others[((uint64_t)table - npt->pool->base) >> PAGE_SHIFT];
}

/* A table of 4 KiB entries that says what the large one said. */
static uint64_t *split(struct npt *npt, uint64_t *entry)
{
	uint64_t page = pool_take(npt->pool);
	uint64_t *table = (uint64_t *)page;
	uint64_t one = *entry & ~ENTRY_LARGE;
	uint64_t step = one ? PAGE_SIZE : 0;

	if (!page)
		return NULL;
	for (uint32_t i = 0; i < ENTRIES; i++, one += step)
		table[i] = one;
	*others(npt, table) = 0;
	npt->split++;
	store_release(*entry, page | ENTRY_TABLE);
	return table;
}

static bool is_table(uint64_t entry)
{
	return (entry & ENTRY_PRESENT) && !(entry & ENTRY_LARGE);
}

/* The directory's entry for an address, and below it the 4 KiB entry; NULL without memory. */
static uint64_t *last_entry(struct npt *npt, enum npt_tree tree, uint64_t gpa, uint64_t **above)
{
	uint64_t *pd = directory(npt, tree, gpa);
	uint64_t *table;

	if (!pd)
		return NULL;
	*above = slot(pd, gpa, 1);
	table = is_table(**above) ? table_at(**above) : split(npt, *above);
	return table ? slot(table, gpa, 0) : NULL;
}

/* All 4 KiB entries are default again: one large entry will do. */
static void join(struct npt *npt, enum npt_tree tree, uint64_t *above, uint64_t gpa)
{
	uint64_t *table = table_at(*above);

	store_release(*above, make_entry(tree, gpa & LARGE_MASK, npt->access) | ENTRY_LARGE);
	npt->split--;
	*others(npt, table) = npt->retired;
	npt->retired = (uint32_t)(((uint64_t)table - npt->pool->base) >> PAGE_SHIFT) + 1;
}

uint32_t npt_retired(struct npt *npt)
{
	uint32_t retired = npt->retired;

	npt->retired = 0;
	return retired;
}

void npt_release(struct npt *npt, uint32_t retired)
{
	while (retired) {
		uint64_t page = npt->pool->base + ((uint64_t)(retired - 1) << PAGE_SHIFT);

		retired = npt->others[retired - 1];
		pool_put(npt->pool, page);
	}
}

void npt_begin(struct npt_change *c, struct npt *npt, uint32_t access)
{
	*c = (struct npt_change){ .npt = npt, .access = (uint8_t)access };
	for (uint32_t tree = 0; tree < NPT_TREES; tree++) {
		c->bits[tree] = make_entry(tree, 0, access);
		c->plain[tree] = make_entry(tree, 0, npt->access);
	}
}

/* Get the tables of 2 MiB at hand. 1: they are; 0: all is as it shall be; -1: no page for a table. */
static int look(struct npt_change *c, uint64_t gpa)
{
	struct npt *npt = c->npt;

	c->base = gpa;
	for (uint32_t tree = 0; tree < NPT_TREES && npt->root[tree]; tree++) {
		uint64_t *pd = directory(npt, tree, gpa);
		uint64_t *above = pd ? slot(pd, gpa, 1) : NULL;

		if (above && !is_table(*above) && c->bits[tree] == c->plain[tree])
			return 0;
		if (!above || !(is_table(*above) || split(npt, above)))
			return -1;
		c->above[tree] = above;
		c->table[tree] = table_at(*above);
		c->others[tree] = others(npt, c->table[tree]);
	}
	return 1;
}

/* In one tree, with its tables at hand. */
static void change(struct npt_change *c, enum npt_tree tree, const uint16_t *pages, uint32_t n)
{
	const uint64_t mask = c->bits[tree] ? ENTRY_ADDRESS : 0;
	const uint64_t bits = c->bits[tree];
	const uint64_t base = bits | (c->base & mask);
	const uint64_t plain = c->plain[tree] | c->base;
	uint64_t *table = c->table[tree];
	uint32_t were_plain = 0;
	uint64_t any = 0;
	uint64_t all = ~0ull;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t offset = (uint64_t)pages[i] << PAGE_SHIFT;
		uint64_t old = table[pages[i]];

		store_release(table[pages[i]], base | (offset & mask));
		any |= old;
		all &= old;
		were_plain += old == (plain | offset);
	}
	/* A right is a bit that some page had and none has now, but for execution. */
	c->lost |= any & ~bits & (ENTRY_PRESENT | ENTRY_WRITE);
	c->lost |= bits & ~all & ENTRY_NX;
	*c->others[tree] += were_plain - (bits == c->plain[tree] ? n : 0);
	if (*c->others[tree])
		return;
	join(c->npt, tree, c->above[tree], c->base);
	c->lost = 1;
}

/* Pages that another one is shown at are left out. */
static uint32_t skip_overlay(struct npt_change *c, uint64_t base, uint16_t *pages, uint32_t n)
{
	uint64_t overlay = c->npt->overlay;
	uint32_t left = 0;

	if ((overlay & LARGE_MASK) != base)
		return n;
	for (uint32_t i = 0; i < n; i++) {
		if ((base | (uint64_t)pages[i] << PAGE_SHIFT) == overlay)
			c->npt->overlay_access = c->access;
		else
			pages[left++] = pages[i];
	}
	return left;
}

int npt_change(struct npt_change *c, uint64_t base, uint16_t *pages, uint32_t n)
{
	int ret;

	n = skip_overlay(c, base, pages, n);
	ret = n ? look(c, base) : 0;
	if (ret <= 0)
		return ret;
	for (uint32_t tree = 0; tree < NPT_TREES && c->npt->root[tree]; tree++)
		change(c, tree, pages, n);
	return 0;
}

uint32_t npt_access(const struct npt *npt, uint64_t gpa)
{
	uint64_t entry = npt->root[NPT_KERNEL] | ENTRY_PRESENT;

	if (gpa >> 48)
		return 0;
	for (uint32_t level = 4; level-- && (entry & ENTRY_PRESENT) && !(entry & ENTRY_LARGE);)
		entry = load_acquire(*slot(table_at(entry), gpa, level));
	return entry_access(entry);
}

/* Whether an entry of a last table says just what a large one would. */
static bool is_default(const struct npt *npt, uint64_t entry, uint64_t gpa)
{
	return entry_access(entry) == npt->access && (entry & ENTRY_ADDRESS) == gpa;
}

/* The RAM in 2 MiB, some of which is none. */
static bool default_pages(struct npt *npt, const struct memory_map *map, enum npt_tree tree,
			  uint64_t gpa)
{
	uint64_t *above;
	uint64_t *entry = last_entry(npt, tree, gpa, &above);
	uint32_t count = 0;

	if (!entry)
		return false;
	for (uint32_t i = 0; i < ENTRIES; i++, entry++, gpa += PAGE_SIZE) {
		if (memory_is_guest(map, gpa, PAGE_SIZE) && gpa != npt->overlay)
			store_release(*entry, make_entry(tree, gpa, npt->access));
		count += !is_default(npt, *entry, gpa);
	}
	*others(npt, table_at(*above)) = count;
	return true;
}

static bool default_large(struct npt *npt, const struct memory_map *map, enum npt_tree tree,
			  uint64_t gpa)
{
	uint64_t *pd = directory(npt, tree, gpa);
	uint64_t *entry;

	if (!pd)
		return false;
	entry = slot(pd, gpa, 1);
	if (is_table(*entry) || !memory_is_guest(map, gpa, LARGE_SIZE))
		return default_pages(npt, map, tree, gpa);
	store_release(*entry, make_entry(tree, gpa, npt->access) | ENTRY_LARGE);
	return true;
}

bool npt_default(struct npt *npt, const struct memory_map *map, uint32_t access)
{
	bool good = true;

	npt->access = (uint8_t)access;
	if (npt->overlay != ~0ull)
		npt->overlay_access = (uint8_t)access;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct memory_range *r = &map->ranges[i];

		if (r->kind != MEMORY_RAM && r->kind != MEMORY_VTL1)
			continue;
		for (uint64_t at = r->start & LARGE_MASK; at < r->end && good; at += LARGE_SIZE)
			for (uint32_t tree = 0; tree < NPT_TREES && npt->root[tree]; tree++)
				good &= default_large(npt, map, tree, at);
	}
	return good;
}

bool npt_map_device(struct npt *npt, uint64_t gpa)
{
	bool good = !(gpa >> 48);

	lock(&npt->lock);
	for (uint32_t tree = 0; tree < NPT_TREES && npt->root[tree] && good; tree++) {
		uint64_t *table = descend(npt, slot((uint64_t *)npt->root[tree], gpa, 3));

		good = table;
		if (good && !(*slot(table, gpa, 2) & ENTRY_PRESENT))
			*slot(table, gpa, 2) = make_entry(tree, gpa & ~(HUGE_SIZE - 1), HV_MAP_ALL) |
					       ENTRY_LARGE;
	}
	unlock(&npt->lock);
	return good;
}

/* An entry that leads elsewhere than a large one would keeps its table apart, whatever its access. */
static bool fix(struct npt *npt, uint64_t gpa, uint64_t hpa, uint32_t access)
{
	for (uint32_t tree = 0; tree < NPT_TREES && npt->root[tree]; tree++) {
		uint64_t *above;
		uint64_t *entry = last_entry(npt, tree, gpa, &above);
		uint32_t *count;

		if (!entry)
			return false;
		count = others(npt, table_at(*above));
		*count += is_default(npt, *entry, gpa);
		store_release(*entry, make_entry(tree, hpa, access));
		*count -= is_default(npt, *entry, gpa);
		if (!*count)
			join(npt, tree, above, gpa);
	}
	return true;
}

void npt_fix(struct npt *npt, uint64_t gpa, uint32_t access)
{
	if (!fix(npt, gpa, gpa, access))
		panic("no page for the nested tables");
}

bool npt_overlay(struct npt *npt, uint64_t gpa, uint64_t hpa)
{
	const uint32_t code = HV_MAP_READ | HV_MAP_KERNEL_EXECUTE | HV_MAP_USER_EXECUTE;
	uint8_t access;

	if (gpa == npt->overlay)
		return true;
	if (npt->overlay != ~0ull)
		fix(npt, npt->overlay, npt->overlay, npt->overlay_access);
	npt->overlay = ~0ull;
	access = (uint8_t)npt_access(npt, gpa);
	if (gpa != ~0ull && !fix(npt, gpa, hpa, code))
		return false;
	npt->overlay = gpa;
	npt->overlay_access = access;
	return true;
}

/* Whether the hypervisor has a part of [@start, @end). */
static bool ours(const struct memory_map *map, uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < map->n; i++)
		if (map->ranges[i].kind == MEMORY_HYPERVISOR && map->ranges[i].start < end &&
		    map->ranges[i].end > start)
			return true;
	return false;
}

static void map_large(struct npt *npt, const struct memory_map *map, enum npt_tree tree,
		      uint64_t gpa)
{
	uint64_t *pd = directory(npt, tree, gpa);
	uint64_t *entry = slot(pd, gpa, 1);
	uint64_t *table;

	*entry = make_entry(tree, gpa, npt->access) | ENTRY_LARGE;
	if (!ours(map, gpa, gpa + LARGE_SIZE))
		return;
	table = split(npt, entry);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		if (!ours(map, gpa + i * PAGE_SIZE, gpa + (i + 1) * PAGE_SIZE))
			continue;
		table[i] = 0;
		++*others(npt, table);
	}
}

uint32_t npt_pages(const struct memory_map *map, uint32_t trees)
{
	uint64_t top = max_u64(memory_top(map), LOW_MEMORY);
	uint64_t directories = align_up(top, HUGE_SIZE) / HUGE_SIZE + 4;
	uint64_t tables = 0;

	for (uint32_t i = 0; i < map->n; i++)
		if (map->ranges[i].kind != MEMORY_RESERVED)
			tables += (map->ranges[i].end - map->ranges[i].start) / LARGE_SIZE + 2;
	return (uint32_t)((trees + 1) * directories + trees * tables + MORE_TABLES);
}

void npt_init(struct npt *npt, const struct memory_map *map, uint32_t trees)
{
	uint64_t top = align_up(max_u64(memory_top(map), LOW_MEMORY), HUGE_SIZE);

	npt->access = HV_MAP_ALL;
	npt->overlay = ~0ull;
	for (uint32_t tree = 0; tree < trees; tree++) {
		npt->root[tree] = pool_get(npt->pool);
		for (uint64_t gpa = 0; gpa < top; gpa += LARGE_SIZE)
			map_large(npt, map, tree, gpa);
	}
}
