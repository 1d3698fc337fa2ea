/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Configuration of Mbed TLS for bare metal: that of userspace, with memory functions of the image's.
 */
#ifndef VTL1_IMAGE_MBEDTLS_H
#define VTL1_IMAGE_MBEDTLS_H

#include "mbedtls_config.h"

#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO image_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO image_free
#define MBEDTLS_PLATFORM_ZEROIZE_ALT

#endif /* VTL1_IMAGE_MBEDTLS_H */
