/* SPDX-License-Identifier: GPL-2.0-only */
/* What every file of the hypervisor stands on: types, memory functions, small helpers. */
#ifndef HV_BASE_H
#define HV_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ull
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define MIB 0x100000ul
#define LARGE_SIZE 0x200000ull
#define LARGE_MASK (~(LARGE_SIZE - 1))
#define HUGE_SIZE 0x40000000ull

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1ull << (n))

#define load_once(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define load_acquire(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define store_release(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)
/* Ordered with what this CPU reads afterwards. */
#define store_full(x, v) __atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)
#define exchange(x, v) __atomic_exchange_n(&(x), (v), __ATOMIC_SEQ_CST)

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

static inline uint64_t align_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) & ~(to - 1);
}

static inline uint64_t align_down(uint64_t v, uint64_t to)
{
	return v & ~(to - 1);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline bool all_zero(const uint8_t *bytes, uint32_t n)
{
	while (n && !load_once(bytes[n - 1]))
		n--;
	return !n;
}

/* Somebody waits for another CPU, in a loop. */
static inline void spin_wait(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield" : : : "memory");
#endif
}

struct lock {
	uint32_t held;
};

static inline void lock(struct lock *l)
{
	while (exchange(l->held, 1u))
		while (load_once(l->held))
			spin_wait();
}

static inline void unlock(struct lock *l)
{
	store_release(l->held, 0u);
}

#endif /* HV_BASE_H */
