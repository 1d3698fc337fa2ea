/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * VTL1 on the other VPs.
 */
#ifndef VTL1_IMAGE_START_VP_H
#define VTL1_IMAGE_START_VP_H

#include "types.h"

/* See struct heki_host_ops. */
int start_vp_enable(void *host, uint32_t cpu);
int start_vp_up(void *host, uint32_t cpu);

#endif /* VTL1_IMAGE_START_VP_H */
