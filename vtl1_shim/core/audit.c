// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AUDIT: hash again what was recorded as read-only, and judge the patch sites in it.
 *
 * Trust boundary: this finds changes that were made by mistake or by an attacker who does not
 * know of it; pages are not frozen in the audit grade. Work of one call is bounded by
 * AUDIT_SLICE pages. Locks: none is held while a page is hashed.
 */
#include "call.h"

#define AUDIT_SLICE 64

/*
 * A page that seems changed is read again before it is called so: a patch may have been half
 * written. The last attempts read under the lock that PATCH_TEXT writes under.
 */
#define AUDIT_ATTEMPTS 3

/* The next hashed frame from *@index on; false at the end. */
static bool next_frame(struct heki_core *core, uint64_t *index, struct frame *out)
{
	bool found = false;

	core_lock(core);
	for (; *index <= core->frames.fresh; (*index)++) {
		*out = *(const struct frame *)slab_node(&core->frames, (uint32_t)*index);
		found = out->owner && out->hashed;
		if (found)
			break;
	}
	core_unlock(core);
	return found;
}

static bool matches(const struct frame *f, const struct page_digest *d)
{
	return !d->illegal && !memcmp(f->digest, d->digest, sizeof(d->digest));
}

/*
 * A module that is being unloaded loses its patch sites before its pages: in between, what stands
 * at a site looks like a change. Under HEKI_LOCK_TABLES.
 */
static bool settled(struct heki_core *core, uint32_t owner)
{
	const struct module *m = modules_find(core, owner);

	return !m || !m->busy;
}

/* Is this still the frame that was read? Then note what was found; true when that is news. */
static bool note(struct heki_core *core, const struct frame *seen, bool good, bool *same)
{
	struct frame *f;
	bool news = false;

	core_lock(core);
	f = frames_at(core, seen->pfn);
	*same = f && f->owner == seen->owner && f->hashed && settled(core, f->owner) &&
		!memcmp(f->digest, seen->digest, sizeof(f->digest));
	if (*same) {
		news = !good && f->hashed == FRAME_HASHED;
		f->hashed = good ? FRAME_HASHED : FRAME_REPORTED;
		core->stats.violations += news;
	}
	core_unlock(core);
	return news;
}

static void audit_frame(struct heki_core *core, const struct frame *f, uint8_t *page,
			struct heki_audit_reply *r)
{
	struct page_digest digest = { 0 };
	unsigned int attempt;
	bool good = false;
	bool same;
	bool news;

	for (attempt = 0; attempt < AUDIT_ATTEMPTS && !good; attempt++)
		good = !frames_digest(core, f->pfn, page, &digest, attempt) && matches(f, &digest);
	news = note(core, f, good, &same);
	if (!same)
		return;
	r->pages_checked++;
	r->sites_checked += digest.sites;
	r->violations += !good;
	if (news)
		log_violation(core, gpa(f->pfn << HEKI_PAGE_SHIFT),
			      digest.illegal ? "patch site in a state that no patch leads to" :
					       "page differs from what was recorded");
}

int call_audit(struct call *c)
{
	struct heki_core *core = c->core;
	struct heki_audit_reply r = { 0 };
	uint64_t index = c->p[1] ? c->p[1] : 1;
	unsigned int done = 0;
	struct frame f;
	uint8_t *page;
	int rc;

	/* What is found is noted, so there must be someone to tell it to. */
	rc = reply(c, c->p[0], &r, sizeof(r));
	if (rc)
		return rc;
	page = arena_alloc(&c->arena, HEKI_PAGE_SIZE);
	if (!page)
		return -HEKI_E_NO_MEMORY;
	while (done < AUDIT_SLICE && next_frame(core, &index, &f)) {
		audit_frame(core, &f, page, &r);
		index++;
		done++;
	}
	if (done == AUDIT_SLICE) {
		r.next_cursor = index;
	} else {
		core_lock(core);
		core->stats.audits++;
		core_unlock(core);
	}
	return reply(c, c->p[0], &r, sizeof(r));
}
