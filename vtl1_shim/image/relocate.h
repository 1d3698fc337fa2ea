/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef VTL1_IMAGE_RELOCATE_H
#define VTL1_IMAGE_RELOCATE_H

#include "types.h"

/* Elf64_Rela */
struct rela {
	uint64_t offset;
	uint64_t info;
	int64_t addend;
};

#define RELA_RELATIVE 8 /* R_X86_64_RELATIVE */

/**
 * relocate() - move an image that is linked at 0 to where it lies
 * @image: its first byte
 * @size:  bytes in memory
 * @first: first relocation
 * @end:   behind the last
 *
 * Runs before anything else, so it may use no address that needs a relocation.
 *
 * Return: 0, or -1 when one is of another type or outside the image; the image is then of no use
 */
int relocate(uint8_t *image, uint64_t size, const struct rela *first, const struct rela *end);

#endif /* VTL1_IMAGE_RELOCATE_H */
