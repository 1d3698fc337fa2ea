/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Spinlocks. Interrupts are off in VTL1, so whoever holds one runs.
 */
#ifndef VTL1_IMAGE_LOCK_H
#define VTL1_IMAGE_LOCK_H

#include "types.h"

struct lock {
	uint32_t taken;
};

/**
 * lock_take() - take a lock
 * @lock: the lock
 * @gone: set when a VP has failed with a lock held: it will never be given back
 *
 * Return: false when @gone is set
 */
static inline bool lock_take(struct lock *lock, const bool *gone)
{
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE)) {
		do {
			if (__atomic_load_n(gone, __ATOMIC_RELAXED))
				return false;
			__builtin_ia32_pause();
		} while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED));
	}
	return true;
}

static inline void lock_give(struct lock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

#endif /* VTL1_IMAGE_LOCK_H */
