// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots of VTL1's tables and VTL0's permissions, and the tables' own consistency.
 *
 * Entries of a table are compared as sorted sets: which free node an entry got is no matter.
 */
#include "vtl0.h"

struct bytes {
	uint8_t *p;
	size_t n;
};

struct snapshot {
	struct bytes parts[16];
	unsigned int count;
};

static void part(struct snapshot *s, const void *p, size_t n)
{
	CHECK(s->count < HEKI_ARRAY_SIZE(s->parts));
	s->parts[s->count].p = malloc(n ? n : 1);
	CHECK(s->parts[s->count].p);
	memcpy(s->parts[s->count].p, p, n);
	s->parts[s->count++].n = n;
}

static size_t compared_size;

static int compare_entries(const void *a, const void *b)
{
	return memcmp(a, b, compared_size);
}

/* A digest that is not valid is no matter. */
static void forget_digest(uint8_t *entry)
{
	struct frame f;

	memcpy(&f.node + 1, entry, sizeof(f) - sizeof(f.node));
	if (!f.hashed)
		memset(f.digest, 0, sizeof(f.digest));
	memcpy(entry, &f.node + 1, sizeof(f) - sizeof(f.node));
}

/* All nodes that are in a bucket, without their links. */
static uint32_t collect(const struct slab *slab, bool frames, uint8_t *out)
{
	uint32_t n = 0, size = slab->size - (uint32_t)sizeof(struct node);

	for (uint32_t b = 0; b < slab_buckets(slab); b++) {
		for (uint32_t i = slab->buckets[b]; i;) {
			const struct node *node = slab_node(slab, i);

			CHECK(n < slab->budget.limit && i <= slab->budget.limit);
			memcpy(out + (size_t)n * size, node + 1, size);
			if (frames)
				forget_digest(out + (size_t)n * size);
			n++;
			i = node->hnext & SYMBOL_LAST ? 0 : node->hnext;
		}
	}
	compared_size = size;
	qsort(out, n, size, compare_entries);
	return n;
}

static void part_slab(struct snapshot *s, const struct slab *slab, bool frames)
{
	size_t size = slab->size - sizeof(struct node);
	uint8_t *entries = malloc(((size_t)slab->budget.used + 1) * size);
	uint32_t n;

	CHECK(entries);
	n = collect(slab, frames, entries);
	CHECK_EQUAL(n, slab->budget.used);
	part(s, entries, n * size);
	free(entries);
}

/* A module without what is a matter of where its entries lie. */
static void part_modules(struct snapshot *s, const struct heki_core *core)
{
	struct module *copy = calloc(core->limits.modules, sizeof(*copy));

	CHECK(copy);
	for (uint32_t i = 0; i < core->limits.modules; i++) {
		if (!core->modules[i].token)
			continue;
		copy[i] = core->modules[i];
		copy[i].frames.head = !!copy[i].frames.head;
		copy[i].symbols.head = !!copy[i].symbols.head;
		copy[i].patches.head = !!copy[i].patches.head;
		copy[i].init_patches.head = !!copy[i].init_patches.head;
		copy[i].functions.head = !!copy[i].functions.head;
		copy[i].deps.head = !!copy[i].deps.head;
	}
	part(s, copy, core->limits.modules * sizeof(*copy));
	free(copy);
}

static void part_values(struct snapshot *s, const struct heki_core *core)
{
	uint64_t values[] = {
		core->end_of_boot,
		core->system_certs_set,
		core->symbols_set,
		core->modules_budget.used,
		core->deps.budget.used,
		core->kernel_symbols.count,
		core->kernel_patches.count,
		core->kernel_text_start,
		core->kernel_text_end,
		core->certs_count,
		core->cert_bytes_used,
		core->hashes_count,
		core->scratch.used,
		core->log.mirror.v,
		core->log.mirror_size,
		core->owner_frames[0].count,
		core->owner_frames[1].count,
		core->owner_frames[2].count,
		core->owner_frames[3].count,
		core->owner_frames[4].count,
	};

	part(s, values, sizeof(values));
}

struct snapshot *snapshot_take(struct guest *g)
{
	struct heki_core *core = g->core;
	struct snapshot *s = calloc(1, sizeof(*s));

	CHECK(s);
	part(s, g->access, g->size >> HEKI_PAGE_SHIFT);
	part_slab(s, &core->frames, true);
	part_slab(s, &core->symbols, false);
	part_slab(s, &core->patches, false);
	part_slab(s, &core->starts, false);
	part(s, &core->snapshot, sizeof(core->snapshot));
	part(s, core->functions, core->limits.functions * sizeof(*core->functions));
	part_modules(s, core);
	part_values(s, core);
	part(s, core->certs, core->certs_count * sizeof(*core->certs));
	part(s, core->cert_bytes, core->cert_bytes_used);
	part(s, core->hashes, core->hashes_count * sizeof(*core->hashes));
	part(s, core->kexec, sizeof(core->kexec));
	part(s, core->vps, core->limits.vps * sizeof(*core->vps));
	return s;
}

void snapshot_drop(struct snapshot *s)
{
	for (unsigned int i = 0; i < s->count; i++)
		free(s->parts[i].p);
	free(s);
}

void snapshot_check(struct guest *g, struct snapshot *old)
{
	static const char *const names[] = {
		"VTL0's permissions", "frames", "symbols", "patches",
		"function starts of modules", "kernel snapshot", "function starts", "modules", "flags and counts",
		"certificates", "DER", "hashes", "kexec slots", "VPs",
	};
	struct snapshot *now = snapshot_take(g);

	for (unsigned int i = 0; i < old->count; i++) {
		if (old->parts[i].n != now->parts[i].n ||
		    memcmp(old->parts[i].p, now->parts[i].p, old->parts[i].n))
			test_fail(__FILE__, __LINE__, "%s changed", names[i]);
	}
	snapshot_drop(old);
	snapshot_drop(now);
}

/* --- consistency --- */

/* Walk the chain of an owner; its nodes are marked in @seen. */
static void check_chain(const struct slab *slab, const struct chain *chain, uint8_t *seen)
{
	uint32_t n = 0;

	for (uint32_t i = chain->head; i; i = ((struct node *)slab_node(slab, i))->onext) {
		CHECK(i <= slab->budget.limit && !seen[i]);
		seen[i] = 1;
		n++;
	}
	CHECK_EQUAL(n, chain->count);
}

enum table { FRAMES, SYMBOLS, PATCHES, DEPS, STARTS, TABLES };

/* A site is as long as its type says, and has a second page when it needs one. */
static bool patch_fits(const struct patch_site *site)
{
	bool straddles = (site->pa.v & HEKI_PAGE_MASK) + site->size > HEKI_PAGE_SIZE;

	if (straddles != (site->next.v != 0) || !page_aligned(site->next.v))
		return false;
	switch (site->type) {
	case HEKI_PATCH_SMP_LOCK:
		return site->size == 1;
	case HEKI_PATCH_JUMP_LABEL:
		return site->size == 2 || site->size == 5;
	default:
		return site->size == 5;
	}
}

/* Patch sites that straddle two pages have a second node, which is in no chain. */
static uint32_t second_nodes(struct heki_core *core)
{
	struct patch_site site;
	uint32_t n = 0;

	for (uint32_t i = 1; patches_next(core, &i, &site); i++) {
		CHECK(patch_fits(&site));
		n += site.next.v != 0;
	}
	return n;
}

/* Every used node is in the chain of exactly one owner. */
static void check_table(struct heki_core *core, enum table table)
{
	const struct slab *slab = table == FRAMES  ? &core->frames :
				  table == SYMBOLS ? &core->symbols :
				  table == PATCHES ? &core->patches :
				  table == DEPS	   ? &core->deps :
						     &core->starts;
	uint8_t *seen = calloc(slab->budget.limit + 1, 1);
	uint32_t n = table == PATCHES ? second_nodes(core) : 0;

	CHECK(seen);
	for (unsigned int i = 0; table == FRAMES && i < CORE_OWNERS; i++)
		check_chain(slab, &core->owner_frames[i], seen);
	if (table == SYMBOLS)
		check_chain(slab, &core->kernel_symbols, seen);
	if (table == PATCHES)
		check_chain(slab, &core->kernel_patches, seen);
	for (uint32_t i = 0; i < core->limits.modules; i++) {
		const struct module *m = &core->modules[i];

		if (!m->token)
			continue;
		check_chain(slab, table == FRAMES ? &m->frames : table == SYMBOLS ? &m->symbols :
				  table == PATCHES ? &m->patches :
				  table == DEPS ? &m->deps : &m->functions, seen);
		if (table == PATCHES)
			check_chain(slab, &m->init_patches, seen);
	}
	for (uint32_t i = 1; i <= slab->budget.limit; i++)
		n += seen[i];
	CHECK_EQUAL(n, slab->budget.used);
	free(seen);
}

/* Frames are owned once, and VTL0 has exactly the recorded access; all else has the default. */
static void check_frames(struct guest *g)
{
	struct heki_core *core = g->core;
	const struct slab *slab = &core->frames;
	uint64_t pages = g->size >> HEKI_PAGE_SHIFT;
	uint8_t *expected = malloc(pages);

	CHECK(expected);
	for (uint64_t pfn = 0; pfn < pages; pfn++)
		expected[pfn] = HEKI_ATTR_READ | HEKI_ATTR_WRITE |
				(g->core->exec_strict && g->kind[pfn] == GUEST_RAM ? 0 :
										     HEKI_ATTR_EXEC);
	for (uint32_t b = 0; b < slab_buckets(slab); b++) {
		for (uint32_t i = slab->buckets[b]; i;) {
			const struct frame *f = slab_node(slab, i);

			CHECK(f->pfn < pages && g->kind[f->pfn] == GUEST_RAM);
			CHECK(!(expected[f->pfn] & 0x80)); /* not met before */
			expected[f->pfn] = (f->attributes & ~HEKI_ATTR_IMMUTABLE) | 0x80;
			CHECK((f->attributes & (HEKI_ATTR_WRITE | HEKI_ATTR_EXEC)) !=
			      (HEKI_ATTR_WRITE | HEKI_ATTR_EXEC));
			i = f->node.hnext;
		}
	}
	for (uint64_t pfn = 0; pfn < pages; pfn++)
		if ((expected[pfn] & 0x7f) != g->access[pfn])
			test_fail(__FILE__, __LINE__, "page %#llx: access %x, recorded %x",
				  (unsigned long long)pfn, g->access[pfn], expected[pfn] & 0x7f);
	free(expected);
}

void tables_check(struct guest *g)
{
	for (enum table table = FRAMES; table < TABLES; table++)
		check_table(g->core, table);
	check_frames(g);
	CHECK_EQUAL(g->core->scratch.used, 0);
	CHECK_EQUAL(g->scratch, 0);
}
