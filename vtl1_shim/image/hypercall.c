// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hypercalls and their reps.
 *
 * Trust boundary: the hypervisor is trusted. Locks: none; parameters are each VP's own.
 */
#include "hypercall.h"

int hypercall_simple(enum hv_call call, const struct hypercall_pages *pages)
{
	return (int)(hypercall(call, pages) & HV_RESULT_STATUS_MASK);
}

int hypercall_rep(enum hv_call call, uint32_t reps, const struct hypercall_pages *pages)
{
	uint64_t control = call | (uint64_t)reps << HV_CALL_REP_COUNT_SHIFT;
	uint64_t result;
	uint32_t start = 0;
	uint32_t done;

	while (start < reps) {
		result = hypercall(control | (uint64_t)start << HV_CALL_REP_START_SHIFT, pages);
		if (result & HV_RESULT_STATUS_MASK)
			return (int)(result & HV_RESULT_STATUS_MASK);
		done = result >> HV_RESULT_REP_SHIFT & HV_CALL_REP_MASK;
		if (done <= start || done > reps)
			return HYPERCALL_STUCK;
		start = done;
	}
	return HV_STATUS_SUCCESS;
}
