/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Which of a module's compared bytes is explained by what.
 *
 * Counting must cost next to nothing, so most of it is arithmetic: a relocation adds its width, a
 * sorted table its size. Only in text, where a site may be rewritten over a relocation or over
 * another site, one bit a byte says who has been there.
 */
#ifndef HEKI_CORE_ACCOUNT_H
#define HEKI_CORE_ACCOUNT_H

#include "sites.h"

/**
 * struct account - the bytes of a module
 * @compared:  by memory type
 * @bytes:     by enum heki_account
 * @relocated: a bit for each byte of executable memory that a relocation wrote, NULL for others
 * @rewritten: the same for sites that the kernel has rewritten
 */
struct account {
	uint32_t compared[HEKI_MOD_MEM_TYPES];
	uint32_t bytes[HEKI_ACCOUNT_COUNT];
	uint8_t *relocated[HEKI_MOD_MEM_TYPES];
	uint8_t *rewritten[HEKI_MOD_MEM_TYPES];
};

/* Begin with the @bytes of a memory type, all padding so far; false when there is no memory. */
bool account_open(struct call *c, struct account *a, uint32_t type, uint64_t bytes);

/* A relocation wrote @n bytes, 4 or 8, at offset @at of a memory type, each byte once. */
static inline void account_relocated(struct account *a, uint32_t type, uint64_t at, uint32_t n)
{
	uint8_t *p = a->relocated[type];
	uint32_t bits = (n == 8 ? 0xffu : 0xfu) << (at & 7);

	a->bytes[HEKI_ACCOUNT_RELOCATED] += n;
	if (!p)
		return;
	p += at >> 3;
	p[0] |= (uint8_t)bits;
	p[1] |= (uint8_t)(bits >> 8);
}

/* A table was taken over as the kernel has sorted it, its relocated bytes included. */
void account_sorted(struct account *a, const struct elf_section *s);

/* What stands at a site was taken over: @n bytes at offset @at of a memory type. */
void account_site(struct account *a, const struct site *s, uint32_t type, uint64_t at, uint32_t n);

/* Take over the length that the kernel has written into an alternative's entry. */
static inline void account_length(struct account *a, uint8_t *expected, uint8_t found)
{
	a->bytes[HEKI_ACCOUNT_ALTERNATIVE] += *expected != found;
	*expected = found;
}

/* All bytes are equal now: what is left is as in the file. */
void account_close(struct account *a);

#endif /* HEKI_CORE_ACCOUNT_H */
