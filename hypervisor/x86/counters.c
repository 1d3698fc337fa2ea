// SPDX-License-Identifier: GPL-2.0-only
/* What is counted, for whoever measures. */
#include "console.h"
#include "vp.h"

static const char *const names[COUNT_COUNT] = {
#define COUNTER_NAME(id, name) [COUNT_##id] = name,
	COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};

static uint64_t counted(uint32_t id)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < partition.vps; i++)
		n += load_once(partition.vp[i].count[id]);
	return n;
}

static uint64_t spent(uint32_t id)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < partition.vps; i++)
		n += load_once(partition.vp[i].spent[id]);
	return n;
}

void counters_print(uint32_t mark)
{
	for (uint32_t id = 0; id < COUNT_COUNT; id++)
		if (counted(id))
			console_print("counter %u %s %lu %lu", mark, names[id], counted(id), spent(id));
	console_print("counter %u pool_free %u", mark, partition.pool.free);
	console_print("counter %u pool_least %u", mark, partition.pool.least);
	console_print("counter %u split %u", mark, partition.vtl[0].npt.split);
}
