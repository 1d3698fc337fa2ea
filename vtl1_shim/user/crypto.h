/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The crypto operations of struct heki_host_ops on Mbed TLS, for userspace.  @host is not used.
 */
#ifndef HEKI_USER_CRYPTO_H
#define HEKI_USER_CRYPTO_H

#include "host.h"

/* hash_*: SHA-256, SHA-384, SHA-512; SHA-1 for blocklist records. */
int user_hash_begin(void *host, enum heki_hash algorithm, struct heki_hash_state *state);
int user_hash_update(void *host, struct heki_hash_state *state, const void *bytes, size_t n);
int user_hash_end(void *host, struct heki_hash_state *state, uint8_t *digest);
int user_hash_copy(void *host, struct heki_hash_state *to, const struct heki_hash_state *from);

/*
 * Whether SHA-256 may use the SHA extensions of the processor, where it has them; by default it does.
 * For tests and benchmarks.  Hashes that have begun go on either way.
 */
void user_use_sha_ni(bool wanted);

/* verify: RSA PKCS#1 v1.5; ECDSA on P-256 and P-384. */
int user_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		struct span sig);

/* cert_check */
int user_cert_check(void *host, struct span cert);

#endif /* HEKI_USER_CRYPTO_H */
