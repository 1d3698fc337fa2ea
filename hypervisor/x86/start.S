/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way into the hypervisor: from multiboot for the first CPU, from a start-up IPI for the others,
 * to 64-bit mode with all memory mapped one to one; and the way into a guest and back.
 */
#include "asm.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 3 /* modules on page boundaries, a memory map */

	.section .multiboot, "a"
	.align 4
	.long MULTIBOOT_MAGIC
	.long MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.text
	.code32
	.globl start32
start32:
	cli
	cld
	mov $boot_stack_end, %esp
	mov %ebx, %edi /* multiboot information, main()'s first argument */
	mov %eax, %esi /* multiboot magic, its second */

	/* One to one, in pages of 1 GiB: 512 of them below the first entry of the top table. */
	movl $boot_pdpt + 3, boot_pml4
	mov $boot_pdpt, %ebx
	xor %eax, %eax
	xor %edx, %edx
1:	mov %eax, (%ebx)
	orl $0x83, (%ebx)
	mov %edx, 4(%ebx)
	add $0x40000000, %eax
	adc $0, %edx
	add $8, %ebx
	cmp $boot_pdpt + 4096, %ebx
	jne 1b

	call enter_long
	lgdt gdt_pointer
	ljmp $SELECTOR_CODE, $start64

/* Switch paging and long mode on; clobbers EAX, ECX, EDX. */
enter_long:
	mov $CR4_PAE_BIT, %eax
	mov %eax, %cr4
	mov $boot_pml4, %eax
	mov %eax, %cr3
	mov $MSR_EFER_NUMBER, %ecx
	rdmsr
	or $EFER_BITS, %eax
	wrmsr
	mov $CR0_BITS, %eax
	mov %eax, %cr0
	ret

	.code64
start64:
	call load_data_segments
	call main
	ud2

load_data_segments:
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	ret

/*
 * Copied to a page below 1 MiB, where the other CPUs start in real mode. One comes at a time: its
 * stack is in ap_stack, and it goes on in ap_main().
 */
	.code16
	.globl ap_start
ap_start:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	lgdtl ap_gdt_pointer - ap_start
	mov $1, %eax
	mov %eax, %cr0
	ljmpl $SELECTOR_CODE32, $ap_start32
ap_gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
	.globl ap_start_size
	.set ap_start_size, . - ap_start

	.code32
ap_start32:
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov ap_stack, %esp
	call enter_long
	ljmp $SELECTOR_CODE, $ap_start64

	.code64
ap_start64:
	call load_data_segments
	call ap_main
	ud2

/*
 * Run a guest until it exits. RDI: its general registers in the order of their encoding, but for RAX
 * and RSP, which are in the VMCB. RAX: the VMCB. Of the caller's registers only RSP and RBP stay. What
 * else the levels share stays in the processor.
 */
	.globl vmcb_run
vmcb_run:
	push %rbp
	push %rdi
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
	vmrun %rax
	xchg %rdi, (%rsp)
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
	pop %rbp
	ret

	.globl wait_nmi
wait_nmi:
	stgi
wait_nmi_halt:
	hlt
	clgi
	ret

/*
 * The hypervisor's own exceptions: an NMI only wakes, anything else ends the machine. One that was
 * pending comes in before the HLT that it is to end, which is a byte long and left out then.
 */
	.globl nmi_entry
nmi_entry:
	cmpq $wait_nmi_halt, (%rsp)
	jne 1f
	incq (%rsp)
1:	iretq

	.align 16
	.globl exception_entries
exception_entries:
	.set vector, 0
	.rept 32
	.align 16
	/* Those that push an error code by themselves: 8, 10-14, 17, 21, 29, 30. */
	.if !((1 << vector) & 0x60227d00)
	push $0
	.endif
	push $vector
	jmp exception_common
	.set vector, vector + 1
	.endr

exception_common:
	mov (%rsp), %rdi
	mov 8(%rsp), %rsi
	mov 16(%rsp), %rdx
	mov %cr2, %rcx
	and $-16, %rsp
	call host_exception
	ud2

	.section .rodata
	.align 16
gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code */
	.quad 0x00cf93000000ffff /* data */
	.quad 0x00cf9b000000ffff /* 32-bit code */
gdt_end:
	.globl gdt_pointer
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt

	.bss
	.align 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
	.globl boot_pdpt
boot_pdpt:
	.skip 4096
boot_stack:
	.skip 16384
boot_stack_end:
	.globl ap_stack
ap_stack:
	.skip 8

	.section .note.GNU-stack, "", @progbits
