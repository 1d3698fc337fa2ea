// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * ALLOCATE_RINGBUFFER: memory of VTL0's for a mirror of the log.
 *
 * Trust boundary: the memory becomes read-only for VTL0 before the first byte is written, and may
 * not be owned by anyone before: a ring over protected pages would let VTL0 choose what VTL1
 * overwrites. Locks: takes HEKI_LOCK_TABLES.
 */
#include "call.h"

static int check(struct call *c, uint64_t pa, uint64_t size)
{
	if (!pa || !phys_valid(pa))
		return refuse(c, HEKI_E_PHYS_ADDRESS, pa);
	if (!page_aligned(pa))
		return refuse(c, HEKI_E_NOT_ALIGNED, pa);
	if (size < HEKI_RING_MIN || size > HEKI_RING_MAX || size & (size - 1))
		return refuse(c, HEKI_E_PARAMETER, size);
	if (!c->core->ops->is_ram(c->core->host, gpa(pa), size))
		return refuse(c, HEKI_E_PHYS_ADDRESS, pa);
	return 0;
}

/* VTL0 takes its memory back. The log itself goes on in VTL1's own ring. */
static int give_back(struct call *c)
{
	struct heki_core *core = c->core;
	struct chain *owned = &core->owner_frames[HEKI_OWNER_RING - HEKI_OWNER_KERNEL];
	struct chain old;

	core_lock(core);
	log_mirror_stop(core);
	old = *owned;
	*owned = (struct chain){ 0 };
	core_unlock(core);
	frames_release(c, &old, FRAMES_ALL);
	return 0;
}

int call_allocate_ringbuffer(struct call *c)
{
	struct heki_core *core = c->core;
	struct chain *owned = &core->owner_frames[HEKI_OWNER_RING - HEKI_OWNER_KERNEL];
	struct chain frames = { 0 };
	struct chain old;
	int rc;

	if (!c->p[0] && !c->p[1])
		return give_back(c);
	rc = check(c, c->p[0], c->p[1]);
	if (rc)
		return rc;
	rc = frames_claim(c, &frames, HEKI_OWNER_RING, gpa(c->p[0]), c->p[1] >> HEKI_PAGE_SHIFT,
			  HEKI_ATTR_READ, FRAME_NO_KIND);
	if (rc) {
		frames_release(c, &frames, FRAMES_ALL);
		return refuse(c, (enum heki_error)-rc, c->p[0]);
	}
	core_lock(core);
	rc = log_mirror(core, gpa(c->p[0]), (uint32_t)c->p[1]);
	old = rc ? frames : *owned;
	if (!rc)
		*owned = frames;
	core_unlock(core);
	frames_release(c, &old, FRAMES_ALL);
	return rc;
}
