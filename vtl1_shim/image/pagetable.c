// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Page tables of four levels.  Tables are VTL1's own memory, so that an entry's address is a
 * pointer.
 *
 * Trust boundary: none, no input of VTL0's comes here. Locks: none; used before other VPs run.
 */
#include "pagetable.h"

#define LEVELS 4
#define LEVEL_BITS 9
#define LEVEL_MASK 511

void *pages_take(struct pages *pages, uint64_t n)
{
	void *p = pa_ptr(pages->next);

	if (n > (pages->end.v - pages->next.v) >> HEKI_PAGE_SHIFT)
		return NULL;
	pages->next.v += n << HEKI_PAGE_SHIFT;
	return memset(p, 0, n << HEKI_PAGE_SHIFT);
}

static uint64_t *table_make(struct pagetable *t)
{
	return pages_take(t->pages, 1);
}

static uint64_t *entry_at(uint64_t *table, struct va va, unsigned int level)
{
	return table + (va.v >> (HEKI_PAGE_SHIFT + level * LEVEL_BITS) & LEVEL_MASK);
}

uint64_t *pagetable_entry(struct pagetable *t, struct va va)
{
	uint64_t *table;
	uint64_t *entry;
	unsigned int level;

	if (!t->root)
		t->root = table_make(t);
	table = t->root;
	for (level = LEVELS - 1; level && table; level--) {
		entry = entry_at(table, va, level);
		if (!*entry) {
			table = table_make(t);
			*entry = table ? pa_of(table).v | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED : 0;
		}
		table = pa_ptr((struct pa){ *entry & PTE_ADDRESS });
	}
	return table ? entry_at(table, va, 0) : NULL;
}

int pagetable_map(struct pagetable *t, struct pa from, struct pa to, uint64_t flags)
{
	uint64_t *entry;

	for (; from.v < to.v; from.v += HEKI_PAGE_SIZE) {
		entry = pagetable_entry(t, va_of(pa_ptr(from)));
		if (!entry)
			return -1;
		*entry = flags ? from.v | flags : 0;
	}
	return 0;
}
