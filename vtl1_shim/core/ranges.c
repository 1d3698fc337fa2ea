// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copy-in of page chains and of the bytes that ranges name, and replies.
 *
 * Trust boundary: everything here is VTL0's. A page is copied once and only the copy is looked
 * at. Memory grows with pages that were really there, never with a declared number. Locks: only
 * reply() takes one, HEKI_LOCK_TABLES.
 */
#include "call.h"

/* A walk along a chain. */
struct walk {
	struct range_list *list;
	uint32_t total; /* declared */
	uint32_t room; /* of list->r */
	uint64_t left; /* bytes that further ranges may have */
	uint64_t pa; /* of the page to read next */
	uint64_t anchor; /* a page that was read: to meet it again means a cycle */
	uint32_t pages; /* read so far */
	uint32_t anchor_at; /* when pages reaches this the anchor moves here */
};

/*
 * Bytes of all ranges together: what can have an owner and what can be copied. A host may look at
 * each page, and the same pages can be named by each of many ranges.
 */
static uint64_t bytes_max(const struct heki_core *core)
{
	return ((uint64_t)core->limits.frames << HEKI_PAGE_SHIFT) + core->limits.scratch_bytes;
}

static int range_check(struct call *c, struct walk *w, const struct heki_range *r)
{
	uint64_t n;

	if (!virt_canonical(r->va))
		return refuse(c, HEKI_E_VIRT_ADDRESS, r->va);
	if (!phys_valid(r->pa))
		return refuse(c, HEKI_E_PHYS_ADDRESS, r->pa);
	if (!phys_valid(r->epa))
		return refuse(c, HEKI_E_PHYS_ADDRESS, r->epa);
	if (r->epa < r->pa)
		return refuse(c, HEKI_E_RANGE, r->pa);
	n = r->epa - r->pa;
	if (!n)
		return 0;
	call_work(c, (n >> HEKI_PAGE_SHIFT) * WORK_ITEM);
	if (!c->core->ops->is_ram(c->core->host, gpa(r->pa), n))
		return refuse(c, HEKI_E_PHYS_ADDRESS, r->pa);
	if (n > w->left)
		return refuse(c, HEKI_E_TOO_MANY_RANGES, r->pa);
	w->left -= n;
	if (r->va + (n - 1) < r->va || !virt_canonical(r->va + (n - 1)))
		return refuse(c, HEKI_E_VIRT_ADDRESS, r->va);
	return 0;
}

/* Room for @n more, doubled, but never more than was declared. */
static int walk_grow(struct call *c, struct walk *w, uint32_t n)
{
	struct range_list *list = w->list;
	struct heki_range *more;
	uint32_t room = w->room * 2;

	if (list->n + n <= w->room)
		return 0;
	if (room < list->n + n)
		room = list->n + n;
	if (room > w->total)
		room = w->total;
	call_work(c, WORK_COPY((uint64_t)room * sizeof(*more)));
	more = arena_array(&c->arena, room, sizeof(*more));
	if (!more)
		return -HEKI_E_NO_MEMORY;
	if (list->n)
		memcpy(more, list->r, (size_t)list->n * sizeof(*more));
	list->r = more;
	w->room = room;
	return 0;
}

static int walk_page(struct call *c, struct walk *w, struct heki_page *page)
{
	struct range_list *list = w->list;
	uint32_t i;
	int rc;

	if (!phys_valid(w->pa))
		return refuse(c, HEKI_E_PHYS_ADDRESS, w->pa);
	if (!page_aligned(w->pa))
		return refuse(c, HEKI_E_NOT_ALIGNED, w->pa);
	if (c->core->ops->read(c->core->host, gpa(w->pa), page, sizeof(*page)))
		return refuse(c, HEKI_E_PAGES_COPY, w->pa);
	if (!page->nranges || page->nranges > HEKI_MAX_RANGES || page->nranges > w->total - list->n)
		return refuse(c, HEKI_E_PAGE_CHAIN, w->pa);
	rc = walk_grow(c, w, (uint32_t)page->nranges);
	if (rc)
		return rc;
	for (i = 0; i < page->nranges; i++) {
		rc = range_check(c, w, &page->ranges[i]);
		if (rc)
			return rc;
		list->r[list->n++] = page->ranges[i];
	}
	return 0;
}

/*
 * Every page brings a range, so the walk ends after at most w->total pages; a chain that leads
 * back to itself never has an end and is refused there at the latest, mostly earlier, when it
 * meets the anchor, which moves on at powers of two.
 */
static int walk_chain(struct call *c, struct walk *w, struct heki_page *page)
{
	int rc;

	do {
		if (!w->pa || (w->pages && w->pa == w->anchor))
			return refuse(c, HEKI_E_PAGE_CHAIN, w->pa);
		call_work(c, WORK_COPY(sizeof(*page)) + HEKI_MAX_RANGES * WORK_ITEM);
		rc = walk_page(c, w, page);
		if (rc)
			return rc;
		if (++w->pages == w->anchor_at) {
			w->anchor = w->pa;
			w->anchor_at *= 2;
		}
		w->pa = page->next_pa;
	} while (w->list->n < w->total);
	return w->pa ? refuse(c, HEKI_E_PAGE_CHAIN, w->pa) : 0;
}

int ranges_copy_in(struct call *c, uint64_t first, uint64_t nranges, struct range_list *list)
{
	struct walk w = { .list = list, .pa = first, .anchor_at = 1 };
	struct heki_page *page;

	list->r = NULL;
	list->n = 0;
	if (!first || !phys_valid(first))
		return refuse(c, HEKI_E_INPUT_ADDRESS, first);
	if (!nranges)
		return refuse(c, HEKI_E_PAGE_CHAIN, first);
	if (nranges > RANGES_MAX)
		return refuse(c, HEKI_E_TOO_MANY_RANGES, nranges);
	w.total = (uint32_t)nranges;
	w.left = bytes_max(c->core);
	page = arena_alloc(&c->arena, sizeof(*page));
	if (!page)
		return -HEKI_E_NO_MEMORY;
	return walk_chain(c, &w, page);
}

static uint64_t sort_key(const struct heki_range *r, bool by_va)
{
	return by_va ? r->va : r->pa;
}

/* Let r[at] sink in the heap of the first @n. */
static void sift(struct heki_range *r, uint32_t at, uint32_t n, bool by_va)
{
	struct heki_range top = r[at];
	uint32_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && sort_key(&r[child], by_va) < sort_key(&r[child + 1], by_va))
			child++;
		if (sort_key(&r[child], by_va) <= sort_key(&top, by_va))
			break;
		r[at] = r[child];
	}
	r[at] = top;
}

/* Heap sort: n log n whatever order VTL0 chooses, no recursion, no memory. */
static void sort(struct call *c, struct range_list *list, bool by_va)
{
	struct heki_range swap;
	uint32_t i;

	for (i = list->n / 2; i--;) {
		call_work(c, WORK_ITEM);
		sift(list->r, i, list->n, by_va);
	}
	for (i = list->n; i-- > 1;) {
		call_work(c, 2 * WORK_ITEM);
		swap = list->r[0];
		list->r[0] = list->r[i];
		list->r[i] = swap;
		sift(list->r, 0, i, by_va);
	}
}

void ranges_sort_pa(struct call *c, struct range_list *list)
{
	sort(c, list, false);
}

void ranges_sort_va(struct call *c, struct range_list *list)
{
	sort(c, list, true);
}

/* Bytes of all ranges of a type, which must run on in virtual addresses. */
static int measure(struct call *c, const struct range_list *list, uint64_t type, uint64_t limit,
		   enum heki_error over, uint64_t *total)
{
	const struct heki_range *r;
	uint64_t next = 0;
	bool started = false;
	uint32_t i;

	*total = 0;
	for (i = 0; i < list->n; i++) {
		r = &list->r[i];
		if (r->attributes != type || r->epa == r->pa)
			continue;
		if (started && r->va != next)
			return refuse(c, HEKI_E_DISCONTIGUOUS, r->va);
		if (r->epa - r->pa > limit - *total)
			return refuse(c, over, r->va);
		*total += r->epa - r->pa;
		next = r->va + (r->epa - r->pa);
		started = true;
	}
	return 0;
}

int ranges_copy_bytes(struct call *c, const struct heki_range *r, uint8_t *to)
{
	uint64_t pa = r->pa;
	uint64_t part;

	for (; pa < r->epa; pa += part, to += part) {
		part = min_u64(r->epa - pa, WORK_PART);
		call_work(c, WORK_ITEM + WORK_COPY(part));
		if (c->core->ops->read(c->core->host, gpa(pa), to, part))
			return refuse(c, HEKI_E_COPY_FROM_VTL0, pa);
	}
	return 0;
}

int ranges_bytes(struct call *c, const struct range_list *list, uint64_t type, uint64_t limit,
		 enum heki_error over, struct span *out)
{
	const struct heki_range *r;
	uint64_t total;
	uint8_t *p;
	uint32_t i;
	int rc;

	*out = (struct span){ 0 };
	rc = measure(c, list, type, limit, over, &total);
	if (rc || !total)
		return rc;
	p = arena_raw(&c->arena, total);
	if (!p)
		return -HEKI_E_NO_MEMORY;
	out->p = p;
	for (i = 0; i < list->n; i++) {
		r = &list->r[i];
		if (r->attributes != type || r->epa == r->pa)
			continue;
		rc = ranges_copy_bytes(c, r, p);
		if (rc)
			return rc;
		p += r->epa - r->pa;
	}
	out->n = total;
	return 0;
}

int reply_locked(struct call *c, uint64_t pa, const void *data, size_t n)
{
	struct heki_core *core = c->core;

	if (!phys_valid(pa))
		return refuse(c, HEKI_E_PHYS_ADDRESS, pa);
	if (!page_aligned(pa))
		return refuse(c, HEKI_E_NOT_ALIGNED, pa);
	if (!core->ops->is_ram(core->host, gpa(pa), HEKI_PAGE_SIZE))
		return refuse(c, HEKI_E_PHYS_ADDRESS, pa);
	if (frames_protected_locked(core, gpa(pa), HEKI_PAGE_SIZE))
		return refuse(c, HEKI_E_OVERLAP, pa);
	if (core->ops->write(core->host, gpa(pa), data, n))
		return refuse(c, HEKI_E_COPY_TO_VTL0, pa);
	return 0;
}

int reply(struct call *c, uint64_t pa, const void *data, size_t n)
{
	int rc;

	core_lock(c->core);
	rc = reply_locked(c, pa, data, n);
	core_unlock(c->core);
	return rc;
}
