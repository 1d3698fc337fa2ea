/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's module loader, played: lays a module out, relocates it, sorts its tables and
 * rewrites its sites as the processor of a profile would have it.  Independent of the core's own
 * code, which it is there to test.
 */
#ifndef SELFTESTS_HOST_LOADER_H
#define SELFTESTS_HOST_LOADER_H

#include <heki/data.h>

#include "test.h"

#define LOADER_TYPES 7 /* memory types, as in enum heki_module_memory_type */

/* What a kernel does to sites; the rest stays as in the file. */
#define LOADER_RETURNS 0x01u /* return thunk -> ret */
#define LOADER_RETHUNK 0x02u /* return thunk -> another thunk of the kernel */
#define LOADER_RETPOLINES 0x04u /* thunk calls -> indirect branches */
#define LOADER_LFENCE 0x08u /* the same with lfence where it fits */
#define LOADER_UP 0x10u /* one processor: no lock prefixes */
#define LOADER_SEAL 0x20u /* ENDBR sealed */
#define LOADER_TRACE 0x40u /* function tracer on */
#define LOADER_STATIC_CALLS 0x80u /* static calls to their functions */
#define LOADER_JUMPS 0x100u /* every other jump label flipped */
#define LOADER_ALTERNATIVES 0x200u /* about half of the alternatives and all paravirt calls */

/**
 * struct loader - a module to load and what came of it
 * @file:    its bytes, with or without signature
 * @size:    their number
 * @base:    where its memory begins; page aligned, top 2 GiB
 * @percpu:  base of its per-CPU section
 * @profile: LOADER_*
 * @seed:    for what is left to chance
 * @symbol:  address of an export of others, 0: none
 * @context: passed to it
 * @exact:   what decides alternatives and, with @pv_ops, paravirt calls; NULL: chance does
 * @va, @bytes, @pages: out: memory by type
 * @jumps:   out: jump labels outside init memory, @jumps_count of them
 * @init_jumps: out: number of jump labels of init memory
 */
struct loader_jump {
	uint64_t va;
	uint8_t size;
	uint8_t code[5];
};

struct loader {
	const uint8_t *file;
	size_t size;
	uint64_t base;
	uint64_t percpu;
	unsigned int profile;
	unsigned int seed;
	uint64_t (*symbol)(void *context, const char *name);
	void *context;
	const struct heki_snapshot *exact;
	const uint64_t *pv_ops;

	uint64_t va[LOADER_TYPES];
	uint8_t *bytes[LOADER_TYPES];
	size_t pages[LOADER_TYPES];
	struct loader_jump *jumps;
	size_t jumps_count;
	size_t init_jumps;

	/* its own */
	struct loader_section *sections;
	size_t count;
};

/* 0; -1 for a file that this loader cannot read or a symbol that is missing. */
int loader_load(struct loader *l);
void loader_drop(struct loader *l);

/* Address of a section of the loaded module, 0 when there is none; its size. */
uint64_t loader_section(const struct loader *l, const char *name, size_t *size);
/* The bytes behind an address of the loaded module, or NULL. */
uint8_t *loader_at(struct loader *l, uint64_t va);

#endif /* SELFTESTS_HOST_LOADER_H */
