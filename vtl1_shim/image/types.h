/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Addresses of the bare-metal VTL1.  Its own memory is mapped where it is, so that a physical
 * address of VTL1's own is a pointer; VTL0's memory, struct gpa, never is.
 */
#ifndef VTL1_IMAGE_TYPES_H
#define VTL1_IMAGE_TYPES_H

#include "base.h"

/* A physical address of VTL1's own memory. */
struct pa {
	uint64_t v;
};

/* A virtual address of VTL1's. */
struct va {
	uint64_t v;
};

static inline struct pa pa_of(const void *p)
{
	return (struct pa){ (uint64_t)(uintptr_t)p };
}

static inline struct va va_of(const void *p)
{
	return (struct va){ (uint64_t)(uintptr_t)p };
}

static inline void *pa_ptr(struct pa pa)
{
	return (void *)(uintptr_t)pa.v;
}

#endif /* VTL1_IMAGE_TYPES_H */
