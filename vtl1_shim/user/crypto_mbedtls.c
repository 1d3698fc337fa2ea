// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hashes and public-key operations of the userspace host, on Mbed TLS 3.6.
 *
 * The core has parsed a certificate before it comes here; Mbed TLS only sees its public key, a
 * digest and a signature.  All of these may be an attacker's.  No state, no locks.
 */
#include <mbedtls/md.h>
#include <mbedtls/pk.h>

#include "certs.h"
#include "crypto.h"

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

int user_hash(void *host, enum heki_hash algorithm, const struct span *spans, size_t count,
	      uint8_t *digest)
{
	const mbedtls_md_info_t *info = md_info(algorithm);
	mbedtls_md_context_t md;
	int result = -1;
	size_t i;

	(void)host;
	if (!info)
		return -1;
	mbedtls_md_init(&md);
	if (mbedtls_md_setup(&md, info, 0) || mbedtls_md_starts(&md))
		goto out;
	for (i = 0; i < count; i++)
		if (mbedtls_md_update(&md, spans[i].p, spans[i].n))
			goto out;
	if (!mbedtls_md_finish(&md, digest))
		result = 0;
out:
	mbedtls_md_free(&md);
	return result;
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
