// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * PATCH_TEXT: one step of a live text patch.
 *
 * Trust boundary: the patch is VTL0's, copied once. The site must be known beforehand; what
 * stands there is read, judged together with what is to stand there, and written under one lock,
 * so that steps from several VPs cannot mix into bytes that nobody was allowed to write.
 * The call is atomic: no scratch memory, no sleeping.
 */
#include "call.h"

/* A step and what it makes of the site. */
struct step {
	struct patch_site site;
	uint8_t offset;
	uint8_t size;
	uint8_t now[HEKI_POKE_MAX];
	uint8_t after[HEKI_POKE_MAX];
};

/* The structure itself may straddle two pages: p[0] is its start, p[1] its second page. */
static int copy_patch(struct call *c, struct heki_patch *patch)
{
	const struct heki_host_ops *ops = c->core->ops;
	uint64_t room = HEKI_PAGE_SIZE - (c->p[0] & HEKI_PAGE_MASK);
	size_t first = (size_t)min_u64(room, sizeof(*patch));

	if (!c->p[0] || !phys_valid(c->p[0]))
		return refuse(c, HEKI_E_INPUT_ADDRESS, c->p[0]);
	if (ops->read(c->core->host, gpa(c->p[0]), patch, first))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, c->p[0]);
	if (first == sizeof(*patch))
		return 0;
	if (!c->p[1] || !phys_valid(c->p[1]))
		return refuse(c, HEKI_E_INPUT_ADDRESS, c->p[1]);
	if (!page_aligned(c->p[1]))
		return refuse(c, HEKI_E_NOT_ALIGNED, c->p[1]);
	if (ops->read(c->core->host, gpa(c->p[1]), (uint8_t *)patch + first,
		      sizeof(*patch) - first))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, c->p[1]);
	return 0;
}

static int suspicious(struct call *c, const struct step *s, const char *why)
{
	text_str(c, why);
	text_str(c, ": ");
	text_bytes(c, s->now, s->site.size);
	text_str(c, " -> ");
	text_bytes(c, s->after, s->site.size);
	return refuse(c, HEKI_E_PATCH_SUSPICIOUS, s->site.pa.v + s->offset);
}

/* Which of the three steps is it, if any? The whole patch at once counts too. */
static int shape(struct call *c, const struct heki_patch *patch, struct step *s)
{
	uint8_t split = patch_split(&s->site);
	bool straddles;

	if (patch->size != (s->offset ? s->site.size - 1 : s->site.size) &&
	    (s->offset || patch->size != 1))
		return suspicious(c, s, "size is none of a step");
	straddles = s->offset < split && s->offset + patch->size > split;
	if (patch->pa[1] != (straddles ? s->site.next.v : 0))
		return suspicious(c, s, "wrong second page");
	s->size = patch->size;
	memcpy(s->after + s->offset, patch->code, patch->size);
	return 0;
}

static int judge(struct call *c, const struct step *s)
{
	struct heki_core *core = c->core;

	if (s->offset) {
		if (s->now[0] != PATCH_INT3)
			return suspicious(c, s, "tail without INT3");
		if (!patch_tail_legal(core, &s->site, s->after))
			return suspicious(c, s, "tail of no legal code");
		return 0;
	}
	if (s->size == 1 && s->after[0] == PATCH_INT3)
		return 0;
	if (!patch_final_legal(core, &s->site, s->after))
		return suspicious(c, s, "no legal code");
	return 0;
}

static int apply(struct call *c, const struct heki_patch *patch)
{
	struct heki_core *core = c->core;
	struct step s = { 0 };
	int rc;

	if (!patches_find_step(core, gpa(patch->pa[0]), &s.site, &s.offset))
		return refuse(c, HEKI_E_NO_PATCH, patch->pa[0]);
	if (patch_read(core, &s.site, s.now))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, patch->pa[0]);
	memcpy(s.after, s.now, sizeof(s.after));
	rc = shape(c, patch, &s);
	if (rc)
		return rc;
	rc = judge(c, &s);
	if (rc)
		return rc;
	if (patch_write(core, &s.site, s.after, s.offset, s.size))
		return refuse(c, HEKI_E_COPY_TO_VTL0, patch->pa[0]);
	return 0;
}

int call_patch_text(struct call *c)
{
	struct heki_core *core = c->core;
	struct heki_patch patch;
	int rc;

	rc = copy_patch(c, &patch);
	if (!rc && !patch_well_formed(&patch))
		rc = refuse(c, HEKI_E_PATCH_FORMAT, patch.pa[0]);
	core_lock(core);
	if (!rc)
		rc = apply(c, &patch);
	if (rc)
		core->stats.patch_refused++;
	else
		core->stats.patch_allowed++;
	core_unlock(core);
	return rc;
}
