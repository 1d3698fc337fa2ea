// SPDX-License-Identifier: GPL-2.0-only
/* Scratch memory: runs of pages, against a model of a byte for each page. */
#include "scratch.h"
#include "suites.h"

#define PAGES 300u
#define BLOCKS 64

static uint8_t memory[PAGES * 4096] __attribute__((aligned(4096)));
static uint64_t taken[5];
static struct scratch scratch;

struct block {
	uint8_t *p;
	size_t n;
};

static size_t pages_of(size_t n)
{
	return (n + 4095) / 4096;
}

/* Each byte of a block says whose it is. */
static bool is_whole(const struct block *b, uint8_t mark)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] != mark)
			return false;
	return true;
}

static void blocks_do_not_touch(void)
{
	struct block blocks[BLOCKS] = { 0 };
	uint64_t x = 88172645463325252ull;
	size_t used = 0;

	scratch_init(&scratch, memory, PAGES, taken);
	for (unsigned int round = 0; round < 20000; round++) {
		struct block *b = &blocks[round % BLOCKS];
		uint8_t mark = (uint8_t)(round % BLOCKS + 1);

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (b->p) {
			CHECK(is_whole(b, mark));
			scratch_give(&scratch, b->p, b->n);
			used -= pages_of(b->n);
			b->p = NULL;
		}
		b->n = 1 + x % (20 * 4096);
		b->p = scratch_take(&scratch, b->n);
		if (!b->p)
			continue;
		CHECK(!((uintptr_t)b->p & 4095));
		CHECK(b->p >= memory && b->p + pages_of(b->n) * 4096 <= memory + sizeof(memory));
		memset(b->p, mark, b->n);
		used += pages_of(b->n);
		CHECK(used <= PAGES);
	}
	for (unsigned int i = 0; i < BLOCKS; i++)
		if (blocks[i].p)
			scratch_give(&scratch, blocks[i].p, blocks[i].n);
	CHECK(scratch_take(&scratch, sizeof(memory)) == memory);
}

static void runs_out(void)
{
	scratch_init(&scratch, memory, PAGES, taken);
	CHECK(!scratch_take(&scratch, 0));
	CHECK(!scratch_take(&scratch, sizeof(memory) + 1));
	CHECK(!scratch_take(&scratch, ~(size_t)0));
	for (unsigned int i = 0; i < PAGES; i++)
		CHECK(scratch_take(&scratch, 1) == memory + i * 4096);
	CHECK(!scratch_take(&scratch, 1));
	scratch_give(&scratch, memory + 299 * 4096, 4096);
	CHECK(scratch_take(&scratch, 4096) == memory + 299 * 4096);
}

/* A run must not begin in what is free and end in what is taken. */
static void only_whole_runs(void)
{
	scratch_init(&scratch, memory, PAGES, taken);
	CHECK(scratch_take(&scratch, sizeof(memory)) == memory);
	for (unsigned int page = 1; page < PAGES; page += 3)
		scratch_give(&scratch, memory + page * 4096, 4096);
	CHECK(!scratch_take(&scratch, 4097));
	scratch_give(&scratch, memory + 200 * 4096, 4096);
	CHECK(scratch_take(&scratch, 2 * 4096) == memory + 199 * 4096);
}

const struct test scratch_tests[] = {
	{ "blocks_do_not_touch", blocks_do_not_touch },
	{ "runs_out", runs_out },
	{ "only_whole_runs", only_whole_runs },
	{ NULL, NULL },
};
