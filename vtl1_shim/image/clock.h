/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef VTL1_IMAGE_CLOCK_H
#define VTL1_IMAGE_CLOCK_H

#include "types.h"

/* Look how fast the processor's time stamp runs, on the first VP. */
void clock_init(void);

/* Nanoseconds since some moment before the start; 0 where the hypervisor does not tell. */
uint64_t clock_ns(void);

#endif /* VTL1_IMAGE_CLOCK_H */
