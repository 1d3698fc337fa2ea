// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables that the kernel sorts: taken as they are when memory is a permutation of the file's
 * entries, whatever the order, and as nothing else.
 */
#include "vtl0.h"

#include "expect.h"

#define ENTRIES_MAX 4096
#define ORC_ENTRY 6

struct scene {
	struct guest *g;
	struct call c;
	struct elf_section sections[3];
	struct elf elf;
	struct module_map map;
	struct expect e;
	uint8_t image[ENTRIES_MAX * 16];
	uint8_t guest[ENTRIES_MAX * 16];
	uint64_t random;
};

static uint32_t pick(struct scene *s, uint32_t below)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (uint32_t)(s->random >> 11) % below;
}

/* A module whose read-only data is a table of unwind information and the bytes that go with it. */
static struct scene *scene(uint32_t entries, uint64_t seed)
{
	struct scene *s = calloc(1, sizeof(*s));

	CHECK(s && entries <= ENTRIES_MAX);
	s->random = seed * 0x9e3779b97f4a7c15;
	s->g = vtl0_start(HEKI_GRADE_AUDIT);
	s->c.core = s->g->core;
	s->c.arena.core = s->g->core;
	s->sections[0].name = "";
	s->sections[1] = (struct elf_section){
		.name = ".orc_unwind_ip", .flags = ELF_SHF_ALLOC, .memory = HEKI_MOD_RODATA,
		.data = { s->image, entries * 4 },
	};
	s->sections[2] = (struct elf_section){
		.name = ".orc_unwind", .flags = ELF_SHF_ALLOC, .memory = HEKI_MOD_RODATA,
		.data = { s->image, entries * ORC_ENTRY }, .offset = entries * 4,
	};
	s->elf.sections = s->sections;
	s->elf.count = 3;
	s->map.va[HEKI_MOD_RODATA] = 0xffffffffc0000000;
	s->e.c = &s->c;
	s->e.elf = &s->elf;
	s->e.map = &s->map;
	s->e.base[HEKI_MOD_RODATA] = s->map.va[HEKI_MOD_RODATA];
	s->e.image[HEKI_MOD_RODATA] = s->image;
	s->e.guest[HEKI_MOD_RODATA] = s->guest;
	return s;
}

static void drop(struct scene *s)
{
	arena_drop(&s->c.arena);
	vtl0_end(s->g);
	free(s);
}

/* Entry @i of a side stands for address @at and goes with the bytes of @unwind. */
static void put(struct scene *s, uint8_t *side, uint32_t i, uint32_t at, uint64_t unwind)
{
	put_le32(side + i * 4, at - i * 4);
	memcpy(side + s->sections[2].offset + i * ORC_ENTRY, &unwind, ORC_ENTRY);
}

/* A copy of the image's entry @from, as entry @to of the memory. */
static void move(struct scene *s, uint32_t from, uint32_t to)
{
	uint64_t unwind = 0;

	memcpy(&unwind, s->image + s->sections[2].offset + from * ORC_ENTRY, ORC_ENTRY);
	put(s, s->guest, to, get_le32(s->image + from * 4) + from * 4, unwind);
}

/* Which entry of the image stands where in memory: sorted by address, or in any order. */
static void arrange(struct scene *s, uint32_t n, uint32_t *order, bool sorted)
{
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = 1; i < n; i++) {
		uint32_t k = sorted ? i : pick(s, i + 1), held = order[i];
		uint32_t at = get_le32(s->image + held * 4) + held * 4;

		while (sorted && k && get_le32(s->image + order[k - 1] * 4) + order[k - 1] * 4 > at) {
			order[k] = order[k - 1];
			k--;
		}
		if (!sorted)
			order[i] = order[k];
		order[k] = held;
	}
	for (uint32_t i = 0; i < n; i++)
		move(s, order[i], i);
}

/* @runs ascending runs; many entries are alike when @spread is small. */
static void fill(struct scene *s, uint32_t n, uint32_t runs, uint32_t spread)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		at = runs && pick(s, n) < runs ? pick(s, spread) : at + pick(s, 3);
		put(s, s->image, i, at, pick(s, 4));
	}
}

static int judge(struct scene *s, uint32_t n)
{
	int ret = sorted_compare(&s->e);

	if (!ret)
		CHECK(!memcmp(s->image, s->guest, n * (4 + ORC_ENTRY)));
	return ret;
}

static void permutations(void)
{
	static const uint32_t runs[] = { 0, 1, 3, 60, 900 };
	uint32_t order[ENTRIES_MAX];

	for (uint32_t round = 0; round < 120; round++) {
		uint32_t n = round % 7 ? 1 + round * 6 : 2000, spread = round % 3 ? 4 * n : 8;
		struct scene *s = scene(n, round + 1);

		fill(s, n, runs[round % 5], spread);
		arrange(s, n, order, round % 4);
		CHECK_OK(judge(s, n));
		drop(s);
	}
}

/* Any bit of an entry, or another entry in place of one: no permutation any more. */
static void no_permutation(void)
{
	uint32_t order[ENTRIES_MAX], refused = 0, k;
	uint8_t *p;

	for (uint32_t round = 0; round < 300; round++) {
		uint32_t n = 2 + round;
		struct scene *s = scene(n, round + 1);

		fill(s, n, round % 5, round % 2 ? 4 * n : 1);
		arrange(s, n, order, round % 4);
		k = pick(s, n);
		p = round % 3 ? s->guest + k * 4 : s->guest + n * 4 + k * ORC_ENTRY;
		p[pick(s, round % 3 ? 4 : ORC_ENTRY)] ^= (uint8_t)(1u << pick(s, 8));
		CHECK_REFUSED(MODULE_DIFFERS, judge(s, n));
		drop(s);
		/* twice the same entry and another one not at all, unless the two are alike */
		s = scene(n, round + 1000);
		fill(s, n, round % 5, 4 * n);
		arrange(s, n, order, round % 4);
		k = pick(s, n - 1);
		move(s, order[k], k + 1);
		if (get_le32(s->image + order[k] * 4) + order[k] * 4 !=
		    get_le32(s->image + order[k + 1] * 4) + order[k + 1] * 4) {
			CHECK_REFUSED(MODULE_DIFFERS, judge(s, n));
			refused++;
		}
		drop(s);
	}
	CHECK(refused > 100);
}

const struct test sorted_tests[] = {
	{ "permutations", permutations },
	{ "no_permutation", no_permutation },
	{ NULL, NULL },
};
