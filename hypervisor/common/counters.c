// SPDX-License-Identifier: GPL-2.0-only
/* What is counted, for whoever measures. CPUs count without locks: a sum is of about now. */
#include "console.h"
#include "counters.h"

static uint64_t sum(const struct counters *c, const uint64_t *first, uint32_t id)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < c->cpus; i++)
		n += load_once(((const uint64_t *)((uint64_t)first + i * c->stride))[id]);
	return n;
}

void counters_print_all(const struct counters *c, uint32_t mark)
{
	for (uint32_t id = 0; id < c->kinds; id++) {
		uint64_t n = sum(c, c->count, id);

		if (n && c->spent)
			console_print("counter %u %s %lu %lu", mark, c->names[id], n,
				      sum(c, c->spent, id));
		else if (n)
			console_print("counter %u %s %lu", mark, c->names[id], n);
	}
}

void counters_print_pool(const struct pool *pool, uint32_t mark)
{
	console_print("counter %u pool_free %u", mark, pool->free);
	console_print("counter %u pool_least %u", mark, pool->least);
}
