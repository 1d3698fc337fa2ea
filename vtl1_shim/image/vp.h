/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A virtual processor of VTL1's: its descriptor tables, stacks and pages, and what of VTL0 it
 * keeps while it runs.
 */
#ifndef VTL1_IMAGE_VP_H
#define VTL1_IMAGE_VP_H

#include <hyperv/vsm.h>

#include "asm.h"
#include "heap.h"
#include "hypercall.h"

#define ASSERT_ASM(type, member, offset) \
	_Static_assert(offsetof(type, member) == (offset), #type "." #member)

/*
 * Registers of VTL0 that VTL1 shares and changes. x87, SSE and AVX state, XCR0, DR0-3 and DR6 are
 * shared too: nothing here touches them, but for one function that saves what it uses of SSE.
 */
struct vtl0_regs {
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t rbx;
	uint64_t rbp;
	uint64_t rsi;
	uint64_t rdi;
	uint64_t r8;
	uint64_t r9;
	uint64_t r10;
	uint64_t r11;
	uint64_t r12;
	uint64_t r13;
	uint64_t r14;
	uint64_t r15;
	uint64_t cr2;
};
ASSERT_ASM(struct vtl0_regs, rbp, REGS_RBP);
ASSERT_ASM(struct vtl0_regs, r8, REGS_R8);
ASSERT_ASM(struct vtl0_regs, r15, REGS_R15);
ASSERT_ASM(struct vtl0_regs, cr2, REGS_CR2);

/* What a fault runs on, whatever stack it met: places in the TSS, from 1. */
enum vp_ist {
	VP_IST_FAULT = 1,
	VP_IST_DOUBLE_FAULT,
	VP_IST_NMI,
	VP_IST_MACHINE_CHECK,
	VP_IST_COUNT
};

struct tss {
	uint32_t reserved;
	uint64_t rsp[3];
	uint64_t reserved2;
	uint64_t ist[7]; /* number 1 first */
	uint64_t reserved3;
	uint16_t reserved4;
	uint16_t io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "struct tss");

#define GDT_ENTRIES 5 /* none, code, data, and two for the TSS */

enum vp_stage {
	VP_OFF,
	VP_STARTING, /* its level is being enabled */
	VP_ENABLED, /* it starts when its VTL0 calls */
	VP_UP,
};

/**
 * struct vp - a virtual processor
 * @self:        this structure
 * @return_stub: where the hypercall page returns to VTL0; 0 as long as that is not known
 * @assist:      VP assist page
 * @guard:       stack pointer of guarded() while a call is served, else 0
 * @regs:        of VTL0
 * @cr2_changed: CR2 is not VTL0's any more
 * @in_fault:    a fault is being handled
 * @dead:        VTL1 has failed on this VP
 * @restarted:   VTL0 has started there since the core last asked
 * @index:       VP index
 * @state:       enum vp_stage, written with atomic operations
 * @locks:       locks that this VP holds
 * @stack:       end of the stack that calls are served on
 * @messages:    SIM page
 * @hypercall:   parameters of hypercalls
 * @scratch:     a page for what a call copies in
 * @heap:        for public-key operations
 * @window:      where a page of VTL0's is mapped while it is copied
 * @window_entry: its page-table entry
 * @nmis:        NMIs taken
 * @vectors:     interrupts taken
 * @unknown:     entries and messages of an unknown kind
 * @tss:         task state segment
 * @gdt:         global descriptor table
 */
struct vp {
	struct vp *self;
	uint64_t return_stub;
	struct hv_vp_assist_page *assist;
	uint64_t guard;
	struct vtl0_regs regs;
	bool cr2_changed;
	bool in_fault;
	bool dead;
	bool restarted;
	uint32_t index;
	uint32_t state;
	uint32_t locks;
	uint8_t *stack;
	struct hv_message *messages;
	struct hypercall_pages hypercall;
	uint8_t *scratch;
	struct heap heap;
	uint8_t *window;
	uint64_t *window_entry;
	uint64_t nmis;
	uint64_t vectors;
	uint64_t unknown;
	struct tss tss;
	uint64_t gdt[GDT_ENTRIES];
};
ASSERT_ASM(struct vp, return_stub, VP_RETURN_STUB);
ASSERT_ASM(struct vp, assist, VP_ASSIST);
ASSERT_ASM(struct vp, guard, VP_GUARD);
ASSERT_ASM(struct vp, regs, VP_REGS);
ASSERT_ASM(struct hv_vp_assist_page, return_rax, ASSIST_RAX);
ASSERT_ASM(struct hv_vp_assist_page, return_rcx, ASSIST_RCX);
_Static_assert(sizeof(struct vp) <= HEKI_PAGE_SIZE, "struct vp");

/**
 * vp_create() - make a VP: its memory, stacks with guard pages below, tables
 * @index: VP index
 *
 * Return: the VP, which vp_at() knows from now on; NULL without memory
 */
struct vp *vp_create(uint32_t index);

/**
 * vp_at() - a VP
 * @index: VP index
 *
 * Return: the VP, NULL when there is none
 */
struct vp *vp_at(uint32_t index);

/**
 * vp_load() - load a VP's tables and control bits into the CPU that runs this
 * @vp: the VP
 */
void vp_load(struct vp *vp);

/**
 * vp_context() - with what the VP starts when another one enables it
 * @vp:      the VP
 * @context: filled in
 *
 * Made on a VP that runs on the final page tables and control bits, as these are taken over.
 */
void vp_context(struct vp *vp, struct hv_initial_vp_context *context);

/* The VP that runs this. */
static inline struct vp *vp_this(void)
{
	struct vp *vp;

	__asm__("mov %%gs:0, %0" : "=r"(vp));
	return vp;
}

/* entry.S: registers are saved, vp_first() runs on the VP's own stack. */
void vp_start(void);

#endif /* VTL1_IMAGE_VP_H */
