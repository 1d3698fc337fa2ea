// SPDX-License-Identifier: GPL-2.0-only
/* The guest of the kexec tests. */
#include "kexec_guest.h"

struct kernel kexec_kernel;

/* A refusal leaves the tables and permissions as after the slot was emptied. */
int kexec_refused(struct image *m)
{
	struct snapshot *s;
	int result;

	CHECK_EQUAL(vtlcall(m->g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, m->slot), 0);
	s = snapshot_take(m->g);
	result = send_image(m);
	snapshot_check(m->g, s);
	return result;
}

struct guest *kexec_boot(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	trust_kexec(g, "kexecca.der");
	kernel_boot(g, &kexec_kernel);
	return g;
}

void kexec_end(struct guest *g)
{
	kernel_drop(&kexec_kernel);
	vtl0_end(g);
}

bool kexec_frozen(const struct image *m)
{
	for (size_t i = m->pages; i < m->ranges.n; i++)
		if (guest_access(m->g, m->ranges.r[i].pa) != HEKI_ATTR_READ)
			return false;
	return true;
}

bool kexec_free(const struct image *m)
{
	for (size_t i = m->pages; i < m->ranges.n; i++)
		if (!(guest_access(m->g, m->ranges.r[i].pa) & HEKI_ATTR_WRITE))
			return false;
	return true;
}
