/* SPDX-License-Identifier: GPL-2.0-only */
/* The test guest of VTL0: where its CPUs start, and code that needs all registers. */
#include "../push.inc"

	.text
	/* RSI = boot_params. */
	.globl _start
_start:
	mov $stacks + 16384 - 8, %rsp
	mov %rsi, %rdi
	call vtl0_main
	ud2

/* Copied to 0x9000, where the other CPUs start. */
	.code16
	.globl ap_start
	.globl ap_start_end
ap_start:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl ap_gdt_pointer - ap_start
	mov $0x20, %eax
	mov %eax, %cr4
	mov ap_cr3 - ap_start, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x900, %eax
	wrmsr
	mov $0x80010033, %eax
	mov %eax, %cr0
	ljmpl $8, $ap_long
	.balign 8
ap_gdt:
	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
ap_gdt_pointer:
	.word 23
	.long 0x9000 + ap_gdt - ap_start
	.balign 4
	.globl ap_cr3
ap_cr3:
	.long 0
ap_start_end:

	.code64
	.globl ap_long
ap_long:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x40000002, %ecx /* HV_MSR_VP_INDEX */
	rdmsr
	mov %eax, %edi
	shl $14, %eax
	lea stacks + 16384 - 8(%rax), %rsp
	call ap_main
	ud2

	.macro load_pattern
	push_kept
	push %rsi
	mov 8*0(%rdi), %rax
	mov 8*1(%rdi), %rcx
	mov 8*2(%rdi), %rdx
	mov 8*3(%rdi), %rbx
	mov 8*5(%rdi), %rbp
	mov 8*6(%rdi), %rsi
	mov 8*8(%rdi), %r8
	mov 8*9(%rdi), %r9
	mov 8*10(%rdi), %r10
	mov 8*11(%rdi), %r11
	mov 8*12(%rdi), %r12
	mov 8*13(%rdi), %r13
	mov 8*14(%rdi), %r14
	mov 8*15(%rdi), %r15
	mov 8*7(%rdi), %rdi
	.endm

	.macro store_pattern
	push %rdi
	mov 8(%rsp), %rdi
	mov %rax, 8*0(%rdi)
	mov %rcx, 8*1(%rdi)
	mov %rdx, 8*2(%rdi)
	mov %rbx, 8*3(%rdi)
	mov %rbp, 8*5(%rdi)
	mov %rsi, 8*6(%rdi)
	mov %r8, 8*8(%rdi)
	mov %r9, 8*9(%rdi)
	mov %r10, 8*10(%rdi)
	mov %r11, 8*11(%rdi)
	mov %r12, 8*12(%rdi)
	mov %r13, 8*13(%rdi)
	mov %r14, 8*14(%rdi)
	mov %r15, 8*15(%rdi)
	pop 8*7(%rdi)
	add $8, %rsp
	pop_kept
	ret
	.endm

	.globl pattern_call
pattern_call:
	load_pattern
	call *hypercall_call(%rip)
	store_pattern

	.globl pattern_store
pattern_store:
	load_pattern
	mov %rbx, pattern_page(%rip) /* 7 bytes */
	store_pattern

/* Pieces of code that are copied; they do not know where they run. */
	.balign 64
	.globl code_return
code_return:
	ret
	.balign 64
	.globl code_user
code_user:
	int3
	.balign 64
	.globl code_user_call
code_user_call:
	xor %eax, %eax
	mov $0x11, %ecx
	vmmcall
	int3
	.balign 64
	.globl code_user_syscall
code_user_syscall:
	syscall
	int3
	.balign 64
	.globl code_user_unaligned
code_user_unaligned:
	pushf
	orl $0x40000, (%rsp)
	popf
	mov -17(%rsp), %rax
	int3
	.balign 64
	.globl code_write_cr4
code_write_cr4:
	mov %rax, %cr4
	jmp code_write_cr4
	.balign 64

	.section .note.GNU-stack, "", @progbits
