// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modular exponentiation for RSA's public operation.
 *
 * That of Mbed TLS does not look at the exponent: for each bit it squares and multiplies, though of
 * the 17 bits of 65537 two are set, and for each signature it divides to enter Montgomery's form.
 * Here all numbers are public, so bits are looked at, and what a modulus needs is kept. Arithmetic
 * is Mbed TLS's own (mbedtls_mpi_core_montmul()). Its rsa.c is compiled with this function's name in
 * the place of its own; see mbedtls.mk.
 *
 * Trust boundary: keys are those of certificates that are trusted, bases are an attacker's.
 *
 * State: a table of moduli, fixed in size, the first that come. An entry never changes once it is
 * there; a modulus that finds no room is computed anew each time. No locks: an entry is claimed and
 * published by atomic operations.
 */
#include <stdbool.h>
#include <string.h>

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "exp_mod.h"

#include <bignum_core.h>
#include <bignum_internal.h>

#define LIMB_BITS (8 * sizeof(mbedtls_mpi_uint))
#define LIMBS (4096 / LIMB_BITS)
#define EXPONENT_BITS 32
#define MODULI 16

enum { EMPTY, CLAIMED, READY };

struct modulus {
	int state;
	size_t limbs;
	mbedtls_mpi_uint n[LIMBS];
	mbedtls_mpi_uint rr[LIMBS]; /* 2^(2 * bits of n's limbs) mod n */
};

static struct modulus moduli[MODULI];

static const struct modulus *find(const mbedtls_mpi *N)
{
	for (unsigned int i = 0; i < MODULI; i++) {
		const struct modulus *m = &moduli[i];

		if (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) == READY && m->limbs == N->n &&
		    !memcmp(m->n, N->p, N->n * sizeof(*N->p)))
			return m;
	}
	return NULL;
}

/* Two threads may keep the same modulus twice. */
static void keep(const mbedtls_mpi *N, const mbedtls_mpi_uint *rr)
{
	for (unsigned int i = 0; i < MODULI; i++) {
		struct modulus *m = &moduli[i];
		int empty = EMPTY;

		if (!__atomic_compare_exchange_n(&m->state, &empty, CLAIMED, false,
						 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			continue;
		m->limbs = N->n;
		memcpy(m->n, N->p, N->n * sizeof(*N->p));
		memcpy(m->rr, rr, N->n * sizeof(*rr));
		__atomic_store_n(&m->state, READY, __ATOMIC_RELEASE);
		return;
	}
}

static int get_rr(const mbedtls_mpi *N, mbedtls_mpi_uint rr[LIMBS])
{
	const struct modulus *m = find(N);
	mbedtls_mpi computed;
	int error;

	if (m) {
		memcpy(rr, m->rr, N->n * sizeof(*rr));
		return 0;
	}
	mbedtls_mpi_init(&computed);
	error = mbedtls_mpi_core_get_mont_r2_unsafe(&computed, N);
	if (!error) {
		memcpy(rr, computed.p, N->n * sizeof(*rr));
		keep(N, rr);
	}
	mbedtls_mpi_free(&computed);
	return error;
}

/* From the second highest bit to the second lowest; the lowest, which is set, is left. */
static void raise_power(mbedtls_mpi_uint *x, const mbedtls_mpi_uint *base, mbedtls_mpi_uint exponent,
			const mbedtls_mpi *N, mbedtls_mpi_uint mm, mbedtls_mpi_uint *t)
{
	int bit = (int)LIMB_BITS - 1 - __builtin_clzll(exponent);

	memcpy(x, base, N->n * sizeof(*x));
	while (--bit > 0) {
		mbedtls_mpi_core_montmul(x, x, x, N->n, N->p, N->n, mm, t);
		if (exponent >> bit & 1)
			mbedtls_mpi_core_montmul(x, x, base, N->n, N->p, N->n, mm, t);
	}
	mbedtls_mpi_core_montmul(x, x, x, N->n, N->p, N->n, mm, t);
}

static int power(mbedtls_mpi *X, const mbedtls_mpi *A, mbedtls_mpi_uint exponent,
		 const mbedtls_mpi *N)
{
	mbedtls_mpi_uint a[LIMBS] = { 0 }, base[LIMBS], x[LIMBS], t[2 * LIMBS + 1];
	mbedtls_mpi_uint mm = mbedtls_mpi_core_montmul_init(N->p);
	size_t limbs = N->n;
	int error;

	if (A->n)
		memcpy(a, A->p, (A->n < limbs ? A->n : limbs) * sizeof(*a));
	error = get_rr(N, base);
	if (error)
		return error;
	mbedtls_mpi_core_montmul(base, a, base, limbs, N->p, limbs, mm, t);
	raise_power(x, base, exponent, N, mm, t);
	/* Times the base as it is: that leaves Montgomery's form as well. */
	mbedtls_mpi_core_montmul(x, x, a, limbs, N->p, limbs, mm, t);
	error = mbedtls_mpi_lset(X, 0);
	if (!error)
		error = mbedtls_mpi_grow(X, limbs);
	if (!error)
		memcpy(X->p, x, limbs * sizeof(*x));
	return error;
}

/* A number from DER has a limb too many when its highest bit is set. */
static mbedtls_mpi trimmed(const mbedtls_mpi *N)
{
	mbedtls_mpi view = *N;

	while (view.n && !view.p[view.n - 1])
		view.n--;
	return view;
}

int user_exp_mod(mbedtls_mpi *X, const mbedtls_mpi *A, const mbedtls_mpi *E, const mbedtls_mpi *N,
		 mbedtls_mpi *RR)
{
	mbedtls_mpi n = trimmed(N);

	if (n.s != 1 || !n.n || n.n > LIMBS || !(n.p[0] & 1) || E->s != 1 || A->s != 1 ||
	    mbedtls_mpi_bitlen(E) < 2 || mbedtls_mpi_bitlen(E) > EXPONENT_BITS ||
	    !(E->p[0] & 1) || mbedtls_mpi_cmp_mpi(A, &n) >= 0)
		return mbedtls_mpi_exp_mod_unsafe(X, A, E, N, RR);
	return power(X, A, E->p[0], &n);
}
