/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modular exponentiation for RSA's public operation.
 */
#ifndef HEKI_USER_EXP_MOD_H
#define HEKI_USER_EXP_MOD_H

#include <mbedtls/bignum.h>

/**
 * user_exp_mod() - a power of a number by a modulus, all of them public
 * @X:  the result; may be @A
 * @A:  the number
 * @E:  the exponent
 * @N:  the modulus
 * @RR: of no use here
 *
 * In the place of mbedtls_mpi_exp_mod_unsafe(), which it calls for what RSA does not need: a modulus
 * that is even or has more than 4096 bits, an exponent of more than 32, a base not below the modulus.
 *
 * Return: 0 or an error of Mbed TLS
 */
int user_exp_mod(mbedtls_mpi *X, const mbedtls_mpi *A, const mbedtls_mpi *E, const mbedtls_mpi *N,
		 mbedtls_mpi *RR);

#endif /* HEKI_USER_EXP_MOD_H */
