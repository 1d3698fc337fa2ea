/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What VTL1 knows of the kernel that no ELF file holds: where its functions start, which of them
 * tracers may be entered by, its thunks, pv_ops, CPU features and per-CPU chunk.
 */
#ifndef HEKI_CORE_SNAPSHOT_H
#define HEKI_CORE_SNAPSHOT_H

#include "slab.h"

struct heki_core;
struct call;
struct kdata;
struct expect;
struct module;

/**
 * struct kernel_snapshot - the kernel as it was when VTL0 was trusted
 * @set:            it was sent; from then on nothing in it changes
 * @data:           as it was sent
 * @tracers:        what mcount sites may call
 * @tracers_count:  0: any kernel text
 * @pv_ops:         values of pv_ops
 * @pv_ops_count:   0: none
 * @functions_base: the offsets of functions count from here
 * @functions_count: 0: any kernel text
 */
struct kernel_snapshot {
	bool set;
	struct heki_snapshot data;
	uint64_t tracers[HEKI_TRACERS_MAX];
	uint32_t tracers_count;
	uint64_t pv_ops[HEKI_PV_OPS_MAX];
	uint32_t pv_ops_count;
	uint64_t functions_base;
	uint32_t functions_count;
};

/* Starts of functions of a module, offsets into its text; some to a node. */
#define STARTS_PER_NODE 12u

struct starts {
	struct node node;
	uint32_t owner; /* token */
	uint32_t count;
	uint32_t at[STARTS_PER_NODE];
};

/**
 * snapshot_load() - read what one LOAD_KDATA brings of the snapshot
 * @c: the call
 * @k: its list; receives the parsed parts, in the arena
 *
 * Return: 0 (also when it brings nothing), -HEKI_E_ALREADY_LOADED, SNAPSHOT, FUNCTIONS,
 * DISCONTIGUOUS, COPY_FROM_VTL0, NO_MEMORY
 */
int snapshot_load(struct call *c, struct kdata *k);

/* Make it the core's. Under HEKI_LOCK_TABLES. */
void snapshot_commit(struct heki_core *core, const struct kdata *k);

/* The snapshot, or NULL when none was sent. Takes HEKI_LOCK_TABLES. */
const struct kernel_snapshot *snapshot_get(struct heki_core *core);

/* Whether the kernel's CPU has this feature or bug bit. */
static inline bool snapshot_feature(const struct kernel_snapshot *k, uint32_t bit)
{
	return bit / 32 < k->data.feature_words && k->data.features[bit / 32] >> (bit % 32) & 1;
}

/**
 * functions_enter() - remember where the functions of a module start
 * @e: the module, laid out
 * @m: receives them
 *
 * Return: 0 or -HEKI_E_NO_MEMORY
 */
int functions_enter(const struct expect *e, struct module *m);

/* Forget them. */
void functions_remove(struct call *c, struct module *m);

/*
 * Whether code of the kernel or of module @owner may be made to call @va: the start of a function
 * of the kernel or of a module; without a list of them, any of their text. The text of a module
 * that is being validated is a target of its own sites only: its address is VTL0's word until the
 * module is accepted, and what was patched to lead there would stay. Under HEKI_LOCK_TABLES.
 */
bool functions_target(const struct heki_core *core, uint32_t owner, uint64_t va);

/* Whether a mcount site may be made to call @va. Under HEKI_LOCK_TABLES. */
bool functions_tracer(const struct heki_core *core, uint64_t va);

#endif /* HEKI_CORE_SNAPSHOT_H */
