/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Fixed tables with stable indices: nodes of one size, a free list, hash buckets.
 *
 * A node never moves, so chains are made of 32-bit indices; index 0 is "none". Everything is under
 * HEKI_LOCK_TABLES.
 */
#ifndef HEKI_CORE_SLAB_H
#define HEKI_CORE_SLAB_H

#include "base.h"

/* First member of every node. */
struct node {
	uint32_t hnext; /* next in the hash bucket, or in the free list */
	uint32_t onext; /* next of the same owner */
};

/**
 * struct slab - a table
 * @nodes:   nodes, index 1 first
 * @buckets: heads of the hash chains, a power of two
 * @size:    bytes of a node
 * @budget:  used, peak, limit
 * @free:    head of the free list
 * @fresh:   nodes never used so far start behind this index
 * @shift:   of a 32-bit hash, so that its top bits are the number of a bucket
 */
struct slab {
	uint8_t *nodes;
	uint32_t *buckets;
	uint32_t size;
	struct heki_budget budget;
	uint32_t free;
	uint32_t fresh;
	uint32_t shift;
};

/* Nodes of one owner. */
struct chain {
	uint32_t head;
	uint32_t count;
};

/* Memory that a slab of @limit nodes of @size bytes takes, a multiple of 16. */
size_t slab_size(uint32_t limit, uint32_t size);
/* Make one in zeroed memory of that size. */
void slab_init(struct slab *s, void *memory, uint32_t limit, uint32_t size);
/* Free nodes that are left. */
uint32_t slab_left(const struct slab *s);
/* A zeroed node in no bucket and no chain, or 0 when the budget is used up. */
uint32_t slab_get(struct slab *s);
/* Give it back; it is in no bucket and no chain any more. */
void slab_put(struct slab *s, uint32_t index);
/* Enter it in the bucket of @hash and in front of @chain (NULL: in none). */
void slab_link(struct slab *s, uint32_t index, uint32_t hash, struct chain *chain);
/* Enter it in front of @chain alone. */
void slab_chain(struct slab *s, uint32_t index, struct chain *chain);
/* Take it out of the bucket of @hash. */
void slab_unhash(struct slab *s, uint32_t index, uint32_t hash);
/* Take the first node out of @chain (it stays in its bucket); 0 when there is none. */
uint32_t slab_pop(struct slab *s, struct chain *chain);
/* Put all nodes of @from in front of @to; @from is empty then. */
void slab_splice(struct slab *s, struct chain *to, struct chain *from);

static inline void *slab_node(const struct slab *s, uint32_t index)
{
	return s->nodes + (size_t)(index - 1) * s->size;
}

static inline uint64_t slab_buckets(const struct slab *s)
{
	return 1ull << (32 - s->shift);
}

static inline uint32_t slab_bucket_number(const struct slab *s, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash >> s->shift);
}

/* First index in the bucket of @hash; go on with node->hnext. */
static inline uint32_t slab_bucket(const struct slab *s, uint32_t hash)
{
	return s->buckets[slab_bucket_number(s, hash)];
}

/*
 * A 32-bit hash of a 64-bit key, for tables whose keys VTL0 cannot choose freely. Only its top bits
 * are good: they depend on all bits of the key, and keys at equal distances get buckets of their
 * own.
 */
static inline uint32_t hash_u64(uint64_t v)
{
	return (uint32_t)((v * 0x9e3779b97f4a7c15ull) >> 32);
}

#endif /* HEKI_CORE_SLAB_H */
