// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * PROTECT_MEMORY and SIGNAL_END_OF_BOOT.
 *
 * Trust boundary: ranges are VTL0's, copied and checked before anything changes; a change that fails
 * is undone. Locks: takes HEKI_LOCK_TABLES for some pages at a time.
 */
#include "call.h"

static bool attributes_valid(uint64_t attributes)
{
	if (attributes & ~(uint64_t)HEKI_ATTR_ALL || !(attributes & HEKI_ATTR_READ))
		return false;
	/* Both is what pages have that nobody protects. */
	return !(attributes & HEKI_ATTR_WRITE && attributes & HEKI_ATTR_EXEC);
}

static int check_range(struct call *c, const struct heki_range *r)
{
	if (!page_aligned(r->pa) || !page_aligned(r->epa))
		return refuse(c, HEKI_E_NOT_ALIGNED, page_aligned(r->pa) ? r->epa : r->pa);
	if (!page_aligned(r->va))
		return refuse(c, HEKI_E_NOT_ALIGNED, r->va);
	if (r->pa == r->epa)
		return refuse(c, HEKI_E_RANGE, r->pa);
	if (!attributes_valid(r->attributes))
		return refuse(c, HEKI_E_MEMORY_ATTRIBUTE, r->attributes);
	return 0;
}

/* Sorted by pa; what overlaps must agree. */
static int check_overlaps(struct call *c, const struct range_list *list)
{
	const struct heki_range *r = list->r;
	uint64_t end = 0;
	uint64_t attributes = 0;
	uint32_t i;

	for (i = 0; i < list->n; i++, r++) {
		if (r->pa < end && r->attributes != attributes)
			return refuse(c, HEKI_E_OVERLAP, r->pa);
		if (r->pa >= end)
			attributes = r->attributes;
		if (r->epa > end)
			end = r->epa;
	}
	return 0;
}

static bool text_known(const struct kernel_text *texts, uint32_t count, const struct heki_range *r)
{
	uint32_t i;

	for (i = 0; i < count; i++, texts++)
		if (r->pa >= texts->pa.v && r->epa <= texts->pa.v + texts->size &&
		    r->va - texts->va.v == r->pa - texts->pa.v)
			return true;
	return false;
}

/* Enter an executable range, or let the one before it run on; -1 when there is no room. */
static int text_add(struct kernel_text *texts, uint32_t *count, const struct heki_range *r)
{
	struct kernel_text *last = *count ? &texts[*count - 1] : NULL;

	if (text_known(texts, *count, r))
		return 0;
	if (last && last->pa.v + last->size == r->pa && last->va.v + last->size == r->va) {
		last->size += r->epa - r->pa;
		return 0;
	}
	if (*count == KERNEL_TEXTS_MAX)
		return -1;
	texts[(*count)++] = (struct kernel_text){ gva(r->va), gpa(r->pa), r->epa - r->pa };
	return 0;
}

/* The kernel's executable ranges with those of this call. */
static int texts_collect(struct call *c, const struct range_list *list, struct kernel_text *texts,
			 uint32_t *count)
{
	const struct heki_range *r = list->r;
	uint32_t i;

	memcpy(texts, c->core->kernel_texts, sizeof(c->core->kernel_texts));
	*count = c->core->kernel_texts_count;
	for (i = 0; i < list->n; i++, r++)
		if (r->attributes & HEKI_ATTR_EXEC && text_add(texts, count, r))
			return refuse(c, HEKI_E_NO_MEMORY, r->pa);
	return 0;
}

static void texts_commit(struct heki_core *core, const struct kernel_text *texts, uint32_t count)
{
	uint32_t i;

	memcpy(core->kernel_texts, texts, sizeof(core->kernel_texts));
	core->kernel_texts_count = count;
	for (i = 0; i < count; i++) {
		if (!i || texts[i].va.v < core->kernel_text_start)
			core->kernel_text_start = texts[i].va.v;
		if (texts[i].va.v + texts[i].size > core->kernel_text_end)
			core->kernel_text_end = texts[i].va.v + texts[i].size;
	}
}

static int commit(struct call *c, const struct range_list *list)
{
	struct kernel_text texts[KERNEL_TEXTS_MAX];
	uint32_t count;
	int rc;

	rc = texts_collect(c, list, texts, &count);
	if (rc)
		return rc;
	rc = frames_protect(c, list);
	if (rc)
		return rc;
	core_lock(c->core);
	texts_commit(c->core, texts, count);
	core_unlock(c->core);
	return 0;
}

int call_protect_memory(struct call *c)
{
	struct range_list list;
	uint32_t i;
	int rc;

	rc = ranges_copy_in(c, c->p[0], c->p[1], &list);
	for (i = 0; !rc && i < list.n; i++)
		rc = check_range(c, &list.r[i]);
	if (rc)
		return rc;
	ranges_sort_pa(c, &list);
	rc = check_overlaps(c, &list);
	return rc ? rc : commit(c, &list);
}

static void log_end_of_boot(struct call *c)
{
	struct heki_log_record record = {
		.event = HEKI_LOG_END_OF_BOOT,
		.call = c->id,
	};

	log_write(c->core, &record);
}

int call_set_policy(struct call *c)
{
	struct heki_core *core = c->core;
	uint64_t policy = c->p[0];
	int rc = 0;

	if (policy & ~(uint64_t)HEKI_POLICY_ALL)
		return refuse(c, HEKI_E_PARAMETER, policy);
	if (policy & HEKI_POLICY_EXEC_STRICT && !core->ops->splits_exec(core->host))
		return refuse(c, HEKI_E_NOT_SUPPORTED, policy);
	core_lock(core);
	/* Another VP may have ended the boot since the call was let in. */
	if (core->end_of_boot)
		rc = -HEKI_E_AFTER_END_OF_BOOT;
	else
		core->policy = (uint32_t)policy;
	core_unlock(core);
	return rc;
}

static int apply_policy(struct call *c)
{
	int rc;

	if (!(c->core->policy & HEKI_POLICY_EXEC_STRICT))
		return 0;
	rc = frames_restrict(c);
	return rc ? refuse(c, (enum heki_error)-rc, 0) : 0;
}

/*
 * From the moment the flag is set the kernel's frames and patch sites are final; only then can
 * they be compared with each other and hashed. Nothing from there on can fail the call but the host,
 * when the policy makes it take the right to execute: what else is found is a violation, in the log.
 */
int call_signal_end_of_boot(struct call *c)
{
	struct heki_core *core = c->core;
	bool was;

	core_lock(core);
	was = core->end_of_boot;
	core->end_of_boot = true;
	core_unlock(core);
	if (was)
		return 0;
	log_end_of_boot(c);
	patches_prune(c);
	if (!frames_record(c, &core->owner_frames[0], FRAMES_ALL) &&
	    !frames_record(c, &core->owner_frames[HEKI_OWNER_TRAMPOLINE - HEKI_OWNER_KERNEL],
			   FRAMES_ALL))
		return apply_policy(c);
	core_lock(core);
	core->stats.violations++;
	core_unlock(core);
	log_violation(core, gpa(0), "kernel frames could not be recorded");
	return 0;
}
