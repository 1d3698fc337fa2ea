/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Registers of VTL0's that VTL1 is asked about.
 */
#ifndef VTL1_IMAGE_PINS_H
#define VTL1_IMAGE_PINS_H

#include "host.h"
#include "vp.h"

/* See struct heki_host_ops. */
int pins_read_regs(void *host, struct heki_vp_regs *regs);
int pins_set(void *host);

/* What becomes of the instruction that writes a register. */
enum pins_verdict {
	PINS_REFUSED,
	PINS_DONE, /* VTL1 has written it, VTL0 goes on behind it */
	PINS_AGAIN /* nothing is pinned any more, VTL0 makes it again */
};

/* Judge the write of a model-specific register. */
enum pins_verdict pins_judge_msr(struct vp *vp, const struct hv_msr_intercept *m);

/* Judge the write of a control or table register. */
enum pins_verdict pins_judge_register(struct vp *vp, const struct hv_register_intercept *m);

#endif /* VTL1_IMAGE_PINS_H */
