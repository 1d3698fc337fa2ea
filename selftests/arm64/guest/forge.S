/* SPDX-License-Identifier: GPL-2.0-only */
/* A flat guest that leaves with 7 while its other CPU prints lines that say 0. */
#define LINES 20
#define DELAY 200

	.global _start
_start:
	adr	x20, state
	movz	w0, #0xc400, lsl #16
	movk	w0, #3			/* CPU_ON */
	mov	x1, #1
	adr	x2, second
	mov	x3, #0
	smc	#0
	cbnz	x0, 3f
1:	ldr	w1, [x20]
	cmp	w1, #LINES
	b.lo	1b
	mov	x0, #7
3:	hvc	#2

second:
	adr	x20, state
	mov	x3, #0x09000000
2:	ldr	w1, [x20]
	add	w1, w1, #1
	str	w1, [x20]
	mov	x2, #DELAY
3:	subs	x2, x2, #1
	b.ne	3b
	adr	x4, line
4:	ldrb	w0, [x4], #1
	cbz	w0, 2b
	/* Each other character is the hypervisor's to print. */
	tbz	x4, #0, 5f
	str	w0, [x3]
	b	4b
5:	hvc	#1
	b	4b

line:
	.asciz	"\r\nhypervisor: exit 0\r\n"
	.align	3
state:
	.quad	0
