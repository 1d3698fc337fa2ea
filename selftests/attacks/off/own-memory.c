// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Without care of VTL1's own memory: VTL0 may reach it, and VTL1 takes it for VTL0's. */
#include "machine.h"
#include "vsm.h"

int __real_vsm_protect(const struct hypercall_pages *pages, struct gpa first, uint64_t count,
		       uint32_t flags);
int __wrap_vsm_protect(const struct hypercall_pages *pages, struct gpa first, uint64_t count,
		       uint32_t flags);
int __wrap_vsm_protect(const struct hypercall_pages *pages, struct gpa first, uint64_t count,
		       uint32_t flags)
{
	return flags ? __real_vsm_protect(pages, first, count, flags) : 0;
}

bool __wrap_machine_is_vtl0(const struct machine *m, struct gpa pa, uint64_t n);
bool __wrap_machine_is_vtl0(const struct machine *m, struct gpa pa, uint64_t n)
{
	(void)m;
	(void)pa;
	(void)n;
	return true;
}
