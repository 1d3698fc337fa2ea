/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the linker script places: page-aligned bounds of the image's sections.
 */
#ifndef VTL1_IMAGE_IMAGE_H
#define VTL1_IMAGE_IMAGE_H

#include "types.h"

/* Code, up to image_rodata; the hypercall page is part of it. */
extern uint8_t image_text[];
extern uint8_t image_hypercall_page[];
/* Constants, up to image_data; written only before the image's own page tables are loaded. */
extern uint8_t image_rodata[];
/* Data, up to image_end. */
extern uint8_t image_data[];
extern uint8_t image_end[];

/* For what is filled once, before the image's own page tables are loaded. */
#define IMAGE_CONSTANT __attribute__((section(".image.once")))

#endif /* VTL1_IMAGE_IMAGE_H */
