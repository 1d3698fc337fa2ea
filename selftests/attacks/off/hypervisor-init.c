// SPDX-License-Identifier: GPL-2.0-only
/* A hypervisor that does not keep an INIT until VTL1 has returned: seen when it does, the VP is lost there. */
#include "vp.h"

void __real_exit_hypercall(struct vp *vp);
void __wrap_exit_hypercall(struct vp *vp);
void __wrap_exit_hypercall(struct vp *vp)
{
	if (vp->level && vp->gpr[RCX] == HV_CALL_VTL_RETURN && load_acquire(vp->requests) & REQUEST_INIT) {
		store_release(vp->state, VP_WAIT_SIPI);
		__atomic_fetch_and(&vp->requests, ~REQUEST_INIT, __ATOMIC_SEQ_CST);
		while (true)
			wait_nmi();
	}
	__real_exit_hypercall(vp);
}
