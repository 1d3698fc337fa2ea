// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What may stand at the sites of a module.
 *
 * Each site whose bytes differ from the file is judged by value against the encodings that its
 * kernel can have put there, or, with a snapshot of that kernel, must have put there (exact.c).
 * Legal bytes are taken over into the expected image; others stay a difference, which the caller
 * finds.
 *
 * Locks: HEKI_LOCK_TABLES for a moment, to look up where code may lead.
 */
#include "forms.h"

static bool within(uint64_t va, uint64_t start, uint64_t size)
{
	return va >= start && va - start < size;
}

bool kernel_target(struct heki_core *core, uint64_t va)
{
	bool found = false;
	uint32_t i;

	core_lock(core);
	for (i = 0; i < core->kernel_texts_count && !found; i++)
		found = within(va, core->kernel_texts[i].va.v, core->kernel_texts[i].size);
	core_unlock(core);
	return found;
}

static bool call_target(const struct expect *e, uint64_t va)
{
	struct heki_core *core = e->c->core;
	bool legal;

	core_lock(core);
	legal = functions_target(core, e->token, va);
	core_unlock(core);
	return legal;
}

static bool return_legal(struct expect *e, const struct view *v)
{
	static const uint8_t ret[5] = { OP_RET, OP_INT3, OP_INT3, OP_INT3, OP_INT3 };
	uint64_t target;

	if (!memcmp(v->guest, ret, sizeof(ret)))
		return true;
	target = branch_target(v->guest, v->va, 5);
	if (v->guest[0] != OP_JMP32 || !kernel_target(e->c->core, target))
		return false;
	if (!e->thunks.returns)
		e->thunks.returns = target;
	return target == e->thunks.returns;
}

static bool endbr_legal(const struct view *v)
{
	static const uint8_t endbr[4] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t sealed[4] = { 0x66, 0x0f, 0x1f, 0x00 };

	return !memcmp(v->image, endbr, 4) && !memcmp(v->guest, sealed, 4);
}

static bool lock_legal(const struct view *v)
{
	return patch_is_lock(v->image[0]) && patch_is_lock(v->guest[0]);
}

/* The kernel's NOP of @n bytes, 1 to 8. */
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
#define NOP_MAX 8u

bool forms_nop(const uint8_t *p, uint32_t n)
{
	uint32_t size;
	uint32_t i;

	if (n > NOP_MAX && n < 128 && p[0] == OP_JMP8 && p[1] == n - 2) {
		for (i = 2; i < n && p[i] == OP_INT3; i++)
			;
		return i == n;
	}
	while (n) {
		for (size = min_u64(n, NOP_MAX); size && memcmp(p, nops[size], size); size--)
			;
		if (!size)
			return false;
		p += size;
		n -= size;
	}
	return true;
}

/* End of the one-byte NOPs that start at @at. */
static uint32_t nops_end(const uint8_t *p, uint32_t at, uint32_t n)
{
	while (at < n && p[at] == OP_NOP)
		at++;
	return at;
}

/* The kernel may write a run of one-byte NOPs, and a rest that is nothing but NOPs, as it likes. */
bool forms_same(const uint8_t *want, const uint8_t *guest, uint32_t n)
{
	uint32_t end;
	uint32_t i;

	for (i = 0; i < n; i = end) {
		if (forms_nop(want + i, n - i) && forms_nop(guest + i, n - i))
			return true;
		end = nops_end(want, i, n);
		if (end > i + 1 && forms_nop(guest + i, end - i))
			continue;
		if (want[i] != guest[i])
			return false;
		end = i + 1;
	}
	return true;
}

static const char *const thunks[REGISTERS] = {
	"__x86_indirect_thunk_rax", "__x86_indirect_thunk_rcx", "__x86_indirect_thunk_rdx",
	"__x86_indirect_thunk_rbx", NULL, "__x86_indirect_thunk_rbp",
	"__x86_indirect_thunk_rsi", "__x86_indirect_thunk_rdi", "__x86_indirect_thunk_r8",
	"__x86_indirect_thunk_r9", "__x86_indirect_thunk_r10", "__x86_indirect_thunk_r11",
	"__x86_indirect_thunk_r12", "__x86_indirect_thunk_r13", "__x86_indirect_thunk_r14",
	"__x86_indirect_thunk_r15",
};

/* The register whose thunk is at @va; REGISTERS when it is none. */
static uint32_t thunk_register(const struct expect *e, uint64_t va)
{
	struct symbol found;
	uint32_t i;

	for (i = 0; i < REGISTERS; i++)
		if (thunks[i] &&
		    symbols_find(e->c->core, thunks[i], str_length(thunks[i]), &found) &&
		    found.value == va)
			break;
	return i;
}

/* A call or jump through a register, as the kernel emits it; returns its length. */
static uint32_t emit_indirect(uint8_t *p, bool jump, uint32_t reg)
{
	uint32_t n = 0;

	if (reg >= 8)
		p[n++] = 0x41;
	p[n++] = 0xff;
	p[n++] = (uint8_t)((jump ? 0xe0 : 0xd0) + (reg & 7));
	return n;
}

/* [inverted jcc over it] [lfence] branch through the register [int3] nops: the thunk is not used */
bool forms_indirect(const struct view *v, bool lfence, uint32_t reg, uint8_t *want)
{
	const uint8_t *image = v->image;
	uint32_t length = v->site->length;
	bool conditional = image[length - 6 + (length == 5)] == 0x0f;
	bool jump = conditional || image[length - 5] == OP_JMP32;
	uint8_t code[SITE_MAX];
	uint32_t n = 0;

	if (conditional) {
		code[n++] = (uint8_t)(0x70 + ((image[length - 5] & 0xf) ^ 1));
		code[n++] = (uint8_t)(length - 2);
	}
	if (lfence) {
		code[n++] = 0x0f;
		code[n++] = 0xae;
		code[n++] = 0xe8;
	}
	n += emit_indirect(code + n, jump, reg);
	if (n > length)
		return false;
	if (jump && n < length)
		code[n++] = OP_INT3;
	memset(code + n, OP_NOP, length - n);
	memcpy(want, code, length);
	return true;
}

static bool indirect_legal(const struct view *v, bool lfence, uint32_t reg)
{
	uint8_t want[SITE_MAX];

	return forms_indirect(v, lfence, reg, want) &&
	       forms_same(want, v->guest, v->site->length);
}

/*
 * The same branch to another thunk of the kernel for this register. The kernel has an array of them
 * for calls and one for jumps; where each begins, the first site that was rewritten tells.
 */
static bool thunk_legal(struct expect *e, const struct view *v, uint32_t reg)
{
	uint32_t length = v->site->length;
	uint64_t target = branch_target(v->guest, v->va, length);
	uint64_t *array = &e->thunks.arrays[v->image[length - 5] == OP_CALL];
	uint64_t at = (uint64_t)reg * THUNK_SIZE;

	if (memcmp(v->guest, v->image, length - 4) || !kernel_target(e->c->core, target))
		return false;
	if (!*array)
		*array = target - at;
	return target == *array + at;
}

static bool retpoline_legal(struct expect *e, const struct view *v)
{
	uint32_t length = v->site->length;
	uint32_t reg = thunk_register(e, branch_target(v->image, v->va, length));

	if (reg == REGISTERS)
		return false;
	if (indirect_legal(v, false, reg) || indirect_legal(v, true, reg))
		return true;
	return thunk_legal(e, v, reg);
}

/* A static call made by a conditional jump, which keeps its condition. */
static bool conditional_legal(const struct expect *e, const struct view *v)
{
	return v->image[0] == 0x0f && !memcmp(v->image, v->guest, 2) &&
	       call_target(e, branch_target(v->guest, v->va, 6));
}

static bool patch_legal(const struct expect *e, const struct view *v)
{
	struct patch_site patch;

	if (!site_patch(e, v->site, &patch))
		return v->site->kind == SITE_STATIC_CALL && v->site->length == 6 &&
		       conditional_legal(e, v);
	return patch_state_legal(e->c->core, &patch, v->guest);
}

static bool legal(struct expect *e, struct view *v)
{
	switch (v->site->kind) {
	case SITE_RETURN:
		return return_legal(e, v);
	case SITE_RETPOLINE:
		return retpoline_legal(e, v);
	case SITE_ENDBR:
		return endbr_legal(v);
	case SITE_SMP_LOCK:
		return lock_legal(v);
	case SITE_MCOUNT:
	case SITE_STATIC_CALL:
	case SITE_TRAMPOLINE:
	case SITE_JUMP_LABEL:
		return patch_legal(e, v);
	case SITE_ALTERNATIVE:
		return alternative_legal(e, v);
	case SITE_PARAVIRT:
		return paravirt_legal(e, v);
	default:
		return false;
	}
}

/* Look at a site; false when its memory is gone. */
static bool look(const struct expect *e, const struct site *s, struct view *v)
{
	const struct elf_section *section = &e->elf->sections[s->section];
	uint64_t at = section->offset + s->offset;

	if (!e->image[section->memory])
		return false;
	v->site = s;
	v->length = s->length;
	v->va = e->base[section->memory] + at;
	v->image = e->image[section->memory] + at;
	v->guest = e->guest[section->memory] + at;
	return true;
}

static void judge(struct expect *e, const struct site *s)
{
	struct view v;
	bool rewritten;

	if (!look(e, s, &v))
		return;
	rewritten = memcmp(v.image, v.guest, s->length);
	if (!e->kernel || !exact_settle(e, &v)) {
		if (!rewritten || !legal(e, &v))
			return;
		memcpy(v.image, v.guest, v.length);
	}
	if (rewritten)
		account_site(&e->account, s, e->elf->sections[s->section].memory,
			     e->elf->sections[s->section].offset + s->offset, v.length);
}

/*
 * A kernel has one return thunk. When it is that of the file, all returns to it stay as they are,
 * so that one of them tells; otherwise the first one that was rewritten does.
 */
static void find_return_thunk(struct expect *e)
{
	const struct site *s = e->sites.s + e->sites.first[SITE_RETURN];
	struct view v;
	uint32_t i;

	for (i = 0; i < e->sites.count[SITE_RETURN] && !e->thunks.returns; i++)
		if (look(e, &s[i], &v) && v.guest[0] == OP_JMP32 && !memcmp(v.image, v.guest, 5))
			e->thunks.returns = branch_target(v.guest, v.va, 5);
}

void forms_compare(struct expect *e)
{
	/*
	 * Alternatives come last: their code may hold sites of other kinds, in the file as well as
	 * in the replacement, and paravirt calls may be replaced by them.
	 */
	static const uint8_t order[SITE_KIND_COUNT] = {
		SITE_RETPOLINE, SITE_RETURN,	  SITE_CALL,	   SITE_ENDBR,
		SITE_SMP_LOCK,	SITE_MCOUNT,	  SITE_STATIC_CALL, SITE_JUMP_LABEL,
		SITE_TRAMPOLINE, SITE_PARAVIRT,	  SITE_ALTERNATIVE,
	};
	uint32_t kind;
	uint32_t i;
	uint32_t k;

	alternatives_table(e);
	find_return_thunk(e);
	for (i = 0; i < SITE_KIND_COUNT; i++) {
		kind = order[i];
		for (k = 0; k < e->sites.count[kind]; k++) {
			call_work(e->c, WORK_LOOKUP);
			judge(e, &e->sites.s[e->sites.first[kind] + k]);
		}
	}
}

static uint32_t patch_type(uint8_t kind)
{
	switch (kind) {
	case SITE_MCOUNT:
		return HEKI_PATCH_MCOUNT;
	case SITE_SMP_LOCK:
		return HEKI_PATCH_SMP_LOCK;
	default:
		return HEKI_PATCH_STATIC_CALL;
	}
}

bool site_patch(const struct expect *e, const struct site *s, struct patch_site *out)
{
	const struct elf_section *section = &e->elf->sections[s->section];
	uint64_t at = section->offset + s->offset;
	uint64_t target;

	memset(out, 0, sizeof(*out));
	if (s->length > HEKI_POKE_MAX || !e->map->pages[section->memory])
		return false;
	out->va = gva(e->base[section->memory] + at);
	out->pa = map_gpa(e->map, section->memory, at);
	if ((at & HEKI_PAGE_MASK) + s->length > HEKI_PAGE_SIZE)
		out->next = map_gpa(e->map, section->memory, page_up(at));
	out->owner = e->token;
	out->size = s->length;
	if (s->kind != SITE_JUMP_LABEL) {
		out->type = patch_type(s->kind);
		out->code[0] = s->tail ? OP_JMP32 : OP_CALL;
		return true;
	}
	if (!e->known[e->elf->sections[s->other_section].memory])
		return false;
	out->type = HEKI_PATCH_JUMP_LABEL;
	target = expect_va(e, s->other_section, s->other) - out->va.v - s->length;
	out->code[0] = s->length == 2 ? OP_JMP8 : OP_JMP32;
	if (s->length == 2)
		out->code[1] = (uint8_t)target;
	else
		put_le32(out->code + 1, (uint32_t)target);
	return true;
}
