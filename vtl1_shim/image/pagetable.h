/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Page tables of four levels, and the pages that they are made of.
 */
#ifndef VTL1_IMAGE_PAGETABLE_H
#define VTL1_IMAGE_PAGETABLE_H

#include "types.h"

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_ACCESSED (1ull << 5)
#define PTE_DIRTY (1ull << 6)
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* No page is writable and executable; none belongs to a user. */
#define PTE_TEXT (PTE_PRESENT | PTE_ACCESSED)
#define PTE_RODATA (PTE_PRESENT | PTE_ACCESSED | PTE_NX)
#define PTE_DATA (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_NX)

/**
 * struct pages - VTL1's free memory, handed out once and for ever
 * @next: first free page
 * @end:  behind the last
 */
struct pages {
	struct pa next;
	struct pa end;
};

/**
 * pages_take() - take pages
 * @pages: free memory
 * @n:     how many, in a row
 *
 * Return: zeroed memory, NULL when it is used up
 */
void *pages_take(struct pages *pages, uint64_t n);

/**
 * struct pagetable - an address space
 * @root:  the highest table, NULL before the first entry is asked for
 * @pages: what tables are made of
 */
struct pagetable {
	uint64_t *root;
	struct pages *pages;
};

/**
 * pagetable_entry() - the lowest entry of an address; tables down to it are made
 * @t:  the address space
 * @va: canonical address
 *
 * Return: the entry, NULL without memory
 */
uint64_t *pagetable_entry(struct pagetable *t, struct va va);

/**
 * pagetable_map() - map pages where they are
 * @t:     the address space
 * @from:  first page
 * @to:    behind the last
 * @flags: PTE_TEXT, PTE_RODATA, PTE_DATA; 0: unmap them
 *
 * Return: 0, or -1 without memory
 */
int pagetable_map(struct pagetable *t, struct pa from, struct pa to, uint64_t flags);

#endif /* VTL1_IMAGE_PAGETABLE_H */
