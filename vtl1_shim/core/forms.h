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
#define OP_LOCK 0xf0
#define OP_DS 0x3e

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

/* Whether an address is in the kernel's text. */
bool kernel_target(struct heki_core *core, uint64_t va);

/* Target of the branch of @n bytes at @p, whose displacement is its last four. */
static inline uint64_t branch_target(const uint8_t *p, uint64_t va, uint32_t n)
{
	return va + n + (uint64_t)(int64_t)(int32_t)get_le32(p + n - 4);
}

/* alternatives.c: the two kinds of sites that hold whole code sequences. */
bool alternative_legal(const struct expect *e, struct view *v);
bool paravirt_legal(const struct expect *e, const struct view *v);

/*
 * alternatives.c: since Linux 6.10 the kernel writes the length of a place into every entry for it.
 */
void alternatives_table(struct expect *e);

#endif /* HEKI_CORE_FORMS_H */
