/* SPDX-License-Identifier: GPL-2.0-only */
/* The test guest of VTL1: where it starts, and the loop that serves VTL0. */
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
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	cld
	call serve
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
leave:
	call *hypercall_return(%rip)
	jmp serve_entry

	.section .note.GNU-stack, "", @progbits
