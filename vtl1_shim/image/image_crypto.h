/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The crypto operations of struct heki_host_ops.
 */
#ifndef VTL1_IMAGE_CRYPTO_H
#define VTL1_IMAGE_CRYPTO_H

#include "crypto.h"
#include "image_crypto_memory.h"

#define crypto_hash_begin user_hash_begin

int image_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		 struct span sig);
int image_cert_check(void *host, struct span cert);

#endif /* VTL1_IMAGE_CRYPTO_H */
