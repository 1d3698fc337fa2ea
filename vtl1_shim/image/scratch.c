// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Scratch memory: the first run of free pages that is long enough.
 *
 * A search looks at 64 pages at a time where all of them are taken; with 512 MiB that is at most
 * some thousand words.
 *
 * Trust boundary: sizes follow what VTL0 declared; the core has charged them to its budget.
 * Locks: the caller's.
 */
#include "scratch.h"

#define WORD_BITS 64u
#define ALL_TAKEN (~0ull)

void scratch_init(struct scratch *s, uint8_t *start, uint64_t pages, uint64_t *taken)
{
	*s = (struct scratch){ .start = start, .pages = pages, .taken = taken };
	memset(taken, 0, scratch_map_size(pages));
}

static bool is_taken(const struct scratch *s, uint64_t page)
{
	return s->taken[page / WORD_BITS] >> (page % WORD_BITS) & 1;
}

static void mark(struct scratch *s, uint64_t page, uint64_t n, bool taken)
{
	uint64_t bit;

	for (; n; n--, page++) {
		bit = 1ull << (page % WORD_BITS);
		if (taken)
			s->taken[page / WORD_BITS] |= bit;
		else
			s->taken[page / WORD_BITS] &= ~bit;
	}
}

/* The first run of @n free pages; s->pages when there is none. */
static uint64_t find(const struct scratch *s, uint64_t n)
{
	uint64_t page = s->next * WORD_BITS;
	uint64_t run = 0;

	while (page < s->pages) {
		if (!(page % WORD_BITS) && s->taken[page / WORD_BITS] == ALL_TAKEN) {
			run = 0;
			page += WORD_BITS;
			continue;
		}
		run = is_taken(s, page) ? 0 : run + 1;
		page++;
		if (run == n)
			return page - n;
	}
	return s->pages;
}

static uint64_t pages_of(size_t n)
{
	return page_up(n) >> HEKI_PAGE_SHIFT;
}

void *scratch_take(struct scratch *s, size_t n)
{
	uint64_t words = s->pages / WORD_BITS;
	uint64_t page;

	if (!n || n > s->pages << HEKI_PAGE_SHIFT)
		return NULL;
	page = find(s, pages_of(n));
	if (page == s->pages)
		return NULL;
	mark(s, page, pages_of(n), true);
	while (s->next < words && s->taken[s->next] == ALL_TAKEN)
		s->next++;
	return s->start + (page << HEKI_PAGE_SHIFT);
}

void scratch_give(struct scratch *s, const void *p, size_t n)
{
	uint64_t page = (uint64_t)((const uint8_t *)p - s->start) >> HEKI_PAGE_SHIFT;

	mark(s, page, pages_of(n), false);
	s->next = min_u64(s->next, page / WORD_BITS);
}
