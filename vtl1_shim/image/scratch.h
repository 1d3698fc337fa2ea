/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Scratch memory of the calls: whole pages that are taken and given back.
 */
#ifndef VTL1_IMAGE_SCRATCH_H
#define VTL1_IMAGE_SCRATCH_H

#include "types.h"

/**
 * struct scratch - pages
 * @start: first one
 * @pages: how many
 * @taken: a bit for each
 * @next:  a word of @taken before which all pages are taken
 */
struct scratch {
	uint8_t *start;
	uint64_t pages;
	uint64_t *taken;
	uint64_t next;
};

/* Bytes that @taken needs for so many pages. */
static inline uint64_t scratch_map_size(uint64_t pages)
{
	return (pages + 63) / 64 * sizeof(uint64_t);
}

/**
 * scratch_init() - all pages are free
 * @s:     filled
 * @start: first page
 * @pages: how many
 * @taken: scratch_map_size() bytes
 */
void scratch_init(struct scratch *s, uint8_t *start, uint64_t pages, uint64_t *taken);

/**
 * scratch_take() - take memory, the caller holds its lock
 * @s: pages
 * @n: bytes, rounded up to pages
 *
 * Return: memory with no particular contents, NULL when there is no such run of pages
 */
void *scratch_take(struct scratch *s, size_t n);

/* Give memory of scratch_take() back, with the same size. */
void scratch_give(struct scratch *s, const void *p, size_t n);

#endif /* VTL1_IMAGE_SCRATCH_H */
