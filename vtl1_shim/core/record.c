// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Digests of frames that VTL0 may not write: what the audit grade compares later.
 *
 * Trust boundary: in the audit grade the pages are not really frozen, so a digest says what stood
 * there at that time and no more. It is a SipHash under VTL1's seed: who cannot read VTL1's memory
 * cannot make another page with the same digest, and who can write there could replace any digest.
 * It takes a thirteenth of the instructions of the kernel's SHA-256. Locks: none is held while a page is hashed; a frame that is gone
 * by then is passed over.
 */
#include "call.h"

static unsigned int canonical(struct heki_core *core, uint64_t pfn, uint8_t *page,
			      struct page_digest *out, bool locked, int *rc)
{
	struct gpa pa = gpa(pfn << HEKI_PAGE_SHIFT);
	unsigned int illegal;

	if (!locked) {
		*rc = core->ops->read(core->host, pa, page, HEKI_PAGE_SIZE);
		return *rc ? 0 : patch_canonical(core, pfn, page, &out->sites);
	}
	core_lock(core);
	*rc = core->ops->read(core->host, pa, page, HEKI_PAGE_SIZE);
	illegal = *rc ? 0 : patch_canonical_locked(core, pfn, page, &out->sites);
	core_unlock(core);
	return illegal;
}

int frames_digest(struct heki_core *core, uint64_t pfn, uint8_t *page, struct page_digest *out,
		  bool locked)
{
	int rc;

	out->illegal = canonical(core, pfn, page, out, locked, &rc);
	if (rc)
		return -HEKI_E_COPY_FROM_VTL0;
	siphash128(core->seed, page, HEKI_PAGE_SIZE, out->digest);
	return 0;
}

static bool wanted(const struct frame *f, uint32_t kinds)
{
	if (f->attributes & HEKI_ATTR_WRITE)
		return false;
	return kinds == FRAMES_ALL || (f->kind < 32 && kinds >> f->kind & 1);
}

static void keep(struct heki_core *core, const struct frame *seen, const struct page_digest *d)
{
	struct frame *f;

	core_lock(core);
	f = frames_at(core, seen->pfn);
	if (f && f->owner == seen->owner && f->attributes == seen->attributes) {
		memcpy(f->digest, d->digest, sizeof(f->digest));
		f->hashed = FRAME_HASHED;
	}
	core_unlock(core);
}

/* The frame at @index as long as it is still @owner's (0: whoever's). */
static bool frame_copy(struct heki_core *core, uint32_t index, uint32_t owner, struct frame *out)
{
	core_lock(core);
	*out = *(const struct frame *)slab_node(&core->frames, index);
	core_unlock(core);
	return out->owner && (!owner || out->owner == owner);
}

static int record_chain(struct call *c, uint32_t index, uint32_t kinds, uint8_t *page)
{
	struct heki_core *core = c->core;
	struct page_digest digest = { 0 };
	struct frame f;
	uint32_t owner = 0;
	int rc;

	for (; index; index = f.node.onext) {
		if (!frame_copy(core, index, owner, &f))
			return 0;
		owner = f.owner;
		if (!wanted(&f, kinds))
			continue;
		call_work(c, HEKI_PAGE_SIZE);
		rc = frames_digest(core, f.pfn, page, &digest, false);
		if (rc)
			return rc;
		keep(core, &f, &digest);
	}
	return 0;
}

int frames_record(struct call *c, struct chain *chain, uint32_t kinds)
{
	struct heki_core *core = c->core;
	uint32_t head;
	uint8_t *page;

	if (core->ops->grade != HEKI_GRADE_AUDIT)
		return 0;
	page = arena_raw(&c->arena, HEKI_PAGE_SIZE);
	if (!page)
		return -HEKI_E_NO_MEMORY;
	core_lock(core);
	head = chain->head;
	core_unlock(core);
	return record_chain(c, head, kinds, page);
}
