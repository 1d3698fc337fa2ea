// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Calls of VTL0's: those of the bare-metal half are in a table, all others are the core's.
 *
 * Trust boundary: all registers are VTL0's. Locks: none.
 */
#include "calls.h"
#include "core_host.h"
#include "traps.h"

/* From the linker script; the last entry has no function. */
extern const struct image_call image_calls[];

static int serve_start(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)vp;
	(void)regs;
	return 0;
}
IMAGE_CALL(HEKI_IMAGE_START, serve_start);

static int serve_echo(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)vp;
	return (int)((regs->rsi ^ regs->rdx ^ regs->r8) & HEKI_IMAGE_ECHO_MASK);
}
IMAGE_CALL(HEKI_IMAGE_ECHO, serve_echo);

/* The result of a call as VTL0 reads it. */
static uint64_t wire(int rc)
{
	return (uint64_t)(int64_t)(rc < 0 ? -heki_error_errno((uint32_t)-rc) : rc);
}

static void serve(struct vp *vp)
{
	const struct image_call *call;

	for (call = image_calls; call->serve; call++) {
		if (call->id == vp->regs.rdi) {
			vp->regs.r8 = wire(call->serve(vp, &vp->regs));
			return;
		}
	}
	core_host_call(vp);
}

/* What has failed is in the log by now. */
void calls_enter(struct vp *vp)
{
	if (!guarded(serve, vp))
		vp->regs.r8 = wire(-HEKI_E_INTERNAL);
}
