/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A VP's life: start, then return to VTL0 and serve its entries for ever.
 */
#ifndef VTL1_IMAGE_RUN_H
#define VTL1_IMAGE_RUN_H

#include "vp.h"

/**
 * run_first() - the first VP, on the loader's stack and page tables; returns when it cannot start
 * @regs: VTL0's; RSI points to the zero page
 */
void run_first(const struct vtl0_regs *regs);

/**
 * run_other() - a VP that another one has enabled; the VP's own stack and tables
 * @vp: the VP that runs this
 */
void run_other(struct vp *vp) __attribute__((noreturn));

/* Where the VP goes on after a fault that no call can be refused for: nothing is served any more. */
__attribute__((noreturn)) void run_failed(void);

/* The possible CPUs, VPs 0 to this one less. */
uint32_t run_cpus(void);

#endif /* VTL1_IMAGE_RUN_H */
