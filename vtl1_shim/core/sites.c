// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Sites that a kernel rewrites.
 *
 * Trust boundary: the tables are those of a signed file; each entry is checked against the sections
 * all the same, so that a site lies inside executable contents. Locks: none.
 */
#include "sites.h"

#define R_64 1
#define R_PC32 2
#define R_PC64 24

/* A field of an entry that a relocation fills in; type 0: no such field. */
struct field {
	uint8_t offset;
	uint8_t type;
};

/*
 * How the entries of a table look: where it says which place, which other place (a jump's target,
 * a replacement), which key (its low bits are flags).
 */
struct format {
	uint8_t entry; /* bytes; 0: as the relocations show */
	struct field place;
	struct field other;
	struct field key;
};

static const struct format formats[SITE_KIND_COUNT] = {
	[SITE_ALTERNATIVE] = { .entry = 0, .place = { 0, R_PC32 }, .other = { 4, R_PC32 } },
	[SITE_PARAVIRT] = { .entry = 16, .place = { 0, R_64 } },
	[SITE_RETPOLINE] = { .entry = 4, .place = { 0, R_PC32 } },
	[SITE_RETURN] = { .entry = 4, .place = { 0, R_PC32 } },
	[SITE_CALL] = { .entry = 4, .place = { 0, R_PC32 } },
	[SITE_ENDBR] = { .entry = 4, .place = { 0, R_PC32 } },
	[SITE_SMP_LOCK] = { .entry = 4, .place = { 0, R_PC32 } },
	[SITE_MCOUNT] = { .entry = 8, .place = { 0, R_64 } },
	[SITE_STATIC_CALL] = { .entry = 8, .place = { 0, R_PC32 }, .key = { 4, R_PC32 } },
	[SITE_JUMP_LABEL] = { .entry = 16, .place = { 0, R_PC32 }, .other = { 4, R_PC32 },
			      .key = { 8, R_PC64 } },
};

#define STATIC_CALL_TAIL 1u /* flag in the key of a static call */

static const char *const tables[SITE_KIND_COUNT] = {
#define SITE_TABLE(name, table) [SITE_##name] = table,
	SITE_KINDS(SITE_TABLE)
#undef SITE_TABLE
};

const char *site_table(enum site_kind kind)
{
	return tables[kind];
}

static int bad_entry(struct call *c, enum site_kind kind, uint64_t at)
{
	text_clear(c);
	text_str(c, tables[kind]);
	text_str(c, ": bad entry");
	return refuse(c, HEKI_E_ELF_FORMAT, at);
}

static unsigned int fields(const struct format *f)
{
	return 1u + !!f->other.type + !!f->key.type;
}

/*
 * Bytes of an entry. For alternatives: 12 until Linux 6.2, 14 since. Every entry has two
 * relocations, so the number of entries is known; that each entry has exactly its own two, at the
 * right offsets, is checked when they are read.
 */
static uint32_t entry_size(const struct elf *elf, const struct elf_section *table,
			   const struct format *f)
{
	uint32_t relas = elf_relas(elf, table);
	uint32_t entries = relas / fields(f);
	uint64_t size = f->entry;

	if (relas % fields(f) || !entries || !table->data.p || table->data.n % entries)
		return 0;
	if (!f->entry)
		size = table->data.n / entries;
	if (size * entries != table->data.n || (!f->entry && size != 12 && size != 14))
		return 0;
	return (uint32_t)size;
}

/* Bytes that a rewriting may change, told by what stands there in the file. 0: not recognised. */
static uint8_t branch_length(const uint8_t *p, size_t left)
{
	uint8_t prefix = left && p[0] == 0x2e;

	p += prefix;
	left -= prefix;
	if (left >= 5 && (p[0] == 0xe8 || p[0] == 0xe9))
		return (uint8_t)(5 + prefix);
	if (left >= 6 && p[0] == 0x0f && (p[1] & 0xf0) == 0x80)
		return (uint8_t)(6 + prefix);
	return 0;
}

static uint8_t jump_label_length(const uint8_t *p, size_t left)
{
	if (left && (p[0] == 0xe9 || p[0] == 0x0f))
		return 5;
	return left && (p[0] == 0xeb || p[0] == 0x66) ? 2 : 0;
}

static uint8_t site_length(const struct site *s, const struct site_list *sites,
			   const struct elf_section *table, const struct elf_section *section)
{
	const uint8_t *p = section->data.p + s->offset;
	size_t left = section->data.n - s->offset;

	switch (s->kind) {
	case SITE_ALTERNATIVE:
		return table->data.p[(size_t)(s->entry + 1) * sites->alt_entry - 2];
	case SITE_PARAVIRT:
		return table->data.p[(size_t)s->entry * 16 + 9];
	case SITE_RETPOLINE:
	case SITE_STATIC_CALL:
		return branch_length(p, left);
	case SITE_JUMP_LABEL:
		return jump_label_length(p, left);
	case SITE_ENDBR:
		return 4;
	case SITE_SMP_LOCK:
		return 1;
	default:
		return 5;
	}
}

/* Place in the module that a relocation names: false when it is not inside a loaded section. */
static bool rela_place(const struct elf *elf, const struct elf_rela *rela, uint32_t *section,
		       uint64_t *offset)
{
	struct elf_symbol symbol = elf_symbol(elf, rela->symbol);

	if (symbol.section == ELF_SHN_UNDEF || symbol.section >= elf->count)
		return false;
	*section = symbol.section;
	*offset = symbol.value + rela->addend;
	return *offset <= elf->sections[symbol.section].data.n &&
	       elf->sections[symbol.section].memory < HEKI_MOD_MEM_TYPES;
}

/* Fill in what one relocation says of its entry; false when the entry does not look like this. */
static bool read_field(const struct elf *elf, const struct format *f, const struct elf_rela *rela,
		       uint32_t field, struct site *s, uint8_t *seen)
{
	uint8_t bit;

	if (field == f->place.offset && rela->type == f->place.type) {
		bit = 1;
		if (!rela_place(elf, rela, &s->section, &s->offset))
			return false;
	} else if (f->other.type && field == f->other.offset && rela->type == f->other.type) {
		bit = 2;
		if (!rela_place(elf, rela, &s->other_section, &s->other))
			return false;
	} else if (f->key.type && field == f->key.offset && rela->type == f->key.type) {
		bit = 4;
		s->tail = rela->addend & STATIC_CALL_TAIL;
	} else {
		return false;
	}
	if (*seen & bit)
		return false;
	*seen |= bit;
	return true;
}

static bool check_site(const struct elf *elf, const struct elf_section *table,
		       const struct site_list *sites, struct site *s)
{
	const struct elf_section *section = &elf->sections[s->section];

	if (!(section->flags & ELF_SHF_EXEC) || !section->data.p || s->offset >= section->data.n)
		return false;
	s->length = site_length(s, sites, table, section);
	if (s->kind == SITE_ALTERNATIVE) {
		s->other_length = table->data.p[(size_t)(s->entry + 1) * sites->alt_entry - 1];
		if (!elf->sections[s->other_section].data.p ||
		    !in_bounds(s->other, s->other_length, elf->sections[s->other_section].data.n))
			return false;
	} else if (!s->length) {
		return false;
	}
	return in_bounds(s->offset, s->length, section->data.n);
}

static int read_table(struct call *c, const struct elf *elf, enum site_kind kind,
		      struct site_list *sites)
{
	const struct elf_section *table = &elf->sections[elf_find(elf, tables[kind])];
	const struct format *f = &formats[kind];
	uint32_t size = entry_size(elf, table, f);
	struct site *first = sites->s + sites->first[kind];
	uint8_t *seen = arena_alloc(&c->arena, sites->count[kind]);
	struct elf_rela rela;
	uint32_t i;

	if (!seen)
		return -HEKI_E_NO_MEMORY;
	for (i = 0; i < elf_relas(elf, table); i++) {
		call_work(c, WORK_ITEM);
		rela = elf_rela(elf, table, i);
		if (rela.offset >= table->data.n ||
		    !read_field(elf, f, &rela, (uint32_t)(rela.offset % size),
				&first[rela.offset / size], &seen[rela.offset / size]))
			return bad_entry(c, kind, rela.offset);
	}
	/* As many relocations as fields and none twice: every entry is complete. */
	for (i = 0; i < sites->count[kind]; i++) {
		call_work(c, WORK_ITEM);
		first[i].kind = (uint8_t)kind;
		first[i].entry = i;
		if (!check_site(elf, table, sites, &first[i]))
			return bad_entry(c, kind, (uint64_t)i * size);
	}
	return 0;
}

/* A trampoline of a static call: a function __SCT__* in its own section. */
static bool is_trampoline(const struct elf *elf, uint32_t section, const struct elf_symbol *symbol)
{
	return section && symbol->section == section && str_prefix(symbol->name, "__SCT__") &&
	       elf->sections[section].data.p && (elf->sections[section].flags & ELF_SHF_EXEC) &&
	       in_bounds(symbol->value, 5, elf->sections[section].data.n);
}

static void read_trampolines(const struct elf *elf, struct site_list *sites, bool count)
{
	uint32_t section = elf_find(elf, tables[SITE_TRAMPOLINE]);
	struct elf_symbol symbol;
	struct site *s;
	uint32_t n = 0;
	uint32_t i;

	for (i = 0; section && i < elf->symbols_count; i++) {
		symbol = elf_symbol(elf, i);
		if (!is_trampoline(elf, section, &symbol))
			continue;
		n++;
		if (count)
			continue;
		s = &sites->s[sites->first[SITE_TRAMPOLINE] + n - 1];
		s->section = section;
		s->offset = symbol.value;
		s->kind = SITE_TRAMPOLINE;
		s->length = 5;
		s->tail = true;
	}
	sites->count[SITE_TRAMPOLINE] = n;
}

static int count_sites(struct call *c, const struct elf *elf, struct site_list *sites)
{
	const struct elf_section *table;
	uint32_t size;
	uint32_t kind;
	uint32_t at;

	for (kind = 0; kind < SITE_TRAMPOLINE; kind++) {
		at = elf_find(elf, tables[kind]);
		table = &elf->sections[at];
		if (!at || !table->data.n)
			continue;
		size = entry_size(elf, table, &formats[kind]);
		if (!size)
			return bad_entry(c, kind, 0);
		sites->count[kind] = (uint32_t)(table->data.n / size);
		if (kind == SITE_ALTERNATIVE)
			sites->alt_entry = size;
	}
	read_trampolines(elf, sites, true);
	for (kind = 0; kind < SITE_KIND_COUNT; kind++) {
		sites->first[kind] = sites->n;
		sites->n += sites->count[kind];
	}
	return 0;
}

int sites_collect(struct call *c, const struct elf *elf, struct site_list *sites)
{
	uint32_t kind;
	int ret;

	memset(sites, 0, sizeof(*sites));
	ret = count_sites(c, elf, sites);
	if (ret)
		return ret;
	/* One more, so that the sites of each kind have a place also in a module without any. */
	sites->s = arena_array(&c->arena, sites->n + 1, sizeof(*sites->s));
	if (!sites->s)
		return -HEKI_E_NO_MEMORY;
	for (kind = 0; kind < SITE_TRAMPOLINE && !ret; kind++)
		if (sites->count[kind])
			ret = read_table(c, elf, kind, sites);
	read_trampolines(elf, sites, false);
	return ret;
}
