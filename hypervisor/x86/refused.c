// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is refused is counted and told: a line on the hypervisor's console, for Hyper-V's interface has no
 * way to tell VTL1 of hypercalls, ports and memory that are not its. Whoever is refused chooses how often:
 * there are so many lines in a while, and the number of the others is told when the next one comes.
 *
 * Trust boundary: the time is that of a counter that no level can write (msr.c). Locks: one for what
 * has been told, held for a look at it.
 */
#include "console.h"
#include "vp.h"

#define LINES 32u
#define WHILE_CYCLES (1ll << 33)

static struct {
	struct lock lock;
	uint64_t since;
	uint64_t untold;
	uint32_t lines;
} told;

/* Whether there is room for a line; @untold is set to how many went without one before. */
static bool take_line(uint64_t *untold)
{
	uint64_t now = read_tsc();
	bool room;

	*untold = 0;
	lock(&told.lock);
	if ((int64_t)(now - told.since) >= WHILE_CYCLES) {
		*untold = told.untold;
		told.since = now;
		told.untold = 0;
		told.lines = 0;
	}
	room = told.lines < LINES;
	told.lines += room;
	told.untold += !room;
	unlock(&told.lock);
	return room;
}

void vp_refused(struct vp *vp, const char *what, uint64_t which, uint64_t value)
{
	uint64_t untold;

	vp->count[COUNT_REFUSED]++;
	if (!take_line(&untold))
		return;
	if (untold)
		console_print("hypervisor: refused: %lu more", untold);
	console_print("hypervisor: VP %u: VTL%u: refused: %s 0x%lx, 0x%lx, at RIP 0x%lx", vp->index,
		      vp->level, what, which, value, vp_vmcb(vp)->rip);
}

void vp_refuse(struct vp *vp, const char *what, uint64_t which, uint64_t value)
{
	vp_refused(vp, what, which, value);
	vp_fault(vp);
}
