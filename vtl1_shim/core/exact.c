// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a kernel that is known must have written at the sites of a module.
 *
 * With a snapshot of the kernel there is one right encoding for most sites, and NOPs in the way
 * that it likes. So a site that was left as the file has it, but should have been rewritten, is a
 * difference too: an unpatched return on a CPU that needs the thunk is an attack.
 *
 * Locks: none; a snapshot never changes.
 */
#include "forms.h"

#define LINE_UPPER_HALF 0x20u

static bool has(const struct expect *e, uint64_t flag)
{
	return e->kernel->data.flags & flag;
}

static void put_branch(uint8_t *p, uint8_t opcode, uint64_t va, uint64_t target)
{
	p[0] = opcode;
	put_le32(p + 1, (uint32_t)(target - va - 5));
}

/* With the ITS thunk, returns whose first byte is in the upper half of a line are safe. */
static void return_want(const struct expect *e, const struct view *v, uint8_t *want)
{
	const struct heki_snapshot *s = &e->kernel->data;
	bool safe = has(e, HEKI_SNAPSHOT_ITS_RETURNS) && (v->va & LINE_UPPER_HALF);

	if (s->return_thunk && !safe) {
		put_branch(want, OP_JMP32, v->va, s->return_thunk);
		return;
	}
	memset(want, OP_INT3, v->length);
	want[0] = OP_RET;
}

/* Thunks are in the file's branches what they are in no other: an array by register. */
static bool thunk_register(const struct expect *e, const struct view *v, uint32_t *reg)
{
	uint64_t at = branch_target(v->image, v->va, v->length) - e->kernel->data.thunks;

	*reg = (uint32_t)(at / THUNK_SIZE);
	return e->kernel->data.thunks && at < (uint64_t)REGISTERS * THUNK_SIZE && at % THUNK_SIZE == 0;
}

static bool uses_thunks(const struct expect *e)
{
	return has(e, HEKI_SNAPSHOT_RETPOLINE) && !has(e, HEKI_SNAPSHOT_LFENCE);
}

/* The branch of the file to the thunk of another array; its displacement is at the end. */
static void tracked_want(const struct expect *e, const struct view *v, uint32_t reg, uint8_t *want)
{
	const struct heki_snapshot *s = &e->kernel->data;
	bool call = v->image[v->length - 5] == OP_CALL;
	uint64_t array = call ? s->call_thunks : s->jump_thunks;

	put_le32(want + v->length - 4,
		 (uint32_t)(array + (uint64_t)reg * THUNK_SIZE - v->va - v->length));
}

/* The kernel leaves alone what does not fit, and with thunks what already branches to them. */
static void retpoline_want(const struct expect *e, const struct view *v, uint32_t reg,
			   uint8_t *want)
{
	memcpy(want, v->image, v->length);
	if (!uses_thunks(e))
		forms_indirect(v, has(e, HEKI_SNAPSHOT_LFENCE), reg, want);
	else if (has(e, HEKI_SNAPSHOT_CALL_DEPTH))
		tracked_want(e, v, reg, want);
}

void exact_pv_call(const struct kernel_snapshot *k, uint64_t index, const struct view *v,
		   uint8_t *want)
{
	uint64_t target;

	if (index >= k->pv_ops_count || v->length < 5)
		return;
	target = k->pv_ops[index] ? k->pv_ops[index] : k->data.pv_bug;
	memset(want, OP_NOP, v->length);
	if (target != k->data.pv_nop)
		put_branch(want, OP_CALL, v->va, target);
}

static void paravirt_want(const struct expect *e, const struct view *v, uint8_t *want)
{
	const struct elf_section *table =
		&e->elf->sections[elf_find(e->elf, site_table(SITE_PARAVIRT))];

	memset(want, OP_INT3, v->length);
	exact_pv_call(e->kernel, table->data.p[(size_t)v->site->entry * 16 + 8], v, want);
}

/* What is there counts when it is @want; otherwise @want is what the comparison shall find. */
static void settle(struct view *v, const uint8_t *want)
{
	bool same = forms_same(want, v->guest, v->length);

	memcpy(v->image, same ? v->guest : want, v->length);
}

bool exact_settle(const struct expect *e, struct view *v)
{
	uint8_t want[ALTERNATIVE_MAX];
	uint32_t reg;

	switch (v->site->kind) {
	case SITE_RETURN:
		return_want(e, v, want);
		break;
	case SITE_RETPOLINE:
		if (!thunk_register(e, v, &reg))
			return false;
		retpoline_want(e, v, reg, want);
		break;
	case SITE_PARAVIRT:
		if (!e->kernel->pv_ops_count)
			return false;
		paravirt_want(e, v, want);
		break;
	case SITE_ALTERNATIVE:
		/* Once for all entries of a place: they are judged together. */
		if (!alternative_first(e, v->site))
			return true;
		alternative_want(e, v, want);
		break;
	case SITE_SMP_LOCK:
		return !has(e, HEKI_SNAPSHOT_UNIPROCESSOR);
	default:
		return false;
	}
	settle(v, want);
	return true;
}

/* Whether the kernel sends this branch through a page of thunks that it made for the module. */
static bool needs_its_thunk(const struct expect *e, const struct site *s)
{
	const struct elf_section *section = &e->elf->sections[s->section];
	const uint8_t *p = section->data.p + s->offset;
	bool conditional = p[s->length - 6 + (s->length == 5)] == 0x0f;
	uint64_t va = expect_va(e, s->section, s->offset);

	/* Of registers from r8 on the branch is a byte longer; which one it is, is not known yet. */
	va += (conditional ? 2u : 0u) + (has(e, HEKI_SNAPSHOT_LFENCE) ? 3u : 0u) + 1;
	return !(va & LINE_UPPER_HALF) || !((va + 1) & LINE_UPPER_HALF);
}

static int refuse_thunks(const struct expect *e, enum heki_error error)
{
	text_clear(e->c);
	text_str(e->c, heki_error_text(error));
	return refuse(e->c, error, e->map->va[HEKI_MOD_TEXT]);
}

int forms_supported(const struct expect *e)
{
	const struct site *s = e->sites.s + e->sites.first[SITE_RETPOLINE];
	uint32_t i;

	if (!e->kernel)
		return 0;
	if (has(e, HEKI_SNAPSHOT_CALL_DEPTH) && e->sites.count[SITE_CALL])
		return refuse_thunks(e, HEKI_E_MODULE_CALL_THUNK);
	if (!has(e, HEKI_SNAPSHOT_ITS) || uses_thunks(e))
		return 0;
	for (i = 0; i < e->sites.count[SITE_RETPOLINE]; i++)
		if (needs_its_thunk(e, &s[i]))
			return refuse_thunks(e, HEKI_E_MODULE_ITS);
	return 0;
}

bool exact_percpu(const struct expect *e, uint64_t base)
{
	const struct elf_section *s;
	uint64_t size = 0;
	uint32_t i;

	if (!e->kernel)
		return true;
	for (i = 1; i < e->elf->count; i++) {
		s = &e->elf->sections[i];
		if (s->memory == ELF_MEMORY_PERCPU)
			size = s->offset + s->data.n;
	}
	return base >= e->kernel->data.percpu_start && base <= e->kernel->data.percpu_end &&
	       size <= e->kernel->data.percpu_end - base;
}
