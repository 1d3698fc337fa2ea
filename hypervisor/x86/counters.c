// SPDX-License-Identifier: GPL-2.0-only
/* What is counted, for whoever measures. */
#include "console.h"
#include "counters.h"
#include "vp.h"

static const char *const names[COUNT_COUNT] = {
#define COUNTER_NAME(id, name) [COUNT_##id] = name,
	COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};

void counters_print(uint32_t mark)
{
	const struct counters counters = {
		.names = names,
		.kinds = COUNT_COUNT,
		.cpus = partition.vps,
		.count = partition.vp[0].count,
		.spent = partition.vp[0].spent,
		.stride = sizeof(partition.vp[0]),
	};

	counters_print_all(&counters, mark);
	counters_print_pool(&partition.pool, mark);
	console_print("counter %u split %u", mark, partition.vtl[0].npt.split);
}
