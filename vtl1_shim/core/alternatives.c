// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Alternatives and paravirt calls, judged by value.
 *
 * At an alternative stands what the file says, or one of the replacements that the table names for
 * that very place: copied from where they lie in the module's text, relative operands moved along,
 * the rest filled with NOPs. Which of them depends on the processor: with a snapshot of the kernel
 * it is the last one whose feature the CPU has, without one it is VTL0's to say. Relative operands are known from the relocations of the replacement, so no
 * instruction needs to be decoded.
 *
 * Locks: those of kernel_target().
 */
#include "forms.h"

#define R_PC32 2
#define R_PLT32 4

#define ALT_FLAG_NOT 1u /* for CPUs without the feature */
#define ALT_BIT_NOT 0x8000u /* the same in the shorter entries, in the feature's number */
#define ALT_FLAG_DIRECT_CALL 2u /* the replacement's call leads to where the original's does */

/* A replacement, where it lies. */
struct source {
	const struct elf_section *section;
	const struct site *site;
	const uint8_t *bytes; /* as they are in VTL0; judged by themselves */
	uint64_t va;
};

/*
 * Replace what paravirt calls call through pointers: a direct call to the kernel, or nothing. The
 * pointers are the kernel's and constant after boot.
 */
static bool direct_call(const struct expect *e, const struct view *v, uint32_t n)
{
	if (forms_nop(v->guest, n))
		return true;
	return n >= 5 && v->guest[0] == OP_CALL &&
	       kernel_target(e->c->core, branch_target(v->guest, v->va, 5)) &&
	       forms_nop(v->guest + 5, n - 5);
}

bool paravirt_legal(const struct expect *e, const struct view *v)
{
	return direct_call(e, v, v->site->length);
}

/*
 * Copy a replacement and move its relative operands by @delta. An operand that a site inside the
 * replacement has rewritten is no longer what its relocation made it, and moves as it is.
 */
static void move_code(const struct expect *e, const struct source *from, uint64_t delta,
		      uint8_t *to)
{
	uint32_t n = from->site->other_length;
	struct elf_rela rela;
	uint64_t at;
	uint64_t value;
	uint32_t i;

	memcpy(to, from->bytes, n);
	for (i = 0; i < elf_relas(e->elf, from->section); i++) {
		rela = elf_rela(e->elf, from->section, i);
		if (rela.offset < from->site->other ||
		    !in_bounds(rela.offset - from->site->other, 4, n) ||
		    (rela.type != R_PC32 && rela.type != R_PLT32) ||
		    !reloc_value(e, rela.symbol, &value))
			continue;
		at = rela.offset - from->site->other;
		value += rela.addend - (from->va + at);
		if (get_le32(to + at) == (uint32_t)value)
			put_le32(to + at, (uint32_t)(value + delta));
	}
}

/* A jump that became short where its target allows: the kernel fills up with INT3 or a NOP. */
static bool short_jump(const struct view *v, const uint8_t *code, uint32_t n)
{
	static const uint8_t int3s[3] = { OP_INT3, OP_INT3, OP_INT3 };
	uint64_t target = branch_target(code, v->va, 5);

	if (n != 5 || code[0] != OP_JMP32 || v->guest[0] != OP_JMP8)
		return false;
	if (v->va + 2 + (uint64_t)(int64_t)(int8_t)v->guest[1] != target)
		return false;
	return !memcmp(v->guest + 2, int3s, sizeof(int3s)) || forms_nop(v->guest + 2, 3);
}

/* Flags of an entry; the shorter entries of older kernels have none of interest. */
static uint32_t flags(const struct expect *e, const struct site *s)
{
	const struct elf_section *table =
		&e->elf->sections[elf_find(e->elf, site_table(SITE_ALTERNATIVE))];

	if (e->sites.alt_entry != 14)
		return 0;
	return get_le16(table->data.p + (size_t)s->entry * e->sites.alt_entry + 10);
}

/* Whether the kernel's CPU has what an entry asks for. */
static bool selected(const struct expect *e, const struct site *s)
{
	const struct elf_section *table =
		&e->elf->sections[elf_find(e->elf, site_table(SITE_ALTERNATIVE))];
	uint32_t bit = get_le16(table->data.p + (size_t)s->entry * e->sites.alt_entry + 8);
	bool without = flags(e, s) & ALT_FLAG_NOT;

	if (e->sites.alt_entry != 14) {
		without = bit & ALT_BIT_NOT;
		bit &= ~ALT_BIT_NOT;
	}
	return snapshot_feature(e->kernel, bit) != without;
}

/* The code of entry @s as it would stand at @v, without NOPs; false when there is no such code. */
static bool replacement(const struct expect *e, const struct view *v, const struct site *s,
			uint32_t length, uint8_t *code)
{
	const struct elf_section *section = &e->elf->sections[s->other_section];
	uint64_t at = section->offset + s->other;
	struct source from = { .section = section, .site = s };

	if (s->other_length > length || !e->guest[section->memory])
		return false;
	from.bytes = e->guest[section->memory] + at;
	from.va = e->base[section->memory] + at;
	move_code(e, &from, from.va - v->va, code);
	return true;
}

/* Whether the replacement of entry @s stands at @v, which is @length bytes long. */
static bool replaced(const struct expect *e, const struct view *v, const struct site *s,
		     uint32_t length)
{
	uint8_t code[ALTERNATIVE_MAX];
	uint32_t n = s->other_length;

	if (n <= length && flags(e, s) & ALT_FLAG_DIRECT_CALL)
		return direct_call(e, v, length);
	if (!replacement(e, v, s, length, code))
		return false;
	if (short_jump(v, code, n))
		return forms_nop(v->guest + 5, length - 5);
	memset(code + n, OP_NOP, length - n);
	return forms_same(code, v->guest, length);
}

static bool same_place(const struct site *a, const struct site *b)
{
	return a->section == b->section && a->offset == b->offset;
}

/* The entries for one place, which follow each other. */
struct group {
	const struct site *first;
	uint32_t count;
	uint8_t length; /* the longest says how much the place takes */
};

static struct group find_group(const struct expect *e, const struct site *s)
{
	const struct site *all = e->sites.s + e->sites.first[SITE_ALTERNATIVE];
	const struct site *end = all + e->sites.count[SITE_ALTERNATIVE];
	struct group group = { .first = s };

	while (group.first > all && same_place(group.first - 1, s))
		group.first--;
	for (s = group.first; s < end && same_place(s, group.first); s++) {
		group.count++;
		if (s->length > group.length)
			group.length = s->length;
	}
	return group;
}

bool alternative_legal(const struct expect *e, struct view *v)
{
	struct group group = find_group(e, v->site);
	uint32_t i;

	v->length = group.length;
	if (forms_same(v->image, v->guest, group.length))
		return true;
	for (i = 0; i < group.count; i++)
		if (replaced(e, v, &group.first[i], group.length))
			return true;
	return false;
}

bool alternative_first(const struct expect *e, const struct site *site)
{
	return find_group(e, site).first == site;
}

/* What a call through pv_ops at @v becomes: the image still has the call. */
static void direct_call_want(const struct expect *e, const struct view *v, uint8_t *want)
{
	static const uint8_t indirect[2] = { 0xff, 0x15 };
	uint64_t at;

	if (v->length < 6 || memcmp(v->image, indirect, sizeof(indirect)))
		return;
	at = branch_target(v->image, v->va, 6) - e->kernel->data.pv_ops;
	if (at % 8 == 0)
		exact_pv_call(e->kernel, at / 8, v, want);
}

/* Whether what is there is the short form of the jump that @code is. */
static bool shortened(const struct view *v, const uint8_t *code, uint32_t n)
{
	return short_jump(v, code, n) && forms_nop(v->guest + 5, v->length - 5);
}

void alternative_want(const struct expect *e, struct view *v, uint8_t *want)
{
	struct group group = find_group(e, v->site);
	const struct site *last = NULL;
	uint32_t i;

	v->length = group.length;
	for (i = 0; i < group.count; i++)
		if (selected(e, &group.first[i]))
			last = &group.first[i];
	if (!last) {
		memcpy(want, v->image, v->length);
		return;
	}
	/* What no kernel writes, unless what follows says what it does. */
	memset(want, OP_INT3, v->length);
	if (flags(e, last) & ALT_FLAG_DIRECT_CALL) {
		direct_call_want(e, v, want);
	} else if (replacement(e, v, last, v->length, want)) {
		memset(want + last->other_length, OP_NOP, v->length - last->other_length);
		if (shortened(v, want, last->other_length))
			memcpy(want, v->guest, v->length);
	}
}

void alternatives_table(struct expect *e)
{
	const struct elf_section *table =
		&e->elf->sections[elf_find(e->elf, site_table(SITE_ALTERNATIVE))];
	const struct site *s = e->sites.s + e->sites.first[SITE_ALTERNATIVE];
	uint64_t at = table->offset;
	uint32_t i;

	if (!e->sites.count[SITE_ALTERNATIVE] || table->memory >= HEKI_MOD_MEM_TYPES ||
	    !e->image[table->memory])
		return;
	for (i = 0; i < e->sites.count[SITE_ALTERNATIVE]; i++, s++) {
		at += e->sites.alt_entry;
		if (e->guest[table->memory][at - 2] == find_group(e, s).length)
			account_length(&e->account, &e->image[table->memory][at - 2],
				       e->guest[table->memory][at - 2]);
	}
}
