/* SPDX-License-Identifier: GPL-2.0-only */
/* A flat guest that leaves with the number of its instructions that were undefined. */
	.global _start
_start:
	mov	x20, #0
	adr	x1, vectors
	msr	vbar_el1, x1
	isb
	mrs	x0, contextidr_el1
	msr	contextidr_el1, x0
	/* Only one that would wait traps: no interrupt comes. */
	cbz	x20, 1f
	wfi
1:	mov	x0, x20
	hvc	#2

/* ESR_EL1 would trap as well. */
undefined:
	add	x20, x20, #1
	mrs	x2, elr_el1
	add	x2, x2, #4
	msr	elr_el1, x2
	eret

	.align	11
vectors:
	.space	4 * 128
	b	undefined
