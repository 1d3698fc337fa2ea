// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Making a core: one block of memory, cut up by the budgets.
 *
 * Trust boundary: limits and memory are the host's. Locks: none, nobody else knows the core yet.
 */
#include "slots.h"

enum part {
	PART_CORE,
	PART_FRAMES,
	PART_SYMBOLS,
	PART_PATCHES,
	PART_DEPS,
	PART_FUNCTIONS,
	PART_STARTS,
	PART_MODULES,
	PART_CERTS,
	PART_CERT_BYTES,
	PART_HASHES,
	PART_VPS,
	PART_LOG,
	PART_SLOTS,
	PART_COUNT
};

/* The log has room for one record at least: a refusal is always told. */
static uint32_t log_capacity(const struct heki_limits *limits)
{
	return limits->log_records ? limits->log_records : 1;
}

/* Where each part begins, cache-line aligned; returns the size of all. */
static size_t layout(const struct heki_limits *limits, size_t at[PART_COUNT])
{
	const size_t size[PART_COUNT] = {
		[PART_CORE] = sizeof(struct heki_core),
		[PART_FRAMES] = slab_size(limits->frames, sizeof(struct frame)),
		[PART_SYMBOLS] = slab_size(limits->symbols, SYMBOL_NODE_SIZE),
		[PART_PATCHES] = slab_size(limits->patches, PATCH_NODE_SIZE),
		[PART_DEPS] = slab_size(limits->deps, sizeof(struct dep)),
		[PART_FUNCTIONS] = limits->functions * sizeof(uint32_t),
		[PART_STARTS] = slab_size(limits->module_functions, sizeof(struct starts)),
		[PART_MODULES] = limits->modules * sizeof(struct module),
		[PART_CERTS] = limits->certs * sizeof(struct cert),
		[PART_CERT_BYTES] = limits->cert_bytes,
		[PART_HASHES] = limits->hashes * sizeof(struct hash_record),
		[PART_VPS] = limits->vps * sizeof(struct vp_state),
		[PART_LOG] = log_capacity(limits) * sizeof(struct heki_log_record),
		[PART_SLOTS] = limits->slots * sizeof(struct slot),
	};
	size_t used = 0;
	size_t i;

	for (i = 0; i < PART_COUNT; i++) {
		at[i] = used;
		used += (size[i] + 63) & ~(size_t)63;
	}
	return page_up(used);
}

size_t heki_core_size(const struct heki_limits *limits)
{
	size_t at[PART_COUNT];

	return layout(limits, at);
}

struct heki_core *heki_core_init(void *memory, const struct heki_limits *limits,
				 const struct heki_host_ops *ops, void *host,
				 const uint8_t seed[16])
{
	uint8_t *base = memory;
	struct heki_core *core = memory;
	size_t at[PART_COUNT];

	layout(limits, at);
	core->ops = ops;
	core->host = host;
	core->limits = *limits;
	memcpy(core->seed, seed, sizeof(core->seed));
	core->next_token = 1;
	core->policy = HEKI_POLICY_DEFAULT;
	slab_init(&core->frames, base + at[PART_FRAMES], limits->frames, sizeof(struct frame));
	slab_init(&core->symbols, base + at[PART_SYMBOLS], limits->symbols, SYMBOL_NODE_SIZE);
	slab_init(&core->patches, base + at[PART_PATCHES], limits->patches, PATCH_NODE_SIZE);
	slab_init(&core->deps, base + at[PART_DEPS], limits->deps, sizeof(struct dep));
	core->functions = (uint32_t *)(base + at[PART_FUNCTIONS]);
	slab_init(&core->starts, base + at[PART_STARTS], limits->module_functions,
		  sizeof(struct starts));
	core->modules = (struct module *)(base + at[PART_MODULES]);
	core->certs = (struct cert *)(base + at[PART_CERTS]);
	core->cert_bytes = base + at[PART_CERT_BYTES];
	core->hashes = (struct hash_record *)(base + at[PART_HASHES]);
	core->vps = (struct vp_state *)(base + at[PART_VPS]);
	core->log.records = (struct heki_log_record *)(base + at[PART_LOG]);
	core->log.capacity = log_capacity(limits);
	core->slots = (struct slot *)(base + at[PART_SLOTS]);
	core->slots_budget.limit = limits->slots;
	core->entry_budget.limit = limits->entry_pages;
	core->modules_budget.limit = limits->modules;
	core->scratch.limit = (uint32_t)(limits->scratch_bytes >> 10);
	return core;
}
