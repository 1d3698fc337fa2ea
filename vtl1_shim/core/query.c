// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * QUERY and STATS: what VTL1 is and what it has done.
 *
 * Trust boundary: replies go to a page of VTL0's that nobody protects. Both calls are atomic: no
 * scratch memory; the statistics are made complete and written out where they are kept. Locks:
 * takes HEKI_LOCK_TABLES.
 */
#include "call.h"

#define FEATURES                                                                                   \
	(HEKI_FEATURE_STATS | HEKI_FEATURE_AUDIT | HEKI_FEATURE_LIST | HEKI_FEATURE_REVOKE |       \
	 HEKI_FEATURE_KEXEC_SEGMENTS | HEKI_FEATURE_PATCH_TYPES | HEKI_FEATURE_UNVERIFIED |        \
	 HEKI_FEATURE_ACCOUNTS | HEKI_FEATURE_SNAPSHOT | HEKI_FEATURE_SMP_LOCKS |                  \
	 HEKI_FEATURE_POLICY | HEKI_FEATURE_PATCH_BATCH)

int call_query(struct call *c)
{
	struct heki_core *core = c->core;
	bool fibers = core->ops->fiber_resume && core->limits.slots;
	struct heki_query_reply r = {
		.abi_version = HEKI_ABI_VERSION,
		.grade = core->ops->grade,
		.features = FEATURES | (fibers ? HEKI_FEATURE_CONTINUE : 0) |
			    (core->ops->splits_exec(core->host) ? HEKI_FEATURE_EXEC_STRICT : 0),
		.calls = HEKI_CALL_COUNT,
		.errors = HEKI_ERROR_COUNT,
	};
	const char *name = core->ops->name;
	size_t i;
	int rc = 0;

	if (c->p[1] & ~(uint64_t)HEKI_QUERY_FLAGS)
		return refuse(c, HEKI_E_PARAMETER, c->p[1]);
	for (i = 0; i + 1 < sizeof(r.host) && name[i]; i++)
		r.host[i] = name[i];
	core_lock(core);
	r.end_of_boot = core->end_of_boot;
	r.policy = core->policy;
	if (c->p[0])
		rc = reply_locked(c, c->p[0], &r, sizeof(r));
	/* Never taken back: a call may be in its slot. */
	core->continues |= !rc && fibers && (c->p[1] & HEKI_QUERY_CONTINUES);
	core_unlock(core);
	return rc ? rc : HEKI_ABI_VERSION;
}

static struct heki_budget fixed_budget(uint32_t used, uint32_t limit)
{
	return (struct heki_budget){ .used = used, .peak = used, .limit = limit };
}

static void fill_budgets(struct heki_core *core, struct heki_budget *b)
{
	b[HEKI_BUDGET_MODULES] = core->modules_budget;
	b[HEKI_BUDGET_FRAMES] = core->frames.budget;
	b[HEKI_BUDGET_SYMBOLS] = core->symbols.budget;
	b[HEKI_BUDGET_PATCHES] = core->patches.budget;
	/* These two never shrink. */
	b[HEKI_BUDGET_CERTS] = fixed_budget(core->certs_count, core->limits.certs);
	b[HEKI_BUDGET_HASHES] = fixed_budget(core->hashes_count, core->limits.hashes);
	b[HEKI_BUDGET_DEPS] = core->deps.budget;
	b[HEKI_BUDGET_SCRATCH_KIB] = core->scratch;
	b[HEKI_BUDGET_FUNCTIONS] =
		fixed_budget(core->snapshot.functions_count, core->limits.functions);
	b[HEKI_BUDGET_MODULE_FUNCTIONS] = core->starts.budget;
	b[HEKI_BUDGET_SLOTS] = core->slots_budget;
	b[HEKI_BUDGET_ENTRY_PAGES] = core->entry_budget;
}

static void fill_modules(struct heki_core *core, struct heki_stats_reply *s)
{
	const struct module *m = core->modules;
	uint32_t i;

	s->symbols_module = 0;
	s->patches_module = 0;
	s->modules_live = 0;
	s->modules_unverified = 0;
	for (i = 0; i < core->limits.modules; i++, m++) {
		if (!m->token)
			continue;
		s->modules_live++;
		s->modules_unverified += (m->flags & HEKI_MODULE_UNVERIFIED) != 0;
		s->symbols_module += m->symbols.count;
		s->patches_module += m->patches.count;
	}
}

static void fill_certs(struct heki_core *core, struct heki_stats_reply *s)
{
	uint64_t by_set[HEKI_CERTS_REVOKED + 1] = { 0 };
	uint32_t i;

	for (i = 0; i < core->certs_count; i++)
		by_set[core->certs[i].set]++;
	s->certs_system = by_set[HEKI_CERTS_SYSTEM];
	s->certs_secondary = by_set[HEKI_CERTS_SECONDARY];
	s->certs_kexec = by_set[HEKI_CERTS_KEXEC];
	s->certs_revoked = by_set[HEKI_CERTS_REVOKED];
	s->blocklist_hashes = core->hashes_count;
}

static void fill_vps(struct heki_core *core, struct heki_stats_reply *s)
{
	uint32_t i;

	s->vps_locked = 0;
	for (i = 0; i < core->limits.vps; i++)
		s->vps_locked += core->vps[i].locked;
}

int call_stats(struct call *c)
{
	struct heki_core *core = c->core;
	struct heki_stats_reply *s = &core->stats;
	int rc;

	core_lock(core);
	fill_budgets(core, s->budgets);
	fill_modules(core, s);
	fill_certs(core, s);
	fill_vps(core, s);
	s->patches_kernel = core->kernel_patches.count;
	s->kexec_slots = (core->kexec[0].valid ? 1u : 0) | (core->kexec[1].valid ? 2u : 0);
	log_counts(core, s);
	rc = reply_locked(c, c->p[0], s, sizeof(*s));
	core_unlock(core);
	return rc;
}
