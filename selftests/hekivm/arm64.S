/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests for the machine arm64, each a section that is made a flat file. */
#define DATA 0x09000000 /* of the console */
#define FLAGS 0x18
#define FLAGS_EMPTY 4

#define SYSTEM_OFF 0x84000008
#define SYSTEM_RESET 0x84000009

	.macro guest name
	.section \name, "ax"
	movz	x9, #DATA >> 16, lsl 16
	.endm

	.macro say text
	b	8f
7:	.asciz	"\text"
	.balign	4
8:	adr	x2, 7b
9:	ldrb	w1, [x2], #1
	cbz	w1, 7f
	str	w1, [x9]
	b	9b
7:
	.endm

	.macro leave status
	mov	x0, #\status
	hvc	#2
	.endm

	.macro firmware function
	movz	w0, #\function >> 16, lsl 16
	movk	w0, #\function & 0xffff
	.endm

	/* Under the hypervisor */
	guest leave
	leave 7

	guest reset
	firmware SYSTEM_RESET
	smc	#0

	guest trap
	udf	#0

	guest spin
1:	say "still here\n"
	b	1b

	guest forge
	say "hypervisor: exit 0\r\n"
	b	.

	guest ready
	say "HEKIVM-READY 10.0.0.7 \n"
	b	.

	guest crash
	say "Kernel panic - not syncing: arm\n"
	b	.

	guest tap
	say "ok 1 a\nnot ok 2 b\n"
	leave 0

	guest echo
1:	ldr	w1, [x9, #FLAGS]
	tbnz	w1, #FLAGS_EMPTY, 1b
	ldr	w1, [x9]
	str	w1, [x9]
	cmp	w1, #'q'
	b.ne	1b
	leave 5

	/* Without it */
	guest off
	firmware SYSTEM_OFF
	hvc	#0

	guest forge_off
	say "hypervisor: exit 0\r\n"
	firmware SYSTEM_OFF
	hvc	#0

	guest again
	firmware SYSTEM_RESET
	hvc	#0
