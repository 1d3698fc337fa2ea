/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What every file of the core stands on: types, guest addresses, checked arithmetic, memory
 * functions.  The core is freestanding; a host links memcpy, memmove, memset and memcmp.
 */
#ifndef HEKI_CORE_BASE_H
#define HEKI_CORE_BASE_H

#include <heki/heki.h>

#ifndef __KERNEL__
#include <stdbool.h>
#endif

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* A freestanding compiler leaves calls of these where it could copy a few bytes itself. */
#if !__STDC_HOSTED__ && !defined(__KERNEL__)
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#define memcmp __builtin_memcmp
#endif

/* A guest physical address of VTL0. */
struct gpa {
	uint64_t v;
};

/* A virtual address of VTL0. */
struct gva {
	uint64_t v;
};

/* Bytes in VTL1's own memory. */
struct span {
	const uint8_t *p;
	size_t n;
};

/* For what is filled before it is read, where a compiler that clears all locals would cost much. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define HEKI_UNINITIALIZED __attribute__((uninitialized))
#endif
#endif
#ifndef HEKI_UNINITIALIZED
#define HEKI_UNINITIALIZED
#endif

/* Of the few functions that are worth a copy at each of their callers. */
#define HEKI_ALWAYS_INLINE inline __attribute__((always_inline))

#define HEKI_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define HEKI_PAGE_MASK ((uint64_t)HEKI_PAGE_SIZE - 1)
#define HEKI_MASK_52 ((1ull << 52) - 1)

static inline struct gpa gpa(uint64_t v)
{
	return (struct gpa){ v };
}

static inline struct gva gva(uint64_t v)
{
	return (struct gva){ v };
}

static inline uint64_t page_down(uint64_t v)
{
	return v & ~HEKI_PAGE_MASK;
}

/* For values checked to be below 2^52 or canonical, so that nothing wraps unnoticed. */
static inline uint64_t page_up(uint64_t v)
{
	return (v + HEKI_PAGE_MASK) & ~HEKI_PAGE_MASK;
}

static inline bool page_aligned(uint64_t v)
{
	return !(v & HEKI_PAGE_MASK);
}

static inline bool phys_valid(uint64_t v)
{
	return !(v & ~HEKI_MASK_52);
}

/* With five levels of page tables, which a kernel uses wherever the CPU has them. */
static inline bool virt_canonical(uint64_t v)
{
	return (uint64_t)((int64_t)(v << 7) >> 7) == v;
}

/* [start, start + n) lies in [0, limit) */
static inline bool in_bounds(uint64_t start, uint64_t n, uint64_t limit)
{
	return start <= limit && n <= limit - start;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Unaligned little-endian access. */
static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

#endif /* HEKI_CORE_BASE_H */
