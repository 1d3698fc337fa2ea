// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * PATCH_TEXT and PATCH_TEXT_BATCH: one step of a live text patch, at one site or at many.
 *
 * Trust boundary: patches are VTL0's, copied once. Their sites must be known beforehand; what
 * stands there is read, judged together with what is to stand there, and written under one lock,
 * so that steps from several VPs cannot mix into bytes that nobody was allowed to write.
 * All patches of a batch are judged before the first is written. Each verdict still holds then,
 * since none of the others is about the same site: a site may come once.
 * Both calls are atomic: no scratch memory, no sleeping. They are made thousands of times when a
 * tracer is switched on, so what they work on lies ready in the core.
 */
#include "call.h"

/* A batch is what an entry may do: to find, to read, to judge, to write. */
HEKI_ASSERT(4 * WORK_LOOKUP * HEKI_PATCH_BATCH_MAX <= 64u << HEKI_PAGE_SHIFT);

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
	return s->offset < split && s->offset + s->patch->size > split ? s->site.next.v : 0;
}

/* Which of the three steps is it, if any? The whole patch at once counts too. */
static HEKI_ALWAYS_INLINE int shape(struct call *c, struct patch_step *s)
{
	memcpy(s->after, s->now, sizeof(s->after));
	s->size = s->patch->size;
	if (s->size + s->offset != s->site.size && (s->offset || s->size != 1))
		return suspicious(c, s, "size is none of a step");
	if (s->patch->pa[1] != second_page(s))
		return suspicious(c, s, "wrong second page");
	s->after[s->offset] = s->patch->code[0];
	if (s->size > 1)
		memcpy(s->after + s->offset, s->patch->code, s->size);
	return 0;
}

static HEKI_ALWAYS_INLINE int judge(struct call *c, const struct patch_step *s)
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
static HEKI_ALWAYS_INLINE int read_site(struct heki_core *core, struct patch_step *s)
{
	if (s->site.next.v)
		return patch_read(core, &s->site, s->now);
	return core->ops->read(core->host, s->site.pa, s->now, s->site.size);
}

static HEKI_ALWAYS_INLINE int write_site(struct heki_core *core, const struct patch_step *s)
{
	if (s->site.next.v)
		return patch_write(core, &s->site, s->now, s->after, s->offset, s->size);
	return core->ops->write(core->host, gpa(s->site.pa.v + s->offset), s->after + s->offset,
				s->size);
}

static HEKI_ALWAYS_INLINE int check(struct call *c, struct patch_step *s)
{
	struct heki_core *core = c->core;
	int rc;

	if (!patch_well_formed(s->patch))
		return refuse(c, HEKI_E_PATCH_FORMAT, s->patch->pa[0]);
	if (!patches_find_step(core, gpa(s->patch->pa[0]), &s->site, &s->offset))
		return refuse(c, HEKI_E_NO_PATCH, s->patch->pa[0]);
	if (read_site(core, s))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, s->patch->pa[0]);
	rc = shape(c, s);
	if (rc)
		return rc;
	return judge(c, s);
}

static int apply(struct call *c, struct patch_step *s)
{
	struct heki_patch *patch = &c->core->batch.patches[0];
	int rc;

	rc = copy_patch(c, patch);
	if (rc)
		return rc;
	s->patch = patch;
	rc = check(c, s);
	if (rc)
		return rc;
	if (write_site(c->core, s))
		return refuse(c, HEKI_E_COPY_TO_VTL0, patch->pa[0]);
	return 0;
}

int call_patch_text(struct call *c)
{
	struct heki_core *core = c->core;
	int rc;

	core_lock(core);
	rc = apply(c, core->steps);
	if (rc)
		core->stats.patch_refused++;
	else
		core->stats.patch_allowed++;
	core_unlock(core);
	return rc;
}

static int copy_batch(struct call *c, struct heki_patch_batch *batch)
{
	const struct heki_host_ops *ops = c->core->ops;
	uint64_t pa = c->p[0];

	if (!pa || !phys_valid(pa))
		return refuse(c, HEKI_E_INPUT_ADDRESS, pa);
	if (!page_aligned(pa))
		return refuse(c, HEKI_E_NOT_ALIGNED, pa);
	if (ops->read(c->core->host, gpa(pa), batch, offsetof(struct heki_patch_batch, patches)))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, pa);
	if (!batch->count || batch->count > HEKI_PATCH_BATCH_MAX)
		return refuse(c, HEKI_E_PATCH_FORMAT, batch->count);
	if (batch->padding[0] || batch->padding[1] || batch->padding[2])
		return refuse(c, HEKI_E_PATCH_FORMAT, pa);
	pa += offsetof(struct heki_patch_batch, patches);
	if (ops->read(c->core->host, gpa(pa), batch->patches,
		      batch->count * sizeof(batch->patches[0])))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, pa);
	return 0;
}

/* Is the site of the last step one of those before? @highest is the highest of them. */
static bool comes_twice(const struct patch_step *steps, const struct patch_step *last,
			uint64_t *highest)
{
	/* The kernel sorts by address: this is the end of it but for modules. */
	if (last->site.pa.v > *highest) {
		*highest = last->site.pa.v;
		return false;
	}
	for (; steps < last; steps++)
		if (steps->site.pa.v == last->site.pa.v)
			return true;
	return false;
}

/* The log says which patch it was that the batch is refused for. */
static int tell_index(struct call *c, uint32_t index, int rc)
{
	text_str(c, c->text[0] ? ", patch " : "patch ");
	text_dec(c, index);
	text_str(c, " of the batch");
	return rc;
}

static int check_all(struct call *c, const struct heki_patch_batch *batch)
{
	struct patch_step *s = c->core->steps;
	uint64_t highest = 0;
	uint32_t i;
	int rc;

	for (i = 0; i < batch->count; i++, s++) {
		s->patch = &batch->patches[i];
		rc = check(c, s);
		if (!rc && comes_twice(c->core->steps, s, &highest)) {
			text_str(c, "site comes twice");
			rc = refuse(c, HEKI_E_PATCH_LIST, s->patch->pa[0]);
		}
		if (rc)
			return tell_index(c, i, rc);
	}
	return 0;
}

/* What was written just now, so that the host can. */
static void take_back(struct heki_core *core, struct patch_step *s)
{
	memcpy(s->after, s->now, sizeof(s->after));
	write_site(core, s);
}

static int write_all(struct call *c, uint32_t count)
{
	struct patch_step *steps = c->core->steps;
	uint32_t i, written;

	for (i = 0; i < count; i++)
		if (write_site(c->core, &steps[i]))
			break;
	if (i == count)
		return 0;
	for (written = i; written--; )
		take_back(c->core, &steps[written]);
	return tell_index(c, i, refuse(c, HEKI_E_COPY_TO_VTL0, steps[i].patch->pa[0]));
}

static int apply_batch(struct call *c, struct heki_patch_batch *batch)
{
	int rc;

	rc = copy_batch(c, batch);
	if (rc)
		return rc;
	rc = check_all(c, batch);
	if (rc)
		return rc;
	return write_all(c, batch->count);
}

int call_patch_text_batch(struct call *c)
{
	struct heki_core *core = c->core;
	int rc;

	core_lock(core);
	rc = apply_batch(c, &core->batch);
	if (rc)
		core->stats.patch_refused++;
	else
		core->stats.patch_allowed += core->batch.count;
	core_unlock(core);
	return rc;
}
