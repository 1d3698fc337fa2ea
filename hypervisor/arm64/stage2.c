// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 tables of 39 bits, from one level-1 table: entries of 1 GiB, 2 MiB and 4 KiB.
 *
 * Trust boundary: a guest's accesses are judged by what stands here; addresses that come from a guest
 * have been compared with its memory by the caller. Locks: s2->lock around all changes and whatever
 * judges a fault; none for stage2_close().
 *
 * A change works in two passes: the first only splits entries and makes tables, which changes nothing
 * of what is mapped and may fail; the second writes entries and cannot.  An entry whose kind or size
 * changes is broken before it is made: invalid, out of all TLBs, then new.
 */
#include "console.h"
#include "encoding.h"
#include "stage2.h"

#define ENTRIES 512u
#define LEVELS 3u

enum operation {
	MAP,
	PROTECT,
	TAKE,
	UNMAP,
};

struct change {
	struct stage2 *s2;
	enum operation operation;
	enum stage2_kind kind;
	uint32_t rights;
	bool prepare; /* the first pass */
	bool lost; /* something that was mapped is to leave the TLBs */
};

/* --- entries --- */

static uint64_t level_size(uint32_t level)
{
	return 1ull << (PAGE_SHIFT + 9 * (LEVELS - level));
}

static bool is_table(uint64_t entry, uint32_t level)
{
	return level < LEVELS && (entry & (S2_VALID | S2_TABLE)) == (S2_VALID | S2_TABLE);
}

static uint64_t execute_bits(const struct stage2 *s2, uint32_t rights)
{
	uint64_t xn;

	switch (rights & STAGE2_EXECUTE) {
	case STAGE2_EXECUTE:
		xn = S2_XN_NONE;
		break;
	case STAGE2_KERNEL_EXECUTE:
		xn = S2_XN_USER;
		break;
	case STAGE2_USER_EXECUTE:
		xn = S2_XN_KERNEL;
		break;
	default:
		xn = S2_XN_ALL;
		break;
	}
	/* Without FEAT_XNX the lower of the two bits is reserved, and here always clear. */
	return (s2->xnx ? xn : xn & S2_XN_ALL) << S2_XN_SHIFT;
}

static uint32_t entry_rights(uint64_t entry)
{
	static const uint32_t execute[] = { STAGE2_EXECUTE, STAGE2_USER_EXECUTE, 0,
					    STAGE2_KERNEL_EXECUTE };

	if (!(entry & S2_VALID))
		return 0;
	return (entry & S2_AP_READ ? STAGE2_READ : 0) | (entry & S2_AP_WRITE ? STAGE2_WRITE : 0) |
	       execute[entry >> S2_XN_SHIFT & 3];
}

static bool is_device(uint64_t entry)
{
	return (entry & S2_MEMATTR_MASK) == S2_MEMATTR_DEVICE;
}

static uint64_t make_entry(const struct change *c, uint64_t address, uint32_t level, uint64_t old)
{
	uint64_t kind = c->kind == STAGE2_DEVICE ? S2_MEMATTR_DEVICE :
						   S2_MEMATTR_NORMAL | S2_SH_INNER;
	uint32_t rights = c->operation == TAKE ? c->rights & entry_rights(old) : c->rights;

	if (c->operation == UNMAP)
		return 0;
	if (c->operation != MAP)
		kind = old & (S2_MEMATTR_MASK | S2_SH_INNER);
	return address | S2_VALID | (level == LEVELS ? S2_TABLE : 0) | kind | S2_AF |
	       (rights & STAGE2_READ ? S2_AP_READ : 0) |
	       (rights & STAGE2_WRITE ? S2_AP_WRITE : 0) | execute_bits(c->s2, rights);
}

static uint64_t *table_at(uint64_t entry)
{
	return (uint64_t *)(entry & S2_ADDRESS);
}

static uint64_t *slot(uint64_t *table, uint64_t address, uint32_t level)
{
	return &table[address >> (PAGE_SHIFT + 9 * (LEVELS - level)) & (ENTRIES - 1)];
}

/* --- changes --- */

static void break_entry(uint64_t *entry, uint64_t address)
{
	store_release(*entry, 0ull);
	stage2_flush_entry(address);
}

/* A table that says what the larger entry said, or an empty one; false without memory. */
static bool split(struct stage2 *s2, uint64_t *entry, uint64_t address, uint32_t level)
{
	uint64_t page = pool_get(s2->pool);
	uint64_t step = level_size(level + 1);
	uint64_t one = *entry | (level + 1 == LEVELS ? S2_TABLE : 0);
	uint64_t *table = (uint64_t *)page;

	if (!page)
		return false;
	for (uint32_t i = 0; *entry & S2_VALID && i < ENTRIES; i++)
		table[i] = one + i * step;
	stage2_publish();
	if (*entry & S2_VALID)
		break_entry(entry, address);
	store_release(*entry, page | S2_VALID | S2_TABLE);
	stage2_publish();
	return true;
}

static void write_entry(struct change *c, uint64_t *entry, uint64_t address, uint32_t level)
{
	uint64_t old = *entry;
	uint64_t new = make_entry(c, address, level, old);

	if (new == old)
		return;
	if (old & S2_VALID && new & S2_VALID && is_device(old) != is_device(new))
		break_entry(entry, address);
	else
		c->lost |= old & S2_VALID;
	store_release(*entry, new);
}

/*
 * One step: at @at, of which @rest bytes are to change, the entry of a level that fits. How many bytes
 * that were; 0 without memory.
 */
static uint64_t step(struct change *c, uint64_t at, uint64_t rest)
{
	uint64_t *table = (uint64_t *)c->s2->root;

	for (uint32_t level = 1;; level++) {
		uint64_t *entry = slot(table, at, level);
		uint64_t size = level_size(level);
		uint64_t left = size - (at & (size - 1));

		if (!is_table(*entry, level)) {
			if (!(*entry & S2_VALID) && c->operation != MAP)
				return min_u64(left, rest);
			if (left == size && rest >= size) {
				if (!c->prepare)
					write_entry(c, entry, at, level);
				return size;
			}
			if (!split(c->s2, entry, at, level))
				return 0;
		}
		table = table_at(*entry);
	}
}

static bool walk(struct change *c, uint64_t start, uint64_t size)
{
	for (uint64_t done = 0, n; done < size; done += n) {
		n = step(c, start + done, size - done);
		if (!n)
			return false;
	}
	return true;
}

/* The smallest entry that an address has, and its level. */
static uint64_t find(const struct stage2 *s2, uint64_t address, uint32_t *level)
{
	uint64_t *table = (uint64_t *)s2->root;

	for (*level = 1;; ++*level) {
		uint64_t entry = *slot(table, address, *level);

		if (!is_table(entry, *level))
			return entry;
		table = table_at(entry);
	}
}

static bool all_mapped(const struct stage2 *s2, uint64_t start, uint64_t size, bool executable)
{
	uint32_t level;

	for (uint64_t at = start; at < start + size;
	     at = align_down(at, level_size(level)) + level_size(level)) {
		uint64_t entry = find(s2, at, &level);

		if (!(entry & S2_VALID) || (executable && is_device(entry)))
			return false;
	}
	return true;
}

static bool good_range(uint64_t start, uint64_t size)
{
	return size && !((start | size) & ~PAGE_MASK) && start < STAGE2_LIMIT &&
	       size <= STAGE2_LIMIT - start;
}

static bool good_rights(const struct stage2 *s2, enum stage2_kind kind, uint32_t rights)
{
	uint32_t execute = rights & STAGE2_EXECUTE;

	if (rights & ~STAGE2_RIGHTS || !(rights & STAGE2_READ))
		return false;
	if (kind == STAGE2_DEVICE && execute)
		return false;
	return !execute || execute == STAGE2_EXECUTE || s2->xnx;
}

static enum stage2_error apply(struct change *c, uint64_t start, uint64_t size)
{
	enum stage2_error error = STAGE2_GOOD;

	if (!good_range(start, size))
		return STAGE2_RANGE;
	if (c->operation != UNMAP && !good_rights(c->s2, c->kind, c->rights))
		return STAGE2_ACCESS;
	lock(&c->s2->lock);
	c->prepare = true;
	if ((c->operation == PROTECT || c->operation == TAKE) &&
	    !all_mapped(c->s2, start, size, c->operation == PROTECT && c->rights & STAGE2_EXECUTE)) {
		error = STAGE2_UNMAPPED;
	} else if (!walk(c, start, size)) {
		error = STAGE2_NO_MEMORY;
	} else {
		c->prepare = false;
		walk(c, start, size);
		stage2_publish();
		if (c->lost)
			stage2_flush(start, size);
	}
	unlock(&c->s2->lock);
	return error;
}

enum stage2_error stage2_init(struct stage2 *s2, struct pool *pool, bool xnx)
{
	*s2 = (struct stage2){ .pool = pool, .root = pool_get(pool), .xnx = xnx };
	return s2->root ? STAGE2_GOOD : STAGE2_NO_MEMORY;
}

enum stage2_error stage2_map(struct stage2 *s2, uint64_t start, uint64_t size,
			     enum stage2_kind kind, uint32_t rights)
{
	struct change c = { .s2 = s2, .operation = MAP, .kind = kind, .rights = rights };

	return apply(&c, start, size);
}

enum stage2_error stage2_protect(struct stage2 *s2, uint64_t start, uint64_t size, uint32_t rights)
{
	struct change c = { .s2 = s2, .operation = PROTECT, .rights = rights };

	return apply(&c, start, size);
}

enum stage2_error stage2_take(struct stage2 *s2, uint64_t start, uint64_t size, uint32_t rights)
{
	struct change c = { .s2 = s2, .operation = TAKE, .rights = rights };

	return apply(&c, start, size);
}

enum stage2_error stage2_unmap(struct stage2 *s2, uint64_t start, uint64_t size)
{
	struct change c = { .s2 = s2, .operation = UNMAP };

	return apply(&c, start, size);
}

void stage2_close(struct stage2 *s2, uint64_t address)
{
	store_full(*slot((uint64_t *)s2->root, address, 1), 0ull);
	stage2_flush(align_down(address, level_size(1)), level_size(1));
}

bool stage2_allows(struct stage2 *s2, uint64_t address, uint32_t rights)
{
	uint32_t level;
	uint32_t has;

	if (address >= STAGE2_LIMIT)
		return false;
	lock(&s2->lock);
	has = entry_rights(find(s2, address, &level));
	unlock(&s2->lock);
	return (has & rights) == rights;
}

/* --- the dump --- */

struct run {
	uint64_t start;
	uint64_t end;
	uint64_t bits; /* what is the same in all entries */
	uint32_t level;
};

static void print_run(const struct run *r)
{
	static const char *const sizes[] = { "", "1 GiB", "2 MiB", "4 KiB" };
	uint32_t rights = entry_rights(r->bits);

	if (r->bits & S2_VALID)
		console_print("stage2 0x%lx-0x%lx %s %s%s%s%s %s", r->start, r->end,
			      is_device(r->bits) ? "device" : "normal",
			      rights & STAGE2_READ ? "r" : "-", rights & STAGE2_WRITE ? "w" : "-",
			      rights & STAGE2_KERNEL_EXECUTE ? "k" : "-",
			      rights & STAGE2_USER_EXECUTE ? "u" : "-", sizes[r->level]);
}

void stage2_dump(struct stage2 *s2)
{
	struct run r = { .level = 1 };
	uint64_t size;

	lock(&s2->lock);
	for (uint64_t at = 0; at < STAGE2_LIMIT; at += size) {
		uint32_t level;
		uint64_t bits = find(s2, at, &level) & ~S2_ADDRESS;

		size = level_size(level);
		if (bits != r.bits || (bits && level != r.level)) {
			print_run(&r);
			r = (struct run){ .start = at, .bits = bits, .level = level };
		}
		r.end = at + size;
	}
	print_run(&r);
	unlock(&s2->lock);
}
