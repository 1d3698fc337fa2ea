/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Memory for the numbers of one public-key operation.
 */
#ifndef VTL1_IMAGE_HEAP_H
#define VTL1_IMAGE_HEAP_H

#include "types.h"

/* Blocks of 32 bytes to 4 KiB, by powers of two. */
#define HEAP_SMALLEST 5
#define HEAP_LARGEST 12
#define HEAP_SIZE (96u << 10)

struct heap_block;

/**
 * struct heap - a heap that is empty at the start of each operation
 * @memory: HEAP_SIZE bytes, aligned to 16
 * @used:   of these, ever handed out since heap_reset()
 * @unused: blocks that were given back, by size
 */
struct heap {
	uint8_t *memory;
	size_t used;
	struct heap_block *unused[HEAP_LARGEST + 1];
};

/* Make it empty; all its blocks are gone. */
void heap_reset(struct heap *heap);

/**
 * heap_take() - take a block
 * @heap: the heap
 * @n:    bytes
 *
 * Return: zeroed memory, aligned to 16; NULL when there is none
 */
void *heap_take(struct heap *heap, size_t n);

/* Give it back; NULL is allowed. */
void heap_give(struct heap *heap, void *p);

#endif /* VTL1_IMAGE_HEAP_H */
