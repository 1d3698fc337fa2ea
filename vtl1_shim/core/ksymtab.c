// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The kernel's symbol tables: KERNEL_INFO says where they lie, KERNEL_DATA brings the bytes.
 *
 * Trust boundary: every offset is VTL0's and may lead anywhere; it is followed only inside the
 * copy. Locks: none of its own.
 */
#include "kdata.h"

/* Read-only data of a kernel is 10 MiB or a little more. */
#define KERNEL_DATA_MAX (64u << 20)
/* struct heki_kernel_info and what a sender may have behind it. */
#define KERNEL_INFO_MAX (64u << 10)

/* A run of virtual addresses of which there is a copy. */
struct area {
	uint64_t va;
	const uint8_t *p;
	uint64_t n;
};

struct areas {
	struct area *a; /* ascending by va, not overlapping */
	uint32_t n;
};

static const struct area *area_find(const struct areas *all, uint64_t va)
{
	uint32_t low = 0;
	uint32_t high = all->n;
	uint32_t mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (va < all->a[mid].va)
			high = mid;
		else if (va - all->a[mid].va >= all->a[mid].n)
			low = mid + 1;
		else
			return &all->a[mid];
	}
	return NULL;
}

/* KERNEL_DATA ranges by va: cut at pages by the sender, put together again here. */
static int pick_ranges(struct call *c, const struct range_list *list, struct range_list *data,
		       uint64_t *total)
{
	const struct heki_range *r;
	uint32_t i;

	*total = 0;
	data->n = 0;
	data->r = arena_array(&c->arena, list->n, sizeof(*data->r));
	if (!data->r)
		return -HEKI_E_NO_MEMORY;
	for (i = 0; i < list->n; i++) {
		r = &list->r[i];
		if (r->attributes != HEKI_KDATA_KERNEL_DATA || r->pa == r->epa)
			continue;
		if (r->epa - r->pa > KERNEL_DATA_MAX - *total)
			return refuse(c, HEKI_E_NO_MEMORY, r->va);
		*total += r->epa - r->pa;
		data->r[data->n++] = *r;
	}
	ranges_sort_va(c, data);
	return 0;
}

static int copy_area(struct call *c, struct areas *all, const struct heki_range *r, uint8_t *to)
{
	struct area *last = all->n ? &all->a[all->n - 1] : NULL;
	uint64_t n = r->epa - r->pa;
	int rc;

	if (last && r->va < last->va + last->n)
		return refuse(c, HEKI_E_OVERLAP, r->va);
	rc = ranges_copy_bytes(c, r, to);
	if (rc)
		return rc;
	/* Copies follow each other in memory, so neighbours become one area. */
	if (last && r->va == last->va + last->n)
		last->n += n;
	else
		all->a[all->n++] = (struct area){ r->va, to, n };
	return 0;
}

static int copy_data(struct call *c, const struct range_list *list, struct areas *all)
{
	struct range_list data;
	uint64_t total;
	uint8_t *p;
	uint32_t i;
	int rc;

	all->n = 0;
	rc = pick_ranges(c, list, &data, &total);
	if (rc || !total)
		return rc;
	p = arena_raw(&c->arena, total);
	all->a = arena_array(&c->arena, data.n, sizeof(*all->a));
	if (!p || !all->a)
		return -HEKI_E_NO_MEMORY;
	for (i = 0; i < data.n; i++) {
		rc = copy_area(c, all, &data.r[i], p);
		if (rc)
			return rc;
		p += data.r[i].epa - data.r[i].pa;
	}
	return 0;
}

static uint64_t relative(uint64_t va, const uint8_t *field)
{
	return va + (uint64_t)(int64_t)(int32_t)get_le32(field);
}

static int symbol_name(struct call *c, const struct areas *all, uint64_t va, struct span *name)
{
	const struct area *a = area_find(all, va);
	uint64_t room;
	size_t n = 0;

	if (!a)
		return refuse(c, HEKI_E_SYMBOL_NAME_BOUNDS, va);
	room = min_u64(a->n - (va - a->va), HEKI_SYMBOL_NAME_MAX);
	name->p = a->p + (va - a->va);
	while (n < room && name->p[n])
		n++;
	name->n = n;
	if (n == HEKI_SYMBOL_NAME_MAX)
		return refuse(c, HEKI_E_SYMBOL_NAME_LENGTH, va);
	if (n == room)
		return refuse(c, HEKI_E_SYMBOL_NAME_NUL, va);
	if (!n)
		return refuse(c, HEKI_E_SYMBOL, va);
	if (!utf8_valid(name->p, n))
		return refuse(c, HEKI_E_SYMBOL_NAME_UTF8, va);
	return 0;
}

static int add_symbol(struct call *c, struct kdata *k, const struct areas *all, uint64_t va,
		      const uint8_t *entry, bool gpl)
{
	const size_t value_at = offsetof(struct heki_kernel_symbol, value_offset);
	const size_t name_at = offsetof(struct heki_kernel_symbol, name_offset);
	struct symbol symbol = {
		.value = relative(va + value_at, entry + value_at),
		.owner = HEKI_OWNER_KERNEL,
		.gpl = gpl,
	};
	struct span name;
	int rc;

	rc = symbol_name(c, all, relative(va + name_at, entry + name_at), &name);
	if (rc)
		return rc;
	rc = symbols_add(c->core, &k->symbols, (const char *)name.p, name.n, &symbol);
	return rc ? refuse(c, (enum heki_error)-rc, va) : 0;
}

static int add_table(struct call *c, struct kdata *k, const struct areas *all, uint64_t start,
		     uint64_t end, bool gpl)
{
	const size_t size = sizeof(struct heki_kernel_symbol);
	const struct area *a = area_find(all, start);
	const uint8_t *p;
	uint64_t i;
	int rc;

	if (end <= start || (end - start) % size)
		return refuse(c, HEKI_E_SYMBOL_TABLE_LENGTH, start);
	if (!a || !in_bounds(start - a->va, end - start, a->n))
		return refuse(c, HEKI_E_SYMBOL_TABLE_RANGE, start);
	p = a->p + (start - a->va);
	for (i = 0; i < end - start; i += size) {
		call_work(c, 2 * WORK_LOOKUP);
		rc = add_symbol(c, k, all, start + i, p + i, gpl);
		if (rc)
			return rc;
	}
	*(gpl ? &k->gpl : &k->plain) = (uint32_t)((end - start) / size);
	return 0;
}

static int add_tables(struct call *c, struct kdata *k, const struct heki_kernel_info *info)
{
	struct areas all = { 0 };
	int rc;

	rc = copy_data(c, &k->list, &all);
	if (rc)
		return rc;
	if (!all.n)
		return refuse(c, HEKI_E_NO_SYMBOL_TABLE, 0);
	rc = add_table(c, k, &all, info->ksymtab_start, info->ksymtab_end, false);
	if (rc)
		return rc;
	return add_table(c, k, &all, info->ksymtab_gpl_start, info->ksymtab_gpl_end, true);
}

/* Does the call speak of symbols at all? */
static bool wanted(const struct range_list *list)
{
	uint32_t i;

	for (i = 0; i < list->n; i++)
		if (list->r[i].attributes == HEKI_KDATA_KERNEL_INFO ||
		    list->r[i].attributes == HEKI_KDATA_KERNEL_DATA)
			return true;
	return false;
}

int kdata_symbols(struct call *c, struct kdata *k)
{
	struct heki_kernel_info info;
	struct span bytes;
	int rc;

	if (!wanted(&k->list))
		return 0;
	if (c->core->symbols_set)
		return refuse(c, HEKI_E_ALREADY_LOADED, HEKI_KDATA_KERNEL_INFO);
	rc = ranges_bytes(c, &k->list, HEKI_KDATA_KERNEL_INFO, KERNEL_INFO_MAX,
			  HEKI_E_SYMBOL_TABLE_RANGE, &bytes);
	if (rc)
		return rc;
	if (!bytes.n)
		return refuse(c, HEKI_E_NO_SYMBOL_TABLE, 0);
	if (bytes.n < sizeof(info))
		return refuse(c, HEKI_E_BUFFER_TOO_SMALL, bytes.n);
	memcpy(&info, bytes.p, sizeof(info));
	return add_tables(c, k, &info);
}
