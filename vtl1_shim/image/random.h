/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef VTL1_IMAGE_RANDOM_H
#define VTL1_IMAGE_RANDOM_H

#include "types.h"

/*
 * 16 bytes that VTL0 does not know, for keys of hash tables: from the processor's generator, or where
 * it has none from its clock, which is little.
 */
void random_seed(uint8_t seed[16]);

#endif /* VTL1_IMAGE_RANDOM_H */
