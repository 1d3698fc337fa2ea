/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's starts, its exceptions, and the way to VTL1 with every register under watch. */
#include "asm.h"
#include "../../push.inc"

	.text

/* The first CPU: long mode, memory one to one, RSI = boot_params. */
	.globl guest_start
guest_start:
	lea	stacks + GUEST_STACK, %rsp
	mov	%cr4, %rax
	or	$GUEST_CR4, %rax
	mov	%rax, %cr4
	/* A table of its own, which exceptions need. */
	lgdt	gdt_pointer
	pushq	$0x08
	pushq	$1f
	lretq
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%rsi, %rdi
	call	guest_main
1:	cli
	hlt
	jmp	1b

/* Another CPU, copied to GUEST_AP_PAGE: real mode, then long mode with the first one's tables. */
	.code16
	.globl ap_code
ap_code:
	cli
	xor	%eax, %eax
	mov	%ax, %ds
	lgdtl	ap_gdt_pointer - ap_code + GUEST_AP_PAGE
	mov	$GUEST_CR4, %eax
	mov	%eax, %cr4
	mov	ap_cr3 - ap_code + GUEST_AP_PAGE, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx /* EFER */
	mov	$0x100, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x80010033, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $ap_long
	.balign	8
ap_gdt:
	.quad	0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
ap_gdt_end:
ap_gdt_pointer:
	.word	ap_gdt_end - ap_gdt - 1
	.long	ap_gdt - ap_code + GUEST_AP_PAGE
	.globl ap_cr3
ap_cr3:
	.long	0
	.globl ap_code_end
ap_code_end:

	.code64
ap_long:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$1, %eax
	cpuid
	shr	$24, %ebx /* APIC id */
	mov	%ebx, %edi
	inc	%ebx
	imul	$GUEST_STACK, %ebx, %ebx
	lea	stacks(%rbx), %rsp
	call	guest_ap
1:	cli
	hlt
	jmp	1b

/* Exceptions go on at the address in recover, with the vector in RAX. */
	.balign	16
	.globl exception_stubs
exception_stubs:
	.set	vector, 0
	.rept	32
	.balign	16
	mov	$vector, %eax
	jmp	exception
	.set	vector, vector + 1
	.endr

exception:
	mov	recover, %rcx
	mov	recover_stack, %rsp
	jmp	*%rcx

/* uint64_t try_access(uint64_t address, enum try): 0, or the exception's vector */
	.globl try_access
try_access:
	push	%rbx
	push	%rbp
	mov	%rsp, recover_stack
	movq	$2f, recover
	cmp	$1, %esi
	je	1f
	ja	3f
	mov	(%rdi), %al
	jmp	4f
1:	movb	$0, (%rdi)
	jmp	4f
3:	call	*%rdi
4:	xor	%eax, %eax
2:	mov	%eax, %eax
	pop	%rbp
	pop	%rbx
	ret

/* uint64_t try_run(void (*f)(uint64_t), uint64_t argument): 0, or the exception's vector */
	.globl try_run
try_run:
	mov	%rdi, %rax
	mov	%rsi, %rdi
1:	push_kept
	mov	%rsp, recover_stack
	movq	$2f, recover
	call	*%rax
	xor	%eax, %eax
2:	mov	%eax, %eax
	pop_kept
	ret

/* uint64_t try_call(struct guest_regs *regs, uint64_t stub): as vtlcall(), 0 or the vector */
	.globl try_call
try_call:
	lea	vtlcall, %rax
	jmp	1b

/*
 * void vtlcall(struct guest_regs *regs, uint64_t stub): load every register, call VTL1, store every
 * register.  RAX and RCX are the call's own.
 */
	.globl vtlcall
vtlcall:
	push_kept
	push	%rdi
	push	%rsi
	mov	%rdi, %rax
	mov	GREG_CR2(%rax), %rcx
	mov	%rcx, %cr2
	mov	GREG_DR0(%rax), %rcx
	mov	%rcx, %dr0
	movdqu	GREG_XMM0(%rax), %xmm0
	movdqu	GREG_XMM15(%rax), %xmm15
	mov	GREG_RDX(%rax), %rdx
	mov	GREG_RBX(%rax), %rbx
	mov	GREG_RBP(%rax), %rbp
	mov	GREG_RSI(%rax), %rsi
	mov	GREG_RDI(%rax), %rdi
	mov	GREG_R8(%rax), %r8
	mov	GREG_R9(%rax), %r9
	mov	GREG_R10(%rax), %r10
	mov	GREG_R11(%rax), %r11
	mov	GREG_R12(%rax), %r12
	mov	GREG_R13(%rax), %r13
	mov	GREG_R14(%rax), %r14
	mov	GREG_R15(%rax), %r15
	xor	%ecx, %ecx
	call	*(%rsp)
	push	%rax
	mov	16(%rsp), %rax
	mov	%rcx, GREG_RCX(%rax)
	pop	%rcx
	mov	%rcx, GREG_RAX(%rax)
	mov	%rdx, GREG_RDX(%rax)
	mov	%rbx, GREG_RBX(%rax)
	mov	%rbp, GREG_RBP(%rax)
	mov	%rsi, GREG_RSI(%rax)
	mov	%rdi, GREG_RDI(%rax)
	mov	%r8, GREG_R8(%rax)
	mov	%r9, GREG_R9(%rax)
	mov	%r10, GREG_R10(%rax)
	mov	%r11, GREG_R11(%rax)
	mov	%r12, GREG_R12(%rax)
	mov	%r13, GREG_R13(%rax)
	mov	%r14, GREG_R14(%rax)
	mov	%r15, GREG_R15(%rax)
	mov	%cr2, %rcx
	mov	%rcx, GREG_CR2(%rax)
	mov	%dr0, %rcx
	mov	%rcx, GREG_DR0(%rax)
	movdqu	%xmm0, GREG_XMM0(%rax)
	movdqu	%xmm15, GREG_XMM15(%rax)
	pop	%rsi
	pop	%rdi
	pop_kept
	ret

	.data
gdt_pointer:
	.word	ap_gdt_end - ap_gdt - 1
	.quad	ap_gdt

	.bss
	.balign	16
stacks:	.fill	GUEST_CPUS * GUEST_STACK
/* Of one CPU at a time. */
recover: .quad	0
recover_stack: .quad 0
	.section .note.GNU-stack, "", @progbits
