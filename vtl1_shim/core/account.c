// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Counting compared bytes by what explains them.
 *
 * Trust boundary: none of its own; offsets are those of sites and relocations that were checked.
 * Locks: none.
 */
#include "account.h"

/* Bits of a map are read as words that start at any byte. */
#define MAP_SLACK 8u
#define WORD_BITS 32u

static const uint8_t accounts[SITE_KIND_COUNT] = {
	[SITE_ALTERNATIVE] = HEKI_ACCOUNT_ALTERNATIVE,
	[SITE_PARAVIRT] = HEKI_ACCOUNT_PARAVIRT,
	[SITE_RETPOLINE] = HEKI_ACCOUNT_RETPOLINE,
	[SITE_RETURN] = HEKI_ACCOUNT_RETURN,
	[SITE_CALL] = HEKI_ACCOUNT_CALL,
	[SITE_ENDBR] = HEKI_ACCOUNT_ENDBR,
	[SITE_SMP_LOCK] = HEKI_ACCOUNT_SMP_LOCK,
	[SITE_MCOUNT] = HEKI_ACCOUNT_MCOUNT,
	[SITE_STATIC_CALL] = HEKI_ACCOUNT_STATIC_CALL,
	[SITE_JUMP_LABEL] = HEKI_ACCOUNT_JUMP_LABEL,
	[SITE_TRAMPOLINE] = HEKI_ACCOUNT_STATIC_CALL,
};

bool account_open(struct call *c, struct account *a, uint32_t type, uint64_t bytes)
{
	uint64_t map = bytes / 8 + MAP_SLACK;

	a->compared[type] = (uint32_t)bytes;
	a->bytes[HEKI_ACCOUNT_PADDING] += (uint32_t)bytes;
	if (type != HEKI_MOD_TEXT && type != HEKI_MOD_INIT_TEXT)
		return true;
	a->relocated[type] = arena_alloc(&c->arena, map);
	a->rewritten[type] = arena_alloc(&c->arena, map);
	return a->relocated[type] && a->rewritten[type];
}

void account_sorted(struct account *a, const struct elf_section *s)
{
	a->bytes[HEKI_ACCOUNT_SORTED] += (uint32_t)s->data.n;
	a->bytes[HEKI_ACCOUNT_RELOCATED] -= s->relocated;
}

/* Without the instruction: not every processor that the core runs on has it. */
static uint32_t count_bits(uint64_t v)
{
	if (!v)
		return 0;
	v -= v >> 1 & 0x5555555555555555ull;
	v = (v & 0x3333333333333333ull) + (v >> 2 & 0x3333333333333333ull);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (uint32_t)(v * 0x0101010101010101ull >> 56);
}

void account_site(struct account *a, const struct site *s, uint32_t type, uint64_t at, uint32_t n)
{
	uint32_t *bytes = &a->bytes[accounts[s->kind]];
	uint64_t fresh;
	uint64_t over;
	uint64_t old;
	uint32_t part;

	for (; n; n -= part, at += part) {
		part = (uint32_t)min_u64(n, WORD_BITS);
		old = get_le64(a->rewritten[type] + (at >> 3));
		fresh = (((1ull << part) - 1) << (at & 7)) & ~old;
		over = get_le64(a->relocated[type] + (at >> 3)) & fresh;
		put_le64(a->rewritten[type] + (at >> 3), old | fresh);
		*bytes += count_bits(fresh);
		a->bytes[HEKI_ACCOUNT_RELOCATED] -= count_bits(over);
	}
}

void account_close(struct account *a)
{
	uint32_t i;

	a->bytes[HEKI_ACCOUNT_PADDING] -= a->bytes[HEKI_ACCOUNT_ELF];
	for (i = 0; i < HEKI_ACCOUNT_COUNT; i++)
		if (i != HEKI_ACCOUNT_ELF && i != HEKI_ACCOUNT_PADDING)
			a->bytes[HEKI_ACCOUNT_ELF] -= a->bytes[i];
}
