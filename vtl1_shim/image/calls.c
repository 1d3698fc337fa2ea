// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Calls of VTL0's: the table of those that are served here, the result of each, a log record of
 * each refusal.
 *
 * Trust boundary: all registers are VTL0's. Locks: none.
 */
#include "calls.h"
#include "log.h"
#include "traps.h"

/* From the linker script; the last entry has no function. */
extern const struct image_call image_calls[];

static const uint8_t errnos[HEKI_ERROR_COUNT] = {
#define CALLS_ERRNO(name, number, text) [HEKI_E_##name] = number,
	HEKI_ERRORS(CALLS_ERRNO)
#undef CALLS_ERRNO
};

static int serve_start(struct vp *vp, const struct heki_vtlcall_regs *regs)
{
	(void)vp;
	(void)regs;
	return 0;
}
IMAGE_CALL(HEKI_IMAGE_START, serve_start);

static int serve_echo(struct vp *vp, const struct heki_vtlcall_regs *regs)
{
	(void)vp;
	return (int)((regs->rsi ^ regs->rdx ^ regs->r8) & HEKI_IMAGE_ECHO_MASK);
}
IMAGE_CALL(HEKI_IMAGE_ECHO, serve_echo);

/* Calls of the contract that need the core. */
static bool in_contract(uint64_t id)
{
	switch (id) {
#define CALLS_KNOWN(number, name, handler, phase, context, arguments) case number:
		HEKI_CALLS(CALLS_KNOWN)
#undef CALLS_KNOWN
		return true;
	default:
		return false;
	}
}

static int serve(struct vp *vp, const struct heki_vtlcall_regs *regs)
{
	const struct image_call *call;

	for (call = image_calls; call->serve; call++)
		if (call->id == regs->rdi)
			return call->serve(vp, regs);
	return in_contract(regs->rdi) ? -HEKI_E_NOT_SUPPORTED : -HEKI_E_UNKNOWN_CALL;
}

static void log_refusal(const struct vp *vp, const struct heki_vtlcall_regs *regs,
			enum heki_error error)
{
	struct heki_log_record record = {
		.address = regs->rsi,
		.call = (uint32_t)regs->rdi,
		.event = HEKI_LOG_REFUSAL,
		.error = error,
		.vp = vp->index,
	};

	log_write(&record);
}

/* The result of a call as VTL0 reads it. */
static uint64_t conclude(const struct vp *vp, const struct heki_vtlcall_regs *regs, int rc)
{
	if (rc >= 0)
		return (uint64_t)rc;
	log_refusal(vp, regs, (enum heki_error)-rc);
	return (uint64_t)-(int64_t)errnos[-rc];
}

static struct heki_vtlcall_regs call_regs(const struct vp *vp)
{
	return (struct heki_vtlcall_regs){
		.rdi = vp->regs.rdi,
		.rsi = vp->regs.rsi,
		.rdx = vp->regs.rdx,
		.rcx = vp->regs.rcx,
		.r8 = vp->regs.r8,
	};
}

static void serve_guarded(struct vp *vp)
{
	struct heki_vtlcall_regs regs = call_regs(vp);

	vp->regs.r8 = conclude(vp, &regs, serve(vp, &regs));
}

void calls_enter(struct vp *vp)
{
	struct heki_vtlcall_regs regs;

	if (guarded(serve_guarded, vp))
		return;
	regs = call_regs(vp);
	vp->regs.r8 = conclude(vp, &regs, -HEKI_E_INTERNAL);
}
