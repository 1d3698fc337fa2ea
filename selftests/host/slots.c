// SPDX-License-Identifier: GPL-2.0-only
/* Long calls: cut into entries, continued from any VP, abandoned. */
#include <errno.h>

#include "place.h"
#include "slots.h"

#define EBUSY_RESULT (-EBUSY)
#define ENTRIES_MAX 100000

static struct kernel kernel;

/* A booted guest whose entries do @pages of work at most and which continues its calls. */
static struct guest *booted(uint32_t pages, uint32_t slots)
{
	struct heki_limits limits = test_limits;
	struct guest *g;

	limits.entry_pages = pages;
	limits.slots = slots;
	g = vtl0_start_limits(HEKI_GRADE_ENFORCE, &limits);
	kernel_boot(g, &kernel);
	g->core->limits.entry_pages = pages; /* whatever the environment says */
	g->core->entry_budget.limit = pages;
	CHECK_OK(guest_continue(g));
	g->core->entry_budget.peak = 0;
	g->core->stats.continued = 0;
	return g;
}

static void end(struct guest *g)
{
	CHECK(!g->misuse);
	kernel_drop(&kernel);
	vtl0_end(g);
}

/* A VALIDATE_MODULE that is made entry by entry. */
struct load {
	struct placed m;
	uint64_t pa;
	uint32_t vp;
	unsigned int entries;
	int32_t result;
};

static void load_place(struct guest *g, struct load *l, const char *name, uint32_t vp)
{
	memset(l, 0, sizeof(*l));
	place(g, &l->m, name);
	l->pa = put_ranges(g, &l->m.ranges);
	l->vp = vp;
	l->result = -EAGAIN;
}

static int32_t load_enter(struct guest *g, struct load *l)
{
	guest_set_vp(l->vp);
	l->entries++;
	l->result = guest_enter(g, HEKI_CALL_VALIDATE_MODULE, l->pa, l->m.ranges.n, 0);
	guest_set_vp(0);
	CHECK(l->entries < ENTRIES_MAX);
	return l->result;
}

static void load_finish(struct guest *g, struct load *l)
{
	while (l->result == -EAGAIN)
		load_enter(g, l);
}

static const struct heki_budget *slot_budget(struct guest *g)
{
	return &g->core->slots_budget;
}

/* --- QUERY --- */

static void announced(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_query_reply *reply = guest_at(g, pa);

	g->core->continues = false;
	CHECK(guest_enter(g, HEKI_CALL_QUERY, pa, 0, 0) > 0);
	CHECK(reply->features & HEKI_FEATURE_CONTINUE);
	CHECK(!g->core->continues);
	CHECK_REFUSED(PARAMETER, vtlcall(g, HEKI_CALL_QUERY, pa, HEKI_QUERY_CONTINUES | 2, 0));
	CHECK(!g->core->continues);
	CHECK_REFUSED(NOT_ALIGNED, vtlcall(g, HEKI_CALL_QUERY, pa + 8, HEKI_QUERY_CONTINUES, 0));
	CHECK(!g->core->continues);
	CHECK(guest_enter(g, HEKI_CALL_QUERY, pa, HEKI_QUERY_CONTINUES, 0) > 0);
	CHECK(g->core->continues);
	CHECK(guest_enter(g, HEKI_CALL_QUERY, pa, 0, 0) > 0); /* never taken back */
	CHECK(g->core->continues);
	vtl0_end(g);
}

/* A host without fibers says so and serves calls whole. */
static void host_without_fibers(void)
{
	struct guest *g = booted(1, 4);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_query_reply *reply = guest_at(g, pa);
	struct load l;

	g->core->continues = false;
	g->ops.fiber_resume = NULL;
	CHECK(guest_enter(g, HEKI_CALL_QUERY, pa, HEKI_QUERY_CONTINUES, 0) > 0);
	CHECK(!(reply->features & HEKI_FEATURE_CONTINUE));
	load_place(g, &l, "tiny-rsa2048.ko", 0);
	CHECK(load_enter(g, &l) > 0);
	unplace(&l.m);
	end(g);
}

/* A peer that knows nothing of this gets its answer in one entry, however long it takes. */
static void not_announced(void)
{
	struct guest *g = booted(1, 4);
	struct load l;

	g->core->continues = false;
	load_place(g, &l, "tiny-rsa2048.ko", 0);
	CHECK(load_enter(g, &l) > 0);
	CHECK(g->core->entry_budget.peak > 1);
	unplace(&l.m);
	end(g);
}

/* --- entries --- */

/* Cut or whole, the tables are the same afterwards; no entry does more than its share. */
static void same_result(void)
{
	struct guest *g = booted(1, 4);
	struct snapshot *before, *whole;
	struct load l;
	int32_t token;

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	before = snapshot_take(g);
	load_finish(g, &l);
	CHECK(l.result > 0 && l.entries > 10);
	CHECK_EQUAL(g->core->entry_budget.peak, 1);
	CHECK_EQUAL(g->core->stats.continued, l.entries - 1);
	token = l.result;
	CHECK_EQUAL(guest_call(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)token, 0, 0), 0);
	snapshot_check(g, before);

	g->core->next_token = (uint32_t)token;
	l.result = -EAGAIN;
	load_finish(g, &l);
	whole = snapshot_take(g);
	CHECK_EQUAL(guest_call(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)token, 0, 0), 0);
	g->core->next_token = (uint32_t)token;
	g->core->continues = false;
	CHECK_EQUAL(load_enter(g, &l), token);
	snapshot_check(g, whole);
	unplace(&l.m);
	end(g);
}

/* Each entry may come from another VP; the record of a refusal names that of the last. */
static void any_vp(void)
{
	struct guest *g = booted(1, 4);
	struct load l;

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	*placed_at(&l.m, HEKI_MOD_TEXT, 0) ^= 1;
	while (l.result == -EAGAIN) {
		l.vp = (l.vp + 1) % 3;
		load_enter(g, &l);
	}
	CHECK_EQUAL(l.result, -heki_error_errno(HEKI_E_MODULE_DIFFERS));
	CHECK_EQUAL(last_log(g)->error, HEKI_E_MODULE_DIFFERS);
	CHECK_EQUAL(last_log(g)->vp, l.vp);
	CHECK(!slot_budget(g)->used);
	unplace(&l.m);
	end(g);
}

/* Two loaders take turns: neither waits for the other, neither needs more entries. */
static void two_loaders(void)
{
	struct guest *g = booted(1, 4);
	struct load a, b, alone;

	load_place(g, &alone, "tiny-rsa2048.ko", 0);
	load_finish(g, &alone);
	CHECK(alone.result > 0);
	CHECK_EQUAL(guest_call(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)alone.result, 0, 0), 0);
	load_place(g, &a, "tiny-rsa2048.ko", 0);
	load_place(g, &b, "tiny-signed.ko", 1);
	while (a.result == -EAGAIN || b.result == -EAGAIN) {
		if (a.result == -EAGAIN)
			load_enter(g, &a);
		if (b.result == -EAGAIN)
			load_enter(g, &b);
	}
	CHECK(a.result > 0);
	CHECK_EQUAL(a.entries, alone.entries);
	CHECK_EQUAL(slot_budget(g)->peak, 2);
	unplace(&alone.m);
	unplace(&a.m);
	unplace(&b.m);
	end(g);
}

static void again_meanwhile(struct guest *g, void *context)
{
	struct load *l = context;

	guest_set_vp(1);
	CHECK_EQUAL(guest_enter(g, HEKI_CALL_VALIDATE_MODULE, l->pa, l->m.ranges.n, 0),
		    EBUSY_RESULT);
	CHECK_EQUAL(last_log(g)->error, HEKI_E_BUSY);
	guest_set_vp(0);
}

/* While one VP serves a call, the same call from another is refused and changes nothing. */
static void same_call_twice(void)
{
	struct guest *g = booted(64, 4);
	struct load l;

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	guest_add_hook(g, &(struct guest_hook){ .run = again_meanwhile, .context = &l,
						.op = GUEST_VERIFY, .nth = g->count[GUEST_VERIFY] + 1 });
	load_finish(g, &l);
	CHECK(l.result > 0);
	CHECK_EQUAL(g->core->stats.errors[HEKI_E_BUSY], 1);
	guest_clear(g);
	unplace(&l.m);
	end(g);
}

/* More calls than slots: one has to wait, and is told so by name. */
static void slots_taken(void)
{
	struct guest *g = booted(1, 2);
	struct load l[3];
	struct snapshot *s;

	for (uint32_t i = 0; i < 3; i++)
		load_place(g, &l[i], "tiny-rsa2048.ko", i);
	CHECK_EQUAL(load_enter(g, &l[0]), -EAGAIN);
	CHECK_EQUAL(load_enter(g, &l[1]), -EAGAIN);
	s = snapshot_take(g);
	CHECK_EQUAL(load_enter(g, &l[2]), EBUSY_RESULT);
	snapshot_check(g, s);
	CHECK_EQUAL(last_log(g)->error, HEKI_E_NO_SLOT);
	CHECK_EQUAL(last_log(g)->call, HEKI_CALL_VALIDATE_MODULE);
	tally->errors[HEKI_E_NO_SLOT]++;
	load_finish(g, &l[0]);
	CHECK(l[0].result > 0);
	l[2].result = -EAGAIN;
	CHECK_EQUAL(load_enter(g, &l[2]), -EAGAIN);
	load_finish(g, &l[1]);
	load_finish(g, &l[2]);
	CHECK_EQUAL(slot_budget(g)->peak, 2);
	CHECK(!slot_budget(g)->used);
	for (uint32_t i = 0; i < 3; i++)
		unplace(&l[i].m);
	end(g);
}

/* --- what happens between two entries --- */

/* Patches of the kernel and of the module itself go through, and the verdict stays. */
static void patched_meanwhile(void)
{
	struct guest *g = booted(1, 4);
	struct patch_site site;
	uint32_t index, patched = 0;
	struct load l;
	uint8_t now[HEKI_POKE_MAX];

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	while (load_enter(g, &l) == -EAGAIN) {
		bool found = false;

		for (index = 1; patches_next(g->core, &index, &site); index++) {
			if (site.type != HEKI_PATCH_JUMP_LABEL || site.owner == HEKI_OWNER_KERNEL)
				continue;
			found = true;
			break;
		}
		if (!found || patch_read(g->core, &site, now))
			continue;
		CHECK_OK(patch_text(g, site.pa.v, site.next.v,
				    memcmp(now, site.code, site.size) ? site.code :
				    site.size == 2 ? nop2 : nop5, site.size));
		patched++;
	}
	CHECK(l.result > 0);
	CHECK(patched > 2);
	unplace(&l.m);
	end(g);
}

/* A signer that is revoked between two entries does not get its module in. */
static void revoked_meanwhile(void)
{
	struct file cert = load_file("rsa2048.der");
	struct guest *g = booted(1, 4);
	struct snapshot *s = NULL;
	struct load l;
	unsigned int i;

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	load_finish(g, &l);
	CHECK(l.result > 0);
	i = l.entries;
	CHECK_EQUAL(guest_call(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)l.result, 0, 0), 0);
	l.result = -EAGAIN;
	for (l.entries = 0; l.entries < i - 1;)
		CHECK_EQUAL(load_enter(g, &l), -EAGAIN);
	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, cert.p, cert.n, 0));
	load_finish(g, &l);
	CHECK_EQUAL(l.result, -heki_error_errno(HEKI_E_REVOKED));
	CHECK_EQUAL(last_log(g)->error, HEKI_E_REVOKED);
	s = snapshot_take(g);
	CHECK_REFUSED(REVOKED, validate(&l.m));
	snapshot_check(g, s);
	drop_file(&cert);
	unplace(&l.m);
	end(g);
}

/* The kernel's own memory: what was protected is given back when the phase ends in the middle. */
static void boot_ends_meanwhile(void)
{
	struct heki_limits limits = test_limits;
	struct guest *g;
	struct snapshot *s;
	struct ranges list = { 0 };
	uint64_t pa, pages;
	int32_t result;

	limits.entry_pages = 8;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	g->core->limits.entry_pages = 8;
	CHECK_OK(guest_continue(g));
	pages = guest_pages(g, 512);
	add_range(&list, KERNEL_VA, pages, 512 * HEKI_PAGE_SIZE, HEKI_ATTR_READ);
	pa = put_ranges(g, &list);
	s = snapshot_take(g);
	for (unsigned int i = 0; i < 5; i++)
		CHECK_EQUAL(guest_enter(g, HEKI_CALL_PROTECT_MEMORY, pa, 1, 0), -EAGAIN);
	CHECK(guest_access(g, pages) == HEKI_ATTR_READ);
	CHECK_REFUSED(BUSY, call_range(g, HEKI_CALL_PROTECT_MEMORY, guest_pages(g, 1),
				       HEKI_PAGE_SIZE, HEKI_ATTR_READ));
	CHECK_EQUAL(guest_call(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0), 0);
	do
		result = guest_enter(g, HEKI_CALL_PROTECT_MEMORY, pa, 1, 0);
	while (result == -EAGAIN);
	CHECK_EQUAL(result, -heki_error_errno(HEKI_E_AFTER_END_OF_BOOT));
	g->core->end_of_boot = false; /* the one thing that is meant to differ */
	snapshot_check(g, s);
	drop_ranges(&list);
	CHECK(!g->misuse);
	vtl0_end(g);
}

/* --- abandoned --- */

/* Make entries of other calls until the suspended one is gone; how many that took. */
static unsigned int others(struct guest *g, uint32_t still)
{
	unsigned int i;

	for (i = 0; slot_budget(g)->used > still && i < ENTRIES_MAX; i++)
		guest_enter(g, HEKI_CALL_UNLOAD_MODULE, 0x3fffffff, 0, 0);
	CHECK(i < ENTRIES_MAX);
	return i;
}

/* Wherever it stopped, all that it did is undone, by shares; its owner may begin anew. */
static void abandoned(void)
{
	unsigned int total = 0;

	for (unsigned int stop = 1; !total || stop < total; stop += 3) {
		struct guest *g = booted(1, 4);
		struct snapshot *s;
		struct load l;

		load_place(g, &l, "tiny-rsa2048.ko", 0);
		s = snapshot_take(g);
		for (unsigned int i = 0; i < stop && load_enter(g, &l) == -EAGAIN; i++)
			;
		CHECK_EQUAL(l.result, -EAGAIN);
		CHECK(others(g, 0) > 4);
		CHECK_EQUAL(g->core->stats.abandoned, 1);
		CHECK_EQUAL(g->core->stats.errors[HEKI_E_AGAIN], 1);
		CHECK_EQUAL(g->core->entry_budget.peak, 1);
		snapshot_check(g, s);
		load_finish(g, &l);
		CHECK(l.result > 0);
		total = l.entries - stop;
		unplace(&l.m);
		end(g);
	}
	tally->errors[HEKI_E_AGAIN]++;
}

/* Its owner comes back while it is being undone: EAGAIN until that is over, then from the start. */
static void abandoned_and_back(void)
{
	struct guest *g = booted(1, 4);
	struct load l;

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	for (unsigned int i = 0; i < 8; i++)
		CHECK_EQUAL(load_enter(g, &l), -EAGAIN);
	while (!g->core->stats.abandoned)
		guest_enter(g, HEKI_CALL_UNLOAD_MODULE, 0x3fffffff, 0, 0);
	CHECK_EQUAL(slot_budget(g)->used, 1);
	load_finish(g, &l);
	CHECK(l.result > 0);
	CHECK_EQUAL(g->core->stats.modules_validated, 1);
	unplace(&l.m);
	end(g);
}

/* What only gives back is not undone but completed, and who comes back for it is told. */
static void abandoned_unload(void)
{
	struct guest *g = booted(1, 4);
	struct snapshot *s;
	struct load l;
	int32_t result;

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	s = snapshot_take(g);
	load_finish(g, &l);
	CHECK(l.result > 0);
	CHECK_EQUAL(guest_enter(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)l.result, 0, 0), -EAGAIN);
	while (!g->core->stats.abandoned)
		guest_enter(g, HEKI_CALL_FREE_MODULE_INIT, 0x3fffffff, 0, 0);
	do
		result = guest_enter(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)l.result, 0, 0);
	while (result == -EAGAIN);
	CHECK_EQUAL(result, 0);
	snapshot_check(g, s);
	CHECK(!slot_budget(g)->used);
	unplace(&l.m);
	end(g);
}

/* Enter a call once, let others bring it to its end, and make it again. */
static int32_t done_by_others(struct guest *g, uint64_t id, uint64_t token)
{
	uint64_t abandoned = g->core->stats.abandoned;
	uint64_t refused = g->core->stats.errors[HEKI_E_TOKEN];
	int32_t result;

	CHECK_EQUAL(guest_enter(g, id, token, 0, 0), -EAGAIN);
	CHECK(others(g, 0) > 4);
	CHECK_EQUAL(g->core->stats.abandoned, abandoned + 1);
	CHECK(g->core->stats.errors[HEKI_E_TOKEN] > refused);
	refused = g->core->stats.errors[HEKI_E_TOKEN];
	result = guest_call(g, id, token, 0, 0);
	CHECK_EQUAL(g->core->stats.errors[HEKI_E_TOKEN], refused);
	return result;
}

/* What others completed is told to its owner, however late, and once. */
static void abandoned_and_told(void)
{
	static const uint64_t ids[] = { HEKI_CALL_FREE_MODULE_INIT, HEKI_CALL_UNLOAD_MODULE };
	struct guest *g = booted(1, 4);
	struct snapshot *s;
	struct load l;

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	s = snapshot_take(g);
	load_finish(g, &l);
	CHECK(l.result > 0);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQUAL(done_by_others(g, ids[i], (uint64_t)l.result), 0);
		CHECK_EQUAL(guest_call(g, ids[i], (uint64_t)l.result, 0, 0), -EINVAL);
	}
	snapshot_check(g, s);
	unplace(&l.m);
	end(g);
}

/* All slots taken by calls that nobody continues: a new call gets in all the same. */
static void slots_reclaimed(void)
{
	struct guest *g = booted(1, 2);
	struct load l[3];
	unsigned int tries = 0;

	for (uint32_t i = 0; i < 3; i++)
		load_place(g, &l[i], "tiny-rsa2048.ko", i);
	CHECK_EQUAL(load_enter(g, &l[0]), -EAGAIN);
	CHECK_EQUAL(load_enter(g, &l[1]), -EAGAIN);
	do {
		load_enter(g, &l[2]);
		CHECK(++tries < ENTRIES_MAX);
	} while (l[2].result == -EAGAIN || l[2].result == EBUSY_RESULT);
	CHECK(l[2].result > 0);
	CHECK_EQUAL(g->core->stats.modules_validated, 1);
	/* Patience is spent once for each of the two; from then on every entry drives one of them. */
	tries += others(g, 0);
	CHECK(tries < 8 * 16 * 2);
	for (uint32_t i = 0; i < 3; i++)
		unplace(&l[i].m);
	end(g);
}

/* STATS tells the most scratch memory that one call of each kind took, and the work of an entry. */
static void told(void)
{
	struct guest *g = booted(4, 4);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_stats_reply *stats = guest_at(g, pa);
	uint32_t kib;
	struct load l;

	load_place(g, &l, "tiny-rsa2048.ko", 0);
	load_finish(g, &l);
	CHECK_OK(vtlcall(g, HEKI_CALL_STATS, pa, 0, 0));
	CHECK_EQUAL(stats->budgets[HEKI_BUDGET_SLOTS].limit, 4);
	CHECK_EQUAL(stats->budgets[HEKI_BUDGET_ENTRY_PAGES].limit, 4);
	CHECK(stats->budgets[HEKI_BUDGET_ENTRY_PAGES].peak <= 4);
	CHECK_EQUAL(stats->continued, l.entries - 1);
	kib = stats->scratch_kib[HEKI_INDEX_VALIDATE_MODULE];
	/* The file, and twice the memory that is compared. */
	CHECK(kib >= (l.m.file.n + 2 * 4 * HEKI_PAGE_SIZE) >> 10 && kib < 512);
	CHECK(kib <= stats->budgets[HEKI_BUDGET_SCRATCH_KIB].peak);
	CHECK(!stats->scratch_kib[HEKI_INDEX_PATCH_TEXT]);
	unplace(&l.m);
	end(g);
}

const struct test slots_tests[] = {
	{ "announced", announced },
	{ "host_without_fibers", host_without_fibers },
	{ "not_announced", not_announced },
	{ "same_result", same_result },
	{ "any_vp", any_vp },
	{ "two_loaders", two_loaders },
	{ "same_call_twice", same_call_twice },
	{ "slots_taken", slots_taken },
	{ "patched_meanwhile", patched_meanwhile },
	{ "revoked_meanwhile", revoked_meanwhile },
	{ "boot_ends_meanwhile", boot_ends_meanwhile },
	{ "abandoned", abandoned },
	{ "abandoned_and_back", abandoned_and_back },
	{ "abandoned_unload", abandoned_unload },
	{ "abandoned_and_told", abandoned_and_told },
	{ "slots_reclaimed", slots_reclaimed },
	{ "told", told },
	{ NULL, NULL },
};
