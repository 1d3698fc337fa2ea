/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions and what the decoder must say of them; each table ends with a NULL name. */
#ifndef SELFTESTS_HYPERVISOR_INSN_CASES_H
#define SELFTESTS_HYPERVISOR_INSN_CASES_H

#include "insn.h"

/* Where each instruction lies: what is relative to it can be above 4 GiB. */
#define INSN_RIP 0xfffffff0ll

struct insn_case {
	const char *name;
	enum insn_mode mode;
	const uint8_t *bytes;
	size_t n;
	struct insn expected; /* its length is n */
};

struct insn_bytes {
	const char *name;
	enum insn_mode mode;
	const uint8_t *bytes;
	size_t n;
};

extern const struct insn_case insn_cases[];
extern const struct insn_bytes insn_others[];
extern const struct insn_bytes insn_invalid[];

#endif /* SELFTESTS_HYPERVISOR_INSN_CASES_H */
