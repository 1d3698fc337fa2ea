// SPDX-License-Identifier: GPL-2.0-only
/* A hypervisor that does not tell what it refuses. */
#include "vp.h"

void __wrap_vp_refused(struct vp *vp, const char *what, uint64_t which, uint64_t value);
void __wrap_vp_refused(struct vp *vp, const char *what, uint64_t which, uint64_t value)
{
	(void)vp;
	(void)what;
	(void)which;
	(void)value;
}

void __wrap_vp_refuse(struct vp *vp, const char *what, uint64_t which, uint64_t value);
void __wrap_vp_refuse(struct vp *vp, const char *what, uint64_t which, uint64_t value)
{
	(void)what;
	(void)which;
	(void)value;
	vp_fault(vp);
}
