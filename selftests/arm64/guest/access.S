/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A flat guest whose processor notes accesses in its tables (FEAT_HAFDBS): a load and a fetch whose walks
 * write, to a table that is open, then locked.  It leaves with 0, or the number of what went wrong.
 */
#include "encoding.h"

#define TABLES 0x48200000	/* levels 1, 2 and 3, a page each */
#define PAGES 0x48300000	/* data and code; TABLES is also where they are seen */
#define TABLE_SEEN 0x48402000	/* level 3 */
#define PAGE S1_PAGE | S1_SH_INNER
#define RETURN 0xd65f03c0
#define TCR_HA (1 << 39)
#define ABORT(class) ((class) << ESR_EC_SHIFT | ESR_IL | FSC_EXTERNAL_WALK | 3)

	.macro	want number, register, value
	mov	x27, #\number
	ldr	x9, =\value
	cmp	\register, x9
	b.ne	wrong
	.endm

	.global _start
_start:
	ldr	x20, =TABLES
	ldr	x0, =(TABLES + 0x1000 + S1_TABLE)
	str	x0, [x20, #8]
	add	x1, x20, #0x1000
	ldr	x0, =(0x48000000 | S1_BLOCK | S1_SH_INNER | S1_AF)
	str	x0, [x1, #(64 * 8)]
	ldr	x2, =(TABLES + 0x2000 + S1_TABLE)
	str	x2, [x1, #(65 * 8)]
	add	x0, x0, #0x200000
	str	x0, [x1, #(66 * 8)]
	add	x1, x20, #0x2000
	ldr	x21, =(PAGES | PAGE)
	add	x22, x21, #0x1000
	stp	x21, x22, [x1]
	ldr	x1, =PAGES
	ldr	x23, =RETURN
	str	x23, [x1]
	str	x23, [x1, #0x1000]
	dsb	sy
	ic	iallu
	msr	ttbr0_el1, x20
	mov	x0, #0xff
	msr	mair_el1, x0
	ldr	x0, =(25 | 1 << 23 | 2 << 32 | TCR_HA)	/* 39 bits of 4 KiB, the lower half only */
	msr	tcr_el1, x0
	adr	x0, vectors
	msr	vbar_el1, x0
	dsb	sy
	isb
	ldr	x0, =(SCTLR_EL1_RESET | SCTLR_M)
	msr	sctlr_el1, x0
	isb

	ldr	x24, =TABLE_SEEN
	bl	access
	want	1, x25, 0
	bl	call
	want	2, x25, 0
	ldp	x0, x1, [x24]
	want	3, x0, (PAGES | PAGE | S1_AF)
	want	4, x1, (PAGES + 0x1000 | PAGE | S1_AF)

	stp	x21, x22, [x24]
	dsb	sy
	tlbi	vmalle1
	dsb	sy
	isb
	add	x0, x20, #0x2000
	mov	x1, #0x1000
	mov	x2, #1
	hvc	#3
	want	5, x0, 0
	bl	access
	want	6, x25, ABORT(EC_DABT_CUR)
	bl	call
	want	7, x25, ABORT(EC_IABT_CUR)
	ldp	x0, x1, [x24]
	want	8, x0, (PAGES | PAGE)
	want	9, x1, (PAGES + 0x1000 | PAGE)
	mov	x27, #0
wrong:
	mov	x0, x27
	hvc	#2

/* x25: the syndrome of a load, of a call; 0 */
access:
	mov	x25, #0
	mov	x26, x30
	ldr	w0, [x20]
	ret
call:
	mov	x25, #0
	mov	x26, x30
	add	x0, x20, #0x1000
	br	x0

	.ltorg

	.align	11
vectors:
	.space	4 * 128
	mrs	x25, esr_el1
	msr	elr_el1, x26
	eret
