// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a module exports, and what it depends on.
 *
 * Trust boundary: names and values of exports come from the signed file; only for a module that
 * was loaded before end of boot without a file are they read from its memory.
 * Locks: HEKI_LOCK_TABLES for dependencies.
 */
#include "validate.h"

#define ENTRY_SIZE 12u
#define FIELD_VALUE 0
#define FIELD_NAME 4
#define R_PC32 2

static const char *const tables[2] = { "__ksymtab", "__ksymtab_gpl" };

/* One export: relocations of its value and of its name. */
struct export {
	uint32_t symbol;
	uint64_t addend;
	const char *name;
};

static int bad_table(struct call *c, const struct elf_section *s, uint64_t at)
{
	text_clear(c);
	text_str(c, s->name);
	text_str(c, ": bad entry");
	return refuse(c, HEKI_E_SYMBOL, at);
}

/* The string that a relocation points to, inside a section of the file and with its NUL. */
static const char *rela_string(const struct elf *elf, const struct elf_rela *rela)
{
	struct elf_symbol symbol = elf_symbol(elf, rela->symbol);
	uint64_t at = symbol.value + rela->addend;
	const struct elf_section *s;
	uint64_t i;

	if (symbol.section == ELF_SHN_UNDEF || symbol.section >= elf->count)
		return NULL;
	s = &elf->sections[symbol.section];
	if (!s->data.p || at >= s->data.n)
		return NULL;
	for (i = at; i < s->data.n && i - at < HEKI_SYMBOL_NAME_MAX; i++)
		if (!s->data.p[i])
			return (const char *)s->data.p + at;
	return NULL;
}

static int read_table(struct validation *v, const struct elf_section *s, struct export *exports)
{
	struct elf_rela rela;
	struct export *x;
	uint32_t i;

	for (i = 0; i < elf_relas(&v->elf, s); i++) {
		rela = elf_rela(&v->elf, s, i);
		if (rela.offset >= s->data.n || rela.type != R_PC32)
			return bad_table(v->c, s, rela.offset);
		x = &exports[rela.offset / ENTRY_SIZE];
		if (rela.offset % ENTRY_SIZE == FIELD_VALUE) {
			x->symbol = rela.symbol;
			x->addend = rela.addend;
		} else if (rela.offset % ENTRY_SIZE == FIELD_NAME) {
			x->name = rela_string(&v->elf, &rela);
		}
	}
	return 0;
}

static int enter(struct validation *v, const char *name, uint64_t value, bool gpl)
{
	struct symbol symbol = { .value = value, .owner = v->token, .gpl = gpl };
	size_t length = str_length(name);
	int ret;

	call_work(v->c, 2 * WORK_LOOKUP);
	if (!length || !utf8_valid((const uint8_t *)name, length))
		return refuse(v->c, HEKI_E_SYMBOL, value);
	ret = symbols_add(v->c->core, &v->module->symbols, name, length, &symbol);
	return ret ? refuse(v->c, -ret, value) : 0;
}

static int enter_table(struct validation *v, const struct elf_section *s, bool gpl)
{
	uint32_t n = (uint32_t)(s->data.n / ENTRY_SIZE);
	struct export *exports;
	uint64_t value;
	int ret;
	uint32_t i;

	if (!s->data.p || s->data.n % ENTRY_SIZE)
		return bad_table(v->c, s, s->data.n);
	if (!n)
		return 0;
	exports = arena_array(&v->c->arena, n, sizeof(*exports));
	if (!exports)
		return -HEKI_E_NO_MEMORY;
	ret = read_table(v, s, exports);
	for (i = 0; i < n && !ret; i++) {
		if (!exports[i].name || !exports[i].symbol ||
		    !reloc_value(&v->expect, exports[i].symbol, &value))
			return bad_table(v->c, s, (uint64_t)i * ENTRY_SIZE);
		ret = enter(v, exports[i].name, value + exports[i].addend, gpl);
	}
	return ret;
}

int module_exports_enter(struct validation *v)
{
	uint32_t index;
	int ret = 0;
	size_t i;

	for (i = 0; i < HEKI_ARRAY_SIZE(tables) && !ret; i++) {
		index = elf_find(&v->elf, tables[i]);
		if (index)
			ret = enter_table(v, &v->elf.sections[index], i == 1);
	}
	return ret;
}

/* Copy a name from the module's memory; it must end inside the memory type it begins in. */
static int read_name(struct validation *v, uint64_t va, char name[HEKI_SYMBOL_NAME_MAX])
{
	uint64_t offset;
	uint64_t n;
	uint64_t i;
	uint32_t type;
	int ret;

	if (!map_find(&v->map, va, &type, &offset))
		return refuse(v->c, HEKI_E_SYMBOL_NAME_BOUNDS, va);
	n = min_u64(HEKI_SYMBOL_NAME_MAX, (v->map.pages[type] << HEKI_PAGE_SHIFT) - offset);
	ret = map_read(v->c, &v->map, type, offset, name, n);
	if (ret)
		return ret;
	for (i = 0; i < n; i++)
		if (!name[i])
			return 0;
	return refuse(v->c, n < HEKI_SYMBOL_NAME_MAX ? HEKI_E_SYMBOL_NAME_NUL :
						       HEKI_E_SYMBOL_NAME_LENGTH, va);
}

static int take_entry(struct validation *v, uint64_t va, const uint8_t *entry, char *name, bool gpl)
{
	uint64_t value = va + (uint64_t)(int64_t)(int32_t)get_le32(entry + FIELD_VALUE);
	uint64_t at = va + FIELD_NAME + (uint64_t)(int64_t)(int32_t)get_le32(entry + FIELD_NAME);
	int ret;

	ret = read_name(v, at, name);
	return ret ? ret : enter(v, name, value, gpl);
}

static int take_table(struct validation *v, uint64_t va, uint32_t n, bool gpl)
{
	uint64_t offset;
	uint8_t *bytes;
	char *name;
	uint32_t type;
	uint32_t i;
	int ret;

	if (!n)
		return 0;
	if (!map_find(&v->map, va, &type, &offset) ||
	    n > ((v->map.pages[type] << HEKI_PAGE_SHIFT) - offset) / ENTRY_SIZE)
		return refuse(v->c, HEKI_E_SYMBOL_TABLE_RANGE, va);
	bytes = arena_array(&v->c->arena, n, ENTRY_SIZE);
	name = arena_alloc(&v->c->arena, HEKI_SYMBOL_NAME_MAX);
	if (!bytes || !name)
		return -HEKI_E_NO_MEMORY;
	ret = map_read(v->c, &v->map, type, offset, bytes, (uint64_t)n * ENTRY_SIZE);
	for (i = 0; i < n && !ret; i++)
		ret = take_entry(v, va + (uint64_t)i * ENTRY_SIZE, bytes + (size_t)i * ENTRY_SIZE,
				 name, gpl);
	return ret;
}

int module_exports_take(struct validation *v)
{
	int ret;

	ret = take_table(v, v->info.ksymtab, v->info.num, false);
	if (!ret)
		ret = take_table(v, v->info.ksymtab_gpl, v->info.num_gpl, true);
	return ret;
}

/* Under HEKI_LOCK_TABLES. */
static int enter_dep(struct validation *v, uint32_t token)
{
	struct heki_core *core = v->c->core;
	struct module *target = modules_find(core, token);
	uint32_t index;
	struct dep *dep;

	/* One that is being validated may still be refused, and then it takes its exports along. */
	if (!target || target->going || target->state == HEKI_MODULE_STATE_VALIDATING)
		return refuse(v->c, HEKI_E_MODULE_SYMBOL, token);
	index = slab_get(&core->deps);
	if (!index)
		return -HEKI_E_NO_MEMORY;
	dep = slab_node(&core->deps, index);
	dep->target = token;
	slab_link(&core->deps, index, hash_u64(token), &v->module->deps);
	target->users++;
	return 0;
}

int module_deps_enter(struct validation *v)
{
	int ret = 0;
	uint32_t i;

	core_lock(v->c->core);
	for (i = 0; i < v->expect.deps_count && !ret; i++)
		ret = enter_dep(v, v->expect.deps[i]);
	core_unlock(v->c->core);
	return ret;
}

void module_deps_remove(struct heki_core *core, struct module *m)
{
	struct module *target;
	struct dep *dep;
	uint32_t index;

	core_lock(core);
	while ((index = slab_pop(&core->deps, &m->deps))) {
		dep = slab_node(&core->deps, index);
		target = modules_find(core, dep->target);
		if (target)
			target->users--;
		slab_unhash(&core->deps, index, hash_u64(dep->target));
		slab_put(&core->deps, index);
	}
	core_unlock(core);
}
