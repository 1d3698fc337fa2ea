// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Where calls may be made to lead: starts of functions of the kernel and of modules.
 *
 * Of the kernel they come with the snapshot, of a module from the symbols of its signed file. A
 * module without a file has none: any of its text is a target.
 *
 * Locks: HEKI_LOCK_TABLES, taken where the header does not say otherwise.
 */
#include "expect.h"

static bool within(uint64_t va, uint64_t start, uint64_t size)
{
	return va >= start && va - start < size;
}

static bool in_kernel_text(const struct heki_core *core, uint64_t va)
{
	uint32_t i;

	for (i = 0; i < core->kernel_texts_count; i++)
		if (within(va, core->kernel_texts[i].va.v, core->kernel_texts[i].size))
			return true;
	return false;
}

static bool kernel_function(const struct heki_core *core, uint64_t va)
{
	uint64_t offset = va - core->snapshot.functions_base;
	uint32_t low = 0;
	uint32_t high = core->snapshot.functions_count;
	uint32_t middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (core->functions[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < core->snapshot.functions_count && core->functions[low] == offset;
}

/* Nodes are found by module and part of its text: one part has a few dozen functions. */
#define PART_SHIFT 13

static uint32_t part_hash(uint32_t owner, uint64_t at)
{
	return hash_u64((uint64_t)owner << 32 | at >> PART_SHIFT);
}

static uint32_t node_hash(const struct starts *s)
{
	return part_hash(s->owner, s->at[0]);
}

/* Whether a function starts there; if not, *@room is a node where it may be entered, or NULL. */
static bool starts_at(const struct heki_core *core, uint32_t owner, uint64_t at,
		      struct starts **room)
{
	uint32_t index = slab_bucket(&core->starts, part_hash(owner, at));
	struct starts *s;
	uint32_t i;

	*room = NULL;
	for (; index; index = s->node.hnext) {
		s = slab_node(&core->starts, index);
		if (s->owner != owner || s->at[0] >> PART_SHIFT != at >> PART_SHIFT)
			continue;
		for (i = 0; i < s->count; i++)
			if (s->at[i] == at)
				return true;
		if (s->count < STARTS_PER_NODE)
			*room = s;
	}
	return false;
}

static bool module_target(const struct heki_core *core, uint32_t owner, uint64_t va)
{
	const struct module *m = core->modules;
	struct starts *room;
	uint32_t i;

	for (i = 0; i < core->limits.modules; i++, m++) {
		if (!m->token || !within(va, m->text.v, m->text_size))
			continue;
		if (m->state == HEKI_MODULE_STATE_VALIDATING && m->token != owner)
			continue;
		if (m->flags & HEKI_MODULE_UNVERIFIED || !core->snapshot.functions_count)
			return true;
		return starts_at(core, m->token, va - m->text.v, &room);
	}
	return false;
}

bool functions_target(const struct heki_core *core, uint32_t owner, uint64_t va)
{
	if (in_kernel_text(core, va))
		return !core->snapshot.functions_count || kernel_function(core, va);
	return module_target(core, owner, va);
}

bool functions_tracer(const struct heki_core *core, uint64_t va)
{
	const struct kernel_snapshot *s = &core->snapshot;
	uint32_t i;

	if (!in_kernel_text(core, va))
		return false;
	for (i = 0; i < s->tracers_count; i++)
		if (s->tracers[i] == va)
			return true;
	return !s->tracers_count;
}

/* Offset of a function in the module's text; false when the symbol is none there. */
static bool function_offset(const struct expect *e, const struct elf_symbol *symbol, uint32_t *at)
{
	const struct elf_section *s;

	if (!symbol->function || symbol->section == ELF_SHN_UNDEF ||
	    symbol->section >= e->elf->count)
		return false;
	s = &e->elf->sections[symbol->section];
	if (s->memory != HEKI_MOD_TEXT || !(s->flags & ELF_SHF_EXEC) || symbol->value >= s->data.n)
		return false;
	*at = (uint32_t)(s->offset + symbol->value);
	return true;
}

static bool add(struct heki_core *core, struct module *m, uint32_t at)
{
	struct starts *s;
	uint32_t index;

	if (starts_at(core, m->token, at, &s))
		return true;
	if (!s) {
		index = slab_get(&core->starts);
		if (!index)
			return false;
		slab_link(&core->starts, index, part_hash(m->token, at), &m->functions);
		s = slab_node(&core->starts, index);
		s->owner = m->token;
	}
	s->at[s->count++] = at;
	return true;
}

/* Symbols looked at in one go with interrupts off. */
#define BATCH 256u

static int enter_some(const struct expect *e, struct module *m, uint32_t first)
{
	uint32_t end = (uint32_t)min_u64((uint64_t)first + BATCH, e->elf->symbols_count);
	struct heki_core *core = e->c->core;
	struct elf_symbol symbol;
	int ret = 0;
	uint32_t at;

	core_lock(core);
	for (; first < end && !ret; first++) {
		symbol = elf_symbol(e->elf, first);
		if (function_offset(e, &symbol, &at) && !add(core, m, at))
			ret = -HEKI_E_NO_MEMORY;
	}
	core_unlock(core);
	return ret;
}

int functions_enter(const struct expect *e, struct module *m)
{
	uint32_t i;
	int ret = 0;

	if (!e->kernel || !e->kernel->functions_count)
		return 0;
	for (i = 0; i < e->elf->symbols_count && !ret; i += BATCH) {
		call_work(e->c, BATCH * WORK_ITEM);
		ret = enter_some(e, m, i);
	}
	return ret;
}

static uint32_t remove_some(struct heki_core *core, struct module *m)
{
	uint32_t index = 1;
	uint32_t i;

	core_lock(core);
	for (i = 0; i < BATCH && index; i++) {
		index = slab_pop(&core->starts, &m->functions);
		if (index) {
			slab_unhash(&core->starts, index,
				    node_hash(slab_node(&core->starts, index)));
			slab_put(&core->starts, index);
		}
	}
	core_unlock(core);
	return index;
}

void functions_remove(struct call *c, struct module *m)
{
	do
		call_work(c, BATCH * WORK_ITEM);
	while (remove_some(c->core, m));
}
