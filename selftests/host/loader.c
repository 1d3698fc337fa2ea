// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model of the kernel's module loader, after its documented behaviour on x86-64.
 */
#include <elf.h>
#include "loader.h"

#define PAGE 4096u

enum { TEXT, DATA, RODATA, RO_AFTER_INIT, INIT_TEXT, INIT_DATA, INIT_RODATA, PERCPU, NONE };

struct loader_section {
	Elf64_Shdr h;
	const char *name;
	unsigned int type;
	size_t offset;
	uint64_t va;
	uint8_t *bytes; /* in the memory of its type */
};

static const uint8_t nops[9][8] = {
	{ 0 },
	{ 0x90 },
	{ 0x66, 0x90 },
	{ 0x0f, 0x1f, 0x00 },
	{ 0x0f, 0x1f, 0x40, 0x00 },
	{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
};

static int32_t get32(const uint8_t *p)
{
	int32_t v;

	memcpy(&v, p, 4);
	return v;
}

static void put32(uint8_t *p, uint64_t v)
{
	uint32_t low = (uint32_t)v;

	memcpy(p, &low, 4);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static bool chance(struct loader *l)
{
	l->seed = l->seed * 1103515245u + 12345;
	return l->seed & 0x10000;
}

static struct loader_section *find(const struct loader *l, const char *name)
{
	for (size_t i = 1; i < l->count; i++)
		if ((l->sections[i].h.sh_flags & SHF_ALLOC) && !strcmp(l->sections[i].name, name))
			return &l->sections[i];
	return NULL;
}

static struct loader_section *loaded(const struct loader *l, const char *name)
{
	struct loader_section *s = find(l, name);

	return s && s->type < LOADER_TYPES ? s : NULL;
}

uint64_t loader_section(const struct loader *l, const char *name, size_t *size)
{
	struct loader_section *s = loaded(l, name);

	*size = s ? s->h.sh_size : 0;
	return s ? s->va : 0;
}

uint8_t *loader_at(struct loader *l, uint64_t va)
{
	for (unsigned int t = 0; t < LOADER_TYPES; t++)
		if (va >= l->va[t] && va - l->va[t] < l->pages[t] * PAGE)
			return l->bytes[t] + (va - l->va[t]);
	return NULL;
}

static int read_sections(struct loader *l)
{
	const Elf64_Ehdr *e = (const void *)l->file;
	const Elf64_Shdr *h;
	const char *names;

	if (l->size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) || e->e_type != ET_REL)
		return -1;
	l->count = e->e_shnum;
	l->sections = calloc(l->count, sizeof(*l->sections));
	h = (const void *)(l->file + e->e_shoff);
	names = (const char *)l->file + h[e->e_shstrndx].sh_offset;
	for (size_t i = 0; i < l->count; i++) {
		l->sections[i].h = h[i];
		l->sections[i].name = names + h[i].sh_name;
		l->sections[i].type = NONE;
	}
	return 0;
}

static unsigned int type_of(const struct loader *l, const struct loader_section *s)
{
	bool init = !strncmp(s->name, ".init", 5);

	if (s->h.sh_flags & SHF_EXECINSTR)
		return init ? INIT_TEXT : TEXT;
	if (!(s->h.sh_flags & SHF_WRITE))
		return init ? INIT_RODATA : RODATA;
	if (s == find(l, ".data..ro_after_init") || s == find(l, "__jump_table"))
		return RO_AFTER_INIT;
	return init ? INIT_DATA : DATA;
}

static void layout(struct loader *l)
{
	size_t size[LOADER_TYPES] = { 0 };
	uint64_t next = l->base;

	for (size_t i = 1; i < l->count; i++) {
		struct loader_section *s = &l->sections[i];
		size_t align = s->h.sh_addralign ? s->h.sh_addralign : 1;

		if (!(s->h.sh_flags & SHF_ALLOC) || s == find(l, ".modinfo") ||
		    s == find(l, "__versions"))
			continue;
		s->type = PERCPU;
		if (s == find(l, ".data..percpu"))
			continue;
		s->type = type_of(l, s);
		s->offset = (size[s->type] + align - 1) / align * align;
		size[s->type] = s->offset + s->h.sh_size;
	}
	size[DATA] += 100; /* the symbol tables that the kernel makes */
	size[INIT_DATA] += 200;
	for (unsigned int t = 0; t < LOADER_TYPES; t++) {
		l->pages[t] = (size[t] + PAGE - 1) / PAGE;
		l->va[t] = next;
		l->bytes[t] = calloc(l->pages[t] + 1, PAGE);
		next += l->pages[t] * PAGE;
	}
}

static void move(struct loader *l)
{
	for (size_t i = 1; i < l->count; i++) {
		struct loader_section *s = &l->sections[i];

		if (s->type == PERCPU)
			s->va = l->percpu;
		if (s->type >= LOADER_TYPES)
			continue;
		s->va = l->va[s->type] + s->offset;
		s->bytes = l->bytes[s->type] + s->offset;
		if (s->h.sh_type != SHT_NOBITS)
			memcpy(s->bytes, l->file + s->h.sh_offset, s->h.sh_size);
	}
}

static int symbol_value(struct loader *l, const struct loader_section *table, size_t index,
			uint64_t *value)
{
	Elf64_Sym sym;
	const char *name;

	memcpy(&sym, l->file + table->h.sh_offset + index * sizeof(sym), sizeof(sym));
	name = (const char *)l->file + l->sections[table->h.sh_link].h.sh_offset + sym.st_name;
	*value = sym.st_value;
	if (sym.st_shndx == SHN_ABS || !index)
		return 0;
	if (sym.st_shndx != SHN_UNDEF) {
		*value += l->sections[sym.st_shndx].va;
		return 0;
	}
	*value = l->symbol(l->context, name);
	return *value || ELF64_ST_BIND(sym.st_info) == STB_WEAK ? 0 : -1;
}

static int relocate(struct loader *l, const struct loader_section *rela)
{
	const struct loader_section *target = &l->sections[rela->h.sh_info];
	Elf64_Rela r;
	uint64_t v;

	if (target->type >= LOADER_TYPES)
		return 0;
	for (size_t i = 0; i < rela->h.sh_size; i += sizeof(r)) {
		memcpy(&r, l->file + rela->h.sh_offset + i, sizeof(r));
		if (symbol_value(l, &l->sections[rela->h.sh_link], ELF64_R_SYM(r.r_info), &v))
			return -1;
		v += (uint64_t)r.r_addend;
		switch (ELF64_R_TYPE(r.r_info)) {
		case R_X86_64_NONE:
			break;
		case R_X86_64_PC64:
			v -= target->va + r.r_offset;
			/* fall through */
		case R_X86_64_64:
			memcpy(target->bytes + r.r_offset, &v, 8);
			break;
		case R_X86_64_PC32:
		case R_X86_64_PLT32:
			v -= target->va + r.r_offset;
			/* fall through */
		case R_X86_64_32:
		case R_X86_64_32S:
			put32(target->bytes + r.r_offset, v);
			break;
		default:
			return -1;
		}
	}
	return 0;
}

/* --- tables --- */

/* An entry with its place taken out: what the kernel sorts by, and the whole of it. */
struct entry {
	uint64_t key;
	uint64_t field[3];
};

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* @relative 32-bit relative fields, then @rest bytes; a companion of 6-byte entries may follow. */
static void sort_table(struct loader *l, const char *name, unsigned int relative, unsigned int rest,
		       const char *companion)
{
	struct loader_section *s = loaded(l, name);
	struct loader_section *c = companion ? loaded(l, companion) : NULL;
	unsigned int size = relative * 4 + rest;
	struct entry *e;
	size_t n;

	if (!s)
		return;
	n = s->h.sh_size / size;
	e = calloc(n + 1, sizeof(*e));
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = s->bytes + i * size;

		for (unsigned int k = 0; k < relative; k++)
			e[i].field[k] = s->va + i * size + k * 4 + (int64_t)get32(p + k * 4);
		memcpy(&e[i].field[relative], p + relative * 4, rest);
		if (c)
			memcpy(&e[i].field[2], c->bytes + i * 6, 6);
		e[i].key = e[i].field[0];
	}
	qsort(e, n, sizeof(*e), by_key);
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = s->bytes + i * size;

		for (unsigned int k = 0; k < relative; k++)
			put32(p + k * 4, e[i].field[k] - (s->va + i * size + k * 4));
		memcpy(p + relative * 4, &e[i].field[relative], rest);
		if (c)
			memcpy(c->bytes + i * 6, &e[i].field[2], 6);
	}
	free(e);
}

static bool in_init(const struct loader *l, uint64_t va)
{
	return va >= l->va[INIT_TEXT] && va - l->va[INIT_TEXT] < l->pages[INIT_TEXT] * PAGE;
}

/* A static key of the module's own names the first entry of its table, beside the key's own flags. */
static void enter_keys(struct loader *l, const struct loader_section *s, const struct entry *e,
		       size_t n)
{
	uint64_t last = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t key = e[i].key & ~3ull;
		uint8_t *at = key == last ? NULL : loader_at(l, key);
		uint64_t first = s->va + i * 16;

		last = key;
		if (!at)
			continue;
		first |= at[8] & 3;
		memcpy(at + 8, &first, 8);
	}
}

/* Sorted by key; what names init code is marked in the key. Also lists the labels. */
static void jump_table(struct loader *l)
{
	struct loader_section *s = loaded(l, "__jump_table");
	size_t n = s ? s->h.sh_size / 16 : 0;
	struct entry *e = calloc(n + 1, sizeof(*e));

	l->jumps = calloc(n + 1, sizeof(*l->jumps));
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = s->bytes + i * 16;

		e[i].field[0] = s->va + i * 16 + (int64_t)get32(p);
		e[i].field[1] = s->va + i * 16 + 4 + (int64_t)get32(p + 4);
		e[i].key = e[i].field[2] = s->va + i * 16 + 8 + get64(p + 8);
	}
	qsort(e, n, sizeof(*e), by_key);
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = s->bytes + i * 16;
		uint64_t key = (e[i].key & ~2ull) - (s->va + i * 16 + 8);
		uint64_t code = e[i].field[0];
		uint8_t *at = loader_at(l, code);
		struct loader_jump *j = &l->jumps[l->jumps_count];

		if (in_init(l, code))
			key |= 2;
		put32(p, code - (s->va + i * 16));
		put32(p + 4, e[i].field[1] - (s->va + i * 16 + 4));
		memcpy(p + 8, &key, 8);
		j->va = code;
		j->size = at[0] == 0xeb || at[0] == 0x66 ? 2 : 5;
		j->code[0] = j->size == 2 ? 0xeb : 0xe9;
		if (j->size == 2)
			j->code[1] = (uint8_t)(e[i].field[1] - code - 2);
		else
			put32(j->code + 1, e[i].field[1] - code - 5);
		if ((l->profile & LOADER_JUMPS) && chance(l))
			memcpy(at, at[0] == j->code[0] ? nops[j->size] : j->code, j->size);
		if (in_init(l, code))
			l->init_jumps++;
		else
			l->jumps_count++;
	}
	enter_keys(l, s, e, n);
	free(e);
}

/* --- sites --- */

typedef void site_fn(struct loader *l, uint64_t va, uint8_t *p);

/* Each site of a table of 32-bit relative addresses, or of absolute ones. */
static void each_site(struct loader *l, const char *name, unsigned int size, site_fn *fn)
{
	struct loader_section *s = loaded(l, name);
	uint64_t va;

	for (size_t i = 0; s && i < s->h.sh_size; i += size) {
		va = s->va + i + (uint64_t)(int64_t)get32(s->bytes + i);
		if (!strcmp(name, "__mcount_loc"))
			va = get64(s->bytes + i);
		fn(l, va, loader_at(l, va));
	}
}

static void branch_to(uint8_t *p, uint8_t op, uint64_t va, uint64_t target)
{
	p[0] = op;
	put32(p + 1, target - va - 5);
}

static uint64_t kernel_address(struct loader *l, const char *name)
{
	return l->symbol(l->context, name);
}

static void do_return(struct loader *l, uint64_t va, uint8_t *p)
{
	static const uint8_t ret[5] = { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc };

	if (p[0] != 0xe9)
		return;
	if (l->profile & LOADER_RETHUNK)
		branch_to(p, 0xe9, va, kernel_address(l, "srso_return_thunk"));
	else if (l->profile & LOADER_RETURNS)
		memcpy(p, ret, sizeof(ret));
}

static const char registers[16][4] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

static void do_retpoline(struct loader *l, uint64_t va, uint8_t *p)
{
	unsigned int size = p[0] == 0x2e ? 6 : 5;
	bool jump = p[size - 5] == 0xe9;
	uint64_t target = va + size + (uint64_t)(int64_t)get32(p + size - 4);
	unsigned int reg;
	unsigned int n = 0;
	char name[32];

	for (reg = 0; reg < 16; reg++) {
		snprintf(name, sizeof(name), "__x86_indirect_thunk_%.8s", registers[reg]);
		if (kernel_address(l, name) == target)
			break;
	}
	if (reg == 16 || ((l->profile & LOADER_LFENCE) && 3 + 2 + reg / 8 > size))
		return;
	if (l->profile & LOADER_LFENCE) {
		memcpy(p, "\x0f\xae\xe8", 3);
		n = 3;
	}
	if (reg >= 8)
		p[n++] = 0x41;
	p[n++] = 0xff;
	p[n++] = (uint8_t)((jump ? 0xe0 : 0xd0) + reg % 8);
	if (jump && n < size)
		p[n++] = 0xcc;
	memcpy(p + n, nops[size - n], size - n);
}

static void do_seal(struct loader *l, uint64_t va, uint8_t *p)
{
	(void)l;
	(void)va;
	memcpy(p, "\x66\x0f\x1f\x00", 4);
}

/* The kernel does this in .text alone. */
static void do_unlock(struct loader *l, uint64_t va, uint8_t *p)
{
	const struct loader_section *text = loaded(l, ".text");

	if (text && va >= text->va && va - text->va < text->h.sh_size && *p == 0xf0)
		*p = 0x3e;
}

static void do_trace(struct loader *l, uint64_t va, uint8_t *p)
{
	branch_to(p, 0xe8, va, kernel_address(l, "ftrace_caller"));
}

static void static_calls(struct loader *l)
{
	struct loader_section *s = loaded(l, ".static_call_sites");

	for (size_t i = 0; s && i < s->h.sh_size; i += 8) {
		uint64_t va = s->va + i + (uint64_t)(int64_t)get32(s->bytes + i);
		uint8_t *p = loader_at(l, va);
		bool tail = p[0] == 0xe9;

		if (p[0] != 0xe8 && p[0] != 0xe9)
			continue;
		if (chance(l))
			branch_to(p, tail ? 0xe9 : 0xe8, va, kernel_address(l, "a_function"));
		else if (tail)
			memcpy(p, "\xc3\xcc\xcc\xcc\xcc", 5);
		else
			memcpy(p, chance(l) ? "\x0f\x1f\x44\x00\x00" : "\x2e\x2e\x2e\x31\xc0", 5);
	}
}

static void fill_nops(uint8_t *p, size_t n)
{
	while (n) {
		size_t part = n > 8 ? 8 : n;

		memcpy(p, nops[part], part);
		p += part;
		n -= part;
	}
}

/* NOPs of one byte at the end become longer ones. */
static void tail_nops(uint8_t *p, size_t n)
{
	size_t start = n;

	while (start && p[start - 1] == 0x90)
		start--;
	fill_nops(p + start, n - start);
}

/* A call through one of pv_ops becomes a call of what it points to, or nothing. */
static void pv_call(struct loader *l, uint64_t va, uint8_t *p, size_t n, uint64_t index)
{
	uint64_t target = l->pv_ops[index] ? l->pv_ops[index] : l->exact->pv_bug;

	if (target == l->exact->pv_nop) {
		fill_nops(p, n);
		return;
	}
	branch_to(p, 0xe8, va, target);
	fill_nops(p + 5, n - 5);
}

static void paravirt_calls(struct loader *l)
{
	struct loader_section *s = loaded(l, ".parainstructions");

	for (size_t i = 0; s && i < s->h.sh_size; i += 16) {
		uint64_t va = get64(s->bytes + i);
		uint8_t length = s->bytes[i + 9];
		uint8_t *p = loader_at(l, va);

		if (l->exact) {
			pv_call(l, va, p, length, s->bytes[i + 8]);
			continue;
		}
		if (length < 5 || chance(l)) {
			fill_nops(p, length);
			continue;
		}
		branch_to(p, 0xe8, va, kernel_address(l, "a_function"));
		fill_nops(p + 5, length - 5u);
	}
}

/* Relative fields of a replacement, which its relocations tell, are moved to the new place. */
static void fix_relative(struct loader *l, uint64_t repl, size_t n, uint64_t va, uint8_t *p)
{
	Elf64_Rela r;

	for (size_t i = 1; i < l->count; i++) {
		const struct loader_section *rela = &l->sections[i];
		const struct loader_section *t = &l->sections[rela->h.sh_info % l->count];

		if (rela->h.sh_type != SHT_RELA || t->type >= LOADER_TYPES || repl < t->va ||
		    repl >= t->va + t->h.sh_size)
			continue;
		for (size_t k = 0; k < rela->h.sh_size; k += sizeof(r)) {
			uint64_t at;

			memcpy(&r, l->file + rela->h.sh_offset + k, sizeof(r));
			at = t->va + r.r_offset;
			if (at < repl || at + 4 > repl + n ||
			    (ELF64_R_TYPE(r.r_info) != R_X86_64_PC32 &&
			     ELF64_R_TYPE(r.r_info) != R_X86_64_PLT32) ||
			    memcmp(p + (at - repl), t->bytes + r.r_offset, 4))
				continue;
			put32(p + (at - repl),
			      (uint64_t)(int64_t)get32(p + (at - repl)) + repl - va);
		}
	}
}

/* Newer kernels note in each entry for a place the longest length of them. */
static void alternative_lengths(struct loader_section *s, size_t i)
{
	uint64_t va = i + (uint64_t)(int64_t)get32(s->bytes + i);

	for (size_t k = i + 14; k < s->h.sh_size; k += 14) {
		uint8_t *a = s->bytes + i + 12;
		uint8_t *b = s->bytes + k + 12;

		if (k + (uint64_t)(int64_t)get32(s->bytes + k) != va)
			break;
		*a = *b = *a > *b ? *a : *b;
	}
}

#define NOT_12 0x8000
#define NOT_14 1
#define DIRECT_CALL_14 2

/* Whether the processor has what an entry asks for. */
static bool chosen(struct loader *l, const uint8_t *e, unsigned int size)
{
	unsigned int bit = e[8] | e[9] << 8;
	bool without = size == 12 ? bit & NOT_12 : e[10] & NOT_14;

	if (!l->exact)
		return !chance(l);
	if (size == 12)
		bit &= ~NOT_12;
	return (l->exact->features[bit / 32] >> bit % 32 & 1) != without;
}

static void alternatives(struct loader *l)
{
	struct loader_section *s = loaded(l, ".altinstructions");
	unsigned int size = loaded(l, ".call_sites") ? 14 : 12;

	for (size_t i = 0; s && size == 14 && i < s->h.sh_size; i += size)
		alternative_lengths(s, i);
	for (size_t i = 0; s && i < s->h.sh_size; i += size) {
		uint8_t *e = s->bytes + i;
		uint64_t va = s->va + i + (uint64_t)(int64_t)get32(e);
		uint64_t repl = s->va + i + 4 + (uint64_t)(int64_t)get32(e + 4);
		uint8_t length = e[size - 2];
		uint8_t n = e[size - 1];
		uint8_t *p = loader_at(l, va);

		if (!chosen(l, e, size)) {
			tail_nops(p, length);
			continue;
		}
		if (l->exact && size == 14 && e[10] & DIRECT_CALL_14) {
			pv_call(l, va, p, length,
				(va + 6 + (uint64_t)(int64_t)get32(p + 2) - l->exact->pv_ops) / 8);
			continue;
		}
		memcpy(p, loader_at(l, repl), n);
		fix_relative(l, repl, n, va, p);
		memset(p + n, 0x90, (size_t)(length - n));
		tail_nops(p, length);
	}
}

static void finalize(struct loader *l)
{
	if (l->profile & LOADER_ALTERNATIVES)
		paravirt_calls(l);
	if (l->profile & LOADER_RETPOLINES)
		each_site(l, ".retpoline_sites", 4, do_retpoline);
	if (l->profile & (LOADER_RETURNS | LOADER_RETHUNK))
		each_site(l, ".return_sites", 4, do_return);
	if (l->profile & LOADER_ALTERNATIVES)
		alternatives(l);
	if (l->profile & LOADER_SEAL)
		each_site(l, ".ibt_endbr_seal", 4, do_seal);
	if (l->profile & LOADER_UP)
		each_site(l, ".smp_locks", 4, do_unlock);
	if (l->profile & LOADER_TRACE)
		each_site(l, "__mcount_loc", 8, do_trace);
	if (l->profile & LOADER_STATIC_CALLS)
		static_calls(l);
}

int loader_load(struct loader *l)
{
	if (read_sections(l))
		return -1;
	layout(l);
	move(l);
	for (size_t i = 1; i < l->count; i++)
		if (l->sections[i].h.sh_type == SHT_RELA && relocate(l, &l->sections[i]))
			return -1;
	sort_table(l, "__ex_table", 2, 4, NULL);
	finalize(l);
	sort_table(l, ".orc_unwind_ip", 1, 0, ".orc_unwind");
	sort_table(l, "__mcount_loc", 0, 8, NULL);
	jump_table(l);
	return 0;
}

void loader_drop(struct loader *l)
{
	for (unsigned int t = 0; t < LOADER_TYPES; t++)
		free(l->bytes[t]);
	free(l->sections);
	free(l->jumps);
}
