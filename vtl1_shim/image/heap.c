// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A heap for one public-key operation, which runs on one VP from its start to its end: nothing that
 * it takes outlives it, so a VP has one and empties it each time.
 *
 * Trust boundary: sizes follow a key or a signature of VTL0's; what is too large is not there.
 * Locks: none.
 */
#include "heap.h"

/* In front of each block. */
struct heap_block {
	struct heap_block *next;
	uint64_t size; /* power of two, of all of the block */
};

void heap_reset(struct heap *heap)
{
	heap->used = 0;
	memset(heap->unused, 0, sizeof(heap->unused));
}

static unsigned int size_for(size_t n)
{
	unsigned int size = HEAP_SMALLEST;

	while (size <= HEAP_LARGEST && ((size_t)1 << size) - sizeof(struct heap_block) < n)
		size++;
	return size;
}

static struct heap_block *fresh(struct heap *heap, unsigned int size)
{
	struct heap_block *block = (struct heap_block *)(heap->memory + heap->used);
	size_t n = (size_t)1 << size;

	if (n > HEAP_SIZE - heap->used)
		return NULL;
	heap->used += n;
	block->size = size;
	return block;
}

void *heap_take(struct heap *heap, size_t n)
{
	unsigned int size = size_for(n);
	struct heap_block *block;

	if (size > HEAP_LARGEST)
		return NULL;
	block = heap->unused[size];
	if (block)
		heap->unused[size] = block->next;
	else
		block = fresh(heap, size);
	return block ? memset(block + 1, 0, n) : NULL;
}

void heap_give(struct heap *heap, void *p)
{
	struct heap_block *block;

	if (!p)
		return;
	block = (struct heap_block *)p - 1;
	block->next = heap->unused[block->size];
	heap->unused[block->size] = block;
}
