/* SPDX-License-Identifier: GPL-2.0-only */
/* What both modules need: a page's rights are taken away by the hypervisor. */
#ifndef ARM64_LOCK_H
#define ARM64_LOCK_H

#include <linux/mm.h>

#define RIGHT_READ 1ul
#define RIGHT_KERNEL 4ul
#define RIGHT_USER 8ul

/* hvc #3: 0, or what is wrong. */
static inline unsigned long take_rights(phys_addr_t page, unsigned long stay)
{
	register unsigned long x0 asm("x0") = page;
	register unsigned long x1 asm("x1") = PAGE_SIZE;
	register unsigned long x2 asm("x2") = stay;

	asm volatile("hvc #3" : "+r"(x0) : "r"(x1), "r"(x2) : "memory");
	return x0;
}

#endif /* ARM64_LOCK_H */
