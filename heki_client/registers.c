// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control registers: each CPU has VTL1 record its own.
 */
#include "internal.h"

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/smp.h>

static int online_state;

static int lock_one(void *unused)
{
	return client_call(HEKI_CALL_LOCK_REGS, 0, 0, 0);
}

/*
 * In a task of each CPU, not in an interrupt: the host's memory functions take locks of the kernel
 * (resource_lock) that an interrupted task may hold.
 */
static int lock_online(void)
{
	int error = 0, result;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		result = smp_call_on_cpu(cpu, lock_one, NULL, false);
		if (result < 0)
			error = result;
	}
	return error;
}

/* A CPU that comes up later. Where VTL1 enforces it would run with nothing pinned: it goes again. */
static int lock_later(unsigned int cpu)
{
	int result = client_call(HEKI_CALL_LOCK_REGS, 0, 0, 0);

	if (result >= 0)
		return 0;
	client_report("registers", "-", result, "a CPU that came up was refused");
	return client_enforced() ? result : 0;
}

/* No CPU comes or goes between the ones that are there and the callback for all others. */
int client_registers_lock(void)
{
	int error, state;

	cpus_read_lock();
	error = lock_online();
	state = __cpuhp_setup_state_cpuslocked(CPUHP_AP_ONLINE_DYN, "heki/client:online", false,
					       lock_later, NULL, false);
	cpus_read_unlock();
	if (state < 0)
		return state;
	online_state = state;
	return error;
}

void client_registers_exit(void)
{
	if (online_state)
		cpuhp_remove_state_nocalls(online_state);
	online_state = 0;
}
