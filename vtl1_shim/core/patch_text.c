// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * PATCH_TEXT: one step of a live text patch.
 *
 * Trust boundary: the patch is VTL0's, copied once. The site must be known beforehand; what
 * stands there is read, judged together with what is to stand there, and written under one lock,
 * so that steps from several VPs cannot mix into bytes that nobody was allowed to write.
 * The call is atomic: no scratch memory, no sleeping. It is made thousands of times when a tracer is
 * switched on, so what it works on lies ready in the core.
 */
#include "call.h"

/* The structure itself may straddle two pages: p[0] is its start, p[1] its second page. */
static int copy_straddling(struct call *c, struct heki_patch *patch, size_t first)
{
	const struct heki_host_ops *ops = c->core->ops;

	if (ops->read(c->core->host, gpa(c->p[0]), patch, first))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, c->p[0]);
	if (!c->p[1] || !phys_valid(c->p[1]))
		return refuse(c, HEKI_E_INPUT_ADDRESS, c->p[1]);
	if (!page_aligned(c->p[1]))
		return refuse(c, HEKI_E_NOT_ALIGNED, c->p[1]);
	if (ops->read(c->core->host, gpa(c->p[1]), (uint8_t *)patch + first,
		      sizeof(*patch) - first))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, c->p[1]);
	return 0;
}

static int copy_patch(struct call *c, struct heki_patch *patch)
{
	uint64_t room = HEKI_PAGE_SIZE - (c->p[0] & HEKI_PAGE_MASK);

	if (!c->p[0] || !phys_valid(c->p[0]))
		return refuse(c, HEKI_E_INPUT_ADDRESS, c->p[0]);
	if (room < sizeof(*patch))
		return copy_straddling(c, patch, (size_t)room);
	if (c->core->ops->read(c->core->host, gpa(c->p[0]), patch, sizeof(*patch)))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, c->p[0]);
	return 0;
}

static int suspicious(struct call *c, const struct patch_step *s, const char *why)
{
	text_str(c, why);
	text_str(c, ": ");
	text_bytes(c, s->now, s->site.size);
	text_str(c, " -> ");
	text_bytes(c, s->after, s->site.size);
	return refuse(c, HEKI_E_PATCH_SUSPICIOUS, s->site.pa.v + s->offset);
}

/* Where the second page that the step writes to begins, 0 when it writes to one. */
static uint64_t second_page(const struct patch_step *s)
{
	uint8_t split;

	if (!s->site.next.v)
		return 0;
	split = patch_split(&s->site);
	return s->offset < split && s->offset + s->patch.size > split ? s->site.next.v : 0;
}

/* Which of the three steps is it, if any? The whole patch at once counts too. */
static int shape(struct call *c, struct patch_step *s)
{
	memcpy(s->after, s->now, sizeof(s->after));
	s->size = s->patch.size;
	if (s->size + s->offset != s->site.size && (s->offset || s->size != 1))
		return suspicious(c, s, "size is none of a step");
	if (s->patch.pa[1] != second_page(s))
		return suspicious(c, s, "wrong second page");
	s->after[s->offset] = s->patch.code[0];
	if (s->size > 1)
		memcpy(s->after + s->offset, s->patch.code, s->size);
	return 0;
}

static int judge(struct call *c, const struct patch_step *s)
{
	struct heki_core *core = c->core;

	if (s->offset) {
		if (s->now[0] != PATCH_INT3)
			return suspicious(c, s, "tail without INT3");
		if (!patch_tail_legal(core, &s->site, s->after))
			return suspicious(c, s, "tail of no legal code");
		return 0;
	}
	if (s->size == 1 && s->after[0] == PATCH_INT3 && patch_has_tail(&s->site))
		return 0;
	if (!patch_final_legal(core, &s->site, s->after))
		return suspicious(c, s, "no legal code");
	return 0;
}

/* Few sites straddle: the others are read and written with one operation. */
static int read_site(struct heki_core *core, struct patch_step *s)
{
	if (s->site.next.v)
		return patch_read(core, &s->site, s->now);
	return core->ops->read(core->host, s->site.pa, s->now, s->site.size);
}

static int write_site(struct heki_core *core, const struct patch_step *s)
{
	if (s->site.next.v)
		return patch_write(core, &s->site, s->now, s->after, s->offset, s->size);
	return core->ops->write(core->host, gpa(s->site.pa.v + s->offset), s->after + s->offset,
				s->size);
}

static int apply(struct call *c, struct patch_step *s)
{
	struct heki_core *core = c->core;
	int rc;

	rc = copy_patch(c, &s->patch);
	if (rc)
		return rc;
	if (!patch_well_formed(&s->patch))
		return refuse(c, HEKI_E_PATCH_FORMAT, s->patch.pa[0]);
	if (!patches_find_step(core, gpa(s->patch.pa[0]), &s->site, &s->offset))
		return refuse(c, HEKI_E_NO_PATCH, s->patch.pa[0]);
	if (read_site(core, s))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, s->patch.pa[0]);
	rc = shape(c, s);
	if (rc)
		return rc;
	rc = judge(c, s);
	if (rc)
		return rc;
	if (write_site(core, s))
		return refuse(c, HEKI_E_COPY_TO_VTL0, s->patch.pa[0]);
	return 0;
}

int call_patch_text(struct call *c)
{
	struct heki_core *core = c->core;
	int rc;

	core_lock(core);
	rc = apply(c, &core->step);
	if (rc)
		core->stats.patch_refused++;
	else
		core->stats.patch_allowed++;
	core_unlock(core);
	return rc;
}
