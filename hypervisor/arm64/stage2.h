/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage-2 tables: guest physical memory one to one, with what the guest may do with each page. */
#ifndef HV_STAGE2_H
#define HV_STAGE2_H

#include "memory.h"

#define STAGE2_LIMIT BIT(39)

/* What may be done with memory. */
#define STAGE2_READ 1u
#define STAGE2_WRITE 2u
#define STAGE2_KERNEL_EXECUTE 4u /* at EL1 */
#define STAGE2_USER_EXECUTE 8u	 /* at EL0 */
#define STAGE2_EXECUTE (STAGE2_KERNEL_EXECUTE | STAGE2_USER_EXECUTE)
#define STAGE2_RIGHTS (STAGE2_READ | STAGE2_WRITE | STAGE2_EXECUTE)

enum stage2_kind {
	STAGE2_NORMAL,
	STAGE2_DEVICE,
};

enum stage2_error {
	STAGE2_GOOD,
	STAGE2_RANGE,	  /* not of whole pages, empty, or beyond the limit */
	STAGE2_ACCESS,	  /* rights that do not go together, or that this processor cannot tell apart */
	STAGE2_UNMAPPED,  /* something of the range is not mapped */
	STAGE2_NO_MEMORY, /* the pool is empty */
};

struct stage2 {
	struct lock lock;
	struct pool *pool;
	uint64_t root;
	bool xnx; /* FEAT_XNX: execution at EL1 and at EL0 can differ */
};

/**
 * stage2_init() - make empty tables
 * @s2: the tables
 * @pool: where pages for them come from
 * @xnx: whether the processor has FEAT_XNX
 *
 * Return: STAGE2_GOOD or STAGE2_NO_MEMORY.
 */
enum stage2_error stage2_init(struct stage2 *s2, struct pool *pool, bool xnx);

/**
 * stage2_map() - map memory, whatever was there before
 * @s2: the tables
 * @start: first byte, page-aligned
 * @size: bytes, whole pages
 * @kind: device memory is never executable
 * @rights: STAGE2_READ and more
 *
 * With the largest entries that the range allows.  All of it or, without memory, nothing.
 *
 * Return: STAGE2_GOOD, STAGE2_RANGE, STAGE2_ACCESS or STAGE2_NO_MEMORY.
 */
enum stage2_error stage2_map(struct stage2 *s2, uint64_t start, uint64_t size,
			     enum stage2_kind kind, uint32_t rights);

/**
 * stage2_protect() - change the rights of mapped memory
 * @s2: the tables
 * @start: first byte, page-aligned
 * @size: bytes, whole pages
 * @rights: STAGE2_READ and more
 *
 * Larger entries are split where the range begins and ends.  When this returns, no CPU uses what was
 * allowed before.
 *
 * Return: STAGE2_GOOD, STAGE2_RANGE, STAGE2_ACCESS, STAGE2_UNMAPPED or STAGE2_NO_MEMORY; nothing has
 * changed unless it is STAGE2_GOOD.
 */
enum stage2_error stage2_protect(struct stage2 *s2, uint64_t start, uint64_t size, uint32_t rights);

/**
 * stage2_take() - take rights away from mapped memory
 * @s2: the tables
 * @start: first byte, page-aligned
 * @size: bytes, whole pages
 * @rights: those that stay where they are, STAGE2_READ and more
 *
 * As stage2_protect(), but no page gets a right that it did not have.
 *
 * Return: as stage2_protect().
 */
enum stage2_error stage2_take(struct stage2 *s2, uint64_t start, uint64_t size, uint32_t rights);

/**
 * stage2_unmap() - take memory away
 * @s2: the tables
 * @start: first byte, page-aligned
 * @size: bytes, whole pages; what is not mapped stays so
 *
 * Return: STAGE2_GOOD, STAGE2_RANGE or STAGE2_NO_MEMORY.
 */
enum stage2_error stage2_unmap(struct stage2 *s2, uint64_t start, uint64_t size);

/**
 * stage2_close() - take away all of the GiB around an address, for good
 * @s2: the tables
 * @address: guest physical
 *
 * Takes no lock: for a machine that ends, where a CPU that holds it may be what failed.  No change to
 * the tables may go on in that GiB.  When this returns, no CPU uses what was allowed before.
 */
void stage2_close(struct stage2 *s2, uint64_t address);

/**
 * stage2_allows() - whether an access is allowed by the tables as they are now
 * @s2: the tables
 * @address: guest physical
 * @rights: all that is needed
 *
 * A fault of a CPU while another one changes an entry tells nothing: it asks here.
 *
 * Return: true when it is.
 */
bool stage2_allows(struct stage2 *s2, uint64_t address, uint32_t rights);

/**
 * stage2_dump() - print what is mapped: a line for each range with the same kind, rights and size of
 *	entries
 * @s2: the tables
 */
void stage2_dump(struct stage2 *s2);

/*
 * The architecture's part: table walks see what was written; what an entry of any size at @address
 * was, or all entries of a range were, is in no TLB of any CPU.
 */
void stage2_publish(void);
void stage2_flush_entry(uint64_t address);
void stage2_flush(uint64_t start, uint64_t size);

#endif /* HV_STAGE2_H */
