/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A flat guest with its MMU on whose vectors lie behind a table where nothing answers, beside the GIC's
 * redistributors: it is ended, the hypervisor is not.
 */
#include "encoding.h"

#define NOBODY 0x08800000

	.global _start
_start:
	ldr	x0, =0x48200000		/* the table, one entry: the GiB that it is in itself */
	ldr	x1, =(0x40000000 | S1_BLOCK | S1_SH_INNER | S1_AF)
	str	x1, [x0, #8]
	msr	ttbr0_el1, x0
	mov	x0, #NOBODY
	msr	ttbr1_el1, x0
	mov	x0, #0xff
	msr	mair_el1, x0
	ldr	x0, =(25 | 25 << 16 | 2 << 30 | 2 << 32)	/* 39 bits each of 4 KiB */
	msr	tcr_el1, x0
	ldr	x0, =0xffffff8000000000
	msr	vbar_el1, x0
	dsb	sy
	isb
	ldr	x0, =(SCTLR_EL1_RESET | SCTLR_M)
	msr	sctlr_el1, x0
	isb
	hvc	#99
	mov	x0, #1
	hvc	#2
