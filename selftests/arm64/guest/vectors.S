/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A flat guest whose vectors move from one 2 MiB to the next: while its second CPU is given one exception
 * after the other there, a page beside them is locked.  It leaves with 0, or the call's error.
 */
#define FIRST 0x48200000
#define BLOCKS 220
#define PAGE 0x1000
#define EXCEPTIONS 50

	.global _start
_start:
	adr	x20, state
	movz	w0, #0xc400, lsl #16
	movk	w0, #3			/* CPU_ON */
	mov	x1, #1
	adr	x2, second
	mov	x3, #0
	smc	#0
	cbnz	x0, 9f
	ldr	x21, =FIRST
	mov	x22, #BLOCKS
1:	adr	x1, handler
	add	x2, x21, #0x200		/* what EL1 itself does */
	mov	x3, #4
2:	ldr	w0, [x1], #4
	str	w0, [x2], #4
	subs	x3, x3, #1
	b.ne	2b
	dsb	ish
	ic	ialluis
	dsb	ish
	isb
	str	x21, [x20]
3:	ldr	x0, [x20, #8]
	cmp	x0, x21
	b.ne	3b
	add	x0, x21, #PAGE
	mov	x1, #PAGE
	mov	x2, #1
	hvc	#3
	cbnz	x0, 9f
	ldr	x0, [x20, #16]		/* it goes on */
	add	x0, x0, #EXCEPTIONS
4:	ldr	x1, [x20, #16]
	cmp	x1, x0
	b.lo	4b
	add	x21, x21, #0x200000
	subs	x22, x22, #1
	b.ne	1b
	mov	x0, #0
9:	hvc	#2

second:
	adr	x20, state
	mov	x5, #0
1:	ldr	x0, [x20]
	cbz	x0, 1b
	msr	vbar_el1, x0
	isb
	mov	x4, #EXCEPTIONS
2:	hvc	#99
	add	x5, x5, #1
	str	x5, [x20, #16]
	subs	x4, x4, #1
	b.ne	2b
	str	x0, [x20, #8]
	b	1b

/* Goes on behind the instruction. */
handler:
	mrs	x2, elr_el1
	add	x2, x2, #4
	msr	elr_el1, x2
	eret

	.align	3
state:
	.quad	0, 0, 0
