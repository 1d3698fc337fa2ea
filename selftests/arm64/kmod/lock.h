/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both modules need: a page's rights are taken away by the hypervisor, and what is then denied is
 * done by a task that writes to a file.  The task that loads a module must not be the one that ends: since
 * 6.5 a file that is being loaded is in a list of the kernel's, by an entry on that task's stack
 * (idempotent() in kernel/module/main.c), and one load in 256 that comes later would read it.
 */
#ifndef ARM64_LOCK_H
#define ARM64_LOCK_H

#include <linux/mm.h>
#include <linux/proc_fs.h>

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
