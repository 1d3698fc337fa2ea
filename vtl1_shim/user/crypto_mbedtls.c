// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hashes and public-key operations of the userspace host, on Mbed TLS 3.6.
 *
 * The core has parsed a certificate before it comes here; Mbed TLS only sees its public key, a
 * digest and a signature.  All of these may be an attacker's.  No state, no locks.
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS /* to struct mbedtls_sha256_context */
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "certs.h"
#include "crypto.h"
#include "sha256_ni.h"

static const mbedtls_md_type_t md_types[HEKI_HASH_COUNT] = {
	[HEKI_SHA1] = MBEDTLS_MD_SHA1,
	[HEKI_SHA256] = MBEDTLS_MD_SHA256,
	[HEKI_SHA384] = MBEDTLS_MD_SHA384,
	[HEKI_SHA512] = MBEDTLS_MD_SHA512,
};

static const mbedtls_md_info_t *md_info(enum heki_hash algorithm)
{
	if ((unsigned int)algorithm >= HEKI_HASH_COUNT)
		return NULL;
	return mbedtls_md_info_from_type(md_types[algorithm]);
}

/* Whether the SHA extensions are used: 1 yes, 0 no, -1 not yet looked. */
static int sha_ni = -1;

void user_use_sha_ni(bool wanted)
{
	__atomic_store_n(&sha_ni, wanted && sha256_ni_present(), __ATOMIC_RELAXED);
}

static bool have_sha_ni(void)
{
	if (__atomic_load_n(&sha_ni, __ATOMIC_RELAXED) < 0)
		user_use_sha_ni(true);
	return __atomic_load_n(&sha_ni, __ATOMIC_RELAXED);
}

/*
 * Whole blocks go to the processor's instructions when it has them, past Mbed TLS, whose own
 * transform in C does the rest: it sees a context that has taken so many bytes. Its hook for
 * transforms (MBEDTLS_SHA256_PROCESS_ALT) would take one block at a time and leave out that in C.
 */
static int sha256_update(mbedtls_sha256_context *sha256, const uint8_t *bytes, size_t n)
{
	size_t fill = -sha256->total[0] % SHA256_NI_BLOCK;
	uint64_t total;
	size_t blocks;

	if (fill + SHA256_NI_BLOCK > n || !have_sha_ni())
		return mbedtls_sha256_update(sha256, bytes, n);
	if (mbedtls_sha256_update(sha256, bytes, fill))
		return -1;
	blocks = (n - fill) / SHA256_NI_BLOCK;
	/* Vector registers: see sha256_ni.c for a host in which they are not free. */
	sha256_ni_blocks(sha256->state, bytes + fill, blocks);
	total = ((uint64_t)sha256->total[1] << 32 | sha256->total[0]) + blocks * SHA256_NI_BLOCK;
	sha256->total[0] = (uint32_t)total;
	sha256->total[1] = (uint32_t)(total >> 32);
	fill += blocks * SHA256_NI_BLOCK;
	return mbedtls_sha256_update(sha256, bytes + fill, n - fill);
}

/* A state by algorithm. No context of Mbed TLS holds memory of its own. */
struct user_hash {
	enum heki_hash algorithm;
	union {
		mbedtls_sha1_context sha1;
		mbedtls_sha256_context sha256;
		mbedtls_sha512_context sha512; /* and SHA-384 */
	};
};

_Static_assert(sizeof(struct user_hash) <= sizeof(struct heki_hash_state), "fits the core's state");
_Static_assert(_Alignof(struct user_hash) <= _Alignof(struct heki_hash_state), "and its alignment");

int user_hash_begin(void *host, enum heki_hash algorithm, struct heki_hash_state *state)
{
	struct user_hash *h = (struct user_hash *)state;

	(void)host;
	h->algorithm = algorithm;
	switch (algorithm) {
	case HEKI_SHA1:
		mbedtls_sha1_init(&h->sha1);
		return mbedtls_sha1_starts(&h->sha1) ? -1 : 0;
	case HEKI_SHA256:
		mbedtls_sha256_init(&h->sha256);
		return mbedtls_sha256_starts(&h->sha256, 0) ? -1 : 0;
	case HEKI_SHA384:
	case HEKI_SHA512:
		mbedtls_sha512_init(&h->sha512);
		return mbedtls_sha512_starts(&h->sha512, algorithm == HEKI_SHA384) ? -1 : 0;
	default:
		return -1;
	}
}

int user_hash_update(void *host, struct heki_hash_state *state, const void *bytes, size_t n)
{
	struct user_hash *h = (struct user_hash *)state;

	(void)host;
	switch (h->algorithm) {
	case HEKI_SHA1:
		return mbedtls_sha1_update(&h->sha1, bytes, n) ? -1 : 0;
	case HEKI_SHA256:
		return sha256_update(&h->sha256, bytes, n) ? -1 : 0;
	case HEKI_SHA384:
	case HEKI_SHA512:
		return mbedtls_sha512_update(&h->sha512, bytes, n) ? -1 : 0;
	default:
		return -1;
	}
}

int user_hash_end(void *host, struct heki_hash_state *state, uint8_t *digest)
{
	struct user_hash *h = (struct user_hash *)state;

	(void)host;
	switch (h->algorithm) {
	case HEKI_SHA1:
		return mbedtls_sha1_finish(&h->sha1, digest) ? -1 : 0;
	case HEKI_SHA256:
		return mbedtls_sha256_finish(&h->sha256, digest) ? -1 : 0;
	case HEKI_SHA384:
	case HEKI_SHA512:
		return mbedtls_sha512_finish(&h->sha512, digest) ? -1 : 0;
	default:
		return -1;
	}
}

int user_hash_copy(void *host, struct heki_hash_state *to, const struct heki_hash_state *from)
{
	(void)host;
	*to = *from;
	return 0;
}

/* The public key of a certificate; the caller frees @pk, also after an error. */
static int cert_key(struct span cert, mbedtls_pk_context *pk)
{
	struct x509 x509;
	unsigned char *p;
	long n;

	mbedtls_pk_init(pk);
	n = x509_parse(cert, &x509);
	if (n < 0)
		return (int)n;
	p = (unsigned char *)x509.spki.p;
	switch (mbedtls_pk_parse_subpubkey(&p, x509.spki.p + x509.spki.n, pk)) {
	case 0:
		break;
	case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
	case MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE:
	case MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE:
		return -HEKI_E_SIGNATURE_ALGORITHM;
	default:
		return -HEKI_E_CERT;
	}
	return x509.key == X509_KEY_OTHER ? -HEKI_E_SIGNATURE_ALGORITHM : 0;
}

int user_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		struct span sig)
{
	const mbedtls_md_info_t *info = md_info(algorithm);
	mbedtls_pk_context pk;
	int result;

	(void)host;
	if (!info || algorithm == HEKI_SHA1)
		return -HEKI_E_SIGNATURE_ALGORITHM;
	result = cert_key(cert, &pk);
	if (result)
		goto out;
	if (digest.n != mbedtls_md_get_size(info) ||
	    mbedtls_pk_verify(&pk, mbedtls_md_get_type(info), digest.p, digest.n, sig.p, sig.n))
		result = -HEKI_E_SIGNATURE;
out:
	mbedtls_pk_free(&pk);
	return result;
}

int user_cert_check(void *host, struct span cert)
{
	mbedtls_pk_context pk;
	int result;

	(void)host;
	result = cert_key(cert, &pk);
	mbedtls_pk_free(&pk);
	return result;
}
