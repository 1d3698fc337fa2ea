// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SHA-256 transform by the SHA extensions of the processor, and whether it has them.
 *
 * Trust boundary: none, these are bytes. No state, no locks.
 *
 * This is the only file that uses vector registers, xmm0 to xmm15, and it is compiled with flags of
 * its own for them; all else may be compiled for general registers only. A host in which those
 * registers belong to somebody else (VTL0's, in a VTL1 on bare metal) saves and restores them around
 * the one call of sha256_ni_blocks(), which is in crypto_mbedtls.c; there are no others, and the
 * compiler cannot move one across the call. CR0.TS and CR4.OSFXSR are that host's as well.
 */
#include <cpuid.h>
#include <immintrin.h>

#include "sha256_ni.h"

#define CPUID_1_ECX (bit_SSSE3 | bit_SSE4_1)
#define CPUID_7_EBX (1u << 29) /* SHA */

/* FIPS 180-4, 4.2.2 */
static const uint32_t constants[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

bool sha256_ni_present(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & CPUID_1_ECX) != CPUID_1_ECX)
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & CPUID_7_EBX;
}

/* The state as the instructions take it: words from the highest down. */
struct words {
	__m128i abef;
	__m128i cdgh;
};

static inline __attribute__((always_inline)) __m128i load(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

static inline __attribute__((always_inline)) struct words from_state(const uint32_t *state)
{
	__m128i cdab = _mm_shuffle_epi32(load(state), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(load(state + 4), 0x1b);

	return (struct words){
		.abef = _mm_alignr_epi8(cdab, efgh, 8),
		.cdgh = _mm_blend_epi16(efgh, cdab, 0xf0),
	};
}

static inline __attribute__((always_inline)) void to_state(struct words w, uint32_t *state)
{
	__m128i feba = _mm_shuffle_epi32(w.abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(w.cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Four words of a message, which is big-endian. */
static inline __attribute__((always_inline)) __m128i message(const uint8_t *p)
{
	return _mm_shuffle_epi8(load(p), _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

/* Four rounds, from @round on, with words @m of the schedule. */
static inline __attribute__((always_inline)) void rounds(struct words *w, __m128i m, int round)
{
	__m128i sum = _mm_add_epi32(m, _mm_load_si128((const __m128i *)(constants + round)));

	w->cdgh = _mm_sha256rnds2_epu32(w->cdgh, w->abef, sum);
	w->abef = _mm_sha256rnds2_epu32(w->abef, w->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The next four words of the schedule after the sixteen @a, @b, @c, @d. */
static inline __attribute__((always_inline)) __m128i schedule(__m128i a, __m128i b, __m128i c,
							      __m128i d)
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4));

	return _mm_sha256msg2_epu32(sum, d);
}

static inline __attribute__((always_inline)) struct words block(struct words w, const uint8_t *p)
{
	__m128i a = message(p), b = message(p + 16), c = message(p + 32), d = message(p + 48);
	int round;

	for (round = 0; round < 48; round += 16) {
		rounds(&w, a, round);
		a = schedule(a, b, c, d);
		rounds(&w, b, round + 4);
		b = schedule(b, c, d, a);
		rounds(&w, c, round + 8);
		c = schedule(c, d, a, b);
		rounds(&w, d, round + 12);
		d = schedule(d, a, b, c);
	}
	rounds(&w, a, 48);
	rounds(&w, b, 52);
	rounds(&w, c, 56);
	rounds(&w, d, 60);
	return w;
}

void sha256_ni_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks)
{
	struct words w = from_state(state);

	for (; blocks; blocks--, bytes += SHA256_NI_BLOCK) {
		struct words after = block(w, bytes);

		w.abef = _mm_add_epi32(w.abef, after.abef);
		w.cdgh = _mm_add_epi32(w.cdgh, after.cdgh);
	}
	to_state(w, state);
}
