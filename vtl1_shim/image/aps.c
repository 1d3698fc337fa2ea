// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * ENABLE_APS_VTL and BOOT_APS: VTL1 on the other VPs.
 *
 * A VP whose level is enabled starts VTL1 when its VTL0 makes its first call, HEKI_IMAGE_START;
 * from then on it is up. A token is for a VP that is up.
 *
 * Trust boundary: masks and the signal page are VTL0's; a mask is copied before it is looked at.
 * Locks: none; a VP's state says who enables it.
 */
#include "calls.h"
#include "memory.h"
#include "run.h"
#include "vsm.h"

/* The mask of CPUs at a page frame. Those that are not possible are refused. */
static int copy_mask(struct vp *vp, uint64_t pfn)
{
	uint32_t cpu;

	if (pfn > HEKI_MASK_52 >> HEKI_PAGE_SHIFT)
		return -HEKI_E_PHYS_ADDRESS;
	if (copy_from_vtl0(vp, vp->scratch, gpa(pfn << HEKI_PAGE_SHIFT), HEKI_PAGE_SIZE))
		return -HEKI_E_CPU_MASK_COPY;
	for (cpu = run_cpus(); cpu < HEKI_PAGE_SIZE * 8; cpu++)
		if (vp->scratch[cpu / 8] >> (cpu % 8) & 1)
			return -HEKI_E_AP_INIT;
	return 0;
}

static bool in_mask(const struct vp *vp, uint32_t cpu)
{
	return vp->scratch[cpu / 8] >> (cpu % 8) & 1;
}

/* The VP of a CPU: they are numbered by APIC id. */
static struct vp *vp_of_cpu(struct vp *vp, uint32_t cpu)
{
	uint32_t index;

	return vsm_vp_index(&vp->hypercall, cpu, &index) ? NULL : vp_at(index);
}

static uint32_t state_of(struct vp *vp)
{
	return __atomic_load_n(&vp->state, __ATOMIC_ACQUIRE);
}

/* One that another VP is just enabling is left to that. */
static int enable(struct vp *vp, struct vp *other)
{
	uint32_t expected = VP_OFF;
	struct hv_initial_vp_context context;
	int status;

	if (!__atomic_compare_exchange_n(&other->state, &expected, VP_STARTING, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return 0;
	vp_context(other, &context);
	status = vsm_enable_vp(&vp->hypercall, other->index, &context);
	/* It may be up by now. */
	expected = VP_STARTING;
	__atomic_compare_exchange_n(&other->state, &expected, status ? VP_OFF : VP_ENABLED, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return status ? -HEKI_E_AP_INIT : 0;
}

/* Those that can be are enabled, whatever becomes of others. */
static int enable_all(struct vp *vp)
{
	struct vp *other;
	uint32_t cpu;
	int failed = 0;

	for (cpu = 0; cpu < run_cpus(); cpu++) {
		if (!in_mask(vp, cpu))
			continue;
		other = vp_of_cpu(vp, cpu);
		if (!other || enable(vp, other))
			failed = -HEKI_E_AP_INIT;
	}
	return failed;
}

static int serve_enable_aps_vtl(struct vp *vp, const struct heki_vtlcall_regs *regs)
{
	int rc = copy_mask(vp, regs->rsi);

	return rc ? rc : enable_all(vp);
}
IMAGE_CALL(HEKI_CALL_ENABLE_APS_VTL, serve_enable_aps_vtl);

static int write_tokens(struct vp *vp, struct gpa signal)
{
	static const uint8_t token = HEKI_BOOT_TOKEN;
	struct vp *other;
	uint32_t cpu;
	int failed = 0;

	for (cpu = 0; cpu < run_cpus(); cpu++) {
		if (!in_mask(vp, cpu))
			continue;
		other = vp_of_cpu(vp, cpu);
		if (!other || state_of(other) != VP_UP)
			failed = -HEKI_E_AP_INIT;
		else if (copy_to_vtl0(vp, gpa(signal.v + cpu), &token, 1))
			return -HEKI_E_BOOT_SIGNAL_WRITE;
	}
	return failed;
}

static int serve_boot_aps(struct vp *vp, const struct heki_vtlcall_regs *regs)
{
	struct gpa signal = gpa(regs->rdx << HEKI_PAGE_SHIFT);
	uint8_t byte;
	int rc = copy_mask(vp, regs->rsi);

	if (rc)
		return rc;
	if (regs->rdx > HEKI_MASK_52 >> HEKI_PAGE_SHIFT)
		return -HEKI_E_PHYS_ADDRESS;
	/* Before a VP is enabled, so that a bad page fails the call with nothing done. */
	if (copy_from_vtl0(vp, &byte, signal, sizeof(byte)))
		return -HEKI_E_BOOT_SIGNAL_COPY;
	rc = enable_all(vp);
	return rc ? rc : write_tokens(vp, signal);
}
IMAGE_CALL(HEKI_CALL_BOOT_APS, serve_boot_aps);
