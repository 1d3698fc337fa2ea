// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The memory of a module: from VTL0's ranges to pages by memory type.
 *
 * Trust boundary: the ranges are VTL0's, copied and checked to be RAM. That no page belongs to
 * anybody else, or to this module twice, is found when they are claimed.
 * Locks: those of the frames.
 */
#include "validate.h"

/* Modules lie in the top 2 GiB: relocations of 32 bits reach no further. */
#define MODULES_START 0xffffffff80000000ull

static const uint32_t attributes[HEKI_MOD_MEM_TYPES] = {
	[HEKI_MOD_TEXT] = HEKI_ATTR_READ | HEKI_ATTR_EXEC,
	[HEKI_MOD_DATA] = HEKI_ATTR_READ | HEKI_ATTR_WRITE,
	[HEKI_MOD_RODATA] = HEKI_ATTR_READ,
	[HEKI_MOD_RO_AFTER_INIT] = HEKI_ATTR_READ | HEKI_ATTR_WRITE,
	[HEKI_MOD_INIT_TEXT] = HEKI_ATTR_READ | HEKI_ATTR_EXEC,
	[HEKI_MOD_INIT_DATA] = HEKI_ATTR_READ | HEKI_ATTR_WRITE,
	[HEKI_MOD_INIT_RODATA] = HEKI_ATTR_READ,
};

/* Check a range of a memory type and count its pages. */
static int add_range(struct call *c, struct module_map *map, const struct heki_range *r)
{
	uint32_t type = (uint32_t)r->attributes;
	uint64_t end = map->va[type] + (map->pages[type] << HEKI_PAGE_SHIFT);

	if (!page_aligned(r->va) || !page_aligned(r->pa) || !page_aligned(r->epa))
		return refuse(c, HEKI_E_NOT_ALIGNED, r->pa);
	if (r->epa == r->pa)
		return refuse(c, HEKI_E_RANGE, r->pa);
	if (r->va < MODULES_START || r->epa - r->pa >= 0 - r->va)
		return refuse(c, HEKI_E_VIRT_ADDRESS, r->va);
	if (map->pages[type] && r->va != end)
		return refuse(c, HEKI_E_DISCONTIGUOUS, r->va);
	if (!map->pages[type])
		map->va[type] = r->va;
	map->pages[type] += (r->epa - r->pa) >> HEKI_PAGE_SHIFT;
	if (map->pages[type] > LAYOUT_MAX >> HEKI_PAGE_SHIFT)
		return refuse(c, HEKI_E_MODULE_LAYOUT, r->va);
	return 0;
}

static bool is_memory(const struct heki_range *r)
{
	return r->attributes < HEKI_MOD_MEM_TYPES;
}

static int check_ranges(struct validation *v)
{
	const struct heki_range *r = v->ranges.r;
	int ret = 0;
	uint32_t i;

	for (i = 0; i < v->ranges.n && !ret; i++, r++) {
		call_work(v->c, WORK_ITEM);
		if (is_memory(r))
			ret = add_range(v->c, &v->map, r);
		else if (r->attributes != HEKI_MOD_ELF_BUFFER &&
			 r->attributes != HEKI_MOD_PATCH && r->attributes != HEKI_MOD_INFO)
			ret = refuse(v->c, HEKI_E_MODULE_MEMORY_TYPE, r->attributes);
	}
	return ret;
}

static int list_pages(struct validation *v)
{
	struct module_map *map = &v->map;
	uint64_t next[HEKI_MOD_MEM_TYPES] = { 0 };
	const struct heki_range *r = v->ranges.r;
	uint64_t pa;
	uint32_t i;

	for (i = 0; i < HEKI_MOD_MEM_TYPES; i++) {
		if (!map->pages[i])
			continue;
		map->pa[i] = arena_raw(&v->c->arena, map->pages[i] * sizeof(*map->pa[i]));
		if (!map->pa[i])
			return -HEKI_E_NO_MEMORY;
	}
	for (i = 0; i < v->ranges.n; i++, r++) {
		call_work(v->c, WORK_ITEM + ((r->epa - r->pa) >> HEKI_PAGE_SHIFT));
		if (!is_memory(r))
			continue;
		for (pa = r->pa; pa < r->epa; pa += HEKI_PAGE_SIZE)
			map->pa[r->attributes][next[r->attributes]++] = pa;
	}
	return 0;
}

static bool types_overlap(const struct module_map *map, uint32_t a, uint32_t b)
{
	return map->pages[a] && map->pages[b] &&
	       map->va[a] < map->va[b] + (map->pages[b] << HEKI_PAGE_SHIFT) &&
	       map->va[b] < map->va[a] + (map->pages[a] << HEKI_PAGE_SHIFT);
}

static int check_overlaps(struct validation *v)
{
	uint32_t a;
	uint32_t b;

	for (a = 0; a < HEKI_MOD_MEM_TYPES; a++)
		for (b = a + 1; b < HEKI_MOD_MEM_TYPES; b++)
			if (types_overlap(&v->map, a, b))
				return refuse(v->c, HEKI_E_OVERLAP, v->map.va[b]);
	return 0;
}

static int read_info(struct validation *v)
{
	struct span bytes;
	int ret;

	ret = ranges_bytes(v->c, &v->ranges, HEKI_MOD_INFO, sizeof(v->info), HEKI_E_PARAMETER,
			   &bytes);
	if (ret || !bytes.n)
		return ret;
	if (bytes.n != sizeof(v->info))
		return refuse(v->c, HEKI_E_PARAMETER, bytes.n);
	memcpy(&v->info, bytes.p, sizeof(v->info));
	if (v->info.name[HEKI_MODULE_NAME_LEN - 1])
		return refuse(v->c, HEKI_E_PARAMETER, 0);
	v->has_info = true;
	return 0;
}

int map_build(struct validation *v)
{
	int ret;

	ret = check_ranges(v);
	if (!ret)
		ret = list_pages(v);
	if (!ret)
		ret = check_overlaps(v);
	if (!ret)
		ret = read_info(v);
	return ret;
}

bool map_find(const struct module_map *map, uint64_t va, uint32_t *type, uint64_t *offset)
{
	uint32_t i;

	for (i = 0; i < HEKI_MOD_MEM_TYPES; i++) {
		if (va < map->va[i] || va - map->va[i] >= map->pages[i] << HEKI_PAGE_SHIFT)
			continue;
		*type = i;
		*offset = va - map->va[i];
		return true;
	}
	return false;
}

/* What read-only after init may do is decided by whether init is over. */
static uint32_t access(const struct validation *v, uint32_t type)
{
	if (type == HEKI_MOD_RO_AFTER_INIT && (v->flags & HEKI_MODULE_LIVE))
		return HEKI_ATTR_READ;
	return attributes[type];
}

static int claim_type(struct validation *v, uint32_t type)
{
	const uint64_t *pa = v->map.pa[type];
	uint64_t n = v->map.pages[type];
	uint64_t run;
	uint64_t i;
	int ret;

	for (i = 0; i < n; i += run) {
		for (run = 1; i + run < n && pa[i + run] == pa[i] + (run << HEKI_PAGE_SHIFT); run++)
			;
		ret = frames_claim(v->c, &v->module->frames, v->token, gpa(pa[i]), run,
				   access(v, type), (uint8_t)type);
		if (ret)
			return refuse(v->c, -ret, pa[i]);
	}
	return 0;
}

int map_claim(struct validation *v)
{
	uint32_t type;
	int ret = 0;

	for (type = 0; type < HEKI_MOD_MEM_TYPES && !ret; type++)
		ret = claim_type(v, type);
	return ret;
}
