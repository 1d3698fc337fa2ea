/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Calls of a VTL1 that has a virtual trust level of its own, beside those of calls.h: starting it on
 * a VP, and tests.
 */
#ifndef _UAPI_HEKI_IMAGE_H
#define _UAPI_HEKI_IMAGE_H

#include "types.h"

/* The first call on each VP starts VTL1 there, this one or any other. It does no more. Returns 0. */
#define HEKI_IMAGE_START 0x0

/* Returns (p0 ^ p1 ^ p2) & HEKI_IMAGE_ECHO_MASK. */
#define HEKI_IMAGE_ECHO 0x1fe00
#define HEKI_IMAGE_ECHO_MASK 0x7fffffffu

/*
 * Served by test images alone. Those that fault answer INTERNAL, but for two that end VTL1 on the
 * VP: VTL0 meets a general protection fault, and the next call does not come back.
 */
enum heki_image_test {
	HEKI_TEST_NULL = 0x1fe01, /* reads from address 0 */
	HEKI_TEST_STACK = 0x1fe02, /* uses up its stack */
	HEKI_TEST_DIVIDE = 0x1fe03, /* divides by 0 */
	HEKI_TEST_INVALID = 0x1fe04, /* an invalid instruction */
	HEKI_TEST_WRITE_CODE = 0x1fe05, /* writes to its code */
	HEKI_TEST_RUN_DATA = 0x1fe06, /* runs its data */
	HEKI_TEST_READ_VTL0 = 0x1fe07, /* reads VTL0's memory at p0 where it lies */
	HEKI_TEST_ACCESS = 0x1fe08, /* a copy from p0 of its own space: COPY_FROM_VTL0 or 0 */
	HEKI_TEST_COPY = 0x1fe09, /* copies p2 bytes of VTL0's, at most a page, from p0 to p1 */
	HEKI_TEST_LOG = 0x1fe0a, /* copies the log record p0 to p1; with p0 0: their number */
	HEKI_TEST_COUNTERS = 0x1fe0b, /* p0: 0 NMIs, 1 interrupts, 2 unknown entries of the VP */
	HEKI_TEST_DOUBLE_FAULT = 0x1fe0c, /* ends VTL1 here */
	HEKI_TEST_NO_MESSAGES = 0x1fe0d, /* lets the next intercept fault, which ends VTL1 there */
	HEKI_TEST_MESSAGE = 0x1fe0e, /* judges a message of type p0 as if it had come */
	HEKI_TEST_INTERRUPT = 0x1fe0f, /* p0: takes 0 an NMI, 1 SINT0, 2 a vector of no use */
	HEKI_TEST_LOST_LOCK = 0x1fe10 /* faults with a lock held: all calls answer INTERNAL then */
};

#endif /* _UAPI_HEKI_IMAGE_H */
