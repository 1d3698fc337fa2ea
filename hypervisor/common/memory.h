/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine's memory: what is RAM, what of it the hypervisor keeps, a pool for page tables. */
#ifndef HV_MEMORY_H
#define HV_MEMORY_H

#include "base.h"

#define MEMORY_RANGES 64

enum memory_kind {
	MEMORY_RAM = 1,		/* the guest's, as E820 numbers it */
	MEMORY_RESERVED = 2,	/* by firmware */
	MEMORY_ACPI = 3,
	MEMORY_NVS = 4,
	MEMORY_HYPERVISOR = 0x100,	/* no VTL ever sees it */
	MEMORY_VTL1 = 0x101,
};

struct memory_range {
	uint64_t start;
	uint64_t end;
	enum memory_kind kind;
};

/* Ascending, without overlap. */
struct memory_map {
	struct memory_range ranges[MEMORY_RANGES];
	uint32_t n;
};

/**
 * memory_add() - enter a range that the firmware names
 * @map: the map
 * @start: first byte, a physical address
 * @end: behind the last
 * @kind: what it is
 *
 * Where ranges overlap, the later call wins.  Panics when the map is full.
 */
void memory_add(struct memory_map *map, uint64_t start, uint64_t end, enum memory_kind kind);

/**
 * memory_take() - take memory from the top of the RAM below a limit
 * @map: the map, in which the range changes its kind
 * @size: bytes
 * @alignment: of the start, a power of two
 * @limit: the range ends below
 * @kind: what it becomes
 *
 * Return: where it starts, 0 when there is no room.
 */
uint64_t memory_take(struct memory_map *map, uint64_t size, uint64_t alignment, uint64_t limit,
		     enum memory_kind kind);

/**
 * memory_find() - the range that an address lies in
 * @map: the map
 * @address: physical
 *
 * Return: the range, NULL when no range holds it.
 */
const struct memory_range *memory_find(const struct memory_map *map, uint64_t address);

/**
 * memory_is_guest() - whether all bytes are RAM that a guest may see: VTL0's or VTL1's
 * @map: the map
 * @start: first byte
 * @size: bytes, at least 1
 *
 * Return: true when they are.
 */
bool memory_is_guest(const struct memory_map *map, uint64_t start, uint64_t size);

/**
 * memory_ram() - how much RAM no one has taken
 * @map: the map
 *
 * Return: bytes.
 */
uint64_t memory_ram(const struct memory_map *map);

/**
 * memory_top() - behind the highest RAM
 * @map: the map
 *
 * Return: the address.
 */
uint64_t memory_top(const struct memory_map *map);

/* Pages that are given and taken back one at a time. */
struct pool {
	struct lock lock;
	uint64_t base;
	uint32_t pages;
	uint32_t free;
	uint32_t least; /* free pages ever */
	uint32_t unused; /* those from here on were never given */
	uint64_t list; /* of those that were given back */
};

/**
 * pool_init() - make a pool of a piece of memory
 * @pool: the pool
 * @base: where it lies, page-aligned
 * @pages: how many
 */
void pool_init(struct pool *pool, uint64_t base, uint32_t pages);

/**
 * pool_take() - take a page with whatever is in it
 * @pool: the pool
 *
 * Return: its address, 0 when there is none.
 */
uint64_t pool_take(struct pool *pool);

/**
 * pool_get() - take a zeroed page
 * @pool: the pool
 *
 * Return: its address, 0 when there is none.
 */
uint64_t pool_get(struct pool *pool);

/**
 * pool_put() - give a page back
 * @pool: the pool
 * @page: its address
 */
void pool_put(struct pool *pool, uint64_t page);

#endif /* HV_MEMORY_H */
