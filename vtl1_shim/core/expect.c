// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Comparing a module's memory with its signed file.
 *
 * The expected image of each memory type is built from the file. What the kernel may have changed
 * (sorted tables, rewritten sites) is judged by value and, when legal, taken over into the image;
 * then image and memory must be equal, padding included. So there is nothing that is skipped: a
 * byte that no rule explains is a difference.
 *
 * Trust boundary: the memory is VTL0's; it is frozen and copied once before it is judged.
 * Locks: none is held while comparing.
 */
#include "expect.h"

/* Writable memory is not judged; read-only after init is, as it stands. */
static const uint32_t compared[] = { HEKI_MOD_TEXT, HEKI_MOD_RODATA, HEKI_MOD_RO_AFTER_INIT,
				     HEKI_MOD_INIT_TEXT, HEKI_MOD_INIT_RODATA };

#define DIFFERENCE_BYTES 8u

int map_read(struct call *c, const struct module_map *map, uint32_t type, uint64_t offset, void *to,
	     uint64_t n)
{
	uint8_t *p = to;
	uint64_t part;

	if (!in_bounds(offset, n, map->pages[type] << HEKI_PAGE_SHIFT))
		return refuse(c, HEKI_E_COPY_FROM_VTL0, map->va[type] + offset);
	while (n) {
		part = min_u64(n, HEKI_PAGE_SIZE - (offset & HEKI_PAGE_MASK));
		call_work(c, WORK_ITEM + WORK_COPY(part));
		if (c->core->ops->read(c->core->host, map_gpa(map, type, offset), p, part))
			return refuse(c, HEKI_E_COPY_FROM_VTL0, map_gpa(map, type, offset).v);
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

static bool is_init(uint32_t type)
{
	return type >= HEKI_MOD_INIT_TEXT;
}

/* Memory types that take exactly the pages of their sections; the others have tables behind. */
static bool check_pages(const struct expect *e, uint32_t type)
{
	uint64_t pages = page_up(e->size[type]) >> HEKI_PAGE_SHIFT;

	if (e->live && is_init(type))
		return !e->map->pages[type];
	if (type == HEKI_MOD_DATA || type == HEKI_MOD_INIT_DATA)
		return e->map->pages[type] >= pages;
	return e->map->pages[type] == pages;
}

int expect_layout(struct expect *e)
{
	uint32_t type;
	int ret;

	ret = layout_sections(e->c, e->elf, e->size);
	if (ret)
		return ret;
	for (type = 0; type < HEKI_MOD_MEM_TYPES; type++) {
		if (!check_pages(e, type)) {
			text_clear(e->c);
			text_str(e->c, "pages of memory type ");
			text_dec(e->c, type);
			text_str(e->c, ": expected for bytes ");
			text_dec(e->c, e->size[type]);
			text_str(e->c, ", found ");
			text_dec(e->c, e->map->pages[type]);
			return refuse(e->c, HEKI_E_MODULE_LAYOUT, e->map->va[type]);
		}
		e->base[type] = e->map->va[type];
		e->known[type] = e->map->pages[type] || !e->size[type];
	}
	return sites_collect(e->c, e->elf, &e->sites);
}

/* Copy the sections of a memory type to where the loader puts them. */
static void fill_image(struct expect *e, uint32_t type)
{
	uint32_t i;

	for (i = 1; i < e->elf->count; i++) {
		const struct elf_section *s = &e->elf->sections[i];

		if (s->memory != type)
			continue;
		if (s->data.p)
			call_copy(e->c, e->image[type] + s->offset, s->data.p, s->data.n);
		e->account.bytes[HEKI_ACCOUNT_ELF] += (uint32_t)s->data.n;
		if (s->flags & ELF_SHF_EXEC)
			e->text_bytes += (uint32_t)s->data.n;
	}
}

static int make_image(struct expect *e, uint32_t type)
{
	uint64_t bytes = e->map->pages[type] << HEKI_PAGE_SHIFT;

	if (!bytes)
		return 0;
	e->image[type] = arena_raw(&e->c->arena, bytes);
	e->guest[type] = arena_raw(&e->c->arena, bytes);
	if (!e->image[type] || !e->guest[type] ||
	    !account_open(e->c, &e->account, type, bytes))
		return -HEKI_E_NO_MEMORY;
	call_clear(e->c, e->image[type], bytes);
	fill_image(e, type);
	return map_read(e->c, e->map, type, 0, e->guest[type], bytes);
}

const struct elf_section *expect_section(const struct expect *e, uint32_t type, uint64_t offset)
{
	uint32_t i;

	for (i = 1; i < e->elf->count; i++) {
		const struct elf_section *s = &e->elf->sections[i];

		if (s->memory == type && offset >= s->offset && offset - s->offset < s->data.n)
			return s;
	}
	return NULL;
}

int expect_differs(const struct expect *e, uint32_t type, uint64_t offset, const uint8_t *expected,
		   const uint8_t *found, size_t n)
{
	const struct elf_section *s = expect_section(e, type, offset);
	struct call *c = e->c;

	text_clear(c);
	text_str(c, s ? s->name : "padding");
	text_str(c, "+");
	text_hex(c, s ? offset - s->offset : offset);
	text_str(c, " expected ");
	text_bytes(c, expected, n);
	text_str(c, " found ");
	text_bytes(c, found, n);
	return refuse(c, HEKI_E_MODULE_DIFFERS, e->map->va[type] + offset);
}

static int compare_bytes(const struct expect *e, uint32_t type)
{
	uint64_t bytes = e->map->pages[type] << HEKI_PAGE_SHIFT;
	const uint8_t *image = e->image[type];
	const uint8_t *guest = e->guest[type];
	uint64_t part;
	uint64_t i;

	for (i = 0; i < bytes; i += part) {
		part = min_u64(bytes - i, WORK_PART);
		call_work(e->c, part);
		if (memcmp(image + i, guest + i, part))
			break;
	}
	if (i >= bytes)
		return 0;
	for (; image[i] == guest[i]; i++)
		;
	return expect_differs(e, type, i, image + i, guest + i,
			      min_u64(bytes - i, DIFFERENCE_BYTES));
}

int expect_compare(struct expect *e)
{
	size_t i;
	int ret;

	ret = reloc_symbols(e);
	for (i = 0; i < HEKI_ARRAY_SIZE(compared) && !ret; i++)
		ret = make_image(e, compared[i]);
	if (ret)
		return ret;
	reloc_bases(e);
	ret = reloc_apply(e);
	if (!ret)
		ret = sorted_compare(e);
	if (ret)
		return ret;
	forms_compare(e);
	for (i = 0; i < HEKI_ARRAY_SIZE(compared) && !ret; i++)
		ret = compare_bytes(e, compared[i]);
	if (!ret)
		account_close(&e->account);
	return ret;
}
