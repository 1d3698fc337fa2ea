/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The start of each CPU at EL2, EL2's vectors, and the way into the guest and back.
 *
 * The image is an ELF file and, its first 64 bytes being the header of Linux's boot protocol, an
 * arm64 Image as well.
 */
#include "asm.h"
#include "encoding.h"

	.arch armv8-a

	.section .head, "ax"
	.global image_start
image_start_header:
	b	start
	.long	0
	.quad	0			/* as near to the start of RAM as it can be */
	.quad	image_size
	.quad	0xa			/* little-endian, 4 KiB, anywhere */
	.quad	0
	.quad	0
	.quad	0
	.ascii	"ARM\x64"
	.long	0

	.text
/* x0: the device tree, 0 from a loader of ELF files. */
start:
	msr	daifset, #0xf
	mov	x20, x0
	mrs	x1, currentel
	cmp	x1, #(2 << 2)
	b.ne	park
	/* The first CPU goes on; others that a loader lets in sleep. */
	mrs	x1, mpidr_el1
	ldr	x2, =0xff00ffffff
	tst	x1, x2
	b.ne	park
	/* Moved: nothing can be said, the console's addresses would be wrong. */
	adrp	x1, image_start
	ldr	x2, =image_start
	cmp	x1, x2
	b.ne	park
	bl	registers_init
	/* Nothing of the image is to be in a cache while the MMU is off. */
	ldr	x0, =image_start
	ldr	x1, =image_end
	bl	invalidate
	ldr	x0, =bss_start
	ldr	x1, =image_end
2:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	2b
	mov	x0, #0
	bl	host_stack_asm
	mov	sp, x0
	mov	x0, x20
	bl	host_tables
	bl	mmu_on
	mov	x0, x20
	b	main

/* Another CPU, turned on by the firmware. x0: its index. */
	.global ap_start
ap_start:
	msr	daifset, #0xf
	mov	x20, x0
	bl	registers_init
	mov	x0, x20
	bl	host_stack_asm
	mov	sp, x0
	bl	mmu_on
	mov	x0, x20
	b	ap_main

	.global park
park:
	wfi
	b	park

/* The top of a CPU's stack. x0: its index. */
host_stack_asm:
	ldr	x1, =host_stacks
	mov	x2, #STACK_SIZE
	add	x0, x0, #1
	madd	x0, x0, x2, x1
	ret

registers_init:
	ldr	x1, =SCTLR_EL2_OFF
	msr	sctlr_el2, x1
	ldr	x1, =vectors
	msr	vbar_el2, x1
	ldr	x1, =CPTR_RES1
	msr	cptr_el2, x1
	msr	hcr_el2, xzr
	msr	spsel, #1
	isb
	ret

/* Clean and invalidate [x0, x1) to where all observers see it. */
invalidate:
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x3, x3, x2
	sub	x4, x3, #1
	bic	x0, x0, x4
1:	dc	civac, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

mmu_on:
	ldr	x1, =MAIR_BITS
	msr	mair_el2, x1
	ldr	x1, =TCR_EL2_BITS
	mrs	x2, id_aa64mmfr0_el1
	and	x2, x2, #0xf
	mov	x3, #5
	cmp	x2, x3
	csel	x2, x2, x3, lo
	orr	x1, x1, x2, lsl #TCR_EL2_PS_SHIFT
	msr	tcr_el2, x1
	ldr	x1, =host_root
	msr	ttbr0_el2, x1
	ic	iallu
	tlbi	alle2
	dsb	nsh
	isb
	ldr	x1, =SCTLR_EL2_ON
	msr	sctlr_el2, x1
	isb
	ret

/* uint64_t firmware(function, a1, a2, a3): SMCCC leaves x4 to x17 undefined, as a call does. */
	.global firmware
firmware:
	smc	#0
	ret

/* uint64_t translate_stage1(address), translate_both(address): an abort of theirs goes on behind them. */
	.global translate_stage1
translate_stage1:
	mrs	x2, par_el1
at_stage1:
	at	s1e1r, x0
	b	translated
	.global translate_both
translate_both:
	mrs	x2, par_el1
at_both:
	at	s12e1r, x0
translated:
	isb
	mrs	x0, par_el1
	msr	par_el1, x2
	ret
not_translated:
	mov	x0, #PAR_FAILED
	msr	par_el1, x2
	ret

/*
 * void guest_enter(struct vcpu *): run the guest until it exits.  Its general registers are kept in
 * the structure; ours that a call preserves on the stack, whose pointer EL2 keeps.
 */
	.global guest_enter
guest_enter:
	stp	x29, x30, [sp, #-96]!
	stp	x27, x28, [sp, #16]
	stp	x25, x26, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x21, x22, [sp, #64]
	stp	x19, x20, [sp, #80]
	msr	tpidr_el2, x0
	ldp	x1, x2, [x0, #VCPU_PC]
	msr	elr_el2, x1
	msr	spsr_el2, x2
	ldr	x30, [x0, #(30 * 8)]
	ldp	x28, x29, [x0, #(28 * 8)]
	ldp	x26, x27, [x0, #(26 * 8)]
	ldp	x24, x25, [x0, #(24 * 8)]
	ldp	x22, x23, [x0, #(22 * 8)]
	ldp	x20, x21, [x0, #(20 * 8)]
	ldp	x18, x19, [x0, #(18 * 8)]
	ldp	x16, x17, [x0, #(16 * 8)]
	ldp	x14, x15, [x0, #(14 * 8)]
	ldp	x12, x13, [x0, #(12 * 8)]
	ldp	x10, x11, [x0, #(10 * 8)]
	ldp	x8, x9, [x0, #(8 * 8)]
	ldp	x6, x7, [x0, #(6 * 8)]
	ldp	x4, x5, [x0, #(4 * 8)]
	ldp	x2, x3, [x0, #(2 * 8)]
	ldp	x0, x1, [x0]
	eret
	/* No speculation behind the return. */
	dsb	nsh
	isb

/* x0 and x1 of the guest are on the stack. */
guest_exit:
	mrs	x0, tpidr_el2
	stp	x2, x3, [x0, #(2 * 8)]
	stp	x4, x5, [x0, #(4 * 8)]
	stp	x6, x7, [x0, #(6 * 8)]
	stp	x8, x9, [x0, #(8 * 8)]
	stp	x10, x11, [x0, #(10 * 8)]
	stp	x12, x13, [x0, #(12 * 8)]
	stp	x14, x15, [x0, #(14 * 8)]
	stp	x16, x17, [x0, #(16 * 8)]
	stp	x18, x19, [x0, #(18 * 8)]
	stp	x20, x21, [x0, #(20 * 8)]
	stp	x22, x23, [x0, #(22 * 8)]
	stp	x24, x25, [x0, #(24 * 8)]
	stp	x26, x27, [x0, #(26 * 8)]
	stp	x28, x29, [x0, #(28 * 8)]
	str	x30, [x0, #(30 * 8)]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	mrs	x1, elr_el2
	mrs	x2, spsr_el2
	stp	x1, x2, [x0, #VCPU_PC]
	mrs	x1, esr_el2
	mrs	x2, far_el2
	stp	x1, x2, [x0, #VCPU_ESR]
	mrs	x1, hpfar_el2
	str	x1, [x0, #VCPU_HPFAR]
	ldp	x19, x20, [sp, #80]
	ldp	x21, x22, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #32]
	ldp	x27, x28, [sp, #16]
	ldp	x29, x30, [sp], #96
	ret

/* The hypervisor's own exception: its stack may be what is wrong, so another one is taken. */
	.macro own kind
	.align	7
	mov	x0, #\kind
	b	own_exception
	.endm

	/* The two translations go on where they have failed. */
	.macro own_or_translation kind
	.align	7
	mrs	x0, elr_el2
	adr	x1, at_stage1
	cmp	x0, x1
	adr	x1, at_both
	ccmp	x0, x1, #4, ne
	mov	x0, #\kind
	b.ne	own_exception
	adr	x1, not_translated
	msr	elr_el2, x1
	eret
	.endm

	.macro guest
	.align	7
	stp	x0, x1, [sp, #-16]!
	b	guest_exit
	.endm

	.align	11
	.global vectors
vectors:
	own	0
	own	1
	own	2
	own	3
	own_or_translation 4
	own	5
	own	6
	own	7
	guest
	own	9
	own	10
	own	11
	guest
	own	13
	own	14
	own	15

own_exception:
	adr	x1, dying
1:	ldxr	w2, [x1]
	cbnz	w2, park
	mov	w3, #1
	stxr	w2, w3, [x1]
	cbnz	w2, 1b
	ldr	x1, =(emergency_stack + EMERGENCY_SIZE)
	mov	sp, x1
	mrs	x1, esr_el2
	mrs	x2, elr_el2
	mrs	x3, far_el2
	b	host_exception

	.ltorg

	.data
	.align	2
dying:
	.long	0
