// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The ledger of protected frames.
 *
 * Trust boundary: page numbers come from VTL0, checked to be its RAM. The host's protection and
 * the table change together under one lock, some pages at a time, so that no other VP sees one
 * without the other, and in the order that leaves nothing to undo: the host first, then the table,
 * which cannot fail.
 * Locks: takes HEKI_LOCK_TABLES.
 */
#include "call.h"

#define ATTR_ACCESS (HEKI_ATTR_READ | HEKI_ATTR_WRITE | HEKI_ATTR_EXEC)

/* Pages handled in one go with interrupts off. */
#define BATCH 64

/* Pages that follow each other and get the same access: one request to the host. */
struct run {
	uint64_t pfn;
	uint64_t pages;
	uint32_t access;
};

/* What VTL0 may do with pages that nobody owns. */
static uint32_t default_access(const struct heki_core *core)
{
	return core->exec_strict ? ATTR_ACCESS & ~HEKI_ATTR_EXEC : ATTR_ACCESS;
}

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

static int claim_some(struct heki_core *core, struct chain *chain, struct frame *like,
		      uint64_t pages)
{
	struct gpa pa = gpa(like->pfn << HEKI_PAGE_SHIFT);
	uint64_t i;
	int rc;

	core_lock(core);
	rc = claim_check(core, pa, pages);
	if (!rc && protect(core, like->pfn, pages, like->attributes))
		rc = -HEKI_E_HYPERCALL;
	for (i = 0; !rc && i < pages; i++, like->pfn++)
		frame_enter(core, chain, like);
	core_unlock(core);
	return rc;
}

int frames_claim(struct call *c, struct chain *chain, uint32_t owner, struct gpa pa,
		 uint64_t pages, uint32_t attributes, uint8_t kind)
{
	struct frame like = {
		.pfn = pa.v >> HEKI_PAGE_SHIFT,
		.owner = owner,
		.attributes = (uint8_t)attributes,
		.kind = kind,
	};
	uint64_t part;
	int rc = 0;

	for (; pages && !rc; pages -= part) {
		part = min_u64(pages, BATCH);
		call_work(c, part * WORK_FRAME);
		rc = claim_some(c->core, chain, &like, part);
	}
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

	if (!protect(core, pfn, 1, f ? f->attributes : default_access(core)))
		return;
	core->stats.violations++;
	log_violation(core, gpa(pfn << HEKI_PAGE_SHIFT), "host did not restore access");
}

/* Frames from @index on that are of the kinds: the host's side of a change. */
static int protect_some(struct heki_core *core, uint32_t index, uint32_t kinds, uint32_t attributes)
{
	struct run run = { 0 };
	const struct frame *f;
	unsigned int i;

	for (i = 0; i < BATCH && index; i++, index = f->node.onext) {
		f = frame_node(core, index);
		if (kind_in(f, kinds) && run_add(core, &run, f->pfn, attributes))
			return -HEKI_E_HYPERCALL;
	}
	return run_flush(core, &run) ? -HEKI_E_HYPERCALL : 0;
}

/* The same frames after that, whose result is @rc; where to go on. */
static uint32_t set_some(struct heki_core *core, uint32_t index, uint32_t kinds,
			 uint32_t attributes, int rc)
{
	struct frame *f;
	unsigned int i;

	for (i = 0; i < BATCH && index; i++, index = f->node.onext) {
		f = frame_node(core, index);
		if (!kind_in(f, kinds))
			continue;
		if (rc)
			restore_page(core, f->pfn);
		else
			frame_set(core, f, attributes);
	}
	return index;
}

int frames_change(struct call *c, struct chain *chain, uint32_t kinds, uint32_t attributes)
{
	struct heki_core *core = c->core;
	uint32_t index = chain->head;
	int rc = 0;

	while (index && !rc) {
		call_work(c, BATCH * WORK_FRAME);
		core_lock(core);
		rc = protect_some(core, index, kinds, attributes);
		index = set_some(core, index, kinds, attributes, rc);
		core_unlock(core);
	}
	return rc;
}

/* The host's side of a release: what it refuses is told, and forgotten all the same. */
static void unprotect_some(struct heki_core *core, uint32_t index, uint32_t kinds)
{
	struct run run = { 0 };
	const struct frame *f;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < BATCH && index; i++, index = f->node.onext) {
		f = frame_node(core, index);
		if (kind_in(f, kinds))
			rc |= run_add(core, &run, f->pfn, default_access(core));
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

	for (i = 0; i < BATCH && (index = *link) != 0; i++) {
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

void frames_release(struct call *c, struct chain *chain, uint32_t kinds)
{
	struct heki_core *core = c->core;
	uint32_t *link = &chain->head;
	bool more;

	do {
		call_work(c, BATCH * WORK_FRAME);
		core_lock(core);
		unprotect_some(core, *link, kinds);
		link = drop_some(core, chain, link, kinds);
		more = *link;
		core_unlock(core);
	} while (more);
}

/* Pages without an owner get the default access. */
static int restrict_some(struct heki_core *core, uint64_t pfn, uint64_t pages)
{
	struct run run = { 0 };
	int rc = 0;

	core_lock(core);
	for (; pages && !rc; pages--, pfn++)
		if (!frames_at(core, pfn))
			rc = run_add(core, &run, pfn, default_access(core));
	if (!rc)
		rc = run_flush(core, &run);
	core_unlock(core);
	return rc ? -HEKI_E_HYPERCALL : 0;
}

static int restrict_range(struct call *c, uint64_t pfn, uint64_t end)
{
	uint64_t part;
	int rc = 0;

	for (; pfn < end && !rc; pfn += part) {
		part = min_u64(end - pfn, BATCH);
		call_work(c, part * WORK_FRAME);
		rc = restrict_some(c->core, pfn, part);
	}
	return rc;
}

int frames_restrict(struct call *c)
{
	struct heki_core *core = c->core;
	struct gpa start;
	uint64_t n;
	uint32_t i;
	int rc = 0;

	core_lock(core);
	core->exec_strict = true;
	core_unlock(core);
	for (i = 0; !rc && core->ops->ram(core->host, i, &start, &n); i++)
		rc = restrict_range(c, page_up(start.v) >> HEKI_PAGE_SHIFT,
				    (start.v + n) >> HEKI_PAGE_SHIFT);
	return rc;
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

/* A page that frames_protect() has changed. */
struct change {
	uint64_t pfn;
	uint32_t old; /* its attributes, or CHANGE_FRESH when nobody owned it */
	uint32_t padding;
};

#define CHANGE_FRESH 0xffffffffu

struct journal {
	struct change *changes;
	uint64_t n;
};

static void enter_page(struct heki_core *core, uint64_t pfn, uint32_t attributes,
		       struct journal *journal)
{
	struct change *change = &journal->changes[journal->n++];
	struct frame *f = frames_at(core, pfn);
	struct frame like = {
		.pfn = pfn,
		.owner = HEKI_OWNER_KERNEL,
		.attributes = (uint8_t)attributes,
		.kind = FRAME_NO_KIND,
	};

	*change = (struct change){ .pfn = pfn, .old = f ? f->attributes : CHANGE_FRESH };
	if (f)
		frame_set(core, f, attributes);
	else
		frame_enter(core, &core->owner_frames[0], &like);
}

/* Some pages that follow each other: all of them or none. Under HEKI_LOCK_TABLES. */
static int protect_batch(struct call *c, uint64_t pfn, uint64_t pages, uint32_t attributes,
			 struct journal *journal)
{
	struct heki_core *core = c->core;
	uint64_t fresh = 0;
	uint64_t i;
	int rc;

	if (core->end_of_boot)
		return -HEKI_E_AFTER_END_OF_BOOT;
	for (i = 0; i < pages; i++) {
		rc = protect_check(core, pfn + i, attributes, &fresh);
		if (rc)
			return refuse(c, (enum heki_error)-rc, (pfn + i) << HEKI_PAGE_SHIFT);
	}
	if (fresh > slab_left(&core->frames))
		return -HEKI_E_NO_MEMORY;
	if (protect(core, pfn, pages, attributes)) {
		for (i = 0; i < pages; i++)
			restore_page(core, pfn + i);
		return refuse(c, HEKI_E_HYPERCALL, pfn << HEKI_PAGE_SHIFT);
	}
	for (i = 0; i < pages; i++)
		enter_page(core, pfn + i, attributes, journal);
	return 0;
}

static int protect_pages(struct call *c, uint64_t pfn, uint64_t end, uint32_t attributes,
			 struct journal *journal)
{
	uint64_t pages;
	int rc = 0;

	for (; pfn < end && !rc; pfn += pages) {
		pages = min_u64(end - pfn, BATCH);
		call_work(c, pages * WORK_FRAME);
		core_lock(c->core);
		rc = protect_batch(c, pfn, pages, attributes, journal);
		core_unlock(c->core);
	}
	return rc;
}

/* Fresh frames went to the head of the kernel's chain, and nobody else enters any there. */
static void undo_change(struct heki_core *core, const struct change *change)
{
	struct chain *chain = &core->owner_frames[0];

	if (change->old == CHANGE_FRESH)
		frame_drop(core, slab_pop(&core->frames, chain));
	else
		frame_set(core, frames_at(core, change->pfn), change->old);
	restore_page(core, change->pfn);
}

static void undo_changes(struct call *c, struct journal *journal)
{
	while (journal->n) {
		call_work(c, WORK_FRAME);
		core_lock(c->core);
		undo_change(c->core, &journal->changes[--journal->n]);
		core_unlock(c->core);
	}
}

static uint64_t count_pages(const struct range_list *list)
{
	uint64_t done = 0;
	uint64_t pages = 0;
	uint64_t first;
	uint32_t i;

	for (i = 0; i < list->n; i++) {
		first = range_first(list, i, &done);
		pages += done > first ? done - first : 0;
	}
	return pages;
}

int frames_protect(struct call *c, const struct range_list *list)
{
	struct journal journal = { 0 };
	uint64_t pages = count_pages(list);
	uint64_t done = 0;
	uint64_t first;
	uint32_t i;
	int rc = 0;

	if (pages > c->core->limits.frames)
		return -HEKI_E_NO_MEMORY;
	journal.changes = arena_raw(&c->arena, pages * sizeof(*journal.changes));
	if (!journal.changes)
		return -HEKI_E_NO_MEMORY;
	for (i = 0; i < list->n && !rc; i++) {
		first = range_first(list, i, &done);
		rc = protect_pages(c, first, done, (uint32_t)list->r[i].attributes, &journal);
	}
	if (!rc && c->abandoned)
		rc = -HEKI_E_AGAIN;
	if (rc)
		undo_changes(c, &journal);
	return rc;
}
