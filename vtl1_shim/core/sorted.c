// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Tables that the kernel sorts in place while it loads a module.
 *
 * Most of them hold addresses relative to the entry itself, so sorting changes the bytes of every
 * entry that moves. Entries are made absolute and the two sides must be equal as sets; then the
 * order that the kernel chose is taken over. No entry can be changed, added or left out that way.
 *
 * A file's table is a few runs that ascend, one for each section of text, and what the kernel makes
 * of it is these runs one behind the other. So the memory is walked along the runs first, which
 * takes each entry of the file once and no memory; only when that does not work out are both sides
 * sorted here.
 *
 * What else depends on the order is taken care of here too: a static key names its first entry.
 *
 * Locks: none.
 */
#include "expect.h"

#define JUMP_KEY_INIT 2u /* the kernel notes here that an entry is about init code */
#define JUMP_KEY_FLAGS 3u /* of an entry's key, and of what a key holds */
#define KEY_ENTRIES 8u /* where a static key names its first entry */
#define KEY_SIZE 16u
#define ORC_SIZE 6u

/* How the entries of a table look: relative fields, and what follows as it is. */
struct sorted_table {
	const char *name;
	const char *companion; /* a table that is permuted with it */
	uint8_t entry;
	uint8_t relative; /* 32-bit relative fields at the start */
	uint8_t absolute; /* bytes behind them that move as they are */
	uint8_t companion_entry;
	bool jump_key; /* a 64-bit relative key with flags behind them */
};

static const struct sorted_table tables[] = {
	{ .name = "__ex_table", .entry = 12, .relative = 2, .absolute = 4 },
	{ .name = ".orc_unwind_ip", .entry = 4, .relative = 1, .companion = ".orc_unwind",
	  .companion_entry = ORC_SIZE },
	{ .name = "__mcount_loc", .entry = 8, .absolute = 8 },
	{ .name = "__jump_table", .entry = 16, .relative = 2, .jump_key = true },
};

/* An entry that does not depend on its place any more. */
struct record {
	uint64_t key[3];
	uint32_t index;
	uint32_t padding;
};

/* One table of a module. */
struct table {
	const struct sorted_table *format;
	const struct elf_section *section;
	const struct elf_section *companion;
	uint32_t entries;
	uint32_t unknown; /* entries that name memory whose address is not known */
};

bool sorted_section(const struct elf_section *s)
{
	size_t i;

	for (i = 0; i < HEKI_ARRAY_SIZE(tables); i++)
		if (str_equal(s->name, tables[i].name))
			return true;
	return false;
}

static int compare(const struct record *a, const struct record *b)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return 0;
}

/* End of the ascending run that starts at @from. */
static uint32_t run_end(const struct record *r, uint32_t from, uint32_t n)
{
	uint32_t i;

	for (i = from + 1; i < n && compare(&r[i - 1], &r[i]) <= 0; i++)
		;
	return i < n ? i : n;
}

static void merge(const struct record *from, struct record *to, uint32_t a, uint32_t b,
		  uint32_t end)
{
	uint32_t middle = b;
	uint32_t at;

	for (at = a; at < end; at++) {
		if (a < middle && (b >= end || compare(&from[a], &from[b]) <= 0))
			to[at] = from[a++];
		else
			to[at] = from[b++];
	}
}

/*
 * Merge the runs that are there already: the tables come nearly sorted. Returns the one of the two
 * arrays that holds the result.
 */
static struct record *sort(struct call *c, struct record *r, struct record *scratch, uint32_t n)
{
	struct record *swap;
	uint32_t start;
	uint32_t middle;
	uint32_t end;

	while (n && run_end(r, 0, n) < n) {
		for (start = 0; start < n; start = end) {
			middle = run_end(r, start, n);
			end = middle < n ? run_end(r, middle, n) : n;
			call_work(c, (uint64_t)(end - start) * WORK_ITEM / 2);
			merge(r, scratch, start, middle, end);
		}
		swap = r;
		r = scratch;
		scratch = swap;
	}
	return r;
}

static uint64_t absolute(const uint8_t *p, uint64_t va)
{
	return va + (uint64_t)(int64_t)(int32_t)get_le32(p);
}

static uint64_t bytes_value(const uint8_t *p, uint32_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static bool in_init_text(const struct expect *e, uint64_t va)
{
	return e->size[HEKI_MOD_INIT_TEXT] && va - e->base[HEKI_MOD_INIT_TEXT] <
						      e->size[HEKI_MOD_INIT_TEXT];
}

/*
 * Read entry @index from @side, the expected images or the memory. The flag that the kernel sets
 * in a jump entry follows from the entry, so the expected side computes it.
 */
static void read_entry(const struct expect *e, const struct table *t, uint8_t *const *side,
		       uint32_t index, struct record *r)
{
	const struct sorted_table *f = t->format;
	uint64_t at = t->section->offset + (uint64_t)index * f->entry;
	uint64_t va = e->base[t->section->memory] + at;
	const uint8_t *p = side[t->section->memory] + at;
	size_t i;

	memset(r, 0, sizeof(*r));
	r->index = index;
	for (i = 0; i < f->relative; i++)
		r->key[i] = absolute(p + 4 * i, va + 4 * i);
	if (f->absolute)
		r->key[i] = bytes_value(p + 4 * i, f->absolute);
	if (t->companion)
		r->key[i] = bytes_value(side[t->companion->memory] + t->companion->offset +
						(uint64_t)index * f->companion_entry,
					f->companion_entry);
	if (!f->jump_key)
		return;
	r->key[i] = get_le64(p + 8) + va + 8;
	if (side == e->image) {
		r->key[i] &= ~(uint64_t)JUMP_KEY_INIT;
		r->key[i] |= in_init_text(e, r->key[0]) ? JUMP_KEY_INIT : 0;
	}
}

static int differs(const struct expect *e, const struct table *t, const struct record *expected,
		   const struct record *found)
{
	const struct elf_section *s = t->section;
	uint32_t size = t->format->entry;
	uint64_t want = s->offset + (uint64_t)expected->index * size;
	uint64_t at = s->offset + (uint64_t)found->index * size;

	return expect_differs(e, s->memory, at, e->image[s->memory] + want,
			      e->guest[s->memory] + at, size);
}

/* Both sides are sorted: walk them together. */
static int compare_sets(const struct expect *e, const struct table *t, const struct record *image,
			const struct record *guest)
{
	uint32_t unknown = t->unknown;
	uint32_t i = 0;
	uint32_t k = 0;
	int order;

	while (k < t->entries) {
		order = i < t->entries ? compare(&image[i], &guest[k]) : 1;
		if (order < 0) {
			i++;
		} else if (!order) {
			i++;
			k++;
		} else if (unknown) {
			unknown--;
			k++;
		} else {
			return differs(e, t, &image[i < t->entries ? i : i - 1], &guest[k]);
		}
	}
	return 0;
}

static void take_over(struct expect *e, const struct elf_section *s)
{
	memcpy(e->image[s->memory] + s->offset, e->guest[s->memory] + s->offset, s->data.n);
	account_sorted(&e->account, s);
}

static bool same(const struct expect *e, const struct elf_section *s)
{
	return !memcmp(e->image[s->memory] + s->offset, e->guest[s->memory] + s->offset,
		       s->data.n);
}

#define RUNS_MAX 512u
/* Runs looked at for an entry, on average; with more than that sorting is cheaper. */
#define RUNS_AVERAGE 4u

/* A part of a file's table that ascends and has not been found in memory so far. */
struct run {
	int64_t place; /* of entry @at */
	uint32_t at;
	uint32_t end;
};

/* Bytes of a table's entry @index in an image or in memory. */
static const uint8_t *entry(const struct elf_section *s, uint8_t *const *side, uint32_t index,
			    uint32_t size)
{
	return side[s->memory] + s->offset + (uint64_t)index * size;
}

/* The address that a table is sorted by, of a relative one from where the table starts. */
static int64_t place(const struct table *t, uint8_t *const *side, uint32_t index)
{
	const uint8_t *p = entry(t->section, side, index, t->format->entry);

	if (!t->format->relative)
		return (int64_t)get_le64(p);
	return (int32_t)get_le32(p) + (int64_t)index * t->format->entry;
}

/* Cut the file's table into runs; 0 when there are too many. */
static uint32_t find_runs(const struct expect *e, const struct table *t, struct run *runs)
{
	int64_t last = place(t, e->image, 0);
	int64_t next;
	uint32_t n = 1;
	uint32_t i;

	runs[0] = (struct run){ .place = last };
	for (i = 1; i < t->entries; i++, last = next) {
		next = place(t, e->image, i);
		if (next >= last)
			continue;
		if (n == RUNS_MAX)
			return 0;
		runs[n - 1].end = i;
		runs[n++] = (struct run){ .place = next, .at = i };
	}
	runs[n - 1].end = i;
	return n;
}

/* Relative fields that mean the same address differ by the distance of the two entries. */
static bool same_entry(const struct expect *e, const struct table *t, uint32_t image,
		       uint32_t guest)
{
	const struct sorted_table *f = t->format;
	const uint8_t *a = entry(t->section, e->image, image, f->entry);
	const uint8_t *b = entry(t->section, e->guest, guest, f->entry);
	int64_t apart = ((int64_t)image - guest) * f->entry;
	uint32_t i;

	for (i = 0; i < f->relative; i++, a += 4, b += 4)
		if ((int32_t)get_le32(a) + apart != (int32_t)get_le32(b))
			return false;
	if (f->absolute && memcmp(a, b, f->absolute))
		return false;
	if (!t->companion)
		return true;
	a = entry(t->companion, e->image, image, ORC_SIZE);
	b = entry(t->companion, e->guest, guest, ORC_SIZE);
	return get_le32(a) == get_le32(b) && get_le16(a + 4) == get_le16(b + 4);
}

/* The run whose next entry is @guest; @n when there is none. */
static uint32_t find_next(const struct expect *e, const struct table *t, const struct run *runs,
			  uint32_t n, uint32_t guest)
{
	int64_t at = place(t, e->guest, guest);
	uint32_t i;

	for (i = 0; i < n; i++)
		if (runs[i].place == at && runs[i].at < runs[i].end &&
		    same_entry(e, t, runs[i].at, guest))
			break;
	return i;
}

/* Go along a run as long as memory does; returns where that ends. */
static uint32_t follow(const struct expect *e, const struct table *t, struct run *run, uint32_t k)
{
	uint32_t at = run->at;

	while (at < run->end && k < t->entries && same_entry(e, t, at, k)) {
		at++;
		k++;
	}
	run->at = at;
	if (at < run->end)
		run->place = place(t, e->image, at);
	return k;
}

/*
 * Whether memory is the runs of the file, in any order and cut anywhere. Each step uses up one entry
 * of the file, so at the end all of them have been met once.
 */
static bool follow_runs(const struct expect *e, const struct table *t, struct run *runs)
{
	uint64_t left = (uint64_t)t->entries * RUNS_AVERAGE;
	uint32_t n = find_runs(e, t, runs);
	uint32_t i;
	uint32_t k;

	call_work(e->c, (uint64_t)t->entries * WORK_ITEM / 4);
	if (!n)
		return false;
	for (k = 0; k < t->entries; k = follow(e, t, &runs[i], k)) {
		i = find_next(e, t, runs, n, k);
		if (i == n || left < n)
			return false;
		left -= n;
	}
	return true;
}

/* A jump table also holds a flag that is not in the file. */
static bool made_of_runs(const struct expect *e, const struct table *t)
{
	struct run *runs;

	if (t->format->jump_key)
		return false;
	runs = arena_array(&e->c->arena, RUNS_MAX, sizeof(*runs));
	return runs && follow_runs(e, t, runs);
}

static int compare_sorted(struct expect *e, const struct table *t)
{
	struct record *r;
	struct record *image;
	struct record *guest;
	size_t n = t->entries;
	uint32_t i;

	r = arena_array(&e->c->arena, n * 4, sizeof(*r));
	if (!r)
		return -HEKI_E_NO_MEMORY;
	for (i = 0; i < n; i++) {
		call_work(e->c, 2 * WORK_ITEM);
		read_entry(e, t, e->image, i, &r[i]);
		read_entry(e, t, e->guest, i, &r[2 * n + i]);
	}
	image = sort(e->c, r, r + n, t->entries);
	guest = sort(e->c, r + 2 * n, r + 3 * n, t->entries);
	return compare_sets(e, t, image, guest);
}

static int compare_table(struct expect *e, const struct table *t)
{
	int ret;

	if (same(e, t->section) && (!t->companion || same(e, t->companion)))
		return 0;
	ret = made_of_runs(e, t) ? 0 : compare_sorted(e, t);
	if (ret)
		return ret;
	take_over(e, t->section);
	if (t->companion)
		take_over(e, t->companion);
	return 0;
}

static bool usable(const struct expect *e, const struct elf_section *s, uint32_t entry)
{
	return s->memory < HEKI_MOD_MEM_TYPES && e->image[s->memory] && s->data.p &&
	       !(s->data.n % entry) && s->data.n / entry <= 0xffffffffu;
}

/* Look a table up; false when it is absent, not compared, or not of whole entries. */
static bool find_table(const struct expect *e, const struct sorted_table *f, struct table *t)
{
	uint32_t index = elf_find(e->elf, f->name);
	uint32_t other = f->companion ? elf_find(e->elf, f->companion) : 0;

	memset(t, 0, sizeof(*t));
	t->format = f;
	t->section = &e->elf->sections[index];
	if (!index || !usable(e, t->section, f->entry))
		return false;
	t->entries = (uint32_t)(t->section->data.n / f->entry);
	t->unknown = reloc_count_unknown(e, t->section);
	if (!f->companion)
		return t->entries;
	t->companion = &e->elf->sections[other];
	return t->entries && other && usable(e, t->companion, f->companion_entry) &&
	       t->companion->data.n / f->companion_entry == t->entries;
}

/* A static key of the module itself that init may still write: only it is both named and compared. */
static uint8_t *own_key(const struct expect *e, uint64_t va)
{
	const uint32_t type = HEKI_MOD_RO_AFTER_INIT;
	uint64_t offset = va - e->base[type];

	if (!e->image[type] || !in_bounds(offset, KEY_SIZE, e->size[type]))
		return NULL;
	return e->image[type] + offset;
}

/*
 * The kernel enters in each static key of the module its first entry of the sorted table, before
 * anybody is told that the module is coming. The low bits say how the key starts and stay.
 */
static void enter_keys(struct expect *e, const struct table *t)
{
	const struct elf_section *s = t->section;
	uint64_t last = 0;
	uint64_t key;
	uint64_t va;
	uint8_t *p;
	uint32_t i;

	for (i = 0; i < t->entries; i++) {
		va = e->base[s->memory] + s->offset + (uint64_t)i * t->format->entry;
		p = e->image[s->memory] + s->offset + (uint64_t)i * t->format->entry;
		call_work(e->c, WORK_ITEM);
		key = (get_le64(p + KEY_ENTRIES) + va + KEY_ENTRIES) & ~(uint64_t)JUMP_KEY_FLAGS;
		p = key == last ? NULL : own_key(e, key);
		last = key;
		if (!p)
			continue;
		put_le64(p + KEY_ENTRIES, (get_le64(p + KEY_ENTRIES) & JUMP_KEY_FLAGS) | va);
		e->account.bytes[HEKI_ACCOUNT_SORTED] += sizeof(va);
	}
}

int sorted_compare(struct expect *e)
{
	struct table t;
	int ret = 0;
	size_t i;

	for (i = 0; i < HEKI_ARRAY_SIZE(tables) && !ret; i++) {
		if (!find_table(e, &tables[i], &t))
			continue;
		ret = compare_table(e, &t);
		if (!ret && t.format->jump_key)
			enter_keys(e, &t);
	}
	return ret;
}
