// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module memory as the core itself expects it. One thread.
 */
#include "fill.h"

/* Write what the core expects of the module where VTL0 would have loaded it. */
static void fill(struct world *w, const struct expect *e)
{
	for (uint32_t type = 0; type < HEKI_MOD_MEM_TYPES; type++)
		for (uint64_t i = 0; e->image[type] && i < e->map->pages[type]; i++)
			memcpy(guest_at(w->g, e->map->pa[type][i]),
			       e->image[type] + i * HEKI_PAGE_SIZE, HEKI_PAGE_SIZE);
}

static void check_sites(const struct expect *e)
{
	for (uint32_t i = 0; i < e->sites.n; i++) {
		const struct site *s = &e->sites.s[i];

		CHECK(s->section < e->elf->count && s->kind < SITE_KIND_COUNT);
		CHECK(in_bounds(s->offset, s->length, e->elf->sections[s->section].data.n));
	}
}

bool fill_expected(struct world *w, struct call *c, struct elf *elf, const struct module_map *map)
{
	struct expect e = { .c = c, .elf = elf, .map = map };

	if (expect_layout(&e))
		return false;
	check_sites(&e);
	expect_compare(&e);
	fill(w, &e);
	expect_compare(&e);
	return true;
}

void fill_add_file(struct world *w, struct ranges *list, struct span file)
{
	const struct file *donor = &w->m[0].file;
	struct span content, cms;
	struct call c = world_begin(w);
	size_t rest;
	uint8_t *bytes;

	CHECK_OK(signature_split(&c, (struct span){ donor->p, donor->n }, &content, &cms));
	rest = donor->n - content.n;
	bytes = malloc(file.n + rest);
	CHECK(bytes);
	memcpy(bytes, file.p, file.n);
	memcpy(bytes + file.n, donor->p + content.n, rest);
	add_range(list, 0xffffc90000000000, put_bytes(w->g, bytes, file.n + rest), file.n + rest,
		  HEKI_MOD_ELF_BUFFER);
	free(bytes);
}
