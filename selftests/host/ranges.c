// SPDX-License-Identifier: GPL-2.0-only
/* Page chains and ranges, through PROTECT_MEMORY; every refusal leaves everything as it was. */
#include "vtl0.h"

#define PROTECT HEKI_CALL_PROTECT_MEMORY

static int refused(struct guest *g, uint64_t first, uint64_t nranges)
{
	struct snapshot *s = snapshot_take(g);
	int result = vtlcall(g, PROTECT, first, nranges, 0);

	snapshot_check(g, s);
	return result;
}

#define REFUSED(error, g, first, nranges) CHECK_REFUSED(error, refused(g, first, nranges))

/* @n read-only ranges of a page each, with gaps, so that none can be merged. */
static void make_ranges(struct guest *g, struct ranges *list, size_t n)
{
	uint64_t pa = guest_pages(g, 2 * n);

	CHECK(pa);
	for (size_t i = 0; i < n; i++, pa += 2 * HEKI_PAGE_SIZE)
		add_range(list, DIRECT_MAP + pa, pa, HEKI_PAGE_SIZE, HEKI_ATTR_READ);
}

static struct heki_page *page_at(struct guest *g, uint64_t pa)
{
	return guest_at(g, pa);
}

static uint64_t make_chain(struct guest *g, size_t n)
{
	struct ranges list = { 0 };
	uint64_t first;

	make_ranges(g, &list, n);
	first = put_ranges(g, &list);
	drop_ranges(&list);
	return first;
}

/* Counts around the capacity of a page are accepted, every range counts. */
static void boundaries(void)
{
	static const size_t counts[] = { 1, 2, 126, 127, 128, 253, 254, 255, 381, 382 };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(counts); i++) {
		struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
		struct ranges list = { 0 };

		make_ranges(g, &list, counts[i]);
		CHECK_OK(call_ranges(g, PROTECT, &list, 0));
		for (size_t j = 0; j < list.n; j++)
			CHECK_EQUAL(guest_access(g, list.r[j].pa), HEKI_ATTR_READ);
		CHECK_EQUAL(g->core->frames.budget.used, counts[i]);
		drop_ranges(&list);
		vtl0_end(g);
	}
}

static void first_page_address(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 1);

	for (uint64_t off = 1; off < HEKI_PAGE_SIZE; off = off * 2 + 1)
		REFUSED(NOT_ALIGNED, g, first + off, 1);
	REFUSED(INPUT_ADDRESS, g, 0, 1);
	REFUSED(INPUT_ADDRESS, g, 1ull << 52, 1);
	REFUSED(INPUT_ADDRESS, g, ~HEKI_PAGE_MASK, 1);
	REFUSED(INPUT_ADDRESS, g, first | 1ull << 63, 1);
	REFUSED(PAGES_COPY, g, RAM_BYTES, 1);
	REFUSED(PAGES_COPY, g, HOLE_PA, 1);
	REFUSED(PAGES_COPY, g, VTL1_PA, 1);
	REFUSED(PAGES_COPY, g, HEKI_MASK_52 - HEKI_PAGE_MASK, 1);
	CHECK_OK(vtlcall(g, PROTECT, first, 1, 0));
	vtl0_end(g);
}

static void declared_counts(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 130);
	static const uint64_t many[] = {
		1ull << 32, 1ull << 63, ~0ull, ~0ull / 32, ~0ull / 127 + 1, (1ull << 32) + 130,
		(1ull << 59) + 130,
	};

	CHECK(refused(g, first, 0) < 0);
	for (uint64_t n = 1; n < 130; n++) /* under-declared */
		REFUSED(PAGE_CHAIN, g, first, n);
	for (uint64_t n = 131; n < 400; n++) /* over-declared */
		REFUSED(PAGE_CHAIN, g, first, n);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(many); i++)
		REFUSED(TOO_MANY_RANGES, g, first, many[i]);
	vtl0_end(g);
}

static void page_counts(void)
{
	static const uint64_t wrong[] = {
		0, 128, 129, 1ull << 32, (1ull << 32) + 127, (1ull << 61), (1ull << 61) + 127, ~0ull,
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 130), second = first + HEKI_PAGE_SIZE;

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(wrong); i++) {
		page_at(g, first)->nranges = wrong[i];
		REFUSED(PAGE_CHAIN, g, first, 130);
		page_at(g, first)->nranges = 127;
		page_at(g, second)->nranges = wrong[i];
		REFUSED(PAGE_CHAIN, g, first, 130);
		page_at(g, second)->nranges = 3;
	}
	CHECK_OK(vtlcall(g, PROTECT, first, 130, 0));
	vtl0_end(g);
}

/* Pages need not be full: each brings at least one range. */
static void short_pages(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 254);

	page_at(g, first)->nranges = 1;
	page_at(g, first + HEKI_PAGE_SIZE)->nranges = 2;
	REFUSED(PAGE_CHAIN, g, first, 2);
	REFUSED(PAGE_CHAIN, g, first, 4);
	CHECK_OK(vtlcall(g, PROTECT, first, 3, 0));
	CHECK_EQUAL(g->core->frames.budget.used, 3);
	vtl0_end(g);
}

/* A page without ranges is an error wherever it is, also when the count is right without it. */
static void empty_page(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 130), empty = guest_pages(g, 1);

	page_at(g, empty)->next_pa = first;
	REFUSED(PAGE_CHAIN, g, empty, 130);
	page_at(g, first)->next_pa = empty;
	page_at(g, empty)->next_pa = first + HEKI_PAGE_SIZE;
	REFUSED(PAGE_CHAIN, g, first, 130);
	vtl0_end(g);
}

static void cycles(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 3 * 127), page = HEKI_PAGE_SIZE;

	page_at(g, first)->next_pa = first; /* to itself */
	REFUSED(PAGE_CHAIN, g, first, 3 * 127);
	REFUSED(PAGE_CHAIN, g, first, 2 * 127);
	page_at(g, first)->next_pa = first + page;
	page_at(g, first + page)->next_pa = first; /* back to the first */
	REFUSED(PAGE_CHAIN, g, first, 3 * 127);
	page_at(g, first + page)->next_pa = first + page;
	REFUSED(PAGE_CHAIN, g, first, 3 * 127);
	vtl0_end(g);
}

static void next_addresses(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 2 * 127), second = first + HEKI_PAGE_SIZE;
	struct heki_page *page = page_at(g, first);

	page->next_pa = 0; /* ends early */
	REFUSED(PAGE_CHAIN, g, first, 2 * 127);
	page->next_pa = second + 8;
	REFUSED(NOT_ALIGNED, g, first, 2 * 127);
	page->next_pa = second | 1ull << 52;
	REFUSED(PHYS_ADDRESS, g, first, 2 * 127);
	page->next_pa = HOLE_PA;
	REFUSED(PAGES_COPY, g, first, 2 * 127);
	page->next_pa = VTL1_PA;
	REFUSED(PAGES_COPY, g, first, 2 * 127);
	page->next_pa = RAM_BYTES;
	REFUSED(PAGES_COPY, g, first, 2 * 127);
	page->next_pa = second;
	page->next = 0x4141414141414141; /* VTL0's own, never followed */
	CHECK_OK(vtlcall(g, PROTECT, first, 2 * 127, 0));
	vtl0_end(g);
}

/* A call with this one range. */
static void one_range(struct guest *g, enum heki_error error, uint64_t va, uint64_t pa,
		      uint64_t epa)
{
	uint64_t first = guest_pages(g, 1);
	struct heki_page *page = page_at(g, first);

	memset(page, 0, sizeof(*page));
	page->nranges = 1;
	page->ranges[0] = (struct heki_range){ va, pa, epa, HEKI_ATTR_READ };
	check_result(__FILE__, __LINE__, "range", refused(g, first, 1), -(int)error);
}

static void bad_ranges(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 4), va = DIRECT_MAP + pa, page = HEKI_PAGE_SIZE;

	one_range(g, HEKI_E_RANGE, va, pa + page, pa);
	one_range(g, HEKI_E_RANGE, va, pa + page, pa + page - 1);
	one_range(g, HEKI_E_RANGE, va, pa, 0);
	one_range(g, HEKI_E_PHYS_ADDRESS, va, pa | 1ull << 52, pa | 1ull << 52 | page);
	one_range(g, HEKI_E_PHYS_ADDRESS, va, pa, 1ull << 52 | page);
	one_range(g, HEKI_E_PHYS_ADDRESS, va, pa, ~0ull);
	one_range(g, HEKI_E_PHYS_ADDRESS, va, ~HEKI_PAGE_MASK, ~0ull);
	one_range(g, HEKI_E_VIRT_ADDRESS, 1ull << 56, pa, pa + page);
	one_range(g, HEKI_E_VIRT_ADDRESS, 0x0100000000000000, pa, pa + page);
	one_range(g, HEKI_E_VIRT_ADDRESS, 0xfe00000000000000, pa, pa + page);
	one_range(g, HEKI_E_VIRT_ADDRESS, 0xfefffffffffff000, pa, pa + page);
	one_range(g, HEKI_E_VIRT_ADDRESS, 0x8000000000000000, pa, pa + page);
	one_range(g, HEKI_E_VIRT_ADDRESS, 0x8000000000000000, pa, pa); /* empty ones too */
	one_range(g, HEKI_E_VIRT_ADDRESS, ~HEKI_PAGE_MASK, pa, pa + 2 * page); /* wraps */
	vtl0_end(g);
}

static void outside_ram(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t page = HEKI_PAGE_SIZE, va = DIRECT_MAP;
	struct {
		uint64_t pa, epa;
	} where[] = {
		{ RAM_BYTES, RAM_BYTES + page },
		{ RAM_BYTES - page, RAM_BYTES + page },
		{ HOLE_PA, HOLE_PA + page },
		{ HOLE_PA - page, HOLE_PA + page },
		{ HOLE_PA + HOLE_BYTES - page, HOLE_PA + HOLE_BYTES + page },
		{ VTL1_PA, VTL1_PA + page },
		{ VTL1_PA - page, VTL1_PA + page },
		{ VTL1_PA - page, VTL1_PA + VTL1_BYTES + page },
		{ VTL1_PA + VTL1_BYTES - page, VTL1_PA + VTL1_BYTES + page },
		{ HEKI_MASK_52 - HEKI_PAGE_MASK - page, HEKI_MASK_52 - HEKI_PAGE_MASK },
		{ 0x1000, HEKI_MASK_52 - HEKI_PAGE_MASK },
	};

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(where); i++) {
		int result;
		uint64_t first = guest_pages(g, 1);
		struct heki_page *p = page_at(g, first);

		memset(p, 0, sizeof(*p));
		p->nranges = 1;
		p->ranges[0] = (struct heki_range){ va, where[i].pa, where[i].epa, HEKI_ATTR_READ };
		result = refused(g, first, 1);
		CHECK(result == -HEKI_E_PHYS_ADDRESS || result == -HEKI_E_OVERLAP);
	}
	vtl0_end(g);
}

/* One bad range at any place spoils the whole call. */
static void one_bad_among_many(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 200);

	for (size_t i = 0; i < 200; i++) {
		struct heki_page *page = page_at(g, first + i / 127 * HEKI_PAGE_SIZE);
		struct heki_range *r = &page->ranges[i % 127];
		struct heki_range good = *r;

		r->va = 1ull << 60;
		REFUSED(VIRT_ADDRESS, g, first, 200);
		*r = good;
	}
	vtl0_end(g);
}

static void change_next(struct guest *g, void *context)
{
	struct heki_page *page = context;

	(void)g;
	memset(page->ranges, 0xff, sizeof(page->ranges));
	page->nranges = ~0ull;
	page->next_pa = ~0ull;
}

/* The first page is read once: what another VP does to it afterwards has no effect. */
static void read_once(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct ranges list = { 0 };
	uint64_t first;

	make_ranges(g, &list, 100);
	first = put_ranges(g, &list);
	guest_add_hook(g, &(struct guest_hook){ .run = change_next, .context = page_at(g, first),
						.op = GUEST_READ, .nth = 1, .after = true });
	CHECK_OK(vtlcall(g, PROTECT, first, 100, 0));
	for (size_t i = 0; i < list.n; i++)
		CHECK_EQUAL(guest_access(g, list.r[i].pa), HEKI_ATTR_READ);
	drop_ranges(&list);
	vtl0_end(g);
}

/* A cycle costs little more than its pages, whatever number of ranges is declared. */
static void reads_are_bounded(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 3 * 127), one = make_chain(g, 1);

	page_at(g, one)->next_pa = one;
	CHECK_REFUSED(PAGE_CHAIN, vtlcall(g, PROTECT, one, 65536, 0));
	CHECK(g->count[GUEST_READ] <= 2);
	guest_clear(g);

	page_at(g, first + HEKI_PAGE_SIZE)->next_pa = first + HEKI_PAGE_SIZE;
	CHECK_REFUSED(PAGE_CHAIN, vtlcall(g, PROTECT, first, 3 * 127, 0));
	CHECK(g->count[GUEST_READ] <= 3);
	vtl0_end(g);
}

/* Ranges may name the same memory, but not more of it than any call has a use for. */
static void bytes_are_bounded(void)
{
	const uint64_t start = 1 << 20, bytes = VTL1_PA - start;
	const uint64_t most = ((uint64_t)test_limits.frames << HEKI_PAGE_SHIFT) +
			      test_limits.scratch_bytes;
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct ranges list = { 0 };

	for (uint64_t i = 0; i < most / bytes; i++)
		add_range(&list, DIRECT_MAP + start, start, bytes, HEKI_KEXEC_IMAGE);
	CHECK_REFUSED(KEXEC_SEGMENTS, call_ranges(g, HEKI_CALL_KEXEC_VALIDATE, &list, 0));
	add_range(&list, DIRECT_MAP + start, start, bytes, HEKI_KEXEC_IMAGE);
	CHECK_REFUSED(TOO_MANY_RANGES, call_ranges(g, HEKI_CALL_KEXEC_VALIDATE, &list, 0));
	drop_ranges(&list);
	vtl0_end(g);
}

/* Every call that takes a chain checks it. */
static void every_call_checks(void)
{
	static const uint32_t calls[] = {
		HEKI_CALL_PROTECT_MEMORY, HEKI_CALL_LOAD_KDATA, HEKI_CALL_VALIDATE_MODULE,
		HEKI_CALL_COPY_SECONDARY_KEY, HEKI_CALL_KEXEC_VALIDATE, HEKI_CALL_REVOKE,
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t first = make_chain(g, 1);

	page_at(g, first)->next_pa = first;
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(calls); i++) {
		CHECK_REFUSED(NOT_ALIGNED, vtlcall(g, calls[i], first + 8, 1, 0));
		CHECK_REFUSED(PAGE_CHAIN, vtlcall(g, calls[i], first, 2, 0));
		CHECK_REFUSED(PAGES_COPY, vtlcall(g, calls[i], VTL1_PA, 1, 0));
		CHECK_REFUSED(TOO_MANY_RANGES, vtlcall(g, calls[i], first, ~0ull, 0));
	}
	vtl0_end(g);
}

const struct test ranges_tests[] = {
	{ "boundaries", boundaries },
	{ "first_page_address", first_page_address },
	{ "declared_counts", declared_counts },
	{ "page_counts", page_counts },
	{ "short_pages", short_pages },
	{ "empty_page", empty_page },
	{ "cycles", cycles },
	{ "next_addresses", next_addresses },
	{ "bad_ranges", bad_ranges },
	{ "outside_ram", outside_ram },
	{ "one_bad_among_many", one_bad_among_many },
	{ "read_once", read_once },
	{ "reads_are_bounded", reads_are_bounded },
	{ "bytes_are_bounded", bytes_are_bounded },
	{ "every_call_checks", every_call_checks },
	{ NULL, NULL },
};
