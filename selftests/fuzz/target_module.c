// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module files: reader, layout, sites, relocation and accounting, then a whole VALIDATE_MODULE by
 * a host whose signatures all verify.
 *
 * Input: a number of flips, for each the memory type, an offset and the bits; then the file. The
 * module's memory gets what the core itself expects there, so that validation goes all the way,
 * and then the flips.
 */
#include "fill.h"

#define FILE_MOST (96u << 10)
#define PAGES_MOST 64

void target_seeds(void)
{
	static const char *const names[] = { "tiny.ko", "user.ko" };
	static const uint8_t flips[] = { 1, HEKI_MOD_TEXT, 5, 0, 0x40 };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++) {
		struct file f = load_file(names[i]);
		uint8_t *bytes = calloc(1, f.n + sizeof(flips));

		CHECK(bytes);
		memcpy(bytes + 1, f.p, f.n);
		seed(names[i], bytes, f.n + 1);
		memcpy(bytes, flips, sizeof(flips));
		memcpy(bytes + sizeof(flips), f.p, f.n);
		seed(i ? "user-flip" : "tiny-flip", bytes, f.n + sizeof(flips));
		free(bytes);
		drop_file(&f);
	}
}

/* Pages for each memory type, in a row in VTL0's view; false when they are too many. */
static bool place_map(struct world *w, struct call *c, const uint64_t *size, struct module_map *map)
{
	uint64_t va = MODULES_VA + 0x800000, left = PAGES_MOST;

	for (uint32_t type = 0; type < HEKI_MOD_MEM_TYPES; type++) {
		uint64_t pages = page_up(size[type]) >> HEKI_PAGE_SHIFT;

		if (type == HEKI_MOD_DATA || type == HEKI_MOD_INIT_DATA)
			pages++; /* what the kernel adds */
		if (pages > left)
			return false;
		left -= pages;
		map->va[type] = pages ? va : 0;
		map->pages[type] = pages;
		va += pages << HEKI_PAGE_SHIFT;
		map->pa[type] = arena_array(&c->arena, pages + 1, sizeof(uint64_t));
		CHECK(map->pa[type]);
		for (uint64_t i = 0; i < pages; i++) {
			map->pa[type][i] = guest_pages(w->g, 1);
			CHECK(map->pa[type][i]);
		}
	}
	return true;
}

/* Look at the file alone, build its map, and fill its memory; false when it is none. */
static bool prepare(struct world *w, struct call *c, struct span file, struct module_map *map)
{
	uint64_t size[HEKI_MOD_MEM_TYPES] = { 0 };
	struct elf elf = { 0 };
	const char *name;

	if (elf_parse(c, file, &elf) || layout_sections(c, &elf, size))
		return false;
	name = elf_modinfo(&elf, "name");
	CHECK(!name || str_length(name) < file.n);
	return place_map(w, c, size, map) && fill_expected(w, c, &elf, map);
}

static void flip(struct world *w, const struct module_map *map, struct span flips)
{
	for (size_t i = 0; i + 4 <= flips.n; i += 4) {
		uint32_t type = flips.p[i] % HEKI_MOD_MEM_TYPES;
		uint64_t offset = get_le16(flips.p + i + 1);

		if (offset < map->pages[type] << HEKI_PAGE_SHIFT)
			*(uint8_t *)guest_at(w->g, map_gpa(map, type, offset).v) ^= flips.p[i + 3];
	}
}

static void validate_it(struct world *w, const struct module_map *map, struct span file)
{
	struct ranges list = { 0 };
	int token;

	for (uint32_t type = 0; type < HEKI_MOD_MEM_TYPES; type++)
		for (uint64_t i = 0; i < map->pages[type]; i++)
			add_range(&list, map->va[type] + i * HEKI_PAGE_SIZE, map->pa[type][i],
				  HEKI_PAGE_SIZE, type);
	fill_add_file(w, &list, file);
	token = world_ranges(w, HEKI_CALL_VALIDATE_MODULE, &list, 0);
	if (token > 0) {
		CHECK_OK(world_call(w, HEKI_CALL_FREE_MODULE_INIT, (uint64_t)token, 0, 0));
		CHECK_OK(world_call(w, HEKI_CALL_UNLOAD_MODULE, (uint64_t)token, 0, 0));
		CHECK_EQUAL(w->g->core->modules_budget.used, 0);
	}
	drop_ranges(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_get(size & 1 ? HEKI_GRADE_ENFORCE : HEKI_GRADE_AUDIT, true);
	struct input in = { data, size };
	struct span flips = input_bytes(&in, (input_u8(&in) & 15) * 4u);
	struct call c = world_begin(w);
	struct module_map map = { 0 };
	struct span file;

	if (!in.n || in.n > FILE_MOST) {
		world_end(w, &c);
		return 0;
	}
	file = (struct span){ malloc(in.n), in.n };
	CHECK(file.p);
	memcpy((void *)file.p, in.p, in.n);
	world_trust_all(w);
	if (prepare(w, &c, file, &map)) {
		struct module_map kept = map;

		for (uint32_t type = 0; type < HEKI_MOD_MEM_TYPES; type++) {
			kept.pa[type] = calloc(map.pages[type] + 1, sizeof(uint64_t));
			CHECK(kept.pa[type]);
			memcpy(kept.pa[type], map.pa[type], map.pages[type] * sizeof(uint64_t));
		}
		world_end(w, &c); /* the call gives its scratch memory back first */
		flip(w, &kept, flips);
		validate_it(w, &kept, file);
		for (uint32_t type = 0; type < HEKI_MOD_MEM_TYPES; type++)
			free(kept.pa[type]);
	} else {
		world_end(w, &c);
	}
	free((void *)file.p);
	return 0;
}
