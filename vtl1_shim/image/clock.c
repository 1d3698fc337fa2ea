// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Time: the time stamp counter, by the frequency that the hypervisor tells (TLFS "Timers").
 *
 * Trust boundary: the hypervisor is trusted. Locks: none, written before other VPs run.
 */
#include <hyperv/cpu.h>

#include "clock.h"
#include "cpu.h"
#include "image.h"

#define SECOND_NS 1000000000ull

static uint64_t frequency IMAGE_CONSTANT;

void clock_init(void)
{
	struct cpuid features = cpuid(HV_CPUID_FEATURES);

	if (features.eax & HV_ACCESS_FREQUENCY_MSRS && features.edx & HV_FREQUENCY_MSRS)
		frequency = rdmsr(HV_MSR_TSC_FREQUENCY);
}

uint64_t clock_ns(void)
{
	uint64_t now = read_tsc();

	if (!frequency)
		return 0;
	return now / frequency * SECOND_NS + now % frequency * SECOND_NS / frequency;
}
