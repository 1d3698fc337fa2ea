// SPDX-License-Identifier: GPL-2.0-only
/* The heap of public-key operations. */
#include "heap.h"
#include "suites.h"

static uint8_t memory[HEAP_SIZE] __attribute__((aligned(16)));
static struct heap heap = { .memory = memory };

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n--)
		if (p[n])
			return false;
	return true;
}

static void every_size(void)
{
	memset(memory, 0xaa, sizeof(memory));
	for (size_t n = 0; n <= 4096 - 16; n++) {
		uint8_t *p;

		heap_reset(&heap);
		p = heap_take(&heap, n);
		CHECK(p && !((uintptr_t)p & 15) && is_zero(p, n));
		memset(p, 0xaa, n);
		heap_give(&heap, p);
		CHECK(heap_take(&heap, n) == p && is_zero(p, n));
	}
	CHECK(!heap_take(&heap, 4096 - 15));
	CHECK(!heap_take(&heap, ~(size_t)0));
	heap_give(&heap, NULL);
}

static void runs_out(void)
{
	unsigned int n = 0;
	uint8_t *p;
	uint8_t *last = NULL;

	heap_reset(&heap);
	while ((p = heap_take(&heap, 4000))) {
		CHECK(p + 4000 <= memory + sizeof(memory));
		memset(p, (int)n++, 4000);
		last = p;
	}
	CHECK_EQUAL(n, HEAP_SIZE / 4096);
	heap_give(&heap, last);
	CHECK(heap_take(&heap, 3000) == last);
	CHECK(!heap_take(&heap, 1));
}

const struct test heap_tests[] = {
	{ "every_size", every_size },
	{ "runs_out", runs_out },
	{ NULL, NULL },
};
