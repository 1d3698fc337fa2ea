/* SPDX-License-Identifier: GPL-2.0-only */
/* What libfdt wants of a C library where there is none. */
#ifndef HV_LIBC_LIMITS_H
#define HV_LIBC_LIMITS_H

#define INT_MAX __INT_MAX__
#define UINT_MAX (2u * __INT_MAX__ + 1)

#endif /* HV_LIBC_LIMITS_H */
