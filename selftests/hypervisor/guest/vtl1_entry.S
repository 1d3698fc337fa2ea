/* SPDX-License-Identifier: GPL-2.0-only */
/* The test guest of VTL1: where it starts, and the loop that serves VTL0. */
#include "../push.inc"

	.text
	/* The first VP comes with RSI = boot_params. */
	.globl _start
_start:
	lea stacks(%rip), %rsp
	add $16384 - 8, %rsp
	mov %rsi, %rdi
	call vtl1_start
	xor %eax, %eax
	xor %ecx, %ecx
	jmp leave

/*
 * Where VTL0 comes in: RSP is the top of the CPU's stack less 8, all other general registers are
 * VTL0's. serve() leaves the control word of the return in RCX's place.
 */
	.globl serve_entry
	.hidden serve_entry
serve_entry:
	push_all
	mov %rsp, %rdi
	cld
	call serve
	pop_all
leave:
	call *hypercall_return(%rip)
	jmp serve_entry

	.section .note.GNU-stack, "", @progbits
