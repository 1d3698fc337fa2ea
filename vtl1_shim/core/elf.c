// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Reader of relocatable ELF files.
 *
 * Trust boundary: the file comes from VTL0 and is a copy. After elf_parse() every section, symbol
 * and relocation can be used without further checks of its bounds. Locks: none.
 */
#include "elf64.h"

#define EHDR_SIZE 64u
#define SHDR_SIZE 64u
#define SYM_SIZE 24u

size_t str_length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool str_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool str_prefix(const char *s, const char *prefix)
{
	while (*prefix && *s == *prefix) {
		s++;
		prefix++;
	}
	return !*prefix;
}

static int bad(struct call *c, uint64_t offset, const char *what)
{
	text_clear(c);
	text_str(c, what);
	return refuse(c, HEKI_E_ELF_FORMAT, offset);
}

static bool terminated(struct span s)
{
	return s.n && !s.p[s.n - 1];
}

/* The identification and the fields that have one legal value. */
static int check_header(struct call *c, struct span file)
{
	static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	const uint8_t *p = file.p;

	if (file.n < EHDR_SIZE || memcmp(p, ident, sizeof(ident)))
		return bad(c, 0, "no 64-bit little-endian ELF file");
	if (get_le16(p + 16) != 1 || get_le16(p + 18) != 62 || get_le32(p + 20) != 1)
		return bad(c, 16, "not relocatable or not for x86-64");
	if (get_le16(p + 52) != EHDR_SIZE || get_le16(p + 58) != SHDR_SIZE)
		return bad(c, 52, "wrong size of headers");
	return 0;
}

static int read_section(struct call *c, const struct elf *elf, uint64_t at, struct span names,
			struct elf_section *s)
{
	const uint8_t *p = elf->file.p + at;
	uint32_t name = get_le32(p);
	uint64_t offset = get_le64(p + 24);
	uint64_t size = get_le64(p + 32);
	uint64_t entsize = get_le64(p + 56);

	if (name >= names.n)
		return bad(c, at, "section name out of bounds");
	s->name = (const char *)names.p + name;
	if (str_length(s->name) >= ELF_NAME_MAX)
		return bad(c, at, "section name too long");
	s->type = get_le32(p + 4);
	s->flags = get_le64(p + 8);
	s->link = get_le32(p + 40);
	s->info = get_le32(p + 44);
	s->align = get_le64(p + 48) ? get_le64(p + 48) : 1;
	s->entsize = entsize > 0xffffffffu ? 0xffffffffu : (uint32_t)entsize;
	s->memory = ELF_MEMORY_NONE;
	if (s->align & (s->align - 1))
		return bad(c, at, "section alignment is no power of two");
	s->data.n = size;
	if (s->type == ELF_SHT_NOBITS)
		return 0;
	if (!in_bounds(offset, size, elf->file.n))
		return bad(c, at, "section out of bounds");
	s->data.p = elf->file.p + offset;
	return 0;
}

/* The section names must be known before any header can be read. */
static int find_names(struct call *c, const struct elf *elf, uint64_t table, struct span *names)
{
	uint32_t index = get_le16(elf->file.p + 62);
	const uint8_t *p;

	if (!index || index >= elf->count)
		return bad(c, 62, "section of names out of bounds");
	p = elf->file.p + table + (uint64_t)index * SHDR_SIZE;
	if (get_le32(p + 4) != ELF_SHT_STRTAB ||
	    !in_bounds(get_le64(p + 24), get_le64(p + 32), elf->file.n))
		return bad(c, 62, "section of names unusable");
	names->p = elf->file.p + get_le64(p + 24);
	names->n = get_le64(p + 32);
	if (!terminated(*names))
		return bad(c, 62, "section of names without NUL at its end");
	return 0;
}

static int read_sections(struct call *c, struct elf *elf)
{
	uint64_t table = get_le64(elf->file.p + 40);
	struct span names;
	uint32_t i;
	int ret;

	elf->count = get_le16(elf->file.p + 60);
	if (elf->count < 2 || elf->count > ELF_SECTIONS_MAX)
		return bad(c, 60, "number of sections");
	if (!in_bounds(table, (uint64_t)elf->count * SHDR_SIZE, elf->file.n))
		return bad(c, 40, "section headers out of bounds");
	ret = find_names(c, elf, table, &names);
	if (ret)
		return ret;
	elf->sections = arena_array(&c->arena, elf->count, sizeof(*elf->sections));
	if (!elf->sections)
		return -HEKI_E_NO_MEMORY;
	for (i = 0; i < elf->count && !ret; i++) {
		call_work(c, WORK_ITEM);
		ret = read_section(c, elf, table + (uint64_t)i * SHDR_SIZE, names,
				   &elf->sections[i]);
	}
	if (!ret && (elf->sections[0].type || elf->sections[0].data.n || elf->sections[0].flags))
		return bad(c, table, "first section is not empty");
	return ret;
}

static int check_symbol(struct call *c, const struct elf *elf, uint32_t index)
{
	const uint8_t *p = elf->symbols + (size_t)index * SYM_SIZE;
	uint32_t section = get_le16(p + 6);
	uint64_t at = (uint64_t)(p - elf->file.p);

	if (get_le32(p) >= elf->strings.n)
		return bad(c, at, "symbol name out of bounds");
	if (section == ELF_SHN_LIVEPATCH)
		return refuse(c, HEKI_E_MODULE_LIVEPATCH, at);
	if (section >= elf->count && section != ELF_SHN_ABS)
		return bad(c, at, "section of a symbol out of bounds");
	return 0;
}

static int read_symbols(struct call *c, struct elf *elf)
{
	const struct elf_section *table = NULL;
	uint32_t i;
	int ret;

	for (i = 1; i < elf->count; i++) {
		if (elf->sections[i].type != ELF_SHT_SYMTAB)
			continue;
		if (table)
			return bad(c, i, "two symbol tables");
		table = &elf->sections[i];
	}
	if (!table || table->entsize != SYM_SIZE || !table->data.n || table->data.n % SYM_SIZE ||
	    table->data.n / SYM_SIZE > ELF_SYMBOLS_MAX)
		return bad(c, 0, "no usable symbol table");
	if (table->link >= elf->count || elf->sections[table->link].type != ELF_SHT_STRTAB ||
	    !terminated(elf->sections[table->link].data))
		return bad(c, 0, "no usable symbol names");
	elf->symbols = table->data.p;
	elf->symbols_count = (uint32_t)(table->data.n / SYM_SIZE);
	elf->strings = elf->sections[table->link].data;
	for (i = 0, ret = 0; i < elf->symbols_count && !ret; i++) {
		call_work_every(c, i, 1024, 16 << 10);
		ret = check_symbol(c, elf, i);
	}
	return ret;
}

/* Bind a section of relocations to the one that it is for. */
static int bind_rela(struct call *c, struct elf *elf, uint32_t index)
{
	const struct elf_section *rela = &elf->sections[index];
	struct elf_section *target;
	size_t i;

	if (rela->entsize != ELF_RELA_SIZE || rela->data.n % ELF_RELA_SIZE ||
	    rela->data.n / ELF_RELA_SIZE > 0xffffffffu)
		return bad(c, index, "size of relocations");
	if (!rela->info || rela->info >= elf->count || rela->link >= elf->count ||
	    elf->sections[rela->link].type != ELF_SHT_SYMTAB)
		return bad(c, index, "relocations without section or symbols");
	target = &elf->sections[rela->info];
	if (target->rela)
		return bad(c, index, "two sections of relocations for one section");
	for (i = 0; i < rela->data.n; i += ELF_RELA_SIZE) {
		call_work_every(c, i, (uint64_t)ELF_RELA_SIZE * 1024, 8 << 10);
		if (get_le32(rela->data.p + i + 12) >= elf->symbols_count)
			return bad(c, index, "symbol of a relocation out of bounds");
	}
	target->rela = index;
	return 0;
}

/*
 * Sections that share bytes would let a file of 64 MiB, which nobody has signed so far, have
 * thousands of times as many relocations.
 */
static int bind_relas(struct call *c, struct elf *elf)
{
	uint64_t left = elf->file.n;
	int ret = 0;
	uint32_t i;

	for (i = 1; i < elf->count && !ret; i++) {
		if (elf->sections[i].type == ELF_SHT_REL)
			return bad(c, i, "relocations without addends");
		if (elf->sections[i].type != ELF_SHT_RELA)
			continue;
		if (elf->sections[i].data.n > left)
			return bad(c, i, "more relocations than fit in the file");
		left -= elf->sections[i].data.n;
		ret = bind_rela(c, elf, i);
	}
	return ret;
}

int elf_parse(struct call *c, struct span file, struct elf *elf)
{
	int ret;

	memset(elf, 0, sizeof(*elf));
	elf->file = file;
	ret = check_header(c, file);
	if (!ret)
		ret = read_sections(c, elf);
	if (!ret)
		ret = read_symbols(c, elf);
	if (!ret)
		ret = bind_relas(c, elf);
	return ret;
}

uint32_t elf_find(const struct elf *elf, const char *name)
{
	uint32_t i;

	for (i = 1; i < elf->count; i++)
		if ((elf->sections[i].flags & ELF_SHF_ALLOC) &&
		    str_equal(elf->sections[i].name, name))
			return i;
	return 0;
}

struct elf_symbol elf_symbol(const struct elf *elf, uint32_t index)
{
	const uint8_t *p = elf->symbols + (size_t)index * SYM_SIZE;
	struct elf_symbol symbol;

	symbol.name = (const char *)elf->strings.p + get_le32(p);
	symbol.weak = p[4] >> 4 == ELF_STB_WEAK;
	symbol.function = (p[4] & 0xf) == ELF_STT_FUNC;
	symbol.section = get_le16(p + 6);
	symbol.value = get_le64(p + 8);
	return symbol;
}

const char *elf_modinfo(const struct elf *elf, const char *key)
{
	uint32_t index = elf_find(elf, ".modinfo");
	const struct span info = elf->sections[index].data;
	size_t length = str_length(key);
	size_t at = 0;
	const char *s;

	if (!index || !info.p || !terminated(info))
		return NULL;
	while (at < info.n) {
		s = (const char *)info.p + at;
		if (str_prefix(s, key) && s[length] == '=')
			return s + length + 1;
		at += str_length(s) + 1;
	}
	return NULL;
}
