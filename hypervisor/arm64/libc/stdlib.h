/* SPDX-License-Identifier: GPL-2.0-only */
/* What libfdt wants of a C library where there is none: nothing of this header. */
#ifndef HV_LIBC_STDLIB_H
#define HV_LIBC_STDLIB_H

#include <stddef.h>

#endif /* HV_LIBC_STDLIB_H */
