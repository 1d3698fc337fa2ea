/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether what a core has accepted is another encoding that is legal at that very place.
 */
#ifndef SELFTESTS_PROOF_JUDGE_H
#define SELFTESTS_PROOF_JUDGE_H

#include "reading.h"

struct guest;

/**
 * struct change - a changed byte that was accepted
 * @r:      the module
 * @g:      its guest, for the ranges of the kernel's text
 * @type:   module memory type
 * @offset: of the byte
 * @va:     address of offset 0
 * @before: memory of this type as the kernel left it
 * @after:  the same with the byte changed
 * @size:   bytes of both
 */
struct change {
	const struct reading *r;
	const struct guest *g;
	uint32_t type;
	uint32_t offset;
	uint64_t va;
	const uint8_t *before;
	const uint8_t *after;
	uint32_t size;
};

/* Why the change is legal, in a few words; NULL when nothing says so. */
const char *judge(const struct change *c);

#endif /* SELFTESTS_PROOF_JUDGE_H */
