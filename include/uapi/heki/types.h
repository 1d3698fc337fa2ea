/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Fixed-width types and the compile-time assertion that the other headers of this folder use.
 *
 * The headers are shared by VTL0, VTL1, the hypervisor and userspace; each compiles by itself as
 * C11, as C++11 and in the kernel.
 */
#ifndef _UAPI_HEKI_TYPES_H
#define _UAPI_HEKI_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/stddef.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#ifdef __cplusplus
#define HEKI_ASSERT(condition) static_assert(condition, #condition)
#else
#define HEKI_ASSERT(condition) _Static_assert(condition, #condition)
#endif

#define HEKI_ASSERT_SIZE(type, size) HEKI_ASSERT(sizeof(type) == (size))
#define HEKI_ASSERT_OFFSET(type, member, offset) HEKI_ASSERT(offsetof(type, member) == (offset))

#define HEKI_PAGE_SHIFT 12
#define HEKI_PAGE_SIZE 4096u

#endif /* _UAPI_HEKI_TYPES_H */
