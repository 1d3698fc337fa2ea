// SPDX-License-Identifier: GPL-2.0-only
/* PROTECT_MEMORY: attributes, overlap, immutability, all or nothing. */
#include "call.h"
#include "vtl0.h"

#define R HEKI_ATTR_READ
#define W HEKI_ATTR_WRITE
#define X HEKI_ATTR_EXEC
#define I HEKI_ATTR_IMMUTABLE

static int protect(struct guest *g, uint64_t pa, uint64_t pages, uint64_t attributes)
{
	return call_range(g, HEKI_CALL_PROTECT_MEMORY, pa, pages * HEKI_PAGE_SIZE, attributes);
}

static void attributes(void)
{
	static const uint32_t good[] = { R, R | X, R | W, R | I, R | X | I, R | W | I };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(good); i++) {
		struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
		uint64_t pa = guest_pages(g, 5);

		CHECK_OK(protect(g, pa + HEKI_PAGE_SIZE, 3, good[i]));
		CHECK_EQUAL(guest_access(g, pa), R | W | X);
		for (int page = 1; page < 4; page++)
			CHECK_EQUAL(guest_access(g, pa + page * HEKI_PAGE_SIZE), good[i] & ~I);
		CHECK_EQUAL(guest_access(g, pa + 4 * HEKI_PAGE_SIZE), R | W | X);
		CHECK_EQUAL(guest_store(g, pa + HEKI_PAGE_SIZE, "x", 1), good[i] & W ? 0 : -1);
		vtl0_end(g);
	}
}

static void bad_attributes(void)
{
	static const uint64_t bad[] = {
		0, I, W, X, W | X, R | W | X, R | W | X | I, 16, R | 16, R | 1ull << 32, ~0ull, R | 1ull << 63,
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	struct snapshot *s = snapshot_take(g);

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(bad); i++)
		CHECK_REFUSED(MEMORY_ATTRIBUTE, protect(g, pa, 1, bad[i]));
	snapshot_check(g, s);
	vtl0_end(g);
}

static void alignment(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 2);
	struct ranges list = { 0 };

	add_range(&list, DIRECT_MAP + pa + 16, pa, HEKI_PAGE_SIZE, R);
	CHECK_REFUSED(NOT_ALIGNED, call_ranges(g, HEKI_CALL_PROTECT_MEMORY, &list, 0));
	drop_ranges(&list);

	CHECK_REFUSED(NOT_ALIGNED, call_range(g, HEKI_CALL_PROTECT_MEMORY, pa, 4095, R));
	CHECK_REFUSED(NOT_ALIGNED, call_range(g, HEKI_CALL_PROTECT_MEMORY, pa + 1, 4095, R));
	CHECK_REFUSED(NOT_ALIGNED, call_range(g, HEKI_CALL_PROTECT_MEMORY, pa, 1, R));
	CHECK_REFUSED(NOT_ALIGNED, call_range(g, HEKI_CALL_PROTECT_MEMORY, pa + 2048, 4096, R));
	CHECK(call_range(g, HEKI_CALL_PROTECT_MEMORY, pa, 0, R) < 0);
	CHECK_EQUAL(g->core->frames.budget.used, 0);
	vtl0_end(g);
}

static int protect_two(struct guest *g, uint64_t a, uint64_t a_pages, uint32_t a_attr, uint64_t b,
		       uint64_t b_pages, uint32_t b_attr)
{
	struct ranges list = { 0 };
	int result;

	add_range(&list, DIRECT_MAP + a, a, a_pages * HEKI_PAGE_SIZE, a_attr);
	add_range(&list, DIRECT_MAP + b, b, b_pages * HEKI_PAGE_SIZE, b_attr);
	result = call_ranges(g, HEKI_CALL_PROTECT_MEMORY, &list, 0);
	drop_ranges(&list);
	return result;
}

/* Ranges of one call that meet with different attributes contradict each other. */
static void overlap_in_one_call(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 4);
	struct snapshot *s = snapshot_take(g);

	CHECK_REFUSED(OVERLAP, protect_two(g, pa, 2, R, pa + HEKI_PAGE_SIZE, 2, R | X));
	CHECK_REFUSED(OVERLAP, protect_two(g, pa, 4, R, pa + HEKI_PAGE_SIZE, 1, R | W));
	CHECK_REFUSED(OVERLAP, protect_two(g, pa, 1, R | X, pa, 1, R | X | I));
	snapshot_check(g, s);
	vtl0_end(g);
}

/* Until end of boot the kernel may change its mind, but for what it called immutable. */
static void later_call_changes(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 4);

	CHECK_OK(protect(g, pa, 2, R | W));
	CHECK_OK(protect(g, pa + HEKI_PAGE_SIZE, 2, R | X | I));
	CHECK_EQUAL(guest_access(g, pa), R | W);
	CHECK_EQUAL(guest_access(g, pa + HEKI_PAGE_SIZE), R | X);
	CHECK_EQUAL(g->core->frames.budget.used, 3);
	CHECK_EQUAL(g->core->stats.pages_text, 2);
	CHECK_EQUAL(g->core->stats.pages_data, 1);
	vtl0_end(g);
}

/* Pages that belong to somebody else are not the kernel's to protect. */
static void others_pages(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 4);
	struct snapshot *s;

	CHECK_OK(vtlcall(g, HEKI_CALL_ALLOCATE_RINGBUFFER, pa, HEKI_PAGE_SIZE, 0));
	s = snapshot_take(g);
	CHECK_REFUSED(OVERLAP, protect(g, pa, 1, R | W));
	CHECK_REFUSED(OVERLAP, protect(g, pa, 2, R));
	snapshot_check(g, s);
	vtl0_end(g);
}

static void immutable_stays(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 2);
	struct snapshot *s;
	int result;

	CHECK_OK(protect(g, pa, 1, R | I));
	s = snapshot_take(g);
	result = protect(g, pa, 1, R | W);
	CHECK(result == -HEKI_E_IMMUTABLE || result == -HEKI_E_OVERLAP);
	result = protect(g, pa, 2, R | X);
	CHECK(result == -HEKI_E_IMMUTABLE || result == -HEKI_E_OVERLAP);
	snapshot_check(g, s);
	CHECK(guest_store(g, pa, "x", 1));
	vtl0_end(g);
}

/* At whichever range the host fails, nothing remains. */
static void host_fails_at_every_step(void)
{
	for (uint64_t nth = 1; nth <= 20; nth++) {
		struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
		struct ranges list = { 0 };
		uint64_t pa = guest_pages(g, 40);
		struct snapshot *s = snapshot_take(g);

		for (int i = 0; i < 20; i++, pa += 2 * HEKI_PAGE_SIZE)
			add_range(&list, DIRECT_MAP + pa, pa, HEKI_PAGE_SIZE, i & 1 ? R : R | X);
		guest_clear(g);
		g->fail[GUEST_PROTECT] = nth;
		CHECK_REFUSED(HYPERCALL, call_ranges(g, HEKI_CALL_PROTECT_MEMORY, &list, 0));
		snapshot_check(g, s);
		drop_ranges(&list);
		vtl0_end(g);
	}
}

static void budget(void)
{
	struct heki_limits limits = test_limits;
	struct guest *g;
	uint64_t pa;
	struct snapshot *s;

	limits.frames = 16;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	pa = guest_pages(g, 17);
	s = snapshot_take(g);
	CHECK_REFUSED(NO_MEMORY, protect(g, pa, 17, R));
	CHECK_REFUSED(NO_MEMORY, protect_two(g, pa, 8, R, pa + 8 * HEKI_PAGE_SIZE, 9, R | X));
	snapshot_check(g, s);
	CHECK_OK(protect(g, pa, 16, R));
	CHECK_EQUAL(g->core->frames.budget.used, 16);
	vtl0_end(g);
}

static void counts_in_stats(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 10), reply = guest_pages(g, 1);
	const struct heki_stats_reply *stats = guest_at(g, reply);

	CHECK_OK(protect_two(g, pa, 3, R | X, pa + 3 * HEKI_PAGE_SIZE, 5, R));
	CHECK_OK(vtlcall(g, HEKI_CALL_STATS, reply, 0, 0));
	CHECK_EQUAL(stats->pages_text, 3);
	CHECK_EQUAL(stats->pages_rodata, 5);
	CHECK_EQUAL(stats->budgets[HEKI_BUDGET_FRAMES].used, 8);
	vtl0_end(g);
}

/* Giving back many pages does not keep interrupts off for all of them. */
static void released_in_batches(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct call c = { .core = g->core };
	struct chain chain = { 0 };
	uint64_t pa = guest_pages(g, 1024);

	CHECK_EQUAL(frames_claim(&c, &chain, HEKI_OWNER_KEXEC, gpa(pa), 1024, HEKI_ATTR_READ,
				 FRAME_NO_KIND), 0);
	guest_clear(g);
	frames_release(&c, &chain, FRAMES_ALL);
	CHECK(g->count[GUEST_UNLOCK] >= 4);
	CHECK(!chain.head && !chain.count && !g->core->frames.budget.used);
	for (uint64_t i = 0; i < 1024; i++)
		CHECK_EQUAL(guest_access(g, pa + i * HEKI_PAGE_SIZE), 7);
	vtl0_end(g);
}

const struct test protect_tests[] = {
	{ "released_in_batches", released_in_batches },
	{ "attributes", attributes },
	{ "bad_attributes", bad_attributes },
	{ "alignment", alignment },
	{ "overlap_in_one_call", overlap_in_one_call },
	{ "later_call_changes", later_call_changes },
	{ "others_pages", others_pages },
	{ "immutable_stays", immutable_stays },
	{ "host_fails_at_every_step", host_fails_at_every_step },
	{ "budget", budget },
	{ "counts_in_stats", counts_in_stats },
	{ NULL, NULL },
};
