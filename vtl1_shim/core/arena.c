// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Scratch memory of one call: chunks of the host's, filled from the front, dropped together.
 *
 * Trust boundary: sizes may follow what VTL0 declared, so every chunk is charged to one budget
 * for all running calls before it is asked for. Locks: takes HEKI_LOCK_TABLES for that budget.
 */
#include "call.h"

#define CHUNK_SIZE 16384u
#define ARENA_ALIGN 16u

/* In front of the bytes of a chunk; keeps them aligned. */
struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* header included */
	size_t used;
	size_t padding;
};

HEKI_ASSERT(sizeof(struct arena_chunk) % ARENA_ALIGN == 0);

static uint32_t kib(size_t n)
{
	return (uint32_t)((n + 1023) >> 10);
}

static bool charge(struct heki_core *core, size_t n)
{
	struct heki_budget *b = &core->scratch;
	bool ok;

	core_lock(core);
	ok = kib(n) <= b->limit - b->used;
	if (ok) {
		b->used += kib(n);
		if (b->used > b->peak)
			b->peak = b->used;
	}
	core_unlock(core);
	return ok;
}

static void discharge(struct heki_core *core, size_t n)
{
	core_lock(core);
	core->scratch.used -= kib(n);
	core_unlock(core);
}

static struct arena_chunk *chunk_get(struct arena *a, size_t size)
{
	struct heki_core *core = a->core;
	struct arena_chunk *chunk;

	if (!charge(core, size))
		return NULL;
	chunk = core->ops->alloc(core->host, size);
	if (!chunk) {
		discharge(core, size);
		return NULL;
	}
	chunk->next = NULL;
	chunk->size = size;
	chunk->used = sizeof(*chunk);
	a->kib += kib(size);
	return chunk;
}

static void *chunk_take(struct arena_chunk *chunk, size_t n)
{
	void *p = (uint8_t *)chunk + chunk->used;

	chunk->used += n;
	return p;
}

/* Memory of its own, behind the chunk that is being filled. */
static void *take_large(struct arena *a, size_t n)
{
	struct arena_chunk *chunk = chunk_get(a, sizeof(*chunk) + n);

	if (!chunk)
		return NULL;
	if (a->head) {
		chunk->next = a->head->next;
		a->head->next = chunk;
	} else {
		a->head = chunk;
	}
	return chunk_take(chunk, n);
}

void *arena_raw(struct arena *a, size_t n)
{
	struct arena_chunk *chunk = a->head;

	/* Also keeps the rounding and the budget's KiB from wrapping. */
	if (!n || n > a->core->limits.scratch_bytes)
		return NULL;
	n = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (chunk && chunk->size - chunk->used >= n)
		return chunk_take(chunk, n);
	if (n > CHUNK_SIZE / 2)
		return take_large(a, n);
	chunk = chunk_get(a, CHUNK_SIZE);
	if (!chunk)
		return NULL;
	chunk->next = a->head;
	a->head = chunk;
	return chunk_take(chunk, n);
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = arena_raw(a, n);

	return p ? memset(p, 0, n) : NULL;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	if (size && count > a->core->limits.scratch_bytes / size)
		return NULL;
	return arena_alloc(a, count * size);
}

void arena_drop(struct arena *a)
{
	struct arena_chunk *chunk = a->head;
	struct arena_chunk *next;
	size_t size;

	for (; chunk; chunk = next) {
		next = chunk->next;
		size = chunk->size;
		a->core->ops->free(a->core->host, chunk, size);
		discharge(a->core, size);
	}
	a->head = NULL;
}
