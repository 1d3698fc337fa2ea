/* SPDX-License-Identifier: GPL-2.0-only */
/* The test guest starts on each CPU; a function, or a piece of EL0, that may end in an exception. */
#define FRAME 96

	.section .head, "ax"
	.global _start
_start:
	ldr	x1, =stack_end
	mov	sp, x1
	bl	registers
	b	guest_main

/* x0: the top of the stack */
	.text
	.global second_start
second_start:
	mov	sp, x0
	bl	registers
	b	second_main

registers:
	ldr	x1, =vectors
	msr	vbar_el1, x1
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb
	ret

	.macro save
	stp	x29, x30, [sp, #-FRAME]!
	stp	x27, x28, [sp, #16]
	stp	x25, x26, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x21, x22, [sp, #64]
	stp	x19, x20, [sp, #80]
	mov	x9, sp
	msr	tpidr_el1, x9
	.endm

/* uint64_t attempt(uint64_t (*)(uint64_t), uint64_t): 0, or the ESR of the exception */
	.global attempt
attempt:
	save
	mov	x9, x0
	mov	x0, x1
	blr	x9
	adrp	x1, value
	str	x0, [x1, :lo12:value]
	mov	x0, #0
	b	restore

/* uint64_t attempt_user(uint64_t pc, uint64_t x0): at EL0, which ends in an exception; its ESR */
	.global attempt_user
attempt_user:
	save
	msr	elr_el1, x0
	mov	x9, #0x3c0
	msr	spsr_el1, x9
	mov	x0, x1
	eret

exception:
	mrs	x0, esr_el1
	mrs	x1, far_el1
	adrp	x2, fault_address
	str	x1, [x2, :lo12:fault_address]
	mrs	x1, tpidr_el1
	mov	sp, x1
restore:
	ldp	x19, x20, [sp, #80]
	ldp	x21, x22, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #32]
	ldp	x27, x28, [sp, #16]
	ldp	x29, x30, [sp], #FRAME
	ret

interrupt:
	stp	x0, x1, [sp, #-176]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x30, [sp, #144]
	bl	take_interrupt
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x30, [sp, #144]
	ldp	x0, x1, [sp], #176
	eret

	.macro vector to
	.align	7
	b	\to
	.endm

	.align	11
vectors:
	.rept	4
	vector	exception
	.endr
	vector	exception
	vector	interrupt
	vector	exception
	vector	exception
	.rept	8
	vector	exception
	.endr

/* uint64_t smc(function, a1, a2, a3), and the same with another number */
	.global smc
smc:
	smc	#0
	ret
	.global smc_other
smc_other:
	smc	#5
	ret

/* Calls of the hypervisor. */
	.global call_put
call_put:
	hvc	#1
	ret
	.global call_exit
call_exit:
	hvc	#2
	ret
	.global call_protect
call_protect:
	hvc	#3
	ret
	.global call_unknown
call_unknown:
	hvc	#99
	ret

	.global read_word
read_word:
	ldr	w0, [x0]
	ret
	.global write_word
write_word:
	mov	w1, #0x77
	str	w1, [x0]
	ret
	.global execute
execute:
	br	x0
	.global context_number
context_number:
	msr	s3_0_c13_c0_7, x0
	mrs	x0, s3_0_c13_c0_7
	ret
	/* CPYP, CPYM, CPYE of 16 bytes to 64 behind them: [x1]!, [x0]!, x2! */
	.global copy_memory
copy_memory:
	add	x1, x0, #64
	mov	x2, #16
	.inst	0x1d000441
	.inst	0x1d400441
	.inst	0x1d800441
	ret
	/* TCR2_EL1 */
	.global second_control
second_control:
	mrs	x0, s3_0_c2_c0_3
	msr	s3_0_c2_c0_3, x0
	ret
	.global implementation_register
implementation_register:
	mrs	x0, s3_0_c15_c0_0
	ret
	.global user_write
user_write:
	str	w0, [x0]
	svc	#0

	.global float_add
float_add:
	fmov	d0, x0
	fadd	d0, d0, d0
	fmov	x0, d0
	ret

	.bss
	.align	12
	.space	16384
stack_end:
	.global second_stack
	.space	16384
second_stack:
	.global value
value:
	.quad	0
	.global fault_address
fault_address:
	.quad	0
