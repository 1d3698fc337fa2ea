/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Intercepts: what VTL0 was stopped at.
 */
#ifndef VTL1_IMAGE_INTERCEPT_H
#define VTL1_IMAGE_INTERCEPT_H

#include "vp.h"

/**
 * intercept_enter() - judge the message that the hypervisor has left, if there is one
 * @vp: the VP that runs this
 */
void intercept_enter(struct vp *vp);

#endif /* VTL1_IMAGE_INTERCEPT_H */
