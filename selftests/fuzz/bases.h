/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modules that a target changes: small ones of the stock kernels, and the test's own.
 */
#ifndef SELFTESTS_FUZZ_BASES_H
#define SELFTESTS_FUZZ_BASES_H

#include "loader.h"
#include "vtl0.h"

#define BASES 12

/**
 * struct base - a module
 * @name:    for messages
 * @file:    without signature
 * @fixed:   by memory type, for each byte whether all kernels leave it as it is; made on first use
 * @symbols: names of what it needs of others
 */
struct base {
	const char *name;
	struct file file;
	uint8_t *fixed[LOADER_TYPES];
	size_t fixed_n[LOADER_TYPES];
	const char **symbols;
	size_t symbols_count;
};

/* The base of a number; where no stock kernel has been fetched, one of the test's own instead. */
struct base *bases_get(unsigned int index);

/* What all bases need, each once, as exports of a kernel; valid for ever. */
const struct export *bases_exports(size_t *count);

/**
 * bases_fixed() - does every kernel leave this byte as the loader put it?
 * @base:   the base
 * @l:      a loader's view of it, for its symbols and addresses
 * @type:   memory type
 * @offset: of the byte
 *
 * By loading it for many kinds of processors; near bytes that differ among these, the answer is no.
 */
bool bases_fixed(struct base *base, const struct loader *l, unsigned int type, uint64_t offset);

#endif /* SELFTESTS_FUZZ_BASES_H */
