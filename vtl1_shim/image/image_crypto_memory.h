/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Memory functions of the image's that Mbed TLS is configured with. */
#ifndef VTL1_IMAGE_CRYPTO_MEMORY_H
#define VTL1_IMAGE_CRYPTO_MEMORY_H

#include <stddef.h>

/* What it takes for calloc() and free(): memory of the VP that runs this, for one operation. */
void *image_calloc(size_t n, size_t size);
void image_free(void *p);
void mbedtls_platform_zeroize(void *p, size_t n);

#endif /* VTL1_IMAGE_CRYPTO_MEMORY_H */
