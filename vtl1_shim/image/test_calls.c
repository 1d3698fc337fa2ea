// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Calls that fault on purpose, or let VTL0 look at what only VTL1 has: linked into test images
 * alone.
 *
 * Trust boundary: none is kept, VTL0 can end VTL1 here. Locks: none.
 */
#include "calls.h"
#include "core.h"
#include "core_host.h"
#include "cpu.h"
#include "image.h"
#include "intercept.h"
#include "memory.h"

static int serve_null(struct vp *vp, const struct vtl0_regs *regs)
{
	uint64_t v;

	(void)vp;
	(void)regs;
	asm volatile("movq 0, %0" : "=r"(v));
	return (int)v;
}
IMAGE_CALL(HEKI_TEST_NULL, serve_null);

static int serve_stack(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)vp;
	(void)regs;
	asm volatile("1: push $0; jmp 1b");
	return 0;
}
IMAGE_CALL(HEKI_TEST_STACK, serve_stack);

static int serve_divide(struct vp *vp, const struct vtl0_regs *regs)
{
	uint32_t a = 1;
	uint32_t d = 0;

	(void)vp;
	(void)regs;
	asm volatile("divl %2" : "+a"(a), "+d"(d) : "r"(0));
	return (int)a;
}
IMAGE_CALL(HEKI_TEST_DIVIDE, serve_divide);

static int serve_invalid(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)vp;
	(void)regs;
	asm volatile("ud2");
	return 0;
}
IMAGE_CALL(HEKI_TEST_INVALID, serve_invalid);

static int serve_write_code(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)vp;
	(void)regs;
	__atomic_store_n(image_text, 0, __ATOMIC_RELAXED);
	return 0;
}
IMAGE_CALL(HEKI_TEST_WRITE_CODE, serve_write_code);

static int serve_run_data(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)regs;
	vp->scratch[0] = 0xc3; /* ret */
	asm volatile("call *%0" : : "r"(vp->scratch) : "memory");
	return 0;
}
IMAGE_CALL(HEKI_TEST_RUN_DATA, serve_run_data);

static int serve_read_vtl0(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)vp;
	return __atomic_load_n((const uint8_t *)(uintptr_t)regs->rsi, __ATOMIC_RELAXED);
}
IMAGE_CALL(HEKI_TEST_READ_VTL0, serve_read_vtl0);

static int serve_access(struct vp *vp, const struct vtl0_regs *regs)
{
	return copy_bytes(vp->scratch, (const void *)(uintptr_t)regs->rsi, 1) ?
		       -HEKI_E_COPY_FROM_VTL0 : 0;
}
IMAGE_CALL(HEKI_TEST_ACCESS, serve_access);

static int serve_copy(struct vp *vp, const struct vtl0_regs *regs)
{
	if (regs->r8 > HEKI_PAGE_SIZE)
		return -HEKI_E_PARAMETER;
	if (copy_from_vtl0(vp, vp->scratch, gpa(regs->rsi), regs->r8))
		return -HEKI_E_COPY_FROM_VTL0;
	return copy_to_vtl0(vp, gpa(regs->rdx), vp->scratch, regs->r8) ? -HEKI_E_COPY_TO_VTL0 : 0;
}
IMAGE_CALL(HEKI_TEST_COPY, serve_copy);

static int serve_log(struct vp *vp, const struct vtl0_regs *regs)
{
	struct heki_core *core = core_host_core();
	struct heki_log_record record;
	uint32_t count;

	if (!regs->rsi)
		return (int)core->log.written;
	log_read(core, regs->rsi, &record, 1, &count);
	if (!count)
		return -HEKI_E_PARAMETER;
	return copy_to_vtl0(vp, gpa(regs->rdx), &record, sizeof(record)) ? -HEKI_E_COPY_TO_VTL0 : 0;
}
IMAGE_CALL(HEKI_TEST_LOG, serve_log);

static int serve_counters(struct vp *vp, const struct vtl0_regs *regs)
{
	const uint64_t counters[] = { vp->nmis, vp->vectors, vp->unknown };

	if (regs->rsi >= HEKI_ARRAY_SIZE(counters))
		return -HEKI_E_PARAMETER;
	return (int)(counters[regs->rsi] & HEKI_IMAGE_ECHO_MASK);
}
IMAGE_CALL(HEKI_TEST_COUNTERS, serve_counters);

static int serve_lost_lock(struct vp *vp, const struct vtl0_regs *regs)
{
	core_lock(core_host_core());
	return serve_divide(vp, regs);
}
IMAGE_CALL(HEKI_TEST_LOST_LOCK, serve_lost_lock);

/* A division by zero whose gate is missing is a double fault. */
static int serve_double_fault(struct vp *vp, const struct vtl0_regs *regs)
{
	struct table_pointer t;

	asm volatile("sidt %0" : "=m"(t));
	memcpy(vp->scratch, (const void *)(uintptr_t)t.base, HEKI_PAGE_SIZE);
	memset(vp->scratch, 0, 16);
	t.base = pa_of(vp->scratch).v;
	load_idt(&t);
	return serve_divide(vp, regs);
}
IMAGE_CALL(HEKI_TEST_DOUBLE_FAULT, serve_double_fault);

static int serve_no_messages(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)regs;
	vp->messages = NULL;
	return 0;
}
IMAGE_CALL(HEKI_TEST_NO_MESSAGES, serve_no_messages);

static int serve_message(struct vp *vp, const struct vtl0_regs *regs)
{
	vp->messages[0].type = (uint32_t)regs->rsi;
	intercept_enter(vp);
	return (int)vp->messages[0].type;
}
IMAGE_CALL(HEKI_TEST_MESSAGE, serve_message);

static int serve_interrupt(struct vp *vp, const struct vtl0_regs *regs)
{
	(void)vp;
	if (regs->rsi == 0)
		asm volatile("int $2");
	else if (regs->rsi == 1)
		asm volatile("int $0xf3");
	else
		asm volatile("int $0x80");
	return 0;
}
IMAGE_CALL(HEKI_TEST_INTERRUPT, serve_interrupt);
