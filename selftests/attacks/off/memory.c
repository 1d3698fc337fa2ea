// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Without memory protection: what VTL1 asks the hypervisor to protect stays open. */
#include "vsm.h"

int __wrap_vsm_protect(const struct hypercall_pages *pages, struct gpa first, uint64_t count,
		       uint32_t flags);
int __wrap_vsm_protect(const struct hypercall_pages *pages, struct gpa first, uint64_t count,
		       uint32_t flags)
{
	(void)pages;
	(void)first;
	(void)count;
	(void)flags;
	return 0;
}
