/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * SipHash-2-4: a keyed hash for tables and records that VTL0 fills and must not be able to steer.
 */
#ifndef HEKI_CORE_SIPHASH_H
#define HEKI_CORE_SIPHASH_H

#include "base.h"

#define SIPHASH_KEY 16u
#define SIPHASH128 16u

/* 64 bits of @n bytes under a key of 16. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY], const uint8_t *p, size_t n);

/* 128 bits, which share nothing with those of siphash() under the same key. */
void siphash128(const uint8_t key[SIPHASH_KEY], const uint8_t *p, size_t n,
		uint8_t out[SIPHASH128]);

#endif /* HEKI_CORE_SIPHASH_H */
