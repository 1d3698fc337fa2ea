// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Faults inside VTL1.  Where one hits decides what it costs: an access that may fault goes on with
 * an error, a call is given up and refused, and anything else is the end of VTL1 on this VP: VTL0
 * gets a general protection fault where it stands, and the VP stops when it comes back.
 *
 * Trust boundary: what VTL0 passes may lead here, so nothing here trusts the interrupted code's
 * registers or stack. Locks: none.
 */
#include "console.h"
#include "core_host.h"
#include "cpu.h"
#include "image.h"
#include "log.h"
#include "memory.h"
#include "run.h"
#include "traps.h"
#include "vp.h"

#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTORS_EXCEPTIONS 32

#define GATE_INTERRUPT 0x8e00
#define RFLAGS_FIXED 2

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t attributes; /* IST 0-2, type 8-11, P 15 */
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "struct gate");

extern const uint8_t trap_stubs[];

static struct gate idt[TRAP_VECTORS] IMAGE_CONSTANT;

static enum vp_ist ist_of(unsigned int vector)
{
	switch (vector) {
	case VECTOR_DOUBLE_FAULT:
		return VP_IST_DOUBLE_FAULT;
	case VECTOR_NMI:
		return VP_IST_NMI;
	case VECTOR_MACHINE_CHECK:
		return VP_IST_MACHINE_CHECK;
	default:
		return VP_IST_FAULT;
	}
}

void traps_init(void)
{
	unsigned int vector;
	uint64_t stub;

	for (vector = 0; vector < TRAP_VECTORS; vector++) {
		stub = (uint64_t)(uintptr_t)(trap_stubs + (size_t)vector * TRAP_STUB_SIZE);
		idt[vector] = (struct gate){
			.offset_low = (uint16_t)stub,
			.selector = SELECTOR_CODE,
			.attributes = GATE_INTERRUPT | ist_of(vector),
			.offset_middle = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
}

struct hv_table traps_table(void)
{
	return (struct hv_table){ .limit = sizeof(idt) - 1, .base = pa_of(idt).v };
}

void traps_load(void)
{
	struct table_pointer t = { sizeof(idt) - 1, pa_of(idt).v };

	load_idt(&t);
}

static void record(const struct trap_frame *frame, uint64_t cr2, const char *what)
{
	struct words w = { .n = 0 };

	words_str(&w, what);
	words_hex(&w, ": vector ", frame->vector);
	words_hex(&w, " at image+", frame->rip - pa_of(image_text).v);
	words_hex(&w, ", error code ", frame->error);
	words_hex(&w, ", CR2 ", cr2);
	console_line(w.text);
	image_log(HEKI_LOG_FAULT, frame->rip, &w);
}

/* Go on elsewhere, on a stack that is known to be good. */
static void redirect(struct trap_frame *frame, const void *to, uint64_t rsp)
{
	frame->rip = (uint64_t)(uintptr_t)to;
	frame->rsp = rsp;
	frame->rflags = RFLAGS_FIXED;
}

static void panic(struct vp *vp, struct trap_frame *frame, uint64_t cr2)
{
	record(frame, cr2, "VTL1 failed");
	core_host_fault(vp);
	if (vp->dead)
		halt_forever();
	vp->dead = true;
	vp->guard = 0;
	redirect(frame, run_failed, (uint64_t)(uintptr_t)vp->stack - sizeof(uint64_t));
}

static void on_fault(struct vp *vp, struct trap_frame *frame, uint64_t cr2)
{
	if (frame->rip == pa_of(copy_bytes_access).v) {
		frame->rip = pa_of(copy_bytes_fault).v;
	} else if (vp->guard) {
		record(frame, cr2, "fault in a call");
		core_host_fault(vp);
		redirect(frame, guarded_fault, vp->guard);
	} else {
		panic(vp, frame, cr2);
	}
}

static void exception(struct vp *vp, struct trap_frame *frame)
{
	uint64_t cr2 = read_cr2();

	/* On the stack of the fault that is being handled: there is no way back from it. */
	if (vp->in_fault)
		halt_forever();
	vp->in_fault = true;
	if (frame->vector == VECTOR_PAGE_FAULT)
		vp->cr2_changed = true;
	if (frame->vector == VECTOR_DOUBLE_FAULT || frame->vector == VECTOR_MACHINE_CHECK)
		panic(vp, frame, cr2);
	else
		on_fault(vp, frame, cr2);
	vp->in_fault = false;
}

void trap(struct trap_frame *frame)
{
	struct vp *vp = vp_this();

	if (frame->vector == VECTOR_NMI)
		vp->nmis++;
	else if (frame->vector < VECTORS_EXCEPTIONS)
		exception(vp, frame);
	else if (frame->vector == TRAPS_SINT0)
		vp->vectors++;
	else
		vp->unknown++;
}
