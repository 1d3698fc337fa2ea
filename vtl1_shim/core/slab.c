// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fixed tables with stable indices.
 *
 * Trust boundary: none; indices come from the core only. Locks: the caller holds HEKI_LOCK_TABLES.
 */
#include "slab.h"

#define SLAB_ALIGN 16u

static size_t align_up(size_t n)
{
	return (n + SLAB_ALIGN - 1) & ~(size_t)(SLAB_ALIGN - 1);
}

/* About one bucket a node: a look-up costs one or two comparisons. */
static uint32_t bucket_count(uint32_t limit)
{
	uint32_t n = 1;

	while (n < limit && n < 1u << 31)
		n <<= 1;
	return n;
}

size_t slab_size(uint32_t limit, uint32_t size)
{
	return align_up((size_t)limit * size) +
	       align_up((size_t)bucket_count(limit) * sizeof(uint32_t));
}

void slab_init(struct slab *s, void *memory, uint32_t limit, uint32_t size)
{
	uint32_t n;

	s->nodes = memory;
	s->buckets = (uint32_t *)(s->nodes + align_up((size_t)limit * size));
	s->size = size;
	s->budget = (struct heki_budget){ .limit = limit };
	s->free = 0;
	s->fresh = 0;
	s->shift = 32;
	for (n = bucket_count(limit); n > 1; n >>= 1)
		s->shift--;
}

uint32_t slab_left(const struct slab *s)
{
	return s->budget.limit - s->budget.used;
}

uint32_t slab_get(struct slab *s)
{
	uint32_t index = s->free;
	struct node *node;

	if (!slab_left(s))
		return 0;
	if (index) {
		node = slab_node(s, index);
		s->free = node->hnext;
		node->hnext = 0;
	} else {
		index = ++s->fresh;
	}
	if (++s->budget.used > s->budget.peak)
		s->budget.peak = s->budget.used;
	return index;
}

void slab_put(struct slab *s, uint32_t index)
{
	struct node *node = slab_node(s, index);

	/* Zeroed now, so that a walk over all indices sees that it is free. */
	memset(node, 0, s->size);
	node->hnext = s->free;
	s->free = index;
	s->budget.used--;
}

void slab_chain(struct slab *s, uint32_t index, struct chain *chain)
{
	struct node *node = slab_node(s, index);

	node->onext = chain->head;
	chain->head = index;
	chain->count++;
}

void slab_link(struct slab *s, uint32_t index, uint32_t hash, struct chain *chain)
{
	struct node *node = slab_node(s, index);
	uint32_t *bucket = &s->buckets[slab_bucket_number(s, hash)];

	node->hnext = *bucket;
	*bucket = index;
	if (chain)
		slab_chain(s, index, chain);
}

void slab_unhash(struct slab *s, uint32_t index, uint32_t hash)
{
	uint32_t *link = &s->buckets[slab_bucket_number(s, hash)];
	struct node *node;

	while (*link) {
		node = slab_node(s, *link);
		if (*link == index) {
			*link = node->hnext;
			return;
		}
		link = &node->hnext;
	}
}

uint32_t slab_pop(struct slab *s, struct chain *chain)
{
	uint32_t index = chain->head;
	struct node *node;

	if (!index)
		return 0;
	node = slab_node(s, index);
	chain->head = node->onext;
	chain->count--;
	return index;
}

void slab_splice(struct slab *s, struct chain *to, struct chain *from)
{
	uint32_t *link = &from->head;

	/* Walk to the end of @from only when something has to be hung on there. */
	while (to->head && *link)
		link = &((struct node *)slab_node(s, *link))->onext;
	if (to->head)
		*link = to->head;
	to->head = from->head;
	to->count += from->count;
	*from = (struct chain){ 0 };
}
