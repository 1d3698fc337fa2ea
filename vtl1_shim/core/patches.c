// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Text patch sites by physical address.
 *
 * A site that straddles two pages has a second node, its tail, under the address of the second
 * page: so everything that touches a page is found from that page. Nodes are hashed by 64-byte
 * line, so one page takes 64 look-ups however many sites there are.
 *
 * Trust boundary: sites are entered by callers who have checked where they lie. Locks: takes
 * HEKI_LOCK_TABLES.
 */
#include "call.h"

/* 40 bytes and about 4 of buckets a site; values of va above are kernel addresses. */
struct patch_node {
	struct node node;
	uint64_t pa;
	uint64_t other; /* start of the second page or 0; of a tail: pa of the first byte */
	uint32_t owner;
	int32_t va; /* sign-extended; 0 when unknown */
	uint8_t code[HEKI_POKE_MAX];
	uint8_t size; /* of a tail: bytes on the second page */
	uint8_t extension; /* type is a HEKI_PATCH_EXTENSION + this - 1, or 0 */
	uint8_t tail;
};

HEKI_ASSERT_SIZE(struct patch_node, PATCH_NODE_SIZE);

#define HEKI_PATCH_EXTENSION 0x100u
#define LINE_SHIFT 6
#define LINE_MASK ((1ull << LINE_SHIFT) - 1)
#define LINES_PER_PAGE (HEKI_PAGE_SIZE >> LINE_SHIFT)

static uint32_t line_hash(uint64_t pa)
{
	return hash_u64(pa >> LINE_SHIFT);
}

static struct patch_node *patch_node(struct heki_core *core, uint32_t index)
{
	return (struct patch_node *)core->patches.nodes + (index - 1);
}

static uint8_t pack_type(uint32_t type)
{
	return type ? (uint8_t)(type - HEKI_PATCH_EXTENSION + 1) : 0;
}

static uint32_t unpack_type(uint8_t extension)
{
	return extension ? HEKI_PATCH_EXTENSION + extension - 1u : HEKI_PATCH_JUMP_LABEL;
}

/* The kernel's sites get their address when it is needed: PROTECT_MEMORY may come after them. */
static struct gva kernel_va(const struct heki_core *core, uint64_t pa)
{
	const struct kernel_text *t = core->kernel_texts;
	uint32_t i;

	for (i = 0; i < core->kernel_texts_count; i++, t++)
		if (pa >= t->pa.v && pa - t->pa.v < t->size)
			return gva(t->va.v + (pa - t->pa.v));
	return gva(0);
}

static inline void unpack_without_va(const struct patch_node *p, struct patch_site *out)
{
	out->pa = gpa(p->pa);
	out->next = gpa(p->other);
	out->va = gva((uint64_t)(int64_t)p->va);
	out->owner = p->owner;
	out->type = unpack_type(p->extension);
	out->size = p->size;
	memcpy(out->code, p->code, sizeof(out->code));
}

static void unpack(struct heki_core *core, const struct patch_node *p, struct patch_site *out)
{
	unpack_without_va(p, out);
	if (p->owner == HEKI_OWNER_KERNEL)
		out->va = kernel_va(core, p->pa);
}

/* The node at exactly @pa, of a site or of a tail. */
static uint32_t node_at(struct heki_core *core, uint64_t pa, uint8_t tail)
{
	const struct patch_node *p;
	uint32_t index = slab_bucket(&core->patches, line_hash(pa));

	for (; index; index = p->node.hnext) {
		p = patch_node(core, index);
		if (p->pa == pa && p->tail == tail)
			return index;
	}
	return 0;
}

/* Bytes that a node covers on its own page. */
static uint8_t node_bytes(const struct patch_node *p)
{
	uint64_t room = HEKI_PAGE_SIZE - (p->pa & HEKI_PAGE_MASK);

	return room < p->size ? (uint8_t)room : p->size;
}

static bool line_overlaps(struct heki_core *core, uint64_t line, uint64_t pa, uint8_t n)
{
	const struct patch_node *p;
	uint32_t index = slab_bucket(&core->patches, line_hash(line));

	for (; index; index = p->node.hnext) {
		p = patch_node(core, index);
		if (p->pa < pa + n && pa < p->pa + node_bytes(p))
			return true;
	}
	return false;
}

/* Does a site touch [pa, pa + n), which lies on one page? One begins at most 4 bytes before. */
static bool overlaps(struct heki_core *core, uint64_t pa, uint8_t n)
{
	uint64_t before = pa < HEKI_POKE_MAX ? 0 : pa - (HEKI_POKE_MAX - 1);
	uint64_t last = pa + n - 1;

	if (line_overlaps(core, pa, pa, n))
		return true;
	if (before >> LINE_SHIFT != pa >> LINE_SHIFT && line_overlaps(core, before, pa, n))
		return true;
	return last >> LINE_SHIFT != pa >> LINE_SHIFT && line_overlaps(core, last, pa, n);
}

static void enter(struct heki_core *core, struct chain *chain, const struct patch_node *like)
{
	uint32_t index = slab_get(&core->patches);
	struct patch_node *p = patch_node(core, index);
	struct node node = p->node;

	*p = *like;
	p->node = node;
	slab_link(&core->patches, index, line_hash(p->pa), chain);
}

/* Only addresses of the top 2 GiB, where all kernel and module text lies, can be kept. */
static int32_t pack_va(uint64_t va)
{
	return symbol_value_valid(va) ? (int32_t)va : 0;
}

static int add(struct heki_core *core, struct chain *chain, const struct patch_site *site)
{
	uint8_t first = patch_split(site);
	uint8_t second = (uint8_t)(site->size - first);
	struct patch_node like = {
		.pa = site->pa.v,
		.other = site->next.v,
		.owner = site->owner,
		.va = pack_va(site->va.v),
		.size = site->size,
		.extension = pack_type(site->type),
	};

	if (slab_left(&core->patches) < (second ? 2u : 1u))
		return -HEKI_E_NO_MEMORY;
	if (overlaps(core, site->pa.v, first))
		return -HEKI_E_PATCH_LIST;
	if (second && overlaps(core, site->next.v, second))
		return -HEKI_E_PATCH_LIST;
	memcpy(like.code, site->code, sizeof(like.code));
	enter(core, chain, &like);
	if (!second)
		return 0;
	like = (struct patch_node){
		.pa = site->next.v,
		.other = site->pa.v,
		.owner = site->owner,
		.size = second,
		.tail = 1,
	};
	enter(core, NULL, &like);
	return 0;
}

int patches_add(struct heki_core *core, struct chain *chain, const struct patch_site *site)
{
	int rc;

	core_lock(core);
	rc = add(core, chain, site);
	core_unlock(core);
	return rc;
}

bool patches_find(struct heki_core *core, struct gpa pa, struct patch_site *out)
{
	uint32_t index;

	core_lock(core);
	index = node_at(core, pa.v, 0);
	if (index)
		unpack(core, patch_node(core, index), out);
	core_unlock(core);
	return index;
}

/* Whether a site begins at @pa, or one byte before and goes on there. */
static bool begins_near(const struct patch_node *p, uint64_t pa)
{
	return pa - p->pa <= (p->size > 1) && !p->tail;
}

/* The node of a site that begins at @pa or has its second byte there; sites do not overlap. */
static uint32_t node_near(struct heki_core *core, uint64_t pa)
{
	const struct patch_node *p;
	uint32_t index = slab_bucket(&core->patches, line_hash(pa));

	for (; index; index = p->node.hnext) {
		p = patch_node(core, index);
		if (begins_near(p, pa))
			return index;
	}
	/* The byte before may be one of another line. */
	index = pa & LINE_MASK ? 0 : node_at(core, pa - 1, 0);
	return index && begins_near(patch_node(core, index), pa) ? index : 0;
}

/* The node of a site to which a step on @pa, the start of a page, belongs. */
static uint32_t node_over_page(struct heki_core *core, uint64_t pa)
{
	uint32_t index = node_at(core, pa, 0);

	if (index)
		return index;
	/* What straddles begins on another page: its tail leads to it. */
	index = node_at(core, pa, 1);
	return index ? node_at(core, patch_node(core, index)->other, 0) : 0;
}

bool patches_find_step(struct heki_core *core, struct gpa pa, struct patch_site *out,
		       uint8_t *offset)
{
	uint32_t index = page_aligned(pa.v) ? node_over_page(core, pa.v) : node_near(core, pa.v);
	const struct patch_node *p;

	if (!index)
		return false;
	p = patch_node(core, index);
	*offset = p->pa != pa.v;
	unpack_without_va(p, out);
	if (p->extension && p->owner == HEKI_OWNER_KERNEL)
		out->va = kernel_va(core, p->pa);
	/* The tail begins on the second page only when the first byte is alone on the first. */
	return !*offset || !page_aligned(pa.v) || patch_split(out) == 1;
}

bool patches_next(struct heki_core *core, uint32_t *index, struct patch_site *out)
{
	const struct patch_node *p;

	for (; *index && *index <= core->patches.fresh; (*index)++) {
		p = patch_node(core, *index);
		if (!p->owner || p->tail)
			continue;
		unpack(core, p, out);
		return true;
	}
	return false;
}

/* Take a site, which is in no chain any more, out of the table, with its tail. */
static void drop(struct heki_core *core, uint32_t index)
{
	struct patch_node *p = patch_node(core, index);
	uint32_t tail = p->other ? node_at(core, p->other, 1) : 0;

	if (tail) {
		slab_unhash(&core->patches, tail, line_hash(p->other));
		slab_put(&core->patches, tail);
	}
	slab_unhash(&core->patches, index, line_hash(p->pa));
	slab_put(&core->patches, index);
}

/* Sites handled in one go with interrupts off. */
#define BATCH 256

void patches_remove(struct call *c, struct chain *chain)
{
	struct heki_core *core = c->core;
	uint32_t index = 1;
	unsigned int i;

	while (index) {
		call_work(c, BATCH * WORK_LOOKUP);
		core_lock(core);
		for (i = 0; i < BATCH && index; i++) {
			index = slab_pop(&core->patches, chain);
			if (index)
				drop(core, index);
		}
		core_unlock(core);
	}
}

static bool page_is_text(struct heki_core *core, uint64_t pa)
{
	const struct frame *f = frames_at(core, pa >> HEKI_PAGE_SHIFT);

	if (!f || (f->owner != HEKI_OWNER_KERNEL && f->owner != HEKI_OWNER_TRAMPOLINE))
		return false;
	return f->attributes & HEKI_ATTR_EXEC && !(f->attributes & HEKI_ATTR_WRITE);
}

#define PRUNE_LOGGED 8

static void pruned(struct heki_core *core, uint64_t pa, uint32_t count)
{
	if (count <= PRUNE_LOGGED)
		log_violation(core, gpa(pa), "patch site outside the kernel's text, removed");
	else if (count == PRUNE_LOGGED + 1)
		log_violation(core, gpa(pa), "more patch sites outside the kernel's text, removed");
	core->stats.violations++;
}

/* Look at some sites behind node *@prev (0: from the head), which moves on; false at the end. */
static bool prune_some(struct heki_core *core, uint32_t *prev, uint32_t *count)
{
	struct chain *chain = &core->kernel_patches;
	const struct patch_node *p;
	uint32_t *link = *prev ? &patch_node(core, *prev)->node.onext : &chain->head;
	uint32_t index;
	unsigned int i;

	for (i = 0; i < BATCH && (index = *link) != 0; i++) {
		p = patch_node(core, index);
		if (page_is_text(core, p->pa) && (!p->other || page_is_text(core, p->other))) {
			*prev = index;
			link = &patch_node(core, index)->node.onext;
			continue;
		}
		pruned(core, p->pa, ++*count);
		core->stats.jump_labels_kernel -= !p->extension;
		*link = p->node.onext;
		chain->count--;
		drop(core, index);
	}
	return *link;
}

void patches_prune(struct call *c)
{
	struct heki_core *core = c->core;
	uint32_t count = 0;
	uint32_t prev = 0;
	bool more;

	do {
		call_work(c, BATCH * WORK_LOOKUP);
		core_lock(core);
		more = prune_some(core, &prev, &count);
		core_unlock(core);
	} while (more);
}

int patch_read(struct heki_core *core, const struct patch_site *site, uint8_t *bytes)
{
	uint8_t first = patch_split(site);

	if (core->ops->read(core->host, site->pa, bytes, first))
		return -1;
	if (first == site->size)
		return 0;
	return core->ops->read(core->host, site->next, bytes + first, (size_t)(site->size - first));
}

int patch_write(struct heki_core *core, const struct patch_site *site, const uint8_t *now,
		const uint8_t *bytes, uint8_t offset, uint8_t n)
{
	uint8_t split = patch_split(site);
	uint8_t end = (uint8_t)(offset + n);
	uint8_t first = end < split ? end : split; /* end of what goes to the first page */
	uint8_t second = offset > split ? offset : split; /* start of what goes to the second */

	if (offset < first &&
	    core->ops->write(core->host, gpa(site->pa.v + offset), bytes + offset,
			     (size_t)(first - offset)))
		return -1;
	if (second >= end)
		return 0;
	if (!core->ops->write(core->host, gpa(site->next.v + (second - split)), bytes + second,
			      (size_t)(end - second)))
		return 0;
	if (offset < first)
		core->ops->write(core->host, gpa(site->pa.v + offset), now + offset,
				 (size_t)(first - offset));
	return -1;
}

/* Judge a site that begins in a page of which @page is a copy. */
static bool site_legal(struct heki_core *core, const struct patch_node *p, const uint8_t *page)
{
	uint8_t bytes[HEKI_POKE_MAX];
	struct patch_site site;
	uint8_t first;

	unpack(core, p, &site);
	first = patch_split(&site);
	memcpy(bytes, page + (p->pa & HEKI_PAGE_MASK), first);
	if (first < site.size &&
	    core->ops->read(core->host, site.next, bytes + first, (size_t)(site.size - first)))
		return false;
	return patch_state_legal_locked(core, &site, bytes);
}

unsigned int patch_canonical_locked(struct heki_core *core, uint64_t pfn, uint8_t *page,
				    uint32_t *sites)
{
	uint64_t line = pfn << (HEKI_PAGE_SHIFT - LINE_SHIFT);
	uint64_t end = line + LINES_PER_PAGE;
	const struct patch_node *p;
	unsigned int illegal = 0;
	uint32_t index;

	*sites = 0;
	for (; line < end; line++) {
		index = slab_bucket(&core->patches, hash_u64(line));
		for (; index; index = p->node.hnext) {
			p = patch_node(core, index);
			if (p->pa >> LINE_SHIFT != line)
				continue;
			if (!p->tail) {
				(*sites)++;
				illegal += !site_legal(core, p, page);
			}
			memset(page + (p->pa & HEKI_PAGE_MASK), PATCH_INT3, node_bytes(p));
		}
	}
	return illegal;
}

unsigned int patch_canonical(struct heki_core *core, uint64_t pfn, uint8_t *page, uint32_t *sites)
{
	unsigned int illegal;

	core_lock(core);
	illegal = patch_canonical_locked(core, pfn, page, sites);
	core_unlock(core);
	return illegal;
}
