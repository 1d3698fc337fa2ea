// SPDX-License-Identifier: GPL-2.0-only
/* Another reading of a module's file. */
#include <stdlib.h>
#include <string.h>

#include "reading.h"
#include "replay.h"

static bool has(const struct spot_section *s, uint64_t flag)
{
	return s->header->sh_flags & flag;
}

static bool named(const struct spot_section *s, const char *name)
{
	return !strcmp(s->name, name);
}

static const uint8_t *contents(const struct reading *r, const struct spot_section *s)
{
	return r->file + s->header->sh_offset;
}

static bool loaded(const struct spot_section *s)
{
	return has(s, SHF_ALLOC) && !named(s, ".modinfo") && !named(s, "__versions") &&
	       !named(s, ".data..percpu");
}

static uint8_t memory_of(const struct spot_section *s)
{
	bool init = !strncmp(s->name, ".init", 5);

	if (has(s, SHF_EXECINSTR))
		return init ? HEKI_MOD_INIT_TEXT : HEKI_MOD_TEXT;
	if (!has(s, SHF_WRITE))
		return init ? HEKI_MOD_INIT_RODATA : HEKI_MOD_RODATA;
	if (named(s, ".data..ro_after_init") || named(s, "__jump_table"))
		return HEKI_MOD_RO_AFTER_INIT;
	return init ? HEKI_MOD_INIT_DATA : HEKI_MOD_DATA;
}

static void read_sections(struct reading *r)
{
	const Elf64_Ehdr *head = (const void *)r->file;
	const Elf64_Shdr *headers;
	const char *names;

	if (r->size < sizeof(*head) || head->e_shoff > r->size ||
	    (r->size - head->e_shoff) / sizeof(*headers) < head->e_shnum)
		die("a module without sections");
	headers = (const void *)(r->file + head->e_shoff);
	names = (const char *)r->file + headers[head->e_shstrndx].sh_offset;
	r->sections_count = head->e_shnum;
	r->sections = must(calloc(r->sections_count, sizeof(*r->sections)));
	for (size_t i = 0; i < r->sections_count; i++) {
		struct spot_section *s = &r->sections[i];
		uint32_t align = (uint32_t)headers[i].sh_addralign;

		s->header = &headers[i];
		s->name = names + headers[i].sh_name;
		s->type = HEKI_MOD_MEM_TYPES;
		if (!i || !loaded(s))
			continue;
		s->type = memory_of(s);
		align = align ? align : 1;
		s->start = (r->bytes[s->type] + align - 1) / align * align;
		r->bytes[s->type] = s->start + (uint32_t)headers[i].sh_size;
	}
}

static const struct spot_section *find(const struct reading *r, const char *name)
{
	for (size_t i = 1; i < r->sections_count; i++)
		if (has(&r->sections[i], SHF_ALLOC) && named(&r->sections[i], name))
			return &r->sections[i];
	return NULL;
}

/* The relocations of a section. */
static const Elf64_Rela *relas(const struct reading *r, const struct spot_section *s, size_t *n)
{
	for (size_t i = 1; i < r->sections_count; i++) {
		const Elf64_Shdr *h = r->sections[i].header;

		if (h->sh_type != SHT_RELA || &r->sections[h->sh_info] != s)
			continue;
		*n = h->sh_size / sizeof(Elf64_Rela);
		return (const void *)(r->file + h->sh_offset);
	}
	*n = 0;
	return NULL;
}

static const Elf64_Sym *symbols(const struct reading *r, size_t *n, const char **names)
{
	for (size_t i = 1; i < r->sections_count; i++) {
		const Elf64_Shdr *h = r->sections[i].header;

		if (h->sh_type != SHT_SYMTAB)
			continue;
		*n = h->sh_size / sizeof(Elf64_Sym);
		*names = (const char *)contents(r, &r->sections[h->sh_link]);
		return (const void *)(r->file + h->sh_offset);
	}
	die("a module without symbols");
}

/* What a relocation leads to: a section of the module and an offset there; NULL: nothing of it. */
static const struct spot_section *leads_inside(const struct reading *r, const Elf64_Rela *rela,
					       uint32_t *offset)
{
	const char *names;
	size_t n;
	const Elf64_Sym *s = symbols(r, &n, &names) + ELF64_R_SYM(rela->r_info);

	if (s->st_shndx == SHN_UNDEF || s->st_shndx >= r->sections_count)
		return NULL;
	*offset = (uint32_t)(s->st_value + (uint64_t)rela->r_addend);
	return &r->sections[s->st_shndx];
}

static const struct spot_section *leads_to(const struct reading *r, const Elf64_Rela *rela,
					   uint32_t *offset)
{
	const struct spot_section *s = leads_inside(r, rela, offset);

	if (!s)
		die("a table that leads nowhere");
	return s;
}

static uint32_t branch(const uint8_t *p)
{
	uint32_t prefix = *p == 0x2e;

	p += prefix;
	return prefix + (*p == 0x0f ? 6 : 5);
}

static uint32_t site_length(uint8_t kind, const uint8_t *entry, uint32_t size, const uint8_t *there)
{
	switch (kind) {
	case HEKI_ACCOUNT_ALTERNATIVE:
		return entry[size - 2];
	case HEKI_ACCOUNT_PARAVIRT:
		return entry[9];
	case HEKI_ACCOUNT_RETPOLINE:
	case HEKI_ACCOUNT_STATIC_CALL:
		return branch(there);
	case HEKI_ACCOUNT_JUMP_LABEL:
		return *there == 0xeb || *there == 0x66 ? 2 : 5;
	case HEKI_ACCOUNT_ENDBR:
		return 4;
	case HEKI_ACCOUNT_SMP_LOCK:
		return 1;
	default:
		return 5;
	}
}

static struct spot_site *new_site(struct reading *r)
{
	if (!(r->sites_count & (r->sites_count - 1)))
		r->sites = must(realloc(r->sites, (r->sites_count ? 2 * r->sites_count : 1) *
						  sizeof(*r->sites)));
	memset(&r->sites[r->sites_count], 0, sizeof(*r->sites));
	return &r->sites[r->sites_count++];
}

/* The relocation of the field at @at; NULL: there is none. */
static const Elf64_Rela *field(const Elf64_Rela *rela, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++)
		if (rela[i].r_offset == at)
			return &rela[i];
	return NULL;
}

static void read_table(struct reading *r, const char *name, uint8_t kind, uint32_t entry,
		       uint32_t fields)
{
	const struct spot_section *table = find(r, name), *s;
	const Elf64_Rela *rela, *place;
	size_t n, entries;

	if (!table || !table->header->sh_size)
		return;
	rela = relas(r, table, &n);
	entries = n / fields;
	if (!entry)
		entry = (uint32_t)(table->header->sh_size / entries);
	for (size_t i = 0; i < entries; i++) {
		const uint8_t *bytes = contents(r, table) + i * entry;
		struct spot_site *site = new_site(r);

		/* They come in order, with rare exceptions. */
		place = &rela[i * fields];
		if (place->r_offset != i * entry)
			place = must((void *)(uintptr_t)field(rela, n, i * entry));
		s = leads_to(r, place, &site->start);
		site->kind = kind;
		site->type = s->type;
		site->length = site_length(kind, bytes, entry, contents(r, s) + site->start);
		site->start += s->start;
		if (kind != HEKI_ACCOUNT_ALTERNATIVE)
			continue;
		place = must((void *)(uintptr_t)field(rela, n, i * entry + 4));
		s = leads_to(r, place, &site->other);
		site->other_type = s->type;
		site->other += s->start;
		site->other_length = bytes[entry - 1];
	}
}

static void read_trampolines(struct reading *r)
{
	const struct spot_section *s = find(r, ".static_call.text");
	const char *names;
	size_t n;
	const Elf64_Sym *symbol = symbols(r, &n, &names);

	for (size_t i = 0; s && i < n; i++) {
		struct spot_site *site;

		if (&r->sections[symbol[i].st_shndx < r->sections_count ? symbol[i].st_shndx : 0] != s ||
		    strncmp(names + symbol[i].st_name, "__SCT__", 7))
			continue;
		site = new_site(r);
		site->kind = HEKI_ACCOUNT_STATIC_CALL;
		site->type = s->type;
		site->start = s->start + (uint32_t)symbol[i].st_value;
		site->length = 5;
	}
}

static void read_sorted(struct reading *r, const char *name, uint32_t entry, const char *companion,
			uint32_t companion_entry)
{
	const struct spot_section *s = find(r, name), *other = companion ? find(r, companion) : NULL;
	struct spot_table *t = &r->tables[r->tables_count];

	if (!s || s->type == HEKI_MOD_MEM_TYPES || (companion && !other))
		return;
	r->tables_count++;
	t->type = s->type;
	t->start = s->start;
	t->size = (uint32_t)s->header->sh_size;
	t->entry = entry;
	if (!other)
		return;
	t->companion_type = other->type;
	t->companion = other->start;
	t->companion_entry = companion_entry;
}

static void paint(struct reading *r, uint32_t type, uint32_t start, uint32_t n, uint8_t category)
{
	if (type < HEKI_MOD_MEM_TYPES && r->category[type])
		memset(r->category[type] + start, category, n);
}

static uint32_t width(const Elf64_Rela *rela)
{
	switch (ELF64_R_TYPE(rela->r_info)) {
	case R_X86_64_NONE:
		return 0;
	case R_X86_64_64:
	case R_X86_64_PC64:
		return 8;
	default:
		return 4;
	}
}

static void paint_relocations(struct reading *r, const struct spot_section *s)
{
	size_t n;
	const Elf64_Rela *rela = relas(r, s, &n);

	for (size_t i = 0; i < n; i++)
		paint(r, s->type, s->start + (uint32_t)rela[i].r_offset, width(&rela[i]),
		      HEKI_ACCOUNT_RELOCATED);
}

/* Sites that lie in others are painted over them. */
static void paint_all(struct reading *r)
{
	for (size_t i = 1; i < r->sections_count; i++) {
		const struct spot_section *s = &r->sections[i];

		paint(r, s->type, s->start, (uint32_t)s->header->sh_size, HEKI_ACCOUNT_ELF);
		if (s->type < HEKI_MOD_MEM_TYPES)
			paint_relocations(r, s);
	}
	for (size_t i = 0; i < r->tables_count; i++) {
		const struct spot_table *t = &r->tables[i];

		paint(r, t->type, t->start, t->size, HEKI_ACCOUNT_SORTED);
		if (t->companion_entry)
			paint(r, t->companion_type, t->companion, t->size / t->entry * t->companion_entry,
			      HEKI_ACCOUNT_SORTED);
	}
	for (size_t i = 0; i < r->sites_count; i++)
		paint(r, r->sites[i].type, r->sites[i].start, r->sites[i].length, r->sites[i].kind);
}

void reading_make(struct reading *r, const uint8_t *file, size_t size, const uint32_t *pages)
{
	memset(r, 0, sizeof(*r));
	r->file = file;
	r->size = size;
	read_sections(r);
	read_table(r, ".altinstructions", HEKI_ACCOUNT_ALTERNATIVE, 0, 2);
	read_table(r, ".parainstructions", HEKI_ACCOUNT_PARAVIRT, 16, 1);
	read_table(r, ".call_sites", HEKI_ACCOUNT_CALL, 4, 1);
	read_table(r, ".retpoline_sites", HEKI_ACCOUNT_RETPOLINE, 4, 1);
	read_table(r, ".return_sites", HEKI_ACCOUNT_RETURN, 4, 1);
	read_table(r, ".ibt_endbr_seal", HEKI_ACCOUNT_ENDBR, 4, 1);
	read_table(r, ".smp_locks", HEKI_ACCOUNT_SMP_LOCK, 4, 1);
	read_table(r, "__mcount_loc", HEKI_ACCOUNT_MCOUNT, 8, 1);
	read_table(r, ".static_call_sites", HEKI_ACCOUNT_STATIC_CALL, 8, 2);
	read_table(r, "__jump_table", HEKI_ACCOUNT_JUMP_LABEL, 16, 3);
	read_trampolines(r);
	read_sorted(r, "__ex_table", 12, NULL, 0);
	read_sorted(r, ".orc_unwind_ip", 4, ".orc_unwind", 6);
	read_sorted(r, "__mcount_loc", 8, NULL, 0);
	read_sorted(r, "__jump_table", 16, NULL, 0);
	for (uint32_t type = 0; type < HEKI_MOD_MEM_TYPES; type++) {
		if (!pages[type])
			continue;
		if (r->bytes[type] > pages[type] * HEKI_PAGE_SIZE)
			die("a module that does not fit into its memory");
		r->category[type] = must(malloc(pages[type] * HEKI_PAGE_SIZE));
		memset(r->category[type], HEKI_ACCOUNT_PADDING, pages[type] * HEKI_PAGE_SIZE);
	}
	paint_all(r);
}

void reading_drop(struct reading *r)
{
	for (uint32_t type = 0; type < HEKI_MOD_MEM_TYPES; type++)
		free(r->category[type]);
	free(r->sections);
	free(r->sites);
}

const char *reading_section(const struct reading *r, uint32_t type, uint32_t offset, uint32_t *in)
{
	for (size_t i = 1; i < r->sections_count; i++) {
		const struct spot_section *s = &r->sections[i];

		if (s->type == type && offset - s->start < s->header->sh_size) {
			*in = offset - s->start;
			return s->name;
		}
	}
	*in = offset;
	return "padding";
}

/* The entry of a table that a byte belongs to; false: none. */
static bool entry_of(const struct spot_table *t, uint32_t type, uint32_t at, uint32_t *entry)
{
	if (type == t->type && at - t->start < t->size) {
		*entry = (at - t->start) / t->entry;
		return true;
	}
	if (t->companion_entry && type == t->companion_type &&
	    at - t->companion < t->size / t->entry * t->companion_entry) {
		*entry = (at - t->companion) / t->companion_entry;
		return true;
	}
	return false;
}

const struct spot_table *reading_entry(const struct reading *r, uint32_t type, uint32_t at,
				       uint32_t *entry)
{
	for (size_t i = 0; i < r->tables_count; i++)
		if (entry_of(&r->tables[i], type, at, entry))
			return &r->tables[i];
	return NULL;
}

static bool in_site(const struct spot_site *s, uint32_t type, uint32_t at)
{
	return (type == s->type && at - s->start < s->length) ||
	       (s->other_length && type == s->other_type && at - s->other < s->other_length);
}

bool reading_together(const struct reading *r, uint32_t type_a, uint32_t a, uint32_t type_b,
		      uint32_t b)
{
	uint32_t entry_a, entry_b;
	const struct spot_table *table = reading_entry(r, type_a, a, &entry_a);

	if (table && table == reading_entry(r, type_b, b, &entry_b) && entry_a == entry_b)
		return true;
	for (size_t i = 0; i < r->sites_count; i++)
		if (in_site(&r->sites[i], type_a, a) && in_site(&r->sites[i], type_b, b))
			return true;
	return false;
}

bool reading_absent(const struct reading *r, const uint32_t *pages, uint32_t type, uint32_t offset)
{
	for (size_t i = 1; i < r->sections_count; i++) {
		const struct spot_section *s = &r->sections[i], *to;
		const Elf64_Rela *rela;
		uint32_t there;
		size_t n;

		if (s->type != type || offset - s->start >= s->header->sh_size)
			continue;
		rela = relas(r, s, &n);
		for (size_t k = 0; k < n; k++) {
			if (offset - s->start - rela[k].r_offset >= width(&rela[k]))
				continue;
			to = leads_inside(r, &rela[k], &there);
			return to && to->type < HEKI_MOD_MEM_TYPES && !pages[to->type];
		}
	}
	return false;
}
