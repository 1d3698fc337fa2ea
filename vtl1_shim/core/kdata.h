/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What one LOAD_KDATA has entered so far.
 */
#ifndef HEKI_CORE_KDATA_H
#define HEKI_CORE_KDATA_H

#include "call.h"

struct kdata {
	struct range_list list;
	struct chain symbols;
	struct chain patches;
	struct chain trampoline; /* frames */
	uint32_t plain; /* of the symbols */
	uint32_t gpl;
	uint32_t jump_labels; /* of the patches */
	bool smp_locks; /* there are some among the patches */
	bool system_certs;
	struct span snapshot; /* parts of the snapshot, checked */
	struct span functions;
	struct span tracers;
	struct span pv_ops;
	struct certs_mark mark; /* certificates and hashes as they were */
};

/**
 * kdata_symbols() - enter the kernel's two symbol tables
 * @c: the call
 * @k: KERNEL_INFO and KERNEL_DATA of its list are read, its symbols grow
 *
 * Return: 0 (also when the call brings neither), -HEKI_E_ALREADY_LOADED, NO_SYMBOL_TABLE,
 * BUFFER_TOO_SMALL, SYMBOL_TABLE_LENGTH, SYMBOL_TABLE_RANGE, SYMBOL*, OVERLAP, COPY_FROM_VTL0,
 * NO_MEMORY
 */
int kdata_symbols(struct call *c, struct kdata *k);

#endif /* HEKI_CORE_KDATA_H */
