// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Relocations, recomputed.
 *
 * Symbols come from VTL1's tables (the kernel's exports, those of modules validated before) and
 * from the module itself; what VTL0 wrote into the module is never the source of a value, but for
 * two bases that nothing else tells: where the per-CPU section of the module lies, and where init
 * memory lay that is gone already. They are read once; every other use must agree.
 *
 * Locks: none but those that symbols_find() takes.
 */
#include "expect.h"

#define R_NONE 0
#define R_64 1
#define R_PC32 2
#define R_PLT32 4
#define R_32 10
#define R_32S 11
#define R_PC64 24

static int add_dep(struct expect *e, uint32_t token)
{
	uint32_t i;

	if (token >= HEKI_OWNER_KERNEL)
		return 0;
	for (i = 0; i < e->deps_count; i++)
		if (e->deps[i] == token)
			return 0;
	if (e->deps_count == e->c->core->limits.modules)
		return -HEKI_E_NO_MEMORY;
	e->deps[e->deps_count++] = token;
	return 0;
}

static int resolve(struct expect *e, const struct elf_symbol *symbol, struct symbol_value *value)
{
	struct symbol found;

	call_work(e->c, WORK_LOOKUP);
	value->base = VALUE_ABSOLUTE;
	if (symbols_find(e->c->core, symbol->name, str_length(symbol->name), &found)) {
		value->value = found.value;
		return add_dep(e, found.owner);
	}
	if (symbol->weak)
		return 0;
	text_clear(e->c);
	text_str(e->c, "unknown symbol ");
	text_str(e->c, symbol->name);
	return refuse(e->c, HEKI_E_MODULE_SYMBOL, 0);
}

static int set_value(struct expect *e, uint32_t index)
{
	struct elf_symbol symbol = elf_symbol(e->elf, index);
	struct symbol_value *value = &e->values[index];
	const struct elf_section *s;

	if (symbol.section == ELF_SHN_UNDEF)
		return index ? resolve(e, &symbol, value) : 0;
	value->value = symbol.value;
	if (symbol.section == ELF_SHN_ABS) {
		value->base = VALUE_ABSOLUTE;
		return 0;
	}
	s = &e->elf->sections[symbol.section];
	value->base = s->memory == ELF_MEMORY_NONE ? VALUE_NONE : s->memory;
	value->value += s->offset;
	return 0;
}

int reloc_symbols(struct expect *e)
{
	int ret = 0;
	uint32_t i;

	e->values = arena_array(&e->c->arena, e->elf->symbols_count, sizeof(*e->values));
	e->deps = arena_array(&e->c->arena, e->c->core->limits.modules, sizeof(*e->deps));
	if (!e->values || !e->deps)
		return -HEKI_E_NO_MEMORY;
	e->values[0].base = VALUE_ABSOLUTE;
	for (i = 0; i < e->elf->symbols_count && !ret; i++) {
		call_work_every(e->c, i, 256, 256 * WORK_ITEM);
		ret = set_value(e, i);
	}
	return ret;
}

/* Whether a relocation needs a base that is not known. */
static bool reloc_unknown(const struct expect *e, const struct elf_rela *rela)
{
	uint32_t base = e->values[rela->symbol].base;

	return base < ELF_BASES && !e->known[base];
}

bool reloc_value(const struct expect *e, uint32_t symbol, uint64_t *value)
{
	const struct symbol_value *v = &e->values[symbol];

	if (v->base == VALUE_NONE || (v->base < ELF_BASES && !e->known[v->base]))
		return false;
	*value = v->value + (v->base < ELF_BASES ? e->base[v->base] : 0);
	return true;
}

/* How the types of relocations write; those without a width are not known. */
static const struct form {
	uint8_t width; /* bytes */
	bool relative; /* to the place that is written */
	bool unsigned_;
} forms[] = {
	[R_64] = { .width = 8 },
	[R_PC32] = { .width = 4, .relative = true },
	[R_PLT32] = { .width = 4, .relative = true },
	[R_32] = { .width = 4, .unsigned_ = true },
	[R_32S] = { .width = 4 },
	[R_PC64] = { .width = 8, .relative = true },
};

static const struct form *form_of(uint32_t type)
{
	return &forms[type < HEKI_ARRAY_SIZE(forms) ? type : R_NONE];
}

/* Bytes that a relocation writes; 0 for one that is not known. */
static uint32_t width(uint32_t type)
{
	return form_of(type)->width;
}

static bool relative(uint32_t type)
{
	return form_of(type)->relative;
}

static bool fits(const struct form *form, uint64_t v)
{
	if (form->unsigned_)
		return v <= 0xffffffffu;
	return form->width == 8 || (uint64_t)(int64_t)(int32_t)v == v;
}

/* What the bytes that a relocation wrote say of the address that it used. */
static uint64_t address_used(uint32_t type, const uint8_t *p, uint64_t place)
{
	uint64_t v;

	if (width(type) == 8)
		v = get_le64(p);
	else if (type == R_32)
		v = get_le32(p);
	else
		v = (uint64_t)(int64_t)(int32_t)get_le32(p);
	return relative(type) ? v + place : v;
}

/* Whether an alternative may have replaced the bytes of a relocation. */
static bool in_alternative(const struct expect *e, uint32_t section, uint64_t offset)
{
	const struct site *s = e->sites.s + e->sites.first[SITE_ALTERNATIVE];
	uint32_t i;

	for (i = 0; i < e->sites.count[SITE_ALTERNATIVE]; i++, s++)
		if (s->section == section && offset + 8 > s->offset &&
		    offset < s->offset + s->length)
			return true;
	return false;
}

/*
 * VTL0 chooses these values. A per-CPU address is an offset below 2 GiB or a kernel address; init
 * memory starts on a page of the modules' area and shares no byte with other memory of the module.
 */
static bool plausible(const struct expect *e, uint32_t base, uint64_t v)
{
	uint64_t end;
	uint32_t i;

	if (!symbol_value_valid(v))
		return false;
	if (base == ELF_MEMORY_PERCPU)
		return exact_percpu(e, v);
	if (!page_aligned(v) || !(v >> 63))
		return false;
	end = v + e->size[base];
	for (i = 0; i < HEKI_MOD_MEM_TYPES; i++)
		if (e->map->pages[i] && v < e->map->va[i] + (e->map->pages[i] << HEKI_PAGE_SHIFT) &&
		    e->map->va[i] < end)
			return false;
	return true;
}

static void derive(struct expect *e, uint32_t index, const struct elf_rela *rela, bool anywhere)
{
	const struct elf_section *s = &e->elf->sections[index];
	const struct symbol_value *v = &e->values[rela->symbol];
	uint64_t at = s->offset + rela->offset;
	uint64_t base;

	if (!reloc_unknown(e, rela) || !width(rela->type) ||
	    !in_bounds(rela->offset, width(rela->type), s->data.n))
		return;
	if (!anywhere && in_alternative(e, index, rela->offset))
		return;
	base = address_used(rela->type, e->guest[s->memory] + at, e->base[s->memory] + at) -
	       rela->addend - v->value;
	if (!plausible(e, v->base, base))
		return;
	e->base[v->base] = base;
	e->known[v->base] = true;
}

static bool has_image(const struct expect *e, const struct elf_section *s)
{
	return s->memory < HEKI_MOD_MEM_TYPES && e->image[s->memory];
}

static void derive_all(struct expect *e, bool anywhere)
{
	struct elf_rela rela;
	uint32_t i;
	uint32_t k;

	for (i = 1; i < e->elf->count; i++) {
		const struct elf_section *s = &e->elf->sections[i];

		if (!has_image(e, s) || sorted_section(s))
			continue;
		for (k = 0; k < elf_relas(e->elf, s); k++) {
			call_work_every(e->c, k, 256, 256 * WORK_ITEM);
			rela = elf_rela(e->elf, s, k);
			derive(e, i, &rela, anywhere);
		}
	}
}

/* Whether all memory that symbols lie in has an address. */
static bool all_known(const struct expect *e)
{
	uint32_t memory;
	uint32_t i;

	for (i = 1; i < e->elf->count; i++) {
		memory = e->elf->sections[i].memory;
		if (memory < ELF_BASES && !e->known[memory])
			return false;
	}
	return true;
}

void reloc_bases(struct expect *e)
{
	if (all_known(e))
		return;
	derive_all(e, false);
	derive_all(e, true);
}

uint32_t reloc_count_unknown(const struct expect *e, const struct elf_section *s)
{
	struct elf_rela rela;
	uint32_t n = 0;
	uint32_t i;

	if (all_known(e))
		return 0;
	for (i = 0; i < elf_relas(e->elf, s); i++) {
		rela = elf_rela(e->elf, s, i);
		n += reloc_unknown(e, &rela);
	}
	return n;
}

/* By value: what is never looked at by address stays in registers. */
static int bad_relocation(const struct expect *e, const struct elf_section *s, struct elf_rela rela,
			  const char *why)
{
	struct call *c = e->c;

	text_clear(c);
	text_str(c, s->name);
	text_str(c, "+");
	text_hex(c, rela.offset);
	text_str(c, ": relocation of type ");
	text_dec(c, rela.type);
	text_str(c, why);
	return refuse(c, HEKI_E_MODULE_RELOCATION, rela.offset);
}

static bool all_zero(const uint8_t *p, uint32_t n)
{
	return n == 8 ? !get_le64(p) : !get_le32(p);
}

static int apply(struct expect *e, const struct elf_section *s, const struct elf_rela *rela)
{
	const struct form *form = form_of(rela->type);
	uint64_t at = s->offset + rela->offset;
	uint64_t value;
	uint8_t *p;

	if (rela->type == R_NONE)
		return 0;
	if (!form->width)
		return bad_relocation(e, s, *rela, " is unknown");
	if (!s->data.p || !in_bounds(rela->offset, form->width, s->data.n))
		return bad_relocation(e, s, *rela, " out of bounds");
	p = e->image[s->memory] + at;
	/* The kernel refuses this too; it also means that no byte is relocated twice. */
	if (!all_zero(p, form->width))
		return bad_relocation(e, s, *rela, " over bytes that are not zero");
	if (!reloc_value(e, rela->symbol, &value)) {
		/* Only sorted tables are left, and they allow for it. */
		if (reloc_unknown(e, rela) && sorted_section(s))
			return 0;
		return bad_relocation(e, s, *rela, " against a symbol without address");
	}
	value += rela->addend;
	if (form->relative)
		value -= e->base[s->memory] + at;
	if (!fits(form, value))
		return bad_relocation(e, s, *rela, " overflows");
	if (form->width == 8)
		put_le64(p, value);
	else
		put_le32(p, (uint32_t)value);
	account_relocated(&e->account, s->memory, at, form->width);
	e->relocations++;
	return 0;
}

int reloc_apply(struct expect *e)
{
	struct elf_rela rela;
	uint32_t before;
	int ret = 0;
	uint32_t i;
	uint32_t k;

	for (i = 1; i < e->elf->count && !ret; i++) {
		struct elf_section *s = &e->elf->sections[i];

		if (!has_image(e, s))
			continue;
		before = e->account.bytes[HEKI_ACCOUNT_RELOCATED];
		for (k = 0; k < elf_relas(e->elf, s) && !ret; k++) {
			call_work_every(e->c, k, 256, 256 * WORK_ITEM);
			rela = elf_rela(e->elf, s, k);
			ret = apply(e, s, &rela);
		}
		s->relocated = e->account.bytes[HEKI_ACCOUNT_RELOCATED] - before;
	}
	return ret;
}
