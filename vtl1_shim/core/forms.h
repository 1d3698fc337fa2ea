/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the judges of sites share.
 */
#ifndef HEKI_CORE_FORMS_H
#define HEKI_CORE_FORMS_H

#include "expect.h"

#define OP_CALL 0xe8
#define OP_JMP32 0xe9
#define OP_JMP8 0xeb
#define OP_RET 0xc3
#define OP_NOP 0x90
#define OP_INT3 0xcc

/* A site under judgement. */
struct view {
	const struct site *site;
	uint64_t va;
	uint8_t *image; /* what the file says, and what was found legal of it so far */
	const uint8_t *guest; /* what is there */
	uint32_t length; /* bytes that were judged together */
};

/*
 * Whether @n bytes do nothing, in one of the ways the kernel fills room: NOPs one after the other,
 * or a jump over INT3s to the end.
 */
bool forms_nop(const uint8_t *p, uint32_t n);

/* Whether @guest is @want, or @want with NOPs written in another way. */
bool forms_same(const uint8_t *want, const uint8_t *guest, uint32_t n);

/* Whether an address is in the kernel's text. */
bool kernel_target(struct heki_core *core, uint64_t va);

#define REGISTERS 16u
#define THUNK_SIZE 32u

/**
 * forms_indirect() - the branch that stands for one to a thunk, as the kernel writes it
 * @v:      a retpoline site
 * @lfence: with LFENCE in front
 * @reg:    register that it goes through
 * @want:   v->site->length bytes, filled up with one-byte NOPs
 *
 * Return: false when it does not fit, so that the kernel leaves the site alone
 */
bool forms_indirect(const struct view *v, bool lfence, uint32_t reg, uint8_t *want);

/* Most bytes of a site, of an alternative: of its entry's length fields. */
#define SITE_MAX 16
#define ALTERNATIVE_MAX 256

/* Target of the branch of @n bytes at @p, whose displacement is its last four. */
static inline uint64_t branch_target(const uint8_t *p, uint64_t va, uint32_t n)
{
	return va + n + (uint64_t)(int64_t)(int32_t)get_le32(p + n - 4);
}

/* alternatives.c: the two kinds of sites that hold whole code sequences. */
bool alternative_legal(const struct expect *e, struct view *v);
bool paravirt_legal(const struct expect *e, const struct view *v);

/* The bytes that the kernel of @e->kernel must have put there, @v->length of them. */
void alternative_want(const struct expect *e, struct view *v, uint8_t *want);

/* Whether @site is the first of the entries for its place. */
bool alternative_first(const struct expect *e, const struct site *site);

/**
 * exact_settle() - judge a site by what the known kernel must have written
 * @e: with @kernel set
 * @v: the site; its image becomes what is there when that is right, or else what should be
 *
 * Return: false when the snapshot does not decide this kind of site
 */
bool exact_settle(const struct expect *e, struct view *v);

/* What the kernel writes for a call through entry @index of pv_ops, v->length bytes. */
void exact_pv_call(const struct kernel_snapshot *k, uint64_t index, const struct view *v,
		   uint8_t *want);

/*
 * alternatives.c: since Linux 6.10 the kernel writes the length of a place into every entry for it.
 */
void alternatives_table(struct expect *e);

#endif /* HEKI_CORE_FORMS_H */
