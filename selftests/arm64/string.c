// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's memory functions against the C library's, at all alignments and overlaps. */
#include <string.h>

#include "check.h"

#define SIZE 256u

void *hv_memcpy(void *to, const void *from, size_t n);
void *hv_memmove(void *to, const void *from, size_t n);
void *hv_memset(void *to, int c, size_t n);

static uint8_t ours[SIZE] __attribute__((aligned(16)));
static uint8_t theirs[SIZE] __attribute__((aligned(16)));

static void fill(void)
{
	for (uint32_t i = 0; i < SIZE; i++)
		ours[i] = theirs[i] = (uint8_t)random32();
}

static void copies(void)
{
	for (uint32_t round = 0; round < 20000; round++) {
		uint32_t n = random32() % 60, to = random32() % 64, from = 128 + random32() % 28;

		/* Both aligned, most of the time. */
		if (round % 4)
			to &= ~7u, from &= ~7u;
		fill();
		CHECK(hv_memcpy(ours + to, ours + from, n) == ours + to);
		memcpy(theirs + to, theirs + from, n);
		CHECK(!memcmp(ours, theirs, SIZE));
		CHECK(hv_memset(ours + to, (int)round, n) == ours + to);
		memset(theirs + to, (int)round, n);
		CHECK(!memcmp(ours, theirs, SIZE));
	}
}

static void moves(void)
{
	for (uint32_t round = 0; round < 20000; round++) {
		uint32_t n = random32() % 100, to = random32() % 128, from = random32() % 128;

		if (round % 4)
			to &= ~7u, from &= ~7u;
		fill();
		CHECK(hv_memmove(ours + to, ours + from, n) == ours + to);
		memmove(theirs + to, theirs + from, n);
		CHECK(!memcmp(ours, theirs, SIZE));
	}
}

void test_string(void)
{
	test("memory is copied and set", copies);
	test("memory is moved where it overlaps", moves);
}
