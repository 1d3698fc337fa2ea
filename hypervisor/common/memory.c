// SPDX-License-Identifier: GPL-2.0-only
/* The memory map, and the pool of pages for page tables. */
#include "console.h"
#include "memory.h"

static void insert(struct memory_map *map, uint32_t at, struct memory_range range)
{
	if (map->n == MEMORY_RANGES)
		panic("more than %u memory ranges", MEMORY_RANGES);
	memmove(&map->ranges[at + 1], &map->ranges[at], (map->n - at) * sizeof(range));
	map->ranges[at] = range;
	map->n++;
}

static void erase(struct memory_map *map, uint32_t at)
{
	map->n--;
	memmove(&map->ranges[at], &map->ranges[at + 1], (map->n - at) * sizeof(map->ranges[0]));
}

/* Cut [@start, @end) out of all ranges. */
static void clear(struct memory_map *map, uint64_t start, uint64_t end)
{
	uint32_t i = 0;

	while (i < map->n) {
		struct memory_range *r = &map->ranges[i];
		struct memory_range rest = *r;

		if (r->end <= start || r->start >= end) {
			i++;
		} else if (r->start < start && r->end > end) {
			r->end = start;
			rest.start = end;
			insert(map, i + 1, rest);
			return;
		} else if (r->start < start) {
			r->end = start;
		} else if (r->end > end) {
			r->start = end;
		} else {
			erase(map, i);
		}
	}
}

void memory_add(struct memory_map *map, uint64_t start, uint64_t end, enum memory_kind kind)
{
	uint32_t at = 0;

	if (start >= end)
		return;
	clear(map, start, end);
	while (at < map->n && map->ranges[at].start < start)
		at++;
	insert(map, at, (struct memory_range){ start, end, kind });
}

uint64_t memory_take(struct memory_map *map, uint64_t size, uint64_t alignment, uint64_t limit,
		     enum memory_kind kind)
{
	for (uint32_t i = map->n; i--;) {
		const struct memory_range *r = &map->ranges[i];
		uint64_t end = min_u64(r->end, limit);
		uint64_t start;

		if (r->kind != MEMORY_RAM || end <= r->start || end - r->start < size)
			continue;
		start = align_down(end - size, alignment);
		if (start < r->start)
			continue;
		memory_add(map, start, start + size, kind);
		return start;
	}
	return 0;
}

const struct memory_range *memory_find(const struct memory_map *map, uint64_t address)
{
	for (uint32_t i = 0; i < map->n; i++)
		if (address >= map->ranges[i].start && address < map->ranges[i].end)
			return &map->ranges[i];
	return NULL;
}

bool memory_is_guest(const struct memory_map *map, uint64_t start, uint64_t size)
{
	while (true) {
		const struct memory_range *r = memory_find(map, start);

		if (!r || (r->kind != MEMORY_RAM && r->kind != MEMORY_VTL1))
			return false;
		if (size <= r->end - start)
			return true;
		size -= r->end - start;
		start = r->end;
	}
}

uint64_t memory_ram(const struct memory_map *map)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < map->n; i++)
		if (map->ranges[i].kind == MEMORY_RAM)
			bytes += map->ranges[i].end - map->ranges[i].start;
	return bytes;
}

uint64_t memory_top(const struct memory_map *map)
{
	uint64_t top = 0;

	for (uint32_t i = 0; i < map->n; i++)
		if (map->ranges[i].kind != MEMORY_RESERVED)
			top = map->ranges[i].end;
	return top;
}

void pool_init(struct pool *pool, uint64_t base, uint32_t pages)
{
	pool->base = base;
	pool->pages = pages;
	pool->free = pages;
	pool->least = pages;
	pool->unused = 0;
	pool->list = 0;
}

uint64_t pool_take(struct pool *pool)
{
	uint64_t page = 0;

	lock(&pool->lock);
	if (pool->list) {
		page = pool->list;
		pool->list = *(uint64_t *)page;
	} else if (pool->unused < pool->pages) {
		page = pool->base + ((uint64_t)pool->unused++ << PAGE_SHIFT);
	}
	if (page && --pool->free < pool->least)
		pool->least = pool->free;
	unlock(&pool->lock);
	return page;
}

uint64_t pool_get(struct pool *pool)
{
	uint64_t page = pool_take(pool);

	if (page)
		memset((void *)page, 0, PAGE_SIZE);
	return page;
}

void pool_put(struct pool *pool, uint64_t page)
{
	lock(&pool->lock);
	*(uint64_t *)page = pool->list;
	pool->list = page;
	pool->free++;
	unlock(&pool->lock);
}
