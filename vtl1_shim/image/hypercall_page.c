// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The hypercall page: the instruction itself.
 *
 * Trust boundary: the hypervisor is trusted. Locks: none.
 */
#include "hypercall.h"
#include "image.h"

uint64_t hypercall(uint64_t control, const struct hypercall_pages *pages)
{
	uint64_t in = pa_of(pages->in).v;
	uint64_t result;

	asm volatile("mov %[out], %%r8\n\t"
		     "call *%[page]"
		     : "=a"(result), "+c"(control), "+d"(in)
		     : [out] "r"(pa_of(pages->out).v), [page] "r"(image_hypercall_page)
		     : "r8", "r9", "r10", "r11", "memory", "cc");
	return result;
}
