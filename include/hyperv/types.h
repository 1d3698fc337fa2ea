/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Types and assertions for the part of the Hyper-V Top-Level Functional Specification (TLFS) that
 * VTL1, the client and the hypervisor share.  Each header here compiles by itself, freestanding or
 * in the kernel.
 */
#ifndef _HYPERV_TYPES_H
#define _HYPERV_TYPES_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#ifdef __cplusplus
#define HV_ASSERT(condition) static_assert(condition, #condition)
#else
#define HV_ASSERT(condition) _Static_assert(condition, #condition)
#endif

#define HV_ASSERT_SIZE(type, size) HV_ASSERT(sizeof(type) == (size))
#define HV_ASSERT_OFFSET(type, member, offset) HV_ASSERT(offsetof(type, member) == (offset))

#define HV_PAGE_SHIFT 12
#define HV_PAGE_SIZE 4096u

#define HV_PARTITION_SELF 0xffffffffffffffffull
#define HV_VP_SELF 0xfffffffeu
#define HV_ANY_VP 0xffffffffu

#endif /* _HYPERV_TYPES_H */
