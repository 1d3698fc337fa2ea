// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * SipHash-2-4 with 64 and with 128 bits of output (Aumasson and Bernstein, 2012).
 *
 * Trust boundary: the key is VTL1's, what is hashed is VTL0's; no branch and no address depends on
 * either. Locks: none.
 */
#include "siphash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t v, unsigned int bits)
{
	return v << bits | v >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static inline uint64_t sip_end(struct sip *s)
{
	sip_round(s);
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static struct sip sip_begin(const uint8_t key[SIPHASH_KEY])
{
	uint64_t k0 = get_le64(key);
	uint64_t k1 = get_le64(key + 8);

	return (struct sip){ k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull,
			     k0 ^ 0x6c7967656e657261ull, k1 ^ 0x7465646279746573ull };
}

/* The state stays in registers, hence by value. */
static struct sip sip_bytes(struct sip s, const uint8_t *p, size_t n)
{
	uint64_t last = (uint64_t)n << 56;
	const uint8_t *end = p + (n & ~(size_t)7);
	size_t i;

	for (; p < end; p += 8)
		sip_word(&s, get_le64(p));
	for (i = 0; i < (n & 7); i++)
		last |= (uint64_t)p[i] << (8 * i);
	sip_word(&s, last);
	return s;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY], const uint8_t *p, size_t n)
{
	struct sip s = sip_bytes(sip_begin(key), p, n);

	s.v2 ^= 0xff;
	return sip_end(&s);
}

void siphash128(const uint8_t key[SIPHASH_KEY], const uint8_t *p, size_t n,
		uint8_t out[SIPHASH128])
{
	struct sip s = sip_begin(key);

	s.v1 ^= 0xee;
	s = sip_bytes(s, p, n);
	s.v2 ^= 0xee;
	put_le64(out, sip_end(&s));
	s.v1 ^= 0xdd;
	put_le64(out + 8, sip_end(&s));
}
