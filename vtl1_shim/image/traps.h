/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Exceptions and interrupts of VTL1's own.
 */
#ifndef VTL1_IMAGE_TRAPS_H
#define VTL1_IMAGE_TRAPS_H

#include <hyperv/hypercall.h>

#include "types.h"

struct vp;

#define TRAPS_SINT0 0xf3 /* vector of SINT0, which tells of intercepts */

/* As stubs.S builds it on the stack. */
struct trap_frame {
	uint64_t r15;
	uint64_t r14;
	uint64_t r13;
	uint64_t r12;
	uint64_t r11;
	uint64_t r10;
	uint64_t r9;
	uint64_t r8;
	uint64_t rdi;
	uint64_t rsi;
	uint64_t rbp;
	uint64_t rbx;
	uint64_t rdx;
	uint64_t rcx;
	uint64_t rax;
	uint64_t vector;
	uint64_t error;
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
};

/* Fill the interrupt table, which all VPs share; before the page tables are loaded. */
void traps_init(void);

/* Load it into the CPU that runs this. */
void traps_load(void);

/* Where it is, for a VP that is started. */
struct hv_table traps_table(void);

/**
 * trap() - what stubs.S calls
 * @frame: of what was interrupted, and what is gone back to
 */
void trap(struct trap_frame *frame);

/**
 * guarded() - serve a call that may fault
 * @serve: serves it
 * @vp:    the VP that runs this
 *
 * Return: false when it was given up after a fault
 */
bool guarded(void (*serve)(struct vp *vp), struct vp *vp);

/* Where a call that is given up goes on: as guarded(), which returns false. */
extern const uint8_t guarded_fault[];

#endif /* VTL1_IMAGE_TRAPS_H */
