// SPDX-License-Identifier: GPL-2.0-only
/* VALIDATE_MODULE, FREE_MODULE_INIT, UNLOAD_MODULE: the life of small modules. */
#include "place.h"

static struct kernel kernel;

static struct guest *booted(enum heki_grade grade)
{
	struct guest *g = vtl0_start(grade);

	kernel_boot(g, &kernel);
	return g;
}

static void end(struct guest *g)
{
	kernel_drop(&kernel);
	vtl0_end(g);
}

#define R HEKI_ATTR_READ
#define W HEKI_ATTR_WRITE
#define X HEKI_ATTR_EXEC

static void check_access(struct placed *m, const uint32_t *expected)
{
	for (uint32_t type = 0; type < LOADER_TYPES; type++)
		for (size_t i = 0; i < m->l.pages[type]; i++)
			CHECK_EQUAL(guest_access(m->g, m->pa[type][i]), expected[type]);
}

static const uint32_t access_coming[LOADER_TYPES] = { R | X, R | W, R, R | W, R | X, R | W, R };
static const uint32_t access_ready[LOADER_TYPES] = {
	R | X, R | W, R, R, R | W | X, R | W | X, R | W | X,
};
static const uint32_t access_gone[LOADER_TYPES] = {
	R | W | X, R | W | X, R | W | X, R | W | X, R | W | X, R | W | X, R | W | X,
};

static void life(void)
{
	for (int grade = HEKI_GRADE_AUDIT; grade <= HEKI_GRADE_ENFORCE; grade++) {
		struct guest *g = booted((enum heki_grade)grade);
		struct snapshot *before = snapshot_take(g);
		struct placed m;
		struct symbol s;
		int token;

		place(g, &m, "tiny-signed.ko");
		token = validate(&m);
		CHECK(token > 0);
		CHECK_EQUAL(last_log(g)->event, HEKI_LOG_MODULE);
		CHECK(!strcmp(last_log(g)->name, "tiny") && last_log(g)->address == (uint64_t)token);
		check_access(&m, access_coming);
		CHECK(symbols_find(g->core, "tiny_add", 8, &s) && s.owner == (uint32_t)token && !s.gpl);
		CHECK(symbols_find(g->core, "tiny_gpl", 8, &s) && s.gpl);
		CHECK_EQUAL(free_init(g, token), 0);
		check_access(&m, access_ready);
		CHECK_EQUAL(unload(g, token), 0);
		CHECK_EQUAL(last_log(g)->event, HEKI_LOG_UNLOAD);
		check_access(&m, access_gone);
		CHECK(!symbols_find(g->core, "tiny_add", 8, &s));
		snapshot_check(g, before);
		unplace(&m);
		end(g);
	}
}

static void unload_without_free_init(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE);
	struct snapshot *before = snapshot_take(g);
	struct placed m;
	int token;

	place(g, &m, "tiny-signed.ko");
	token = validate(&m);
	CHECK(token > 0);
	CHECK_EQUAL(unload(g, token), 0);
	snapshot_check(g, before);
	unplace(&m);
	end(g);
}

static void listed(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_list_module *e = guest_at(g, pa + sizeof(struct heki_list_reply));
	struct placed m;
	int token;

	place(g, &m, "tiny-signed.ko");
	token = validate(&m);
	CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, HEKI_LIST_MODULES, 0));
	CHECK_EQUAL(((struct heki_list_reply *)guest_at(g, pa))->count, 1);
	CHECK(!strcmp(e->name, "tiny"));
	CHECK_EQUAL(e->token, token);
	CHECK_EQUAL(e->state, HEKI_MODULE_STATE_COMING);
	CHECK_EQUAL(e->exports, 2);
	CHECK(e->patches >= 1);
	CHECK(e->relocations > 10);
	CHECK_EQUAL(e->signer, 1); /* rsa4096 is the second of system.der */
	for (uint32_t type = 0; type < LOADER_TYPES; type++)
		CHECK_EQUAL(e->pages[type], m.l.pages[type]);
	CHECK_OK(free_init(g, token));
	CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, HEKI_LIST_MODULES, 0));
	CHECK_EQUAL(e->state, HEKI_MODULE_STATE_READY);
	unplace(&m);
	end(g);
}

/* What was compared is told by what explains it, whatever became of init memory since. */
static void accounts(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_list_account *e = guest_at(g, pa + sizeof(struct heki_list_reply));
	uint64_t memory = 0, bytes = 0;
	struct placed m;
	int token;

	place(g, &m, "tiny-signed.ko");
	token = validate(&m);
	CHECK_OK(free_init(g, token));
	CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, HEKI_LIST_ACCOUNTS, 0));
	CHECK_EQUAL(((struct heki_list_reply *)guest_at(g, pa))->count, 1);
	CHECK(!strcmp(e->name, "tiny"));
	CHECK_EQUAL(e->token, token);
	for (uint32_t type = 0; type < LOADER_TYPES; type++) {
		bool data = type == HEKI_MOD_DATA || type == HEKI_MOD_INIT_DATA;

		CHECK_EQUAL(e->memory[type], data ? 0 : m.l.pages[type] * HEKI_PAGE_SIZE);
		memory += e->memory[type];
	}
	for (uint32_t i = 0; i < HEKI_ARRAY_SIZE(e->bytes); i++)
		bytes += e->bytes[i];
	CHECK_EQUAL(bytes, memory);
	/* Nothing of it was rewritten; of its tables, that of jump labels was sorted. */
	CHECK_EQUAL(e->bytes[HEKI_ACCOUNT_SORTED], 16 * (m.l.jumps_count + m.l.init_jumps));
	CHECK_EQUAL(e->bytes[HEKI_ACCOUNT_ELF] + e->bytes[HEKI_ACCOUNT_RELOCATED] +
			    e->bytes[HEKI_ACCOUNT_SORTED] + e->bytes[HEKI_ACCOUNT_PADDING], memory);
	CHECK(e->bytes[HEKI_ACCOUNT_RELOCATED] > 40 && e->bytes[HEKI_ACCOUNT_ELF] > 9000);
	unplace(&m);
	end(g);
}

/* --- tokens --- */

static void tokens(void)
{
	static const uint64_t wrong[] = { 0, 3, 1ull << 30, HEKI_OWNER_KERNEL, HEKI_OWNER_RING, ~0ull };
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	int first, second;

	place(g, &m, "tiny-rsa2048.ko");
	first = validate(&m);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(wrong); i++) {
		CHECK_REFUSED(TOKEN, vtlcall(g, HEKI_CALL_FREE_MODULE_INIT, wrong[i], 0, 0));
		CHECK_REFUSED(TOKEN, vtlcall(g, HEKI_CALL_UNLOAD_MODULE, wrong[i], 0, 0));
	}
	CHECK_REFUSED(TOKEN, vtlcall(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)first | 1ull << 32, 0, 0));
	CHECK_OK(free_init(g, first));
	CHECK_REFUSED(TOKEN, free_init(g, first));
	CHECK_OK(unload(g, first));
	CHECK_REFUSED(TOKEN, unload(g, first));
	CHECK_REFUSED(TOKEN, free_init(g, first));
	second = validate(&m);
	CHECK(second > first); /* never used again */
	CHECK_REFUSED(TOKEN, unload(g, first));
	unplace(&m);
	end(g);
}

static void users(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed tiny, user;
	struct snapshot *before = snapshot_take(g);
	int a, b;

	place(g, &tiny, "tiny-signed.ko");
	a = validate(&tiny);
	place(g, &user, "user-signed.ko");
	b = validate(&user);
	CHECK(a > 0 && b > a);
	CHECK_REFUSED(BUSY, unload(g, a));
	CHECK(!strcmp(last_log(g)->name, "tiny"));
	CHECK_OK(free_init(g, a));
	CHECK_REFUSED(BUSY, unload(g, a));
	CHECK_OK(unload(g, b));
	CHECK_OK(unload(g, a));
	snapshot_check(g, before);
	CHECK_REFUSED(MODULE_SYMBOL, validate_refused(&user)); /* what it needs is gone */
	CHECK(strstr(last_log(g)->text, "tiny_add"));
	unplace(&tiny);
	unplace(&user);
	end(g);
}

/* --- several VPs --- */

struct other_vp {
	int token;
	uint32_t call;
	int results[3]; /* refused as busy, as no token, and accepted */
	bool running;
};

static void other_call(struct guest *g, void *context)
{
	struct other_vp *o = context;
	int32_t result;

	if (guest_locked() || o->running)
		return;
	o->running = true;
	guest_set_vp(1);
	result = guest_call(g, o->call, (uint64_t)o->token, 0, 0);
	guest_set_vp(0);
	o->running = false;
	o->results[result == -16 ? 0 : result == -22 ? 1 : 2]++;
}

/* While a module is validated, other calls with its token are refused as busy. */
static void busy_while_validating(void)
{
	static const uint32_t calls[] = { HEKI_CALL_UNLOAD_MODULE, HEKI_CALL_FREE_MODULE_INIT };

	for (size_t i = 0; i < 2; i++) {
		struct guest *g = booted(HEKI_GRADE_AUDIT);
		struct other_vp o = { .call = calls[i] };
		struct placed m;
		int32_t result;

		place(g, &m, "tiny-rsa2048.ko");
		o.token = (int)g->core->next_token;
		guest_clear(g);
		guest_add_hook(g, &(struct guest_hook){ .run = other_call, .context = &o,
							.op = GUEST_READ, .after = true });
		result = guest_call(g, HEKI_CALL_VALIDATE_MODULE, put_ranges(g, &m.ranges),
				    m.ranges.n, 0);
		CHECK_EQUAL(result, o.token);
		CHECK(o.results[0] > 0 && !o.results[2]);
		CHECK(!g->misuse);
		guest_clear(g);
		check_access(&m, access_coming);
		CHECK_OK(unload(g, result));
		unplace(&m);
		end(g);
	}
}

struct auditor {
	uint64_t page;
	bool running;
	unsigned int passes;
	uint64_t violations;
};

static void audit_all(struct guest *g, void *context)
{
	struct auditor *a = context;
	const struct heki_audit_reply *reply = guest_at(g, a->page);
	uint64_t cursor = 0;

	if (a->running || guest_locked())
		return;
	a->running = true;
	guest_set_vp(1);
	do {
		CHECK_EQUAL(guest_call(g, HEKI_CALL_AUDIT, a->page, cursor, 0), 0);
		a->violations += reply->violations;
		cursor = reply->next_cursor;
	} while (cursor);
	a->passes++;
	guest_set_vp(0);
	a->running = false;
}

/* Another VP audits between any two steps of loading and unloading: nothing is wrong. */
static void audited_meanwhile(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct auditor a = { .page = guest_pages(g, 1) };
	struct placed m;
	int32_t token;

	place(g, &m, "tiny-rsa2048.ko");
	guest_clear(g);
	guest_add_hook(g, &(struct guest_hook){ .run = audit_all, .context = &a, .op = GUEST_UNLOCK,
						.after = true });
	token = guest_call(g, HEKI_CALL_VALIDATE_MODULE, put_ranges(g, &m.ranges), m.ranges.n, 0);
	CHECK(token > 0);
	CHECK_EQUAL(guest_call(g, HEKI_CALL_FREE_MODULE_INIT, (uint64_t)token, 0, 0), 0);
	CHECK_EQUAL(guest_call(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)token, 0, 0), 0);
	guest_clear(g);
	CHECK(a.passes > 20 && !g->misuse);
	CHECK_EQUAL(a.violations, 0);
	CHECK_EQUAL(g->core->stats.violations, 0);
	unplace(&m);
	end(g);
}

/* --- flags --- */

static int validate_flags(struct placed *m, uint64_t flags)
{
	return call_ranges(m->g, HEKI_CALL_VALIDATE_MODULE, &m->ranges, flags);
}

static void flags(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;

	place(g, &m, "tiny-rsa2048.ko");
	CHECK_REFUSED(PARAMETER, validate_flags(&m, 4));
	CHECK_REFUSED(PARAMETER, validate_flags(&m, 1ull << 32));
	CHECK_REFUSED(PARAMETER, validate_flags(&m, ~0ull));
	CHECK_REFUSED(AFTER_END_OF_BOOT, validate_flags(&m, HEKI_MODULE_LIVE));
	CHECK_REFUSED(AFTER_END_OF_BOOT, validate_flags(&m, HEKI_MODULE_UNVERIFIED));
	CHECK_REFUSED(AFTER_END_OF_BOOT, validate_flags(&m, HEKI_MODULE_FLAGS));
	unplace(&m);
	end(g);
}

static struct guest *booting(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	kernel_make(g, &kernel, NULL, 0);
	kernel_load(g, &kernel, "system.der");
	return g;
}

/* A module that runs already, with its file: init memory is gone, ro_after_init is sealed. */
static void live(void)
{
	struct guest *g = booting();
	struct placed m;
	int token;

	place(g, &m, "tiny-rsa2048.ko");
	drop_init_ranges(&m);
	token = validate_flags(&m, HEKI_MODULE_LIVE);
	CHECK_OK(token);
	CHECK_EQUAL(guest_access(g, m.pa[HEKI_MOD_TEXT][0]), R | X);
	if (m.l.pages[HEKI_MOD_RO_AFTER_INIT])
		CHECK_EQUAL(guest_access(g, m.pa[HEKI_MOD_RO_AFTER_INIT][0]), R);
	CHECK_REFUSED(TOKEN, free_init(g, token));
	CHECK_OK(unload(g, token));
	*placed_at(&m, HEKI_MOD_TEXT, 0x11) ^= 1;
	CHECK_REFUSED(MODULE_DIFFERS, validate_flags(&m, HEKI_MODULE_LIVE));
	unplace(&m);
	end(g);
}

/* No file: recorded as unverified, with its exports and patch sites, and protected. */
static void unverified(void)
{
	struct guest *g = booting();
	struct placed m;
	struct symbol s;
	int token;

	place(g, &m, "tiny-untrusted.ko");
	drop_init_ranges(&m);
	drop_range(&m, first_of(&m, HEKI_MOD_ELF_BUFFER));
	CHECK_REFUSED(PARAMETER, validate_flags(&m, HEKI_MODULE_FLAGS)); /* no name */
	place_info(&m, "tiny");
	token = validate_flags(&m, HEKI_MODULE_FLAGS);
	CHECK_OK(token);
	CHECK(symbols_find(g->core, "tiny_add", 8, &s) && s.owner == (uint32_t)token);
	CHECK_EQUAL(guest_access(g, m.pa[HEKI_MOD_TEXT][0]), R | X);
	CHECK_EQUAL(g->core->stats.modules_validated, 0);
	CHECK(g->core->modules[0].flags & HEKI_MODULE_UNVERIFIED);
	CHECK(strstr(last_log(g)->text, "unverified"));
	CHECK_OK(patch_text(g, placed_va_pa(&m, m.l.jumps[0].va), 0, (uint8_t[]){ 0xcc }, 1));
	CHECK_OK(unload(g, token));
	unplace(&m);
	end(g);
}

static void end_boot(struct guest *g, void *context)
{
	bool *done = context;

	if (guest_locked() || *done)
		return;
	*done = true;
	guest_set_vp(1);
	CHECK_EQUAL(guest_call(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0), 0);
	guest_set_vp(0);
}

/* What is believed only before end of boot is not, when that comes before the call ends. */
static void boot_ends_meanwhile(void)
{
	struct guest *g = booting();
	bool done = false;
	struct placed m;

	place(g, &m, "tiny-untrusted.ko");
	drop_init_ranges(&m);
	drop_range(&m, first_of(&m, HEKI_MOD_ELF_BUFFER));
	place_info(&m, "tiny");
	guest_clear(g);
	guest_add_hook(g, &(struct guest_hook){ .run = end_boot, .context = &done,
						.op = GUEST_UNLOCK, .nth = 4, .after = true });
	CHECK_EQUAL(guest_call(g, HEKI_CALL_VALIDATE_MODULE, put_ranges(g, &m.ranges), m.ranges.n,
			       HEKI_MODULE_FLAGS), -1);
	guest_clear(g);
	CHECK(done && !g->misuse);
	CHECK_EQUAL(g->core->modules_budget.used, 0);
	CHECK_EQUAL(guest_access(g, m.pa[HEKI_MOD_TEXT][0]), R | W | X);
	unplace(&m);
	end(g);
}

/* --- budgets --- */

static void budget(uint32_t *limit, struct heki_limits *limits, uint32_t value)
{
	struct guest *g;
	struct placed m;

	*limits = test_limits;
	*limit = value;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, limits);
	kernel_boot(g, &kernel);
	place(g, &m, "tiny-rsa2048.ko");
	CHECK_REFUSED(NO_MEMORY, validate_refused(&m));
	unplace(&m);
	end(g);
}

static void budgets(void)
{
	struct heki_limits limits;

	budget(&limits.frames, &limits, KERNEL_TEXT_PAGES + KERNEL_RODATA_PAGES + 3);
	budget(&limits.symbols, &limits, 6); /* five of the kernel, one of two */
	budget(&limits.patches, &limits, 5); /* three of the kernel, one of them over two pages */
}

static void module_budget(void)
{
	struct heki_limits limits = test_limits;
	struct guest *g;
	struct placed a, b;
	int token;

	limits.modules = 1;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	kernel_boot(g, &kernel);
	place(g, &a, "tiny-rsa2048.ko");
	place(g, &b, "tiny-p256.ko");
	token = validate(&a);
	CHECK_OK(token);
	CHECK_REFUSED(NO_MEMORY, validate_refused(&b));
	CHECK_OK(unload(g, token));
	CHECK_OK(validate(&b));
	unplace(&a);
	unplace(&b);
	end(g);
}

static void scratch_budget(void)
{
	struct heki_limits limits = test_limits;

	for (limits.scratch_bytes = 16 << 10; limits.scratch_bytes < 256 << 10;
	     limits.scratch_bytes += 16 << 10) {
		struct guest *g = vtl0_start_limits(HEKI_GRADE_AUDIT, &test_limits);
		struct placed m;
		int result;

		kernel_boot(g, &kernel);
		g->core->limits.scratch_bytes = limits.scratch_bytes;
		place(g, &m, "tiny-rsa2048.ko");
		result = validate(&m);
		CHECK(result > 0 || result == -HEKI_E_NO_MEMORY);
		unplace(&m);
		end(g);
	}
}

const struct test modules_tests[] = {
	{ "life", life },
	{ "unload_without_free_init", unload_without_free_init },
	{ "listed", listed },
	{ "accounts", accounts },
	{ "tokens", tokens },
	{ "users", users },
	{ "busy_while_validating", busy_while_validating },
	{ "audited_meanwhile", audited_meanwhile },
	{ "flags", flags },
	{ "live", live },
	{ "unverified", unverified },
	{ "boot_ends_meanwhile", boot_ends_meanwhile },
	{ "budgets", budgets },
	{ "module_budget", module_budget },
	{ "scratch_budget", scratch_budget },
	{ NULL, NULL },
};
