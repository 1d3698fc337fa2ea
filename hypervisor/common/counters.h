/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of all CPUs, added up and printed. */
#ifndef HV_COUNTERS_H
#define HV_COUNTERS_H

#include "memory.h"

/* Where the counters of all CPUs lie. */
struct counters {
	const char *const *names;
	uint32_t kinds;
	uint32_t cpus;
	const uint64_t *count; /* the first CPU's */
	const uint64_t *spent; /* time, in the same order; NULL when it is not measured */
	uint64_t stride; /* bytes from a CPU's to the next one's */
};

/**
 * counters_print_all() - a line for each counter that is not zero
 * @c: the counters
 * @mark: a number for each line, which tells one time of printing from another
 *
 * A line is "counter MARK NAME COUNT", and behind that the time where it is measured.
 */
void counters_print_all(const struct counters *c, uint32_t mark);

/**
 * counters_print_pool() - how much of the pool for tables is free, and was at the least
 * @pool: the pool
 * @mark: as for counters_print_all()
 */
void counters_print_pool(const struct pool *pool, uint32_t mark);

#endif /* HV_COUNTERS_H */
