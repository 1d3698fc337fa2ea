// SPDX-License-Identifier: GPL-2.0-only
/*
 * LOAD_KDATA of the snapshot: what is malformed, what is missing, what is too much; and where calls
 * may be patched to lead with it.
 */
#include "place.h"

#define FUNCTIONS 3

/* What a kernel sends, to be changed by a test before it goes. */
struct sent {
	struct heki_snapshot snapshot;
	uint64_t tracers[HEKI_TRACERS_MAX + 1];
	uint64_t pv_ops[HEKI_PV_OPS_MAX + 1];
	struct {
		struct heki_functions head;
		uint32_t offsets[300];
	} functions;
	size_t bytes[4]; /* of each type, from SNAPSHOT on; 0: not sent */
};

static void sent_make(struct sent *s)
{
	*s = (struct sent){
		.snapshot = {
			.return_thunk = SRSO_RETURN_THUNK,
			.thunks = KERNEL_VA + 0x400,
			.percpu_start = 0x10000,
			.percpu_end = 0x14000,
			.pv_ops = KERNEL_VA + 0x800,
			.pv_nop = A_FUNCTION,
			.feature_words = 2,
		},
		.tracers = { FTRACE_CALLER },
		.pv_ops = { A_FUNCTION, 0 },
		.functions = { { KERNEL_VA, FUNCTIONS, 0 }, { 0x40, 0x80, 0xc0 } },
		.bytes = { sizeof(s->snapshot), sizeof(struct heki_functions) + 4 * FUNCTIONS, 8, 16 },
	};
}

static int send(struct guest *g, const struct sent *s)
{
	const void *const parts[] = { &s->snapshot, &s->functions, s->tracers, s->pv_ops };
	struct ranges list = { 0 };
	int result;

	for (uint64_t i = 0; i < 4; i++) {
		uint64_t pa;

		if (!s->bytes[i])
			continue;
		pa = put_bytes(g, parts[i], s->bytes[i]);
		add_range(&list, DIRECT_MAP + pa, pa, s->bytes[i], HEKI_KDATA_SNAPSHOT + i);
	}
	result = call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0);
	drop_ranges(&list);
	return result;
}

/* Each way to be wrong. */
static void bad_flag(struct sent *s)
{
	s->snapshot.flags = HEKI_SNAPSHOT_FLAGS + 1;
}

static void high_flag(struct sent *s)
{
	s->snapshot.flags = 1ull << 63;
}

static void depth_without_thunks(struct sent *s)
{
	s->snapshot.flags = HEKI_SNAPSHOT_CALL_DEPTH;
}

static void one_array(struct sent *s)
{
	s->snapshot.jump_thunks = KERNEL_VA;
}

static void its_without_thunk(struct sent *s)
{
	s->snapshot.flags = HEKI_SNAPSHOT_ITS_RETURNS;
	s->snapshot.return_thunk = 0;
}

static void user_return_thunk(struct sent *s)
{
	s->snapshot.return_thunk = 0x1000;
}

static void far_thunks(struct sent *s)
{
	s->snapshot.thunks = DIRECT_MAP;
}

static void percpu_reversed(struct sent *s)
{
	s->snapshot.percpu_end = s->snapshot.percpu_start - 1;
}

static void percpu_far(struct sent *s)
{
	s->snapshot.percpu_end = 1ull << 31;
}

static void user_pv_ops(struct sent *s)
{
	s->snapshot.pv_ops = 8;
}

static void user_pv_nop(struct sent *s)
{
	s->snapshot.pv_nop = 8;
}

static void user_pv_bug(struct sent *s)
{
	s->snapshot.pv_bug = 8;
}

static void no_words(struct sent *s)
{
	s->snapshot.feature_words = 0;
}

static void many_words(struct sent *s)
{
	s->snapshot.feature_words = HEKI_FEATURE_WORDS_MAX + 1;
}

static void word_behind(struct sent *s)
{
	s->snapshot.features[2] = 1;
}

static void padding(struct sent *s)
{
	s->snapshot.padding = 1;
}

static void cut(struct sent *s)
{
	s->bytes[0]--;
}

static void longer(struct sent *s)
{
	s->bytes[0] += 8;
}

static void no_snapshot(struct sent *s)
{
	s->bytes[0] = 0;
}

static void user_tracer(struct sent *s)
{
	s->tracers[0] = 0x40;
}

static void tracer_0(struct sent *s)
{
	s->tracers[0] = 0;
}

static void half_tracer(struct sent *s)
{
	s->bytes[2] = 12;
}

static void many_tracers(struct sent *s)
{
	for (size_t i = 0; i <= HEKI_TRACERS_MAX; i++)
		s->tracers[i] = FTRACE_CALLER;
	s->bytes[2] = sizeof(s->tracers);
}

static void user_pv_op(struct sent *s)
{
	s->pv_ops[1] = 0x40;
}

static void half_pv_op(struct sent *s)
{
	s->bytes[3] = 9;
}

static void many_pv_ops(struct sent *s)
{
	s->bytes[3] = sizeof(s->pv_ops);
}

static void pv_ops_nowhere(struct sent *s)
{
	s->snapshot.pv_ops = 0;
}

static void no_pv_ops(struct sent *s)
{
	s->bytes[3] = 0;
}

static void no_functions(struct sent *s)
{
	s->functions.head.count = 0;
	s->bytes[1] = sizeof(s->functions.head);
}

static void short_head(struct sent *s)
{
	s->bytes[1] = sizeof(s->functions.head) - 1;
}

static void count_over(struct sent *s)
{
	s->functions.head.count++;
}

static void count_under(struct sent *s)
{
	s->functions.head.count--;
}

static void count_wraps(struct sent *s)
{
	s->functions.head.count = 0x40000000 + FUNCTIONS;
}

static void head_padding(struct sent *s)
{
	s->functions.head.padding = 1;
}

static void user_base(struct sent *s)
{
	s->functions.head.base = 0x1000;
}

static void offset_twice(struct sent *s)
{
	s->functions.offsets[1] = s->functions.offsets[0];
}

static void descending(struct sent *s)
{
	s->functions.offsets[2] = 0x50;
}

static void offset_out(struct sent *s)
{
	s->functions.offsets[2] = 0x80000000;
}

static void many_functions(struct sent *s)
{
	s->functions.head.count = test_limits.functions + 1;
	for (uint32_t i = 0; i <= test_limits.functions; i++)
		s->functions.offsets[i] = 16 * i;
	s->bytes[1] = sizeof(s->functions.head) + 4 * s->functions.head.count;
}

static void malformed(void)
{
	static const struct {
		void (*change)(struct sent *s);
		int error;
	} cases[] = {
		{ bad_flag, HEKI_E_SNAPSHOT }, { high_flag, HEKI_E_SNAPSHOT },
		{ depth_without_thunks, HEKI_E_SNAPSHOT }, { one_array, HEKI_E_SNAPSHOT },
		{ its_without_thunk, HEKI_E_SNAPSHOT }, { user_return_thunk, HEKI_E_SNAPSHOT },
		{ far_thunks, HEKI_E_SNAPSHOT }, { percpu_reversed, HEKI_E_SNAPSHOT },
		{ percpu_far, HEKI_E_SNAPSHOT }, { user_pv_ops, HEKI_E_SNAPSHOT },
		{ user_pv_nop, HEKI_E_SNAPSHOT }, { user_pv_bug, HEKI_E_SNAPSHOT },
		{ no_words, HEKI_E_SNAPSHOT }, { many_words, HEKI_E_SNAPSHOT },
		{ word_behind, HEKI_E_SNAPSHOT }, { padding, HEKI_E_SNAPSHOT },
		{ cut, HEKI_E_SNAPSHOT }, { longer, HEKI_E_SNAPSHOT },
		{ no_snapshot, HEKI_E_SNAPSHOT }, { user_tracer, HEKI_E_SNAPSHOT },
		{ tracer_0, HEKI_E_SNAPSHOT }, { half_tracer, HEKI_E_SNAPSHOT },
		{ many_tracers, HEKI_E_SNAPSHOT }, { user_pv_op, HEKI_E_SNAPSHOT },
		{ half_pv_op, HEKI_E_SNAPSHOT }, { many_pv_ops, HEKI_E_SNAPSHOT },
		{ pv_ops_nowhere, HEKI_E_SNAPSHOT }, { no_pv_ops, HEKI_E_SNAPSHOT },
		{ no_functions, HEKI_E_FUNCTIONS }, { short_head, HEKI_E_FUNCTIONS },
		{ count_over, HEKI_E_FUNCTIONS }, { count_under, HEKI_E_FUNCTIONS },
		{ count_wraps, HEKI_E_FUNCTIONS }, { head_padding, HEKI_E_FUNCTIONS },
		{ user_base, HEKI_E_FUNCTIONS }, { offset_twice, HEKI_E_FUNCTIONS },
		{ descending, HEKI_E_FUNCTIONS }, { offset_out, HEKI_E_FUNCTIONS },
		{ many_functions, HEKI_E_NO_MEMORY },
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct snapshot *before;
	struct sent s;

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(cases); i++) {
		sent_make(&s);
		cases[i].change(&s);
		before = snapshot_take(g);
		check_result(__FILE__, __LINE__, "changed snapshot", send(g, &s), -cases[i].error);
		snapshot_check(g, before);
		CHECK(!g->core->snapshot.set);
	}
	sent_make(&s);
	CHECK_OK(send(g, &s));
	CHECK(g->core->snapshot.set);
	vtl0_end(g);
}

/* Set once; not after end of boot; nothing of it stays when another part of the call fails. */
static void once(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct sent s;

	sent_make(&s);
	CHECK_OK(send(g, &s));
	s.snapshot.return_thunk = 0;
	CHECK_REFUSED(ALREADY_LOADED, send(g, &s));
	CHECK_EQUAL(g->core->snapshot.data.return_thunk, SRSO_RETURN_THUNK);
	vtl0_end(g);

	g = vtl0_start(HEKI_GRADE_AUDIT);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	CHECK_REFUSED(AFTER_END_OF_BOOT, send(g, &s));
	CHECK(!g->core->snapshot.set);
	vtl0_end(g);
}

/* Parts may be left out; the budget tells what there is. */
static void least(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct sent s;

	sent_make(&s);
	s.bytes[1] = s.bytes[2] = s.bytes[3] = 0;
	s.snapshot.pv_ops = 0;
	CHECK_OK(send(g, &s));
	CHECK(g->core->snapshot.set && !g->core->snapshot.functions_count);
	vtl0_end(g);
}

/* --- targets --- */

#define CALL_SITE 0x210u
#define MCOUNT_SITE 0x220u
#define TRACER_SITE 0x230u

static void add_site(struct guest *g, struct kernel *k, uint32_t type, uint32_t offset)
{
	memcpy(guest_at(g, k->text + offset), nop5, sizeof(nop5));
	add_patch_header(&k->sites, type);
	add_patch(&k->sites, k->text + offset, 0, nop5, sizeof(nop5));
}

/* A kernel with one site of each type; with a snapshot when there is one. */
static void load_sites(struct guest *g, struct kernel *k, const struct sent *s)
{
	kernel_make(g, k, NULL, 0);
	kernel_site(g, k, 0x200, 5);
	add_site(g, k, HEKI_PATCH_STATIC_CALL, CALL_SITE);
	add_site(g, k, HEKI_PATCH_MCOUNT, MCOUNT_SITE);
	add_site(g, k, HEKI_PATCH_TRACER_CALL, TRACER_SITE);
	kernel_load(g, k, "system.der");
	if (s)
		CHECK_OK(send(g, s));
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
}

static struct guest *with_sites(struct kernel *k, const struct sent *s)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	load_sites(g, k, s);
	return g;
}

static int patch_branch(struct guest *g, const struct kernel *k, uint32_t site, uint8_t opcode,
			uint64_t target)
{
	uint8_t code[5] = { opcode };

	put_le32(code + 1, (uint32_t)(target - KERNEL_VA - site - 5));
	return patch_text(g, k->text + site, 0, code, sizeof(code));
}

static void function_starts(void)
{
	struct kernel k;
	struct sent s;
	struct guest *g;

	sent_make(&s);
	g = with_sites(&k, &s);
	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		CHECK_OK(patch_branch(g, &k, CALL_SITE, 0xe8, KERNEL_VA + 0x40 * (i + 1)));
		CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, CALL_SITE, 0xe9,
							     KERNEL_VA + 0x40 * (i + 1)));
		CHECK_OK(patch_branch(g, &k, TRACER_SITE, 0xe8, KERNEL_VA + 0x40 * (i + 1)));
	}
	for (uint64_t at = 0; at < 0x140; at++) {
		if (at % 0x40 == 0 && at && at <= 0xc0)
			continue;
		CHECK_REFUSED(PATCH_SUSPICIOUS,
			      patch_branch(g, &k, CALL_SITE, 0xe8, KERNEL_VA + at));
		CHECK_REFUSED(PATCH_SUSPICIOUS,
			      patch_branch(g, &k, TRACER_SITE, 0xe8, KERNEL_VA + at));
	}
	/* Offsets do not wrap: 4 GiB away, and below the base. */
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, CALL_SITE, 0xe8, KERNEL_VA - 0x40));
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, TRACER_SITE, 0xe9, A_FUNCTION));
	kernel_drop(&k);
	vtl0_end(g);
}

static void tracers_only(void)
{
	struct kernel k;
	struct sent s;
	struct guest *g;

	sent_make(&s);
	g = with_sites(&k, &s);
	CHECK_OK(patch_branch(g, &k, MCOUNT_SITE, 0xe8, FTRACE_CALLER));
	CHECK_OK(patch_text(g, k.text + MCOUNT_SITE, 0, nop5, sizeof(nop5)));
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, MCOUNT_SITE, 0xe8, A_FUNCTION));
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, MCOUNT_SITE, 0xe8, FTRACE_CALLER + 4));
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, MCOUNT_SITE, 0xe9, FTRACE_CALLER));
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, MCOUNT_SITE, 0xe8, MODULES_VA));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Without the policy for tracing a site goes back to what stood there, and no further. */
static void no_tracing(void)
{
	struct kernel k;
	struct sent s;
	struct guest *g;

	sent_make(&s);
	g = vtl0_start(HEKI_GRADE_ENFORCE);
	CHECK_OK(vtlcall(g, HEKI_CALL_SET_POLICY, 0, 0, 0));
	load_sites(g, &k, &s);
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, MCOUNT_SITE, 0xe8, FTRACE_CALLER));
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, TRACER_SITE, 0xe8, A_FUNCTION));
	CHECK_OK(patch_text(g, k.text + MCOUNT_SITE, 0, nop5, sizeof(nop5)));
	CHECK_OK(patch_text(g, k.text + TRACER_SITE, 0, nop5, sizeof(nop5)));
	CHECK_OK(patch_branch(g, &k, CALL_SITE, 0xe8, A_FUNCTION));
	kernel_drop(&k);
	vtl0_end(g);
}

/* A client that sends no snapshot: any kernel text, as before. */
static void without_snapshot(void)
{
	struct guest *g;
	struct kernel k;

	g = with_sites(&k, NULL);
	CHECK_OK(patch_branch(g, &k, CALL_SITE, 0xe8, KERNEL_VA + 0x41));
	CHECK_OK(patch_branch(g, &k, MCOUNT_SITE, 0xe8, KERNEL_VA + 0x41));
	CHECK_OK(patch_branch(g, &k, TRACER_SITE, 0xe8, KERNEL_VA + 0x41));
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, CALL_SITE, 0xe8, MODULES_VA));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Functions of a module are targets from its acceptance to its end, and only their starts. */
static void module_functions(void)
{
	uint32_t starts = 0;
	struct kernel k;
	struct placed m;
	struct sent s;
	struct guest *g;
	int token;

	sent_make(&s);
	s.snapshot.return_thunk = 0;
	g = with_sites(&k, &s);
	place(g, &m, "tiny-rsa2048.ko");
	CHECK_REFUSED(PATCH_SUSPICIOUS, patch_branch(g, &k, CALL_SITE, 0xe8, m.l.va[HEKI_MOD_TEXT]));
	token = validate(&m);
	CHECK(token > 0);
	CHECK(g->core->starts.budget.used);
	for (uint64_t at = 0; at < HEKI_PAGE_SIZE; at++)
		starts += !patch_branch(g, &k, CALL_SITE, 0xe8, m.l.va[HEKI_MOD_TEXT] + at);
	CHECK(starts && starts < 16);
	CHECK_OK(patch_text(g, k.text + CALL_SITE, 0, nop5, sizeof(nop5)));
	CHECK_OK(unload(g, token));
	CHECK_EQUAL(g->core->starts.budget.used, 0);
	for (uint64_t at = 0; at < HEKI_PAGE_SIZE; at++)
		CHECK_REFUSED(PATCH_SUSPICIOUS,
			      patch_branch(g, &k, CALL_SITE, 0xe8, m.l.va[HEKI_MOD_TEXT] + at));
	unplace(&m);
	kernel_drop(&k);
	vtl0_end(g);
}

static uint32_t starts_bucket(const struct guest *g, uint32_t token)
{
	return slab_bucket_number(&g->core->starts, hash_u64((uint64_t)token << 32));
}

/* Functions of two modules that lie at the same places, in one bucket, are told apart. */
static void functions_of_two_modules(void)
{
	struct kernel k;
	struct placed m[2];
	struct sent s;
	struct guest *g;
	int token[2];
	uint64_t at;

	sent_make(&s);
	s.snapshot.return_thunk = 0;
	g = with_sites(&k, &s);
	for (int i = 0; i < 2; i++) {
		place(g, &m[i], "tiny-rsa2048.ko");
		token[i] = validate(&m[i]);
		CHECK(token[i] > 0);
		while (starts_bucket(g, g->core->next_token) != starts_bucket(g, (uint32_t)token[0]))
			g->core->next_token++;
	}
	for (at = 0; at < HEKI_PAGE_SIZE; at++)
		CHECK_EQUAL(patch_branch(g, &k, CALL_SITE, 0xe8, m[0].l.va[HEKI_MOD_TEXT] + at) < 0,
			    patch_branch(g, &k, CALL_SITE, 0xe8, m[1].l.va[HEKI_MOD_TEXT] + at) < 0);
	CHECK_OK(patch_text(g, k.text + CALL_SITE, 0, nop5, sizeof(nop5)));
	CHECK_OK(unload(g, token[0]));
	CHECK_REFUSED(PATCH_SUSPICIOUS,
		      patch_branch(g, &k, CALL_SITE, 0xe8, m[0].l.va[HEKI_MOD_TEXT]));
	CHECK_OK(patch_branch(g, &k, CALL_SITE, 0xe8, m[1].l.va[HEKI_MOD_TEXT]));
	for (int i = 0; i < 2; i++)
		unplace(&m[i]);
	kernel_drop(&k);
	vtl0_end(g);
}

/* The budget of function starts is used up: nothing of the module stays. */
static void module_functions_budget(void)
{
	struct heki_limits limits = test_limits;
	struct kernel k;
	struct placed m;
	struct sent s;
	struct guest *g;

	limits.module_functions = 0;
	sent_make(&s);
	s.snapshot.return_thunk = 0;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	CHECK_OK(send(g, &s));
	kernel_boot(g, &k);
	place(g, &m, "tiny-rsa2048.ko");
	CHECK_REFUSED(NO_MEMORY, validate_refused(&m));
	unplace(&m);
	kernel_drop(&k);
	vtl0_end(g);
}

const struct test kdata_snapshot_tests[] = {
	{ "malformed", malformed },
	{ "once", once },
	{ "least", least },
	{ "function_starts", function_starts },
	{ "tracers_only", tracers_only },
	{ "no_tracing", no_tracing },
	{ "without_snapshot", without_snapshot },
	{ "module_functions", module_functions },
	{ "functions_of_two_modules", functions_of_two_modules },
	{ "module_functions_budget", module_functions_budget },
	{ NULL, NULL },
};
