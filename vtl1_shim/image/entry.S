/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The ways in and out: the first VP's start, the others' start, VTL return and the next entry.
 */
#include "asm.h"

/*
 * The first VP, in the loader's page tables and on its stack: identity of the first 16 MiB, all of
 * it writable, no interrupt table.  The registers are VTL0's, RSI too, which the loader has set to
 * the zero page; they are kept in a struct vtl0_regs on the stack.
 */
	.section .text.entry, "ax"
	.globl image_start
image_start:
	sub	$8, %rsp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	mov	%cr2, %rax
	mov	%rax, REGS_CR2(%rsp)
	mov	%rsp, %rbx
	and	$-16, %rsp
	cld
	lea	image_text(%rip), %rdi
	lea	image_end(%rip), %rsi
	sub	%rdi, %rsi
	lea	image_rela(%rip), %rdx
	lea	image_rela_end(%rip), %rcx
	call	relocate
	test	%eax, %eax
	jnz	1f
	mov	%rbx, %rdi
	call	run_first
1:	cli
	hlt
	jmp	1b

	.text

/* void switch_space(struct pa root, uint8_t *stack, struct vp *vp, void (*to)(struct vp *)) */
	.globl switch_space
switch_space:
	mov	%rdi, %cr3
	mov	%rsi, %rsp
	xor	%ebp, %ebp
	mov	%rdx, %rdi
	call	*%rcx
	ud2

/* What of VTL0 the C code may change; RAX first, as it is needed for CR2. */
.macro save_vtl0
	mov	%rax, %gs:VP_REGS + REGS_RAX
	mov	%rcx, %gs:VP_REGS + REGS_RCX
	mov	%rdx, %gs:VP_REGS + REGS_RDX
	mov	%rbx, %gs:VP_REGS + REGS_RBX
	mov	%rbp, %gs:VP_REGS + REGS_RBP
	mov	%rsi, %gs:VP_REGS + REGS_RSI
	mov	%rdi, %gs:VP_REGS + REGS_RDI
	mov	%r8, %gs:VP_REGS + REGS_R8
	mov	%r9, %gs:VP_REGS + REGS_R9
	mov	%r10, %gs:VP_REGS + REGS_R10
	mov	%r11, %gs:VP_REGS + REGS_R11
	mov	%r12, %gs:VP_REGS + REGS_R12
	mov	%r13, %gs:VP_REGS + REGS_R13
	mov	%r14, %gs:VP_REGS + REGS_R14
	mov	%r15, %gs:VP_REGS + REGS_R15
	mov	%cr2, %rax
	mov	%rax, %gs:VP_REGS + REGS_CR2
	cld
.endm

/* Another VP, with the context of vp_context(): tables, stack and GS are its own. */
	.globl vp_start
vp_start:
	save_vtl0
	mov	%gs:0, %rdi
	xor	%ebp, %ebp
	call	run_other
	ud2

/*
 * void vtl_return(void): go back to VTL0, and return at the next entry.
 *
 * RAX and RCX of VTL0 are needed here; the hypervisor takes them from the VP assist page, as RCX is
 * 0 at the return.  RSP and RFLAGS are VTL1's own.
 */
	.globl vtl_return
vtl_return:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%gs:VP_ASSIST, %rax
	mov	%gs:VP_REGS + REGS_RAX, %rcx
	mov	%rcx, ASSIST_RAX(%rax)
	mov	%gs:VP_REGS + REGS_RCX, %rcx
	mov	%rcx, ASSIST_RCX(%rax)
	mov	%gs:VP_REGS + REGS_RDX, %rdx
	mov	%gs:VP_REGS + REGS_RBX, %rbx
	mov	%gs:VP_REGS + REGS_RBP, %rbp
	mov	%gs:VP_REGS + REGS_RSI, %rsi
	mov	%gs:VP_REGS + REGS_RDI, %rdi
	mov	%gs:VP_REGS + REGS_R8, %r8
	mov	%gs:VP_REGS + REGS_R9, %r9
	mov	%gs:VP_REGS + REGS_R10, %r10
	mov	%gs:VP_REGS + REGS_R11, %r11
	mov	%gs:VP_REGS + REGS_R12, %r12
	mov	%gs:VP_REGS + REGS_R13, %r13
	mov	%gs:VP_REGS + REGS_R14, %r14
	mov	%gs:VP_REGS + REGS_R15, %r15
	xor	%ecx, %ecx
	call	*%gs:VP_RETURN_STUB
	save_vtl0
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* A page that the hypervisor lays its code over. */
	.section .hypercall_page, "ax"
	.globl image_hypercall_page
image_hypercall_page:
	.fill	4096, 1, 0xcc

	.section .note.GNU-stack, "", @progbits
