// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Public-key operations on bare metal: those of the userspace host, with memory of the VP's own.
 *
 * Trust boundary: keys, digests and signatures may be an attacker's. Locks: none; an operation stays
 * on its VP from its start to its end.
 */
#include "image_crypto.h"
#include "vp.h"

void *image_calloc(size_t n, size_t size)
{
	if (size && n > HEAP_SIZE / size)
		return NULL;
	return heap_take(&vp_this()->heap, n * size);
}

/* All that is computed here is public. */
void mbedtls_platform_zeroize(void *p, size_t n)
{
	memset(p, 0, n);
}

void image_free(void *p)
{
	heap_give(&vp_this()->heap, p);
}

int image_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		 struct span sig)
{
	heap_reset(&vp_this()->heap);
	return user_verify(host, cert, algorithm, digest, sig);
}

int image_cert_check(void *host, struct span cert)
{
	heap_reset(&vp_this()->heap);
	return user_cert_check(host, cert);
}
