/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Validated modules.
 */
#ifndef HEKI_CORE_MODULES_H
#define HEKI_CORE_MODULES_H

#include "frames.h"

/* Where rewritten branches lead: addresses of the kernel's, 0 while not known. */
struct kernel_thunks {
	uint64_t returns; /* the return thunk */
	uint64_t arrays[2]; /* thunks by register, for jumps and for calls */
};

struct module {
	char name[HEKI_MODULE_NAME_LEN];
	uint32_t token; /* 0: the slot is free */
	uint32_t state; /* enum heki_module_state */
	uint32_t flags;
	uint32_t busy; /* a call works on it: others answer BUSY */
	struct gva text; /* its TEXT in VTL0: where calls may lead */
	uint64_t text_size;
	struct chain frames;
	struct chain symbols;
	struct chain patches;
	struct chain init_patches; /* of init memory; they go with it */
	struct chain functions; /* where they start in its text */
	struct chain deps; /* modules that its relocations point into */
	uint32_t users; /* modules whose deps name it */
	bool going; /* it is being unloaded: nothing may depend on it any more */
	uint32_t relocations;
	uint32_t sites;
	uint32_t text_bytes;
	uint32_t compared[HEKI_MOD_MEM_TYPES]; /* bytes that were compared, by memory type */
	uint32_t account[HEKI_ACCOUNT_COUNT]; /* the same bytes, by what explains them */
	uint32_t signer;
	uint8_t sha256[32];
};

/* A dependency: the owner of the chain uses @target. */
struct dep {
	struct node node;
	uint32_t target; /* token */
};

struct heki_core;

/* The module with this token, or NULL. Under HEKI_LOCK_TABLES. */
struct module *modules_find(struct heki_core *core, uint64_t token);

#endif /* HEKI_CORE_MODULES_H */
