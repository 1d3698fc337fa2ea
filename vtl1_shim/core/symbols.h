/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Exported symbols: name -> address, found by a keyed 64-bit hash of the name.
 *
 * Functions take HEKI_LOCK_TABLES themselves.
 */
#ifndef HEKI_CORE_SYMBOLS_H
#define HEKI_CORE_SYMBOLS_H

#include "slab.h"

struct heki_core;
struct call;

struct symbol {
	uint64_t value;
	uint32_t owner; /* HEKI_OWNER_KERNEL or a module's token */
	bool gpl;
};

/* Of a node; the names are not kept. */
#define SYMBOL_NODE_SIZE 20

/* In the last node of a bucket, in place of the next one: this and the number of the bucket. */
#define SYMBOL_LAST 0x80000000u

/* Values are kernel addresses of the top 2 GiB, or per-CPU offsets below 2 GiB. */
static inline bool symbol_value_valid(uint64_t v)
{
	return (uint64_t)(int64_t)(int32_t)v == v;
}

/**
 * symbols_add() - enter an export
 * @core:  the core
 * @chain: exports of this owner
 * @name:  at most HEKI_SYMBOL_NAME_MAX - 1 bytes, checked by the caller
 * @length: its length
 * @symbol: value (symbol_value_valid()), owner and licence
 *
 * Return: 0, -HEKI_E_NO_MEMORY, -HEKI_E_SYMBOL for a value that is no kernel address
 */
int symbols_add(struct heki_core *core, struct chain *chain, const char *name, size_t length,
		const struct symbol *symbol);

/* The first that was entered under this name; false when there is none. */
bool symbols_find(struct heki_core *core, const char *name, size_t length, struct symbol *out);

/* Remove all exports of an owner. */
void symbols_remove(struct call *c, struct chain *chain);

/* Well-formed UTF-8 without NUL. */
bool utf8_valid(const uint8_t *p, size_t n);

#endif /* HEKI_CORE_SYMBOLS_H */
