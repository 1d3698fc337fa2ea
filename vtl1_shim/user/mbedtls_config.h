/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration of Mbed TLS 3.6: what verifying a signature takes and nothing more.
 *
 * Hashes, RSA with PKCS#1 v1.5, ECDSA on two curves and the parser of public keys.  Certificates
 * and CMS are parsed by the core, in every host by the same code, so there is no X.509 here.
 */
#ifndef HEKI_MBEDTLS_CONFIG_H
#define HEKI_MBEDTLS_CONFIG_H

#define MBEDTLS_HAVE_ASM /* multiplication in the bignum code; general registers only */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C /* ECDSA_C demands it */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_OID_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA1_C /* blocklist records only */
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECDSA_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C

#endif /* HEKI_MBEDTLS_CONFIG_H */
