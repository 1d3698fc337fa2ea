/* SPDX-License-Identifier: GPL-2.0-only */
/* Where exceptions and interrupts come in, and the way to user mode and back. */
#include "../push.inc"

	.text
	.balign 16
	.globl trap_entries
	.hidden trap_entries
trap_entries:
	.set vector, 0
	.rept 256
	.balign 16
	/* Those that push an error code by themselves: 8, 10-14, 17, 21, 29, 30. */
	.if vector >= 32 || !((1 << (vector & 31)) & 0x60227d00)
	push $0
	.endif
	push $vector
	jmp trap_entry
	.set vector, vector + 1
	.endr

trap_entry:
	push_all
	cld
	mov %rsp, %rdi
	call trap
	pop_all
	add $16, %rsp
	iretq

/*
 * void user_enter(uint64_t rip, uint64_t rsp, uint64_t *kernel_rsp)
 *
 * Run user code until its first exception, which trap() turns into a return from here.
 */
	.globl user_enter
	.hidden user_enter
user_enter:
	push_kept
	mov %rsp, (%rdx)
	push $0x1b
	push %rsi
	push $2
	push $0x23
	push %rdi
	iretq

/* Where trap() goes on: RSP is what user_enter() has kept. */
	.globl user_leave
	.hidden user_leave
user_leave:
	pop_kept
	ret

	.section .note.GNU-stack, "", @progbits
