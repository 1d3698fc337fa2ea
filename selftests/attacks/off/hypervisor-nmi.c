// SPDX-License-Identifier: GPL-2.0-only
/* A hypervisor that does not keep an NMI until VTL1 has returned: seen when it does, VTL0 goes on without. */
#include "vp.h"

void __real_exit_hypercall(struct vp *vp);
void __wrap_exit_hypercall(struct vp *vp);
void __wrap_exit_hypercall(struct vp *vp)
{
	if (vp->level && vp->gpr[RCX] == HV_CALL_VTL_RETURN && load_acquire(vp->requests) & REQUEST_NMI) {
		vp->gpr[R8] = ~0ull; /* no answer */
		vtl_switch(vp, 0);
		return;
	}
	__real_exit_hypercall(vp);
}
