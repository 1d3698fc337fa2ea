// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The ledger of protected frames.
 *
 * Trust boundary: page numbers come from VTL0, checked to be its RAM. The host's protection and
 * the table change together under one lock, so that no other VP sees one without the other, and
 * in the order that leaves nothing to undo: the host first, then the table, which cannot fail.
 * Locks: takes HEKI_LOCK_TABLES.
 */
#include "call.h"

#define ATTR_ACCESS (HEKI_ATTR_READ | HEKI_ATTR_WRITE | HEKI_ATTR_EXEC)

/* Pages that follow each other and get the same access: one request to the host. */
struct run {
	uint64_t pfn;
	uint64_t pages;
	uint32_t access;
};

static uint32_t frame_hash(uint64_t pfn)
{
	return hash_u64(pfn);
}

static struct frame *frame_node(struct heki_core *core, uint32_t index)
{
	return slab_node(&core->frames, index);
}

static int protect(struct heki_core *core, uint64_t pfn, uint64_t pages, uint32_t attributes)
{
	return core->ops->protect(core->host, gpa(pfn << HEKI_PAGE_SHIFT), pages,
				  attributes & ATTR_ACCESS);
}

static int run_flush(struct heki_core *core, struct run *run)
{
	int rc = run->pages ? protect(core, run->pfn, run->pages, run->access) : 0;

	run->pages = 0;
	return rc;
}

/* Add a page; chains run downwards, so look at both ends. */
static int run_add(struct heki_core *core, struct run *run, uint64_t pfn, uint32_t attributes)
{
	uint32_t access = attributes & ATTR_ACCESS;
	int rc;

	if (run->pages && access == run->access) {
		if (pfn == run->pfn + run->pages) {
			run->pages++;
			return 0;
		}
		if (pfn + 1 == run->pfn) {
			run->pfn--;
			run->pages++;
			return 0;
		}
	}
	rc = run_flush(core, run);
	*run = (struct run){ .pfn = pfn, .pages = 1, .access = access };
	return rc;
}

/* The gauges of STATS follow every change, so that STATS need not walk the table. */
static void account(struct heki_core *core, const struct frame *f, uint64_t sign)
{
	struct heki_stats_reply *stats = &core->stats;

	if (f->attributes & HEKI_ATTR_EXEC)
		stats->pages_text += sign;
	else if (f->attributes & HEKI_ATTR_WRITE)
		stats->pages_data += sign;
	else
		stats->pages_rodata += sign;
	if (f->owner < HEKI_OWNER_KERNEL)
		stats->pages_module += sign;
}

static void frame_set(struct heki_core *core, struct frame *f, uint32_t attributes)
{
	account(core, f, (uint64_t)-1);
	f->attributes = (uint8_t)attributes;
	if (attributes & HEKI_ATTR_WRITE)
		f->hashed = 0;
	account(core, f, 1);
}

/* The caller has made sure that there is a free node. */
static void frame_enter(struct heki_core *core, struct chain *chain, const struct frame *like)
{
	uint32_t index = slab_get(&core->frames);
	struct frame *f = frame_node(core, index);

	f->pfn = like->pfn;
	f->owner = like->owner;
	f->attributes = like->attributes;
	f->kind = like->kind;
	slab_link(&core->frames, index, frame_hash(f->pfn), chain);
	account(core, f, 1);
}

static void frame_drop(struct heki_core *core, uint32_t index)
{
	struct frame *f = frame_node(core, index);

	account(core, f, (uint64_t)-1);
	slab_unhash(&core->frames, index, frame_hash(f->pfn));
	slab_put(&core->frames, index);
}

struct frame *frames_at(struct heki_core *core, uint64_t pfn)
{
	uint32_t index = slab_bucket(&core->frames, frame_hash(pfn));
	struct frame *f;

	for (; index; index = f->node.hnext) {
		f = frame_node(core, index);
		if (f->pfn == pfn)
			return f;
	}
	return NULL;
}

static int claim_check(struct heki_core *core, struct gpa pa, uint64_t pages)
{
	uint64_t pfn = pa.v >> HEKI_PAGE_SHIFT;
	uint64_t i;

	if (pages > slab_left(&core->frames))
		return -HEKI_E_NO_MEMORY;
	if (!core->ops->is_ram(core->host, pa, pages << HEKI_PAGE_SHIFT))
		return -HEKI_E_OVERLAP;
	for (i = 0; i < pages; i++)
		if (frames_at(core, pfn + i))
			return -HEKI_E_OVERLAP;
	return 0;
}

int frames_claim(struct heki_core *core, struct chain *chain, uint32_t owner, struct gpa pa,
		 uint64_t pages, uint32_t attributes, uint8_t kind)
{
	struct frame like = {
		.pfn = pa.v >> HEKI_PAGE_SHIFT,
		.owner = owner,
		.attributes = (uint8_t)attributes,
		.kind = kind,
	};
	uint64_t i;
	int rc;

	core_lock(core);
	rc = claim_check(core, pa, pages);
	if (!rc && protect(core, like.pfn, pages, attributes))
		rc = -HEKI_E_HYPERCALL;
	for (i = 0; !rc && i < pages; i++, like.pfn++)
		frame_enter(core, chain, &like);
	core_unlock(core);
	return rc;
}

static bool kind_in(const struct frame *f, uint32_t kinds)
{
	if (kinds == FRAMES_ALL)
		return true;
	return f->kind < 32 && kinds >> f->kind & 1;
}

/* Ask the host for what the table says, after a change that failed half-way. */
static void restore_page(struct heki_core *core, uint64_t pfn)
{
	const struct frame *f = frames_at(core, pfn);

	if (!protect(core, pfn, 1, f ? f->attributes : ATTR_ACCESS))
		return;
	core->stats.violations++;
	log_violation(core, gpa(pfn << HEKI_PAGE_SHIFT), "host did not restore access");
}

static int protect_kinds(struct heki_core *core, const struct chain *chain, uint32_t kinds,
			 uint32_t attributes)
{
	struct run run = { 0 };
	const struct frame *f;
	uint32_t index;

	for (index = chain->head; index; index = f->node.onext) {
		f = frame_node(core, index);
		if (kind_in(f, kinds) && run_add(core, &run, f->pfn, attributes))
			return -HEKI_E_HYPERCALL;
	}
	return run_flush(core, &run) ? -HEKI_E_HYPERCALL : 0;
}

int frames_change(struct heki_core *core, struct chain *chain, uint32_t kinds, uint32_t attributes)
{
	struct frame *f;
	uint32_t index;
	int rc;

	core_lock(core);
	rc = protect_kinds(core, chain, kinds, attributes);
	for (index = chain->head; index; index = f->node.onext) {
		f = frame_node(core, index);
		if (!kind_in(f, kinds))
			continue;
		if (rc)
			restore_page(core, f->pfn);
		else
			frame_set(core, f, attributes);
	}
	core_unlock(core);
	return rc;
}

/* Frames released in one go with interrupts off. */
#define RELEASE_BATCH 256

/* The host's side of a release: what it refuses is told, and forgotten all the same. */
static void unprotect_some(struct heki_core *core, uint32_t index, uint32_t kinds)
{
	struct run run = { 0 };
	const struct frame *f;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < RELEASE_BATCH && index; i++, index = f->node.onext) {
		f = frame_node(core, index);
		if (kind_in(f, kinds))
			rc |= run_add(core, &run, f->pfn, ATTR_ACCESS);
	}
	rc |= run_flush(core, &run);
	if (!rc)
		return;
	core->stats.violations++;
	log_violation(core, gpa(run.pfn << HEKI_PAGE_SHIFT), "host did not release all pages");
}

/* The table's side, for the same frames; where to go on. */
static uint32_t *drop_some(struct heki_core *core, struct chain *chain, uint32_t *link,
			   uint32_t kinds)
{
	struct frame *f;
	uint32_t index;
	unsigned int i;

	for (i = 0; i < RELEASE_BATCH && (index = *link) != 0; i++) {
		f = frame_node(core, index);
		if (!kind_in(f, kinds)) {
			link = &f->node.onext;
			continue;
		}
		*link = f->node.onext;
		chain->count--;
		frame_drop(core, index);
	}
	return link;
}

void frames_release(struct heki_core *core, struct chain *chain, uint32_t kinds)
{
	uint32_t *link = &chain->head;
	bool more;

	do {
		core_lock(core);
		unprotect_some(core, *link, kinds);
		link = drop_some(core, chain, link, kinds);
		more = *link;
		core_unlock(core);
	} while (more);
}

uint32_t frames_count(struct heki_core *core, const struct chain *chain, uint8_t kind)
{
	const struct frame *f;
	uint32_t index;
	uint32_t n = 0;

	core_lock(core);
	for (index = chain->head; index; index = f->node.onext) {
		f = frame_node(core, index);
		n += f->kind == kind;
	}
	core_unlock(core);
	return n;
}

bool frames_find(struct heki_core *core, struct gpa pa, struct frame *out)
{
	const struct frame *f;

	core_lock(core);
	f = frames_at(core, pa.v >> HEKI_PAGE_SHIFT);
	if (f)
		*out = *f;
	core_unlock(core);
	return f;
}

bool frames_protected_locked(struct heki_core *core, struct gpa pa, uint64_t n)
{
	uint64_t pfn = pa.v >> HEKI_PAGE_SHIFT;
	uint64_t end = page_up(pa.v + n) >> HEKI_PAGE_SHIFT;
	const struct frame *f;

	for (; pfn < end; pfn++) {
		f = frames_at(core, pfn);
		if (f && (f->attributes & ATTR_ACCESS) != ATTR_ACCESS)
			return true;
	}
	return false;
}

bool frames_protected(struct heki_core *core, struct gpa pa, uint64_t n)
{
	bool found;

	core_lock(core);
	found = frames_protected_locked(core, pa, n);
	core_unlock(core);
	return found;
}

/* May PROTECT_MEMORY set @attributes here? @fresh counts pages that need a node. */
static int protect_check(struct heki_core *core, uint64_t pfn, uint32_t attributes, uint64_t *fresh)
{
	const struct frame *f = frames_at(core, pfn);

	if (!f) {
		(*fresh)++;
		return 0;
	}
	if (f->owner != HEKI_OWNER_KERNEL && f->owner != HEKI_OWNER_TRAMPOLINE)
		return -HEKI_E_OVERLAP;
	if (f->owner == HEKI_OWNER_TRAMPOLINE && attributes & HEKI_ATTR_WRITE)
		return -HEKI_E_OVERLAP;
	if (f->attributes & HEKI_ATTR_IMMUTABLE && f->attributes != attributes)
		return -HEKI_E_IMMUTABLE;
	return 0;
}

/* Pages of a range from where the one before it ends: what overlaps is looked at once. */
static uint64_t range_first(const struct range_list *list, uint32_t i, uint64_t *done)
{
	uint64_t first = list->r[i].pa >> HEKI_PAGE_SHIFT;
	uint64_t end = list->r[i].epa >> HEKI_PAGE_SHIFT;

	if (first < *done)
		first = *done;
	if (end > *done)
		*done = end;
	return first;
}

static int check_list(struct call *c, const struct range_list *list)
{
	struct heki_core *core = c->core;
	uint64_t fresh = 0;
	uint64_t done = 0;
	uint64_t pfn;
	uint32_t i;
	int rc;

	for (i = 0; i < list->n; i++) {
		for (pfn = range_first(list, i, &done); pfn < done; pfn++) {
			rc = protect_check(core, pfn, (uint32_t)list->r[i].attributes, &fresh);
			if (rc)
				return refuse(c, (enum heki_error)-rc, pfn << HEKI_PAGE_SHIFT);
			if (fresh > slab_left(&core->frames))
				return -HEKI_E_NO_MEMORY;
		}
	}
	return 0;
}

/* Back to what the table says for ranges up to and including @last. */
static void restore_list(struct heki_core *core, const struct range_list *list, uint32_t last)
{
	uint64_t done = 0;
	uint64_t pfn;
	uint32_t i;

	for (i = 0; i <= last; i++)
		for (pfn = range_first(list, i, &done); pfn < done; pfn++)
			restore_page(core, pfn);
}

static int protect_list(struct call *c, const struct range_list *list)
{
	const struct heki_range *r;
	uint32_t i;

	for (i = 0; i < list->n; i++) {
		r = &list->r[i];
		if (!protect(c->core, r->pa >> HEKI_PAGE_SHIFT, (r->epa - r->pa) >> HEKI_PAGE_SHIFT,
			     (uint32_t)r->attributes))
			continue;
		restore_list(c->core, list, i);
		return refuse(c, HEKI_E_HYPERCALL, r->pa);
	}
	return 0;
}

static void enter_range(struct heki_core *core, uint64_t pfn, uint64_t end, uint32_t attributes)
{
	struct frame like = {
		.owner = HEKI_OWNER_KERNEL,
		.attributes = (uint8_t)attributes,
		.kind = FRAME_NO_KIND,
	};
	struct frame *f;

	for (; pfn < end; pfn++) {
		f = frames_at(core, pfn);
		like.pfn = pfn;
		if (f)
			frame_set(core, f, attributes);
		else
			frame_enter(core, &core->owner_frames[0], &like);
	}
}

int frames_protect(struct call *c, const struct range_list *list)
{
	uint64_t done = 0;
	uint64_t first;
	uint32_t i;
	int rc;

	rc = check_list(c, list);
	if (rc)
		return rc;
	rc = protect_list(c, list);
	if (rc)
		return rc;
	for (i = 0; i < list->n; i++) {
		first = range_first(list, i, &done);
		enter_range(c->core, first, done, (uint32_t)list->r[i].attributes);
	}
	return 0;
}
