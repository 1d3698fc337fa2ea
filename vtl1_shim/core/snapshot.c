// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The snapshot of the kernel: LOAD_KDATA of types SNAPSHOT, FUNCTIONS, TRACERS, PV_OPS.
 *
 * All of it comes with one call and is set once. With it, what a kernel writes into its modules is
 * known to the byte; an attacker who changes thunk pointers, pv_ops or feature words later changes
 * what his kernel writes, not what is accepted.
 *
 * Trust boundary: VTL0 is trusted until end of boot, its bytes are checked all the same.
 * Locks: HEKI_LOCK_TABLES where the header says so.
 */
#include "kdata.h"

#define PERCPU_MAX 0x7fffffffull

static bool kernel_address(uint64_t va)
{
	return va >> 63 && symbol_value_valid(va);
}

static bool address_or_none(uint64_t va)
{
	return !va || kernel_address(va);
}

static int malformed(struct call *c, const char *what, uint64_t value)
{
	text_clear(c);
	text_str(c, what);
	return refuse(c, HEKI_E_SNAPSHOT, value);
}

static bool flags_agree(const struct heki_snapshot *s)
{
	bool tracked = s->flags & HEKI_SNAPSHOT_CALL_DEPTH;

	if (s->flags & ~HEKI_SNAPSHOT_FLAGS)
		return false;
	if (!s->jump_thunks != !s->call_thunks || (tracked && !s->jump_thunks))
		return false;
	return !(s->flags & HEKI_SNAPSHOT_ITS_RETURNS) || s->return_thunk;
}

static int check_snapshot(struct call *c, const struct heki_snapshot *s)
{
	uint32_t i;

	if (!flags_agree(s))
		return malformed(c, "flags", s->flags);
	if (!address_or_none(s->return_thunk) || !address_or_none(s->thunks) ||
	    !address_or_none(s->jump_thunks) || !address_or_none(s->call_thunks))
		return malformed(c, "thunks", s->return_thunk);
	if (s->percpu_start > s->percpu_end || s->percpu_end > PERCPU_MAX)
		return malformed(c, "per-CPU chunk", s->percpu_start);
	if (!address_or_none(s->pv_ops) || !address_or_none(s->pv_nop) ||
	    !address_or_none(s->pv_bug))
		return malformed(c, "pv_ops", s->pv_ops);
	if (!s->feature_words || s->feature_words > HEKI_FEATURE_WORDS_MAX || s->padding)
		return malformed(c, "feature words", s->feature_words);
	for (i = s->feature_words; i < HEKI_FEATURE_WORDS_MAX; i++)
		if (s->features[i])
			return malformed(c, "feature words", i);
	return 0;
}

/* Addresses of one type: whole ones, not more than @most. */
static int load_addresses(struct call *c, const struct kdata *k, uint64_t type, uint32_t most,
			  struct span *out)
{
	int rc = ranges_bytes(c, &k->list, type, (uint64_t)most * 8, HEKI_E_SNAPSHOT, out);

	if (rc)
		return rc;
	return out->n % 8 ? malformed(c, "addresses", out->n) : 0;
}

static int load_tracers(struct call *c, struct kdata *k)
{
	size_t at;
	int rc;

	rc = load_addresses(c, k, HEKI_KDATA_TRACERS, HEKI_TRACERS_MAX, &k->tracers);
	for (at = 0; at < k->tracers.n && !rc; at += 8)
		if (!kernel_address(get_le64(k->tracers.p + at)))
			rc = malformed(c, "tracer", at);
	return rc;
}

static int load_pv_ops(struct call *c, struct kdata *k)
{
	size_t at;
	int rc;

	rc = load_addresses(c, k, HEKI_KDATA_PV_OPS, HEKI_PV_OPS_MAX, &k->pv_ops);
	for (at = 0; at < k->pv_ops.n && !rc; at += 8)
		if (!address_or_none(get_le64(k->pv_ops.p + at)))
			rc = malformed(c, "pv_ops", at);
	return rc;
}

static int bad_functions(struct call *c, uint64_t at)
{
	return refuse(c, HEKI_E_FUNCTIONS, at);
}

static int check_offsets(struct call *c, const struct kdata *k, const struct heki_functions *head)
{
	const uint8_t *p = k->functions.p + sizeof(*head);
	uint64_t offset = 0;
	uint64_t before;
	uint32_t i;

	for (i = 0; i < head->count; i++, p += 4) {
		call_work_every(c, i, 1024, 8 << 10);
		before = offset;
		offset = get_le32(p);
		if ((i && offset <= before) || !kernel_address(head->base + offset))
			return bad_functions(c, i);
	}
	return 0;
}

static int load_functions(struct call *c, struct kdata *k)
{
	uint32_t most = c->core->limits.functions;
	struct heki_functions head;
	int rc;

	rc = ranges_bytes(c, &k->list, HEKI_KDATA_FUNCTIONS, sizeof(head) + (uint64_t)most * 4,
			  HEKI_E_NO_MEMORY, &k->functions);
	if (rc || !k->functions.n)
		return rc;
	if (k->functions.n < sizeof(head))
		return bad_functions(c, k->functions.n);
	memcpy(&head, k->functions.p, sizeof(head));
	if (!head.count || head.padding || !kernel_address(head.base) ||
	    k->functions.n != sizeof(head) + (uint64_t)head.count * 4)
		return bad_functions(c, head.count);
	return check_offsets(c, k, &head);
}

static int load_parts(struct call *c, struct kdata *k)
{
	int rc;

	rc = load_tracers(c, k);
	if (!rc)
		rc = load_pv_ops(c, k);
	if (!rc)
		rc = load_functions(c, k);
	if (rc)
		return rc;
	if (!k->snapshot.n && (k->tracers.n || k->pv_ops.n || k->functions.n))
		return malformed(c, "parts without SNAPSHOT", 0);
	return 0;
}

int snapshot_load(struct call *c, struct kdata *k)
{
	struct heki_snapshot s;
	int rc;

	rc = ranges_bytes(c, &k->list, HEKI_KDATA_SNAPSHOT, sizeof(s), HEKI_E_SNAPSHOT,
			  &k->snapshot);
	if (!rc)
		rc = load_parts(c, k);
	if (rc || !k->snapshot.n)
		return rc;
	if (snapshot_get(c->core))
		return refuse(c, HEKI_E_ALREADY_LOADED, HEKI_KDATA_SNAPSHOT);
	if (k->snapshot.n != sizeof(s))
		return malformed(c, "size", k->snapshot.n);
	memcpy(&s, k->snapshot.p, sizeof(s));
	if (!s.pv_ops != !k->pv_ops.n)
		return malformed(c, "pv_ops", s.pv_ops);
	return check_snapshot(c, &s);
}

static void commit_functions(struct heki_core *core, struct span functions)
{
	struct heki_functions head;

	if (!functions.n)
		return;
	memcpy(&head, functions.p, sizeof(head));
	memcpy(core->functions, functions.p + sizeof(head), functions.n - sizeof(head));
	core->snapshot.functions_base = head.base;
	core->snapshot.functions_count = head.count;
}

static uint32_t commit_addresses(uint64_t *to, struct span addresses)
{
	if (addresses.n)
		memcpy(to, addresses.p, addresses.n);
	return (uint32_t)(addresses.n / 8);
}

void snapshot_commit(struct heki_core *core, const struct kdata *k)
{
	struct kernel_snapshot *s = &core->snapshot;

	if (!k->snapshot.n)
		return;
	memcpy(&s->data, k->snapshot.p, sizeof(s->data));
	s->tracers_count = commit_addresses(s->tracers, k->tracers);
	s->pv_ops_count = commit_addresses(s->pv_ops, k->pv_ops);
	commit_functions(core, k->functions);
	s->set = true;
}

const struct kernel_snapshot *snapshot_get(struct heki_core *core)
{
	bool set;

	core_lock(core);
	set = core->snapshot.set;
	core_unlock(core);
	return set ? &core->snapshot : NULL;
}
