/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Exceptions, interrupts, and what a fault may return to.
 */
#include "asm.h"

	.text

/* One stub a vector: the vector, below an error code that the CPU or the stub has pushed. */
	.balign	TRAP_STUB_SIZE
	.globl trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	TRAP_VECTORS
	.balign	TRAP_STUB_SIZE
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
		  vector == 29 || vector == 30)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

/* Builds the rest of a struct trap_frame.  Interrupts are off; GS is VTL1's at all times. */
trap_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap
	mov	%rbx, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

/* bool guarded(void (*serve)(struct vp *), struct vp *vp): see traps.h */
	.globl guarded
guarded:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	mov	%rsp, %gs:VP_GUARD
	mov	%rdi, %rax
	mov	%rsi, %rdi
	call	*%rax
	mov	$1, %eax
1:	movq	$0, %gs:VP_GUARD
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.globl guarded_fault
guarded_fault:
	xor	%eax, %eax
	jmp	1b

/* int copy_bytes(void *to, const void *from, size_t n): see memory.h */
	.globl copy_bytes
	.globl copy_bytes_access
	.globl copy_bytes_fault
copy_bytes:
	mov	%rdx, %rcx
copy_bytes_access:
	rep movsb
	xor	%eax, %eax
	ret
copy_bytes_fault:
	mov	$-1, %eax
	ret

/* void fiber_switch(uint64_t *from, uint64_t to): see fiber.h */
	.globl fiber_switch
fiber_switch:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.globl fiber_entry
fiber_entry:
	mov	%rbx, %rdi
	xor	%ebp, %ebp
	and	$-16, %rsp
	call	fiber_begin
	ud2

/*
 * void sha256_ni_saved(uint32_t state[8], const uint8_t *bytes, size_t blocks): sha256_ni_blocks(),
 * after which the SSE registers, which are VTL0's, are as they were.  It uses no upper halves.
 */
	.globl sha256_ni_saved
sha256_ni_saved:
	sub	$0x108, %rsp
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movups	%xmm\i, 16 * \i(%rsp)
	.endr
	call	sha256_ni_blocks
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movups	16 * \i(%rsp), %xmm\i
	.endr
	add	$0x108, %rsp
	ret

	.section .note.GNU-stack, "", @progbits
