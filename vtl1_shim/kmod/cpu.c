// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processors: registers, restarts, time, locks.
 *
 * Locks: the two of host.h, in its order. Each is a raw spinlock with interrupts off, since a text
 * patch is served in any context but NMI.
 */
#include "shim.h"

#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <asm/msr.h>
#include <asm/special_insns.h>

static raw_spinlock_t locks[HEKI_LOCK_COUNT] = {
	[HEKI_LOCK_TABLES] = __RAW_SPIN_LOCK_UNLOCKED(locks[HEKI_LOCK_TABLES]),
	[HEKI_LOCK_LOG] = __RAW_SPIN_LOCK_UNLOCKED(locks[HEKI_LOCK_LOG]),
};
/* Interrupt state of the holder; written under the lock. */
static unsigned long lock_flags[HEKI_LOCK_COUNT];

/* CPUs that were started since the core last asked. */
static struct cpumask restarted;
static int restart_state;

void shim_lock(void *host, enum heki_lock lock)
	__acquires(&locks[lock])
{
	unsigned long flags;

	raw_spin_lock_irqsave(&locks[lock], flags);
	lock_flags[lock] = flags;
}

void shim_unlock(void *host, enum heki_lock lock)
	__releases(&locks[lock])
{
	unsigned long flags = lock_flags[lock];

	raw_spin_unlock_irqrestore(&locks[lock], flags);
}

uint64_t shim_time_ns(void *host)
{
	return ktime_get_boottime_ns();
}

/* Nothing has to be brought up here. */
int shim_vp_enable(void *host, uint32_t cpu)
{
	return cpu < nr_cpu_ids && cpu_present(cpu) ? 0 : -1;
}

int shim_vp_up(void *host, uint32_t cpu)
{
	return cpu < nr_cpu_ids && cpu_online(cpu) ? 0 : -1;
}

bool shim_vp_restarted(void *host, uint32_t vp)
{
	return vp < nr_cpu_ids && cpumask_test_and_clear_cpu(vp, &restarted);
}

int shim_read_regs(void *host, struct heki_vp_regs *regs)
{
	regs->cr0 = read_cr0();
	regs->cr4 = __read_cr4();
	if (rdmsrl_safe(MSR_EFER, &regs->efer) ||
	    rdmsrl_safe(MSR_IA32_APICBASE, &regs->apic_base) ||
	    rdmsrl_safe(MSR_IA32_SYSENTER_CS, &regs->sysenter_cs) ||
	    rdmsrl_safe(MSR_IA32_SYSENTER_EIP, &regs->sysenter_eip) ||
	    rdmsrl_safe(MSR_IA32_SYSENTER_ESP, &regs->sysenter_esp) ||
	    rdmsrl_safe(MSR_STAR, &regs->star) ||
	    rdmsrl_safe(MSR_LSTAR, &regs->lstar) ||
	    rdmsrl_safe(MSR_CSTAR, &regs->cstar) ||
	    rdmsrl_safe(MSR_SYSCALL_MASK, &regs->sfmask))
		return -1;
	return 0;
}

/* No write of VTL0's can be intercepted here. */
int shim_pin_regs(void *host)
{
	return 0;
}

/* Made before the CPU runs, so that its first LOCK_REGS already finds the mark. */
static int note_restart(unsigned int cpu)
{
	cpumask_set_cpu(cpu, &restarted);
	return 0;
}

int shim_cpu_init(void)
{
	int state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "heki/vtl1_shim:start",
					      note_restart, NULL);

	if (state < 0)
		return state;
	restart_state = state;
	return 0;
}

void shim_cpu_exit(void)
{
	cpuhp_remove_state_nocalls(restart_state);
}
