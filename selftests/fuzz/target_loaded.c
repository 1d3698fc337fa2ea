// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules as a loader leaves them, small ones of the stock kernels among them: VALIDATE_MODULE of
 * one with changes in its file, its memory and the ranges that name it, by a host whose signatures
 * all verify.
 *
 * Input: which module, the kind of processor (two bytes), how (bits of HOW_*), then changes. Each
 * says where, in terms of what an ELF file is made of, and gives a value that is mostly near one
 * that matters.  With HOW_FILL the memory becomes what the core expects of the changed file.
 *
 * Apart from what always holds: memory that differs where all kernels leave it alone is refused.
 */
#include <elf.h>

#include "bases.h"
#include "fill.h"
#include "place.h"

#define CHANGES_MOST 24
#define HOW_ENFORCE 1
#define HOW_FILL 2
#define HOW_USE 4 /* go on with patches, FREE_MODULE_INIT */
#define HOW_EARLY 8 /* before the end of boot */
#define HOW_UNVERIFIED 16 /* without a file */
#define HOW_LIVE 32 /* without init memory */
#define CHANGE_RANGE 6 /* numbers of changes[] that seeds name */
#define CHANGE_AT_SITE 7
#define LOADED_VA (MODULES_VA + 0x800000)

/* A module that is about to be validated. */
struct loaded {
	struct world *w;
	struct input in;
	struct base *base;
	struct placed m;
	struct span file; /* with changes, without signature */
	bool file_changed;
	bool live;
	bool fixed_changed; /* in memory, where nobody but an attacker does */
};

/* The virtual address of each range in turn, a page away: those of a type follow each other. */
static void seed_ranges(void)
{
	for (uint8_t i = 0; i < 8; i++) {
		const uint8_t range[] = { 0, 0, 0, HOW_ENFORCE, CHANGE_RANGE, i, 0, 0x80 + 12 };
		char name[32];

		snprintf(name, sizeof(name), "range-%u", i);
		seed(name, range, sizeof(range));
	}
}

void target_seeds(void)
{
	/* each base: as it is, under other processors, filled, with a change of memory */
	for (uint8_t i = 0; i < BASES; i++) {
		const uint8_t plain[] = { i, 0, 0, HOW_USE | HOW_ENFORCE };
		const uint8_t other[] = { i, 0xf5, 0x02, HOW_USE };
		const uint8_t more[] = { i, 0xeb, 0x03, HOW_ENFORCE };
		const uint8_t fill[] = { i, 0, 0, HOW_FILL | HOW_USE, 3, 1, 2, 0, 2, 1 };
		const uint8_t text[] = { i, 0, 0, HOW_ENFORCE, 5, 0, 0x20, 0, 4 };
		const uint8_t site[] = { i, 0, 0, HOW_FILL, 9, 8, 0, 0, 2, 9, 20, 1, 0, 0x81 };
		const uint8_t table[] = { i, 0, 0, HOW_FILL, 11, 8, 10, 0, 0x63, 11, 8, 11, 0, 0x68 };
		const uint8_t patch[] = { i, 0, 0, HOW_EARLY | HOW_UNVERIFIED, 12, 16, 0, 3, 0x61 };
		const uint8_t many[] = { i, 0, 0, HOW_FILL, 1, 3, 4, 6, 2, 9, 8, 0, 0x51, 4, 5, 0, 3, 1 };
		const uint8_t live[] = { i, 0, 0, HOW_EARLY | HOW_LIVE | HOW_ENFORCE };
		const uint8_t branch[] = { i, 4, 0, HOW_ENFORCE, CHANGE_AT_SITE, 0, 0, 0, 0, 0x61 };
		const uint8_t early[] = { i, 0, 0, HOW_EARLY | HOW_UNVERIFIED | HOW_USE };
		char name[32];

		snprintf(name, sizeof(name), "%02u-", i);
		strcpy(name + 3, "plain");
		seed(name, plain, sizeof(plain));
		strcpy(name + 3, "live");
		seed(name, live, sizeof(live));
		strcpy(name + 3, "early");
		seed(name, early, sizeof(early));
		strcpy(name + 3, "other");
		seed(name, other, sizeof(other));
		strcpy(name + 3, "more");
		seed(name, more, sizeof(more));
		strcpy(name + 3, "fill");
		seed(name, fill, sizeof(fill));
		strcpy(name + 3, "text");
		seed(name, text, sizeof(text));
		strcpy(name + 3, "site");
		seed(name, site, sizeof(site));
		strcpy(name + 3, "table");
		seed(name, table, sizeof(table));
		strcpy(name + 3, "patch");
		seed(name, patch, sizeof(patch));
		strcpy(name + 3, "many");
		seed(name, many, sizeof(many));
		strcpy(name + 3, "branch");
		seed(name, branch, sizeof(branch));
	}
	seed_ranges();
}

/* --- changes of the file --- */

/* A value for a field that holds @old: one that matters, one near, or any. */
static uint64_t value(struct loaded *l, uint64_t old)
{
	const uint64_t some[] = {
		0, 1, 2, 3, 4, 8, 16, 24, 64, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		1ull << 32, 1ull << 63, ~0ull, ~0ull - 7, l->file.n, l->file.n - 1, l->file.n + 1,
		HEKI_PAGE_SIZE, LOADED_VA, KERNEL_VA, 0xff00, 0xff20, 0xfff1, 0xfff2,
	};
	uint8_t choice = input_u8(&l->in);

	if (choice < 0x40)
		return some[choice % HEKI_ARRAY_SIZE(some)];
	if (choice < 0x80)
		return old + choice - 0x60;
	if (choice < 0xc0)
		return old ^ 1ull << (choice & 63);
	return choice < 0xe0 ? input_u16(&l->in) : input_u64(&l->in);
}

/* Change a field of the file, when it lies in it. */
static void change(struct loaded *l, uint64_t at, size_t n)
{
	uint8_t *p = (uint8_t *)l->file.p + at;
	uint64_t field = 0;

	if (!in_bounds(at, n, l->file.n))
		return;
	memcpy(&field, p, n);
	field = value(l, field);
	memcpy(p, &field, n);
	l->file_changed = true;
}

/* A section header of the base, which is well-formed; by the input's next byte. */
static Elf64_Shdr header(struct loaded *l, uint32_t type, uint64_t *at)
{
	const uint8_t *file = l->base->file.p;
	Elf64_Ehdr e;
	Elf64_Shdr h;
	unsigned int index;

	memcpy(&e, file, sizeof(e));
	index = input_u8(&l->in) % e.e_shnum;
	for (unsigned int i = 0; i < e.e_shnum; i++, index = (index + 1) % e.e_shnum) {
		*at = e.e_shoff + index * sizeof(h);
		memcpy(&h, file + *at, sizeof(h));
		if (!type || h.sh_type == type)
			break;
	}
	return h;
}

struct field {
	uint8_t at;
	uint8_t n;
};

/* One entry of a table of @size bytes an entry: a field of it. */
static void change_entry(struct loaded *l, uint32_t type, uint64_t size, const struct field *fields,
			 uint8_t count)
{
	uint64_t at;
	Elf64_Shdr h = header(l, type, &at);
	const struct field *f = &fields[input_u8(&l->in) % count];
	uint64_t entries = h.sh_size / size;

	if (h.sh_type == type && entries)
		change(l, h.sh_offset + input_u16(&l->in) % entries * size + f->at, f->n);
}

static void change_elf_header(struct loaded *l)
{
	static const struct field fields[] = {
		{ 0, 4 }, { 4, 1 }, { 16, 2 }, { 18, 2 }, { 20, 4 }, { 40, 8 }, { 52, 2 }, { 58, 2 },
		{ 60, 2 }, { 62, 2 },
	};
	const struct field *f = &fields[input_u8(&l->in) % HEKI_ARRAY_SIZE(fields)];

	change(l, f->at, f->n);
}

static void change_section_header(struct loaded *l)
{
	static const struct field fields[] = {
		{ 0, 4 }, { 4, 4 }, { 8, 8 }, { 24, 8 }, { 32, 8 }, { 40, 4 }, { 44, 4 }, { 48, 8 },
		{ 56, 8 },
	};
	uint64_t at;
	const struct field *f;

	header(l, 0, &at);
	f = &fields[input_u8(&l->in) % HEKI_ARRAY_SIZE(fields)];
	change(l, at + f->at, f->n);
}

static void change_contents(struct loaded *l)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8 };
	uint64_t at;
	Elf64_Shdr h = header(l, 0, &at);
	uint8_t n = sizes[input_u8(&l->in) & 3];

	if (h.sh_type != SHT_NOBITS && h.sh_size)
		change(l, h.sh_offset + input_u16(&l->in) % h.sh_size, n);
}

static void change_relocation(struct loaded *l)
{
	static const struct field fields[] = { { 0, 8 }, { 8, 4 }, { 12, 4 }, { 16, 8 } };

	change_entry(l, SHT_RELA, 24, fields, HEKI_ARRAY_SIZE(fields));
}

static bool is_site_table(const char *name)
{
	static const char *const names[] = {
		".return_sites", ".retpoline_sites", ".smp_locks", "__mcount_loc", ".altinstructions",
		".parainstructions", ".static_call_sites", "__jump_table", ".call_sites",
		".ibt_endbr_seal", "__ex_table", ".orc_unwind_ip", "__ksymtab", "__ksymtab_gpl",
	};

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/**
 * struct site_entry - what one relocation of a table of sites says
 * @rela:    it
 * @at:      where it is in the file
 * @section: name of the section that it leads to
 * @size:    of that section
 * @value:   of its symbol, which @rela counts from
 */
struct site_entry {
	Elf64_Rela rela;
	uint64_t at;
	const char *section;
	uint64_t size;
	uint64_t value;
};

/* One that leads to a section, by the next bytes of the input; false when there is none. */
static bool pick_site(struct loaded *l, struct site_entry *s)
{
	const uint8_t *file = l->base->file.p;
	const Elf64_Ehdr *e = (const void *)file;
	const Elf64_Shdr *h = (const void *)(file + e->e_shoff);
	const char *names = (const char *)file + h[e->e_shstrndx].sh_offset;
	unsigned int index = input_u8(&l->in) % e->e_shnum;
	uint16_t entry = input_u16(&l->in);
	const Elf64_Sym *symbol;

	for (unsigned int i = 0; i < e->e_shnum; i++, index = (index + 1) % e->e_shnum)
		if (h[index].sh_type == SHT_RELA && is_site_table(names + h[h[index].sh_info].sh_name))
			break;
	if (h[index].sh_type != SHT_RELA || h[index].sh_size < sizeof(s->rela))
		return false;
	s->at = h[index].sh_offset + entry % (h[index].sh_size / sizeof(s->rela)) * sizeof(s->rela);
	memcpy(&s->rela, file + s->at, sizeof(s->rela));
	symbol = (const void *)(file + h[h[index].sh_link].sh_offset);
	symbol += ELF64_R_SYM(s->rela.r_info);
	if (symbol->st_shndx >= e->e_shnum)
		return false;
	s->section = names + h[symbol->st_shndx].sh_name;
	s->size = h[symbol->st_shndx].sh_size;
	s->value = symbol->st_value;
	return true;
}

/*
 * An entry of a table of sites: where it leads, mostly near where it did or near the end of what it
 * leads to.
 */
static void change_site(struct loaded *l)
{
	struct site_entry s;
	uint8_t how;

	if (!pick_site(l, &s))
		return;
	how = input_u8(&l->in);
	if (how < 0x40)
		s.rela.r_addend = (int64_t)(s.size - how % 24);
	else if (how < 0xc0)
		s.rela.r_addend += how - 0x80;
	else
		s.rela.r_addend = (int64_t)value(l, (uint64_t)s.rela.r_addend);
	memcpy((uint8_t *)l->file.p + s.at, &s.rela, sizeof(s.rela));
	l->file_changed = true;
}

/* A byte of a table of sites that no relocation makes: lengths, features. */
static void change_table(struct loaded *l)
{
	const uint8_t *file = l->base->file.p;
	const Elf64_Ehdr *e = (const void *)file;
	const Elf64_Shdr *h = (const void *)(file + e->e_shoff);
	const char *names = (const char *)file + h[e->e_shstrndx].sh_offset;
	unsigned int index = input_u8(&l->in) % e->e_shnum;

	for (unsigned int i = 0; i < e->e_shnum; i++, index = (index + 1) % e->e_shnum)
		if (is_site_table(names + h[index].sh_name) && h[index].sh_size)
			break;
	if (h[index].sh_size)
		change(l, h[index].sh_offset + input_u16(&l->in) % h[index].sh_size, 1);
}

static void change_symbol(struct loaded *l)
{
	static const struct field fields[] = { { 0, 4 }, { 4, 1 }, { 6, 2 }, { 8, 8 }, { 16, 8 } };

	change_entry(l, SHT_SYMTAB, 24, fields, HEKI_ARRAY_SIZE(fields));
}

/* --- changes of what VTL0 has in memory and sends --- */

static void change_memory(struct loaded *l)
{
	uint32_t type = input_u8(&l->in) % LOADER_TYPES;
	uint64_t offset = input_u16(&l->in);
	uint8_t bits = input_u8(&l->in);

	if (offset >= l->m.l.pages[type] * HEKI_PAGE_SIZE || !bits)
		return;
	*placed_at(&l->m, type, offset) ^= bits;
	/* Data is VTL0's to write; of a live module init has written, and its own memory is gone. */
	if (l->live && type >= HEKI_MOD_RO_AFTER_INIT)
		return;
	if (type != HEKI_MOD_DATA && type != HEKI_MOD_INIT_DATA &&
	    bases_fixed(l->base, &l->m.l, type, offset))
		l->fixed_changed = true;
}

/* A byte at a site of memory, so that what stands there is none of what may. */
static void change_at_site(struct loaded *l)
{
	struct site_entry s;
	uint64_t va, pa;
	uint8_t *there;

	if (!pick_site(l, &s))
		return;
	va = loader_section(&l->m.l, s.section, &(size_t){ 0 });
	if (!va)
		return;
	va += (uint64_t)s.rela.r_addend + s.value + input_u8(&l->in) % 8;
	there = loader_at(&l->m.l, va);
	pa = there ? placed_va_pa(&l->m, va) : 0;
	if (pa)
		*(uint8_t *)guest_at(l->w->g, pa) = (uint8_t)value(l, *there);
	l->file_changed = true; /* or as good: what may stand there is not told here */
}

static void change_range(struct loaded *l)
{
	struct heki_range *r = &l->m.ranges.r[input_u8(&l->in) % l->m.ranges.n];
	uint8_t field = input_u8(&l->in);

	switch (field % 5) {
	case 0:
		r->va = value(l, r->va);
		break;
	case 1:
		r->pa = value(l, r->pa);
		break;
	case 2:
		r->epa = value(l, r->epa);
		break;
	case 3:
		r->attributes = value(l, r->attributes);
		break;
	default:
		if (l->m.ranges.n > 1)
			*r = l->m.ranges.r[--l->m.ranges.n];
	}
}

/* What VTL0 says of a module: its exports, the base of its per-CPU section. */
static void change_info(struct loaded *l)
{
	static const struct field fields[] = { { 0, 8 }, { 56, 8 }, { 64, 8 }, { 72, 4 }, { 76, 4 },
					       { 80, 8 } };
	const struct field *f = &fields[input_u8(&l->in) % HEKI_ARRAY_SIZE(fields)];
	struct heki_range *r = &l->m.ranges.r[l->m.ranges.n - 1];
	uint64_t field = 0;

	if (r->attributes != HEKI_MOD_INFO || !in_bounds(r->pa, 88, WORLD_VTL1))
		return;
	memcpy(&field, guest_at(l->w->g, r->pa + f->at), f->n);
	field = value(l, field);
	guest_store(l->w->g, r->pa + f->at, &field, f->n); /* the range may be one of the kernel's */
	l->file_changed = true;
}

/* A field of the list of patches, when there is one. */
static void change_patch(struct loaded *l)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8 };
	uint64_t at = input_u16(&l->in), n = sizes[input_u8(&l->in) & 3], field = 0;
	struct patches *list = &l->m.list;
	uint64_t pa = 0;

	for (size_t i = 0; i < l->m.ranges.n; i++)
		if (l->m.ranges.r[i].attributes == HEKI_MOD_PATCH)
			pa = l->m.ranges.r[i].pa;
	if (!in_bounds(at, n, list->n) || !pa || !in_bounds(pa, list->n, WORLD_VTL1))
		return;
	memcpy(&field, list->bytes + at, n);
	field = value(l, field);
	guest_store(l->w->g, pa + at, &field, n);
	l->file_changed = true;
}

static void (*const changes[])(struct loaded *l) = {
	change_elf_header, change_section_header, change_contents, change_relocation,
	change_symbol, change_memory, change_range, change_at_site, change_info,
	change_site, change_site, change_table, change_patch,
};

/* --- the run --- */

static void load(struct loaded *l, unsigned int profile, uint8_t how)
{
	struct file copy = { malloc(l->base->file.n), l->base->file.n };
	uint8_t *file = malloc(l->base->file.n);

	CHECK(copy.p && file);
	memcpy(copy.p, l->base->file.p, copy.n);
	memcpy(file, l->base->file.p, copy.n);
	l->file = (struct span){ file, copy.n };
	place_file(l->w->g, &l->m, &copy, profile & 0x3ff, LOADED_VA);
	if (how & HOW_LIVE)
		drop_init_ranges(&l->m);
	if (how & HOW_UNVERIFIED) {
		drop_range(&l->m, first_of(&l->m, HEKI_MOD_ELF_BUFFER));
		place_info(&l->m, "loaded");
	}
}

/* The ranges' file becomes the changed one with a signature. */
static void send_file(struct loaded *l)
{
	struct ranges one = { 0 };

	fill_add_file(l->w, &one, l->file);
	for (size_t i = 0; i < l->m.ranges.n; i++)
		if (l->m.ranges.r[i].attributes == HEKI_MOD_ELF_BUFFER)
			l->m.ranges.r[i] = one.r[0];
	drop_ranges(&one);
}

static void fill_memory(struct loaded *l)
{
	uint64_t size[HEKI_MOD_MEM_TYPES] = { 0 };
	struct call c = world_begin(l->w);
	struct module_map map = { 0 };
	struct elf elf;

	for (uint32_t type = 0; type < HEKI_MOD_MEM_TYPES; type++) {
		map.va[type] = l->m.l.pages[type] ? l->m.l.va[type] : 0;
		map.pages[type] = l->m.l.pages[type];
		map.pa[type] = l->m.pa[type];
	}
	if (!elf_parse(&c, l->file, &elf) && !layout_sections(&c, &elf, size))
		fill_expected(l->w, &c, &elf, &map);
	world_end(l->w, &c);
}

static void patch_step(struct loaded *l, const struct patch_site *site, uint8_t offset, uint8_t n,
		       const uint8_t *code)
{
	struct heki_patch patch = make_patch(site->pa.v + offset, site->next.v, code, n);

	world_patch(l->w, l->w->pages, &patch);
}

/* The steps at each of the module's own sites, to its code, and at once back to what was there. */
static void patch_sites(struct loaded *l)
{
	static const uint8_t int3[HEKI_POKE_MAX] = { PATCH_INT3 };
	uint8_t before[HEKI_POKE_MAX];
	struct patch_site site;

	for (uint32_t i = 1; patches_next(l->w->g->core, &i, &site); i++) {
		if (site.owner == HEKI_OWNER_KERNEL || patch_read(l->w->g->core, &site, before))
			continue;
		patch_step(l, &site, 0, 1, int3);
		if (site.size > 1)
			patch_step(l, &site, 1, (uint8_t)(site.size - 1), site.code + 1);
		patch_step(l, &site, 0, 1, site.code);
		patch_step(l, &site, 0, site.size, before);
	}
}

static void validate_loaded(struct loaded *l, uint8_t how, bool unchanged)
{
	uint64_t flags = (how & HOW_UNVERIFIED ? HEKI_MODULE_UNVERIFIED : 0) |
			 (how & HOW_LIVE ? HEKI_MODULE_LIVE : 0);
	int token = world_ranges(l->w, HEKI_CALL_VALIDATE_MODULE, &l->m.ranges, flags);

	if (token <= 0 && unchanged)
		test_fail(__FILE__, __LINE__, "%s is refused: %s", l->base->name,
			  last_log(l->w->g)->text);
	if (token <= 0)
		return;
	if (l->fixed_changed && !l->file_changed)
		test_fail(__FILE__, __LINE__, "%s was accepted with changed memory", l->base->name);
	if (how & HOW_USE) {
		patch_sites(l);
		world_call(l->w, HEKI_CALL_FREE_MODULE_INIT, (uint64_t)token, 0, 0);
		world_call(l->w, HEKI_CALL_AUDIT, 0, 0, 0);
	}
	CHECK_OK(world_call(l->w, HEKI_CALL_UNLOAD_MODULE, (uint64_t)token, 0, 0));
	CHECK_EQUAL(l->w->g->core->modules_budget.used, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loaded l = { .in = { data, size } };
	enum heki_grade grade;
	unsigned int profile;
	bool unchanged;
	uint8_t how;

	l.base = bases_get(input_u8(&l.in));
	profile = input_u16(&l.in);
	how = input_u8(&l.in);
	grade = how & HOW_ENFORCE ? HEKI_GRADE_ENFORCE : HEKI_GRADE_AUDIT;
	if (!(how & HOW_EARLY))
		how &= (uint8_t)~(HOW_UNVERIFIED | HOW_LIVE);
	l.w = how & HOW_EARLY ? world_get_early(grade) : world_get(grade, true);
	world_trust_all(l.w);
	l.live = how & HOW_LIVE;
	load(&l, profile, how);
	unchanged = !l.in.n && !(how & HOW_FILL);
	for (unsigned int i = 0; i < CHANGES_MOST && l.in.n; i++)
		changes[input_u8(&l.in) % HEKI_ARRAY_SIZE(changes)](&l);
	if (how & HOW_FILL)
		fill_memory(&l);
	if (how & (HOW_FILL | HOW_UNVERIFIED))
		l.fixed_changed = false; /* nothing to tell it by */
	send_file(&l);
	validate_loaded(&l, how, unchanged);
	free((void *)l.file.p);
	unplace(&l.m);
	return 0;
}
