// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VTL1 on the other VPs.
 *
 * A VP whose level is enabled starts VTL1 when its VTL0 makes its first call; from then on it is up.
 *
 * Trust boundary: CPU numbers are VTL0's. Locks: none of its own, a VP's state says who enables it.
 */
#include "start_vp.h"
#include "vp.h"
#include "vsm.h"

/* The VP of a CPU: they are numbered by APIC id. */
static struct vp *vp_of_cpu(struct vp *vp, uint32_t cpu)
{
	uint32_t index;

	return vsm_vp_index(&vp->hypercall, cpu, &index) ? NULL : vp_at(index);
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
	return status ? -1 : 0;
}

int start_vp_enable(void *host, uint32_t cpu)
{
	struct vp *vp = vp_this();
	struct vp *other = vp_of_cpu(vp, cpu);

	(void)host;
	return other ? enable(vp, other) : -1;
}

int start_vp_up(void *host, uint32_t cpu)
{
	struct vp *vp = vp_this();
	struct vp *other = vp_of_cpu(vp, cpu);

	(void)host;
	if (!other || enable(vp, other))
		return -1;
	return __atomic_load_n(&other->state, __ATOMIC_ACQUIRE) == VP_UP ? 0 : -1;
}
