// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Seeds. Whoever guesses one can make a table slow, and no more.
 *
 * Trust boundary: none. Locks: none.
 */
#include "cpu.h"
#include "random.h"

#define CPUID_FEATURES 1
#define CPUID1_ECX_RDRAND (1u << 30)
#define TRIES 10

static uint64_t one(bool has_generator)
{
	uint64_t v;
	int i;

	for (i = 0; has_generator && i < TRIES; i++)
		if (read_random(&v))
			return v;
	return read_tsc();
}

void random_seed(uint8_t seed[16])
{
	bool has_generator = cpuid(CPUID_FEATURES).ecx & CPUID1_ECX_RDRAND;
	uint64_t v[2] = { one(has_generator), one(has_generator) };

	memcpy(seed, v, sizeof(v));
}
