// SPDX-License-Identifier: GPL-2.0-only
/*
 * With a snapshot of the kernel, exactly what that kernel writes is accepted: real modules as the
 * loader leaves them on a processor whose features are known, and each of them refused when one
 * kind of site is as another processor or another configuration would have it.
 */
#include "place.h"
#include "stock.h"

#define SAMPLE 6 /* modules of a kernel, besides those that are named */
#define PV_OPS 100

/* A kernel and what it sent of itself. */
struct known {
	struct guest *g;
	struct kernel k;
	struct heki_snapshot snapshot;
	uint64_t pv_ops[PV_OPS];
	unsigned int profile;
};

static uint64_t export(struct guest *g, const char *name)
{
	struct symbol s;

	CHECK(symbols_find(g->core, name, strlen(name), &s));
	return s.value;
}

static void describe(struct known *n)
{
	struct heki_snapshot *s = &n->snapshot;
	uint64_t random = 0x9e3779b97f4a7c15ull * (n->profile + 1);

	s->return_thunk = n->profile & LOADER_RETHUNK  ? SRSO_RETURN_THUNK :
			  n->profile & LOADER_RETURNS ? 0 :
							 export(n->g, "__x86_return_thunk");
	s->thunks = export(n->g, "__x86_indirect_thunk_rax");
	if (!(n->profile & LOADER_RETPOLINES))
		s->flags |= HEKI_SNAPSHOT_RETPOLINE;
	if (n->profile & LOADER_LFENCE)
		s->flags |= HEKI_SNAPSHOT_LFENCE | HEKI_SNAPSHOT_RETPOLINE;
	if (n->profile & LOADER_UP)
		s->flags |= HEKI_SNAPSHOT_UNIPROCESSOR;
	s->percpu_start = 0x12000;
	s->percpu_end = 0x14000;
	s->pv_ops = export(n->g, "pv_ops");
	s->pv_nop = A_FUNCTION;
	s->pv_bug = FTRACE_CALLER;
	for (uint32_t i = 0; i < PV_OPS; i++)
		n->pv_ops[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? A_FUNCTION : SRSO_RETURN_THUNK;
	s->feature_words = 24;
	for (uint32_t i = 0; i < s->feature_words; i++) {
		s->features[i] = (uint32_t)(random >> 16);
		random = random * 6364136223846793005ull + 1442695040888963407ull;
	}
}

static void add_part(struct guest *g, struct ranges *list, const void *p, size_t n, uint64_t type)
{
	uint64_t pa = put_bytes(g, p, n);

	add_range(list, DIRECT_MAP + pa, pa, n, type);
}

static void send(struct known *n)
{
	const struct {
		struct heki_functions head;
		uint32_t offsets[3];
	} functions = { { KERNEL_VA, 3, 0 }, { 0x40, 0x80, 0xc0 } };
	const uint64_t tracer = FTRACE_CALLER;
	struct ranges list = { 0 };

	add_part(n->g, &list, &n->snapshot, sizeof(n->snapshot), HEKI_KDATA_SNAPSHOT);
	add_part(n->g, &list, &functions, sizeof(functions.head) + sizeof(functions.offsets),
		 HEKI_KDATA_FUNCTIONS);
	add_part(n->g, &list, &tracer, sizeof(tracer), HEKI_KDATA_TRACERS);
	add_part(n->g, &list, n->pv_ops, sizeof(n->pv_ops), HEKI_KDATA_PV_OPS);
	CHECK_OK(call_ranges(n->g, HEKI_CALL_LOAD_KDATA, &list, 0));
	drop_ranges(&list);
}

static void known_make(struct known *n, const char *version, unsigned int profile,
		       void (*change)(struct known *n))
{
	struct file cert;
	char path[256];

	memset(n, 0, sizeof(*n));
	snprintf(path, sizeof(path), "build/kernel/%s/kernel-cert.der", version);
	cert = load_path(path);
	if (!cert.p)
		test_skip("this kernel has not been fetched: make kernels");
	n->profile = profile;
	n->g = vtl0_start_limits(HEKI_GRADE_AUDIT, &stock_limits);
	stock_kernel(n->g, &n->k, version);
	kernel_load_bytes(n->g, &n->k, &cert);
	describe(n);
	if (change)
		change(n);
	send(n);
	CHECK_OK(vtlcall(n->g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	drop_file(&cert);
}

static void known_drop(struct known *n)
{
	kernel_drop(&n->k);
	vtl0_end(n->g);
}

/* Load a file as the kernel of @by would. */
static void load(struct known *n, struct placed *m, const struct file *f, const struct known *by)
{
	struct file copy = { malloc(f->n), f->n };

	CHECK(copy.p);
	memcpy(copy.p, f->p, f->n);
	place_exact(n->g, m, &copy, by->profile, &by->snapshot, by->pv_ops);
}

/* Whether two loads of a module differ in what is compared. */
static bool differ(const struct placed *a, const struct placed *b)
{
	static const uint32_t types[] = { HEKI_MOD_TEXT, HEKI_MOD_INIT_TEXT };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(types); i++)
		if (a->l.pages[types[i]] &&
		    memcmp(a->l.bytes[types[i]], b->l.bytes[types[i]],
			   a->l.pages[types[i]] * HEKI_PAGE_SIZE))
			return true;
	return false;
}

/* What another kernel than the one that is known would write. */
static void other_returns(struct known *n)
{
	n->profile ^= LOADER_RETURNS;
}

static void other_retpolines(struct known *n)
{
	n->profile ^= LOADER_RETPOLINES;
}

static void other_features(struct known *n)
{
	for (uint32_t i = 0; i < n->snapshot.feature_words; i++)
		n->snapshot.features[i] ^= ~0u;
}

static void other_pv_ops(struct known *n)
{
	for (uint32_t i = 0; i < PV_OPS; i++)
		n->pv_ops[i] = SRSO_RETURN_THUNK;
}

static void other_locks(struct known *n)
{
	n->profile ^= LOADER_UP;
}

static void (*const others[])(struct known *n) = {
	other_returns, other_retpolines, other_features, other_pv_ops, other_locks,
};

struct count {
	unsigned int accepted;
	unsigned int refused[HEKI_ARRAY_SIZE(others)];
};

static void refuse_others(struct known *n, const struct file *f, const struct placed *right,
			  struct count *count)
{
	struct placed wrong;
	struct known other;

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(others); i++) {
		uint64_t next = n->g->next_page;

		other = *n;
		others[i](&other);
		load(n, &wrong, f, &other);
		/* Without LOCK prefixes is how a known uniprocessor has both. */
		if (differ(right, &wrong) &&
		    !(others[i] == other_locks && n->profile & LOADER_UP)) {
			CHECK_REFUSED(MODULE_DIFFERS, validate(&wrong));
			count->refused[i]++;
		}
		unplace(&wrong);
		n->g->next_page = next;
	}
}

/* Calls may lead to the functions of a module that are known, each known once, and nowhere else. */
static void check_functions(struct heki_core *core, const struct placed *m, uint32_t token)
{
	size_t bytes = m->l.pages[HEKI_MOD_TEXT] * HEKI_PAGE_SIZE;
	bool *known = calloc(bytes + 1, sizeof(*known));
	const struct starts *s;
	uint32_t index;

	CHECK(known);
	core_lock(core);
	for (index = modules_find(core, token)->functions.head; index; index = s->node.onext) {
		s = slab_node(&core->starts, index);
		CHECK(s->count && s->count <= STARTS_PER_NODE);
		for (uint32_t i = 0; i < s->count; i++) {
			CHECK(s->at[i] < bytes && !known[s->at[i]]);
			known[s->at[i]] = true;
		}
	}
	for (size_t at = 0; at < bytes; at++)
		CHECK(functions_target(core, token, m->l.va[HEKI_MOD_TEXT] + at) == known[at]);
	core_unlock(core);
	free(known);
}

static void one_module(struct known *n, const char *path, struct count *count)
{
	struct file f = stock_module(path);
	uint64_t next = n->g->next_page;
	struct placed m;
	int token;

	load(n, &m, &f, n);
	token = validate(&m);
	if (token < 0)
		test_fail(__FILE__, __LINE__, "%s, profile %#x: %s: %s", path, n->profile,
			  heki_error_name((uint32_t)-token), last_log(n->g)->text);
	check_functions(n->g->core, &m, (uint32_t)token);
	CHECK_OK(unload(n->g, token));
	CHECK_EQUAL(n->g->core->starts.budget.used, 0);
	refuse_others(n, &f, &m, count);
	unplace(&m);
	n->g->next_page = next;
	drop_file(&f);
	count->accepted++;
}

static bool named(const char *path)
{
	return strstr(path, "/ext4.ko") || strstr(path, "/kvm.ko") || strstr(path, "/crc16.ko");
}

static void modules(const char *version, unsigned int profile, struct count *count)
{
	struct stock_lines paths;
	struct known n;

	known_make(&n, version, profile | LOADER_ALTERNATIVES, NULL);
	paths = stock_command("find build/kernel/%s/modules/kernel -name '*.ko*' | LC_ALL=C sort",
			      version);
	for (size_t i = 0; i < paths.n; i++)
		if (i % (paths.n / SAMPLE) == 3 || named(paths.line[i]))
			one_module(&n, paths.line[i], count);
	stock_drop_lines(&paths);
	known_drop(&n);
}

static void version(const char *name)
{
	static const unsigned int profiles[] = {
		LOADER_SEAL,
		LOADER_RETURNS | LOADER_RETPOLINES | LOADER_UP | LOADER_SEAL,
		LOADER_RETHUNK | LOADER_RETPOLINES | LOADER_LFENCE | LOADER_TRACE,
		LOADER_RETHUNK | LOADER_STATIC_CALLS | LOADER_JUMPS,
	};
	struct count count = { 0 };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(profiles); i++)
		modules(name, profiles[i], &count);
	test_note("%s: %u loads accepted; refused with other returns %u, retpolines %u, features %u, pv_ops %u, locks %u",
		  name, count.accepted, count.refused[0], count.refused[1], count.refused[2],
		  count.refused[3], count.refused[4]);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(others); i++)
		CHECK(count.refused[i]);
}

static void version_6_1(void)
{
	version("6.1");
}

static void version_6_12(void)
{
	version("6.12");
}

/* --- what is refused by name --- */

static void call_depth(struct known *n)
{
	n->snapshot.flags |= HEKI_SNAPSHOT_CALL_DEPTH;
	n->snapshot.jump_thunks = n->snapshot.thunks;
	n->snapshot.call_thunks = n->snapshot.thunks;
}

static void its(struct known *n)
{
	n->snapshot.flags |= HEKI_SNAPSHOT_ITS;
	n->snapshot.flags &= ~HEKI_SNAPSHOT_RETPOLINE;
}

static void percpu_elsewhere(struct known *n)
{
	n->snapshot.percpu_start = n->snapshot.percpu_end = 0x20000;
}

static void refused(const char *kernel, const char *path, int error,
		    void (*change)(struct known *n))
{
	char full[256];
	struct placed m;
	struct known n;
	struct file f;

	known_make(&n, kernel, LOADER_ALTERNATIVES | LOADER_SEAL, change);
	snprintf(full, sizeof(full), "build/kernel/%s/modules/kernel/%s", kernel, path);
	f = stock_module(full);
	load(&n, &m, &f, &n);
	check_result(__FILE__, __LINE__, path, validate_refused(&m), -error);
	if (error != HEKI_E_MODULE_RELOCATION)
		CHECK(strstr(last_log(n.g)->text, "boot with"));
	unplace(&m);
	drop_file(&f);
	known_drop(&n);
}

static void call_thunks(void)
{
	refused("6.12", "fs/ext4/ext4.ko.xz", HEKI_E_MODULE_CALL_THUNK, call_depth);
}

static void its_pages(void)
{
	refused("6.1", "fs/ext4/ext4.ko", HEKI_E_MODULE_ITS, its);
}

static void percpu(void)
{
	refused("6.1", "net/netfilter/x_tables.ko", HEKI_E_MODULE_RELOCATION, percpu_elsewhere);
}

/* Of a static key that init still writes, the kernel has filled in its first jump entry by then. */
static void static_key(void)
{
	static const char *const path =
		"build/kernel/6.1/modules/kernel/arch/x86/crypto/curve25519-x86_64.ko";
	const uint32_t type = HEKI_MOD_RO_AFTER_INIT;
	struct placed m;
	struct known n;
	struct file f;
	uint64_t entries;
	uint64_t at = 0;

	known_make(&n, "6.1", LOADER_ALTERNATIVES | LOADER_SEAL, NULL);
	f = stock_module(path);
	load(&n, &m, &f, &n);
	do {
		at += 8;
		CHECK(at < m.l.pages[type] * HEKI_PAGE_SIZE);
		entries = get_le64(m.l.bytes[type] + at);
	} while (entries - m.l.va[type] >= m.l.pages[type] * HEKI_PAGE_SIZE);
	put_le64(placed_at(&m, type, at), entries + 16);
	CHECK_REFUSED(MODULE_DIFFERS, validate(&m));
	CHECK(strstr(last_log(n.g)->text, ".data..ro_after_init"));
	put_le64(placed_at(&m, type, at), 0);
	CHECK_REFUSED(MODULE_DIFFERS, validate(&m));
	put_le64(placed_at(&m, type, at), entries);
	CHECK(validate(&m) > 0);
	unplace(&m);
	drop_file(&f);
	known_drop(&n);
}

const struct test exact_tests[] = {
	{ "6_1", version_6_1 },
	{ "6_12", version_6_12 },
	{ "call_thunks", call_thunks },
	{ "its_pages", its_pages },
	{ "percpu", percpu },
	{ "static_key", static_key },
	{ NULL, NULL },
};
