// SPDX-License-Identifier: GPL-2.0-only
/* ALLOCATE_RINGBUFFER: where it may be, and what is in it. */
#include "vtl0.h"

static int ring(struct guest *g, uint64_t pa, uint64_t size)
{
	return vtlcall(g, HEKI_CALL_ALLOCATE_RINGBUFFER, pa, size, 0);
}

static int ring_refused(struct guest *g, uint64_t pa, uint64_t size)
{
	struct snapshot *s = snapshot_take(g);
	int result = ring(g, pa, size);

	snapshot_check(g, s);
	return result;
}

/* An event that makes one record. */
static void event(struct guest *g)
{
	CHECK_REFUSED(NOT_SUPPORTED, vtlcall(g, HEKI_CALL_OPTEE_MESSAGE, 0, 0, 0));
}

static void sizes(void)
{
	for (uint64_t size = 4096; size <= 1 << 20; size *= 2) {
		struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
		uint64_t pa = guest_pages(g, 257);
		const struct heki_log_header *header = guest_at(g, pa);

		CHECK_OK(ring(g, pa, size));
		CHECK_EQUAL(header->magic, HEKI_LOG_MAGIC);
		CHECK_EQUAL(header->version, HEKI_LOG_VERSION);
		CHECK_EQUAL(header->record_size, sizeof(struct heki_log_record));
		CHECK_EQUAL(header->capacity, size / 256 - 1);
		for (uint64_t at = 0; at < size; at += HEKI_PAGE_SIZE)
			CHECK_EQUAL(guest_access(g, pa + at), HEKI_ATTR_READ);
		CHECK(guest_access(g, pa + size) & HEKI_ATTR_WRITE);
		CHECK_EQUAL(guest_store(g, pa, "x", 1), -1);
		vtl0_end(g);
	}
}

static void bad_sizes(void)
{
	static const uint64_t bad[] = {
		0, 1, 256, 2048, 4095, 4097, 8192 + 4096, (1 << 20) + 4096, 2 << 20, 1ull << 32,
		1ull << 63, ~0ull, (1ull << 32) + 4096,
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 512);

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(bad); i++)
		CHECK_REFUSED(PARAMETER, ring_refused(g, pa, bad[i]));
	vtl0_end(g);
}

static void bad_places(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 2);

	CHECK_REFUSED(NOT_ALIGNED, ring_refused(g, pa + 256, 4096));
	CHECK_REFUSED(NOT_ALIGNED, ring_refused(g, pa + 1, 4096));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, 0, 4096));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, ~HEKI_PAGE_MASK, 4096));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, 1ull << 52, 4096));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, RAM_BYTES, 4096));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, RAM_BYTES - 4096, 8192));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, HOLE_PA - 4096, 8192));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, VTL1_PA, 4096));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, VTL1_PA - 4096, 8192));
	vtl0_end(g);
}

/* Records come with the right contents, in order, and the header counts them. */
static void mirror(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_log_header *header = guest_at(g, pa);
	const struct heki_log_record *records = (const void *)(header + 1);

	event(g); /* before there is a ring */
	CHECK_OK(ring(g, pa, 4096));
	for (uint64_t i = 0; i < 40; i++) {
		uint64_t start = header->write_index;

		event(g);
		CHECK_EQUAL(header->write_index, start + 1);
		CHECK_EQUAL(header->dropped, start + 1 > 15 ? start + 1 - 15 : 0);
		CHECK(!memcmp(&records[start % header->capacity], last_log(g), sizeof(*records)));
	}
	CHECK_EQUAL(header->capacity, 15);
	CHECK_EQUAL(header->dropped, header->write_index - 15);
	vtl0_end(g);
}

/* What is next to the ring stays as it is, also when it wraps. */
static void stays_inside(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 4);
	uint8_t *before = guest_at(g, pa), *behind = guest_at(g, pa + 3 * HEKI_PAGE_SIZE);

	CHECK_OK(ring(g, pa + HEKI_PAGE_SIZE, 8192));
	for (unsigned int i = 0; i < 100; i++)
		event(g);
	for (unsigned int i = 0; i < HEKI_PAGE_SIZE; i++)
		CHECK(!before[i] && !behind[i]);
	vtl0_end(g);
}

/* A second call moves the ring: the old pages are VTL0's again, and VTL1 does not write there. */
static void moves(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t a = guest_pages(g, 2), b = guest_pages(g, 4);
	uint8_t copy[8192];

	CHECK_OK(ring(g, a, 8192));
	event(g);
	CHECK_OK(ring(g, b, 16384));
	memcpy(copy, guest_at(g, a), sizeof(copy));
	CHECK_EQUAL(guest_store(g, a, "mine", 4), 0);
	CHECK_EQUAL(guest_store(g, b, "mine", 4), -1);
	event(g);
	CHECK(!memcmp(guest_at(g, a + 4), copy + 4, sizeof(copy) - 4));
	CHECK(((struct heki_log_header *)guest_at(g, b))->write_index >= 1);
	CHECK_EQUAL(g->core->frames.budget.used, 4);
	vtl0_end(g);
}

/* Address and size 0: the pages are VTL0's again, VTL1 writes there no more, the log goes on. */
static void given_back(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 1), written;
	uint8_t copy[4096];

	CHECK_OK(ring(g, 0, 0)); /* nothing to give back */
	CHECK_OK(ring(g, pa, 4096));
	CHECK_REFUSED(PHYS_ADDRESS, ring_refused(g, 0, 4096));
	CHECK_REFUSED(PARAMETER, ring_refused(g, pa, 0));
	CHECK_EQUAL(guest_store(g, pa, "x", 1), -1);
	CHECK_OK(ring(g, 0, 0));
	CHECK_EQUAL(guest_store(g, pa, "x", 1), 0);
	CHECK_EQUAL(g->core->frames.budget.used, 0);
	memcpy(copy, guest_at(g, pa), sizeof(copy));
	written = g->core->log.written;
	event(g);
	CHECK(g->core->log.written > written);
	CHECK(!memcmp(guest_at(g, pa), copy, sizeof(copy)));
	CHECK_OK(ring(g, pa, 4096));
	vtl0_end(g);
}

/* A ring that fails leaves the old one where it is. */
static void failed_move(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t a = guest_pages(g, 1), b = guest_pages(g, 1);
	const struct heki_log_header *header = guest_at(g, a);
	uint64_t index;

	CHECK_OK(ring(g, a, 4096));
	g->fail[GUEST_PROTECT] = g->count[GUEST_PROTECT] + 1;
	CHECK_REFUSED(HYPERCALL, ring_refused(g, b, 4096));
	index = header->write_index;
	event(g);
	CHECK_EQUAL(header->write_index, index + 1);
	CHECK_EQUAL(guest_store(g, a, "x", 1), -1);
	CHECK_EQUAL(guest_store(g, b, "x", 1), 0);
	vtl0_end(g);
}

/* Never over what is somebody's, its own old place included; allowed after end of boot. */
static void over_owned_pages(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;
	uint64_t pa;

	kernel_boot(g, &k);
	CHECK_REFUSED(OVERLAP, ring_refused(g, k.text, 4096));
	CHECK_REFUSED(OVERLAP, ring_refused(g, k.rodata, 8192));
	CHECK_REFUSED(OVERLAP, ring_refused(g, k.rodata + (k.rodata_pages - 1) * HEKI_PAGE_SIZE, 8192));
	pa = guest_pages(g, 2);
	CHECK_OK(ring(g, pa, 8192));
	CHECK_REFUSED(OVERLAP, ring_refused(g, pa, 8192));
	CHECK_REFUSED(OVERLAP, ring_refused(g, pa + 4096, 4096));
	kernel_drop(&k);
	vtl0_end(g);
}

/* VTL0 writing into the ring (possible in the audit grade) does not lead VTL1 anywhere. */
static void forged_header(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);

	CHECK_OK(ring(g, pa, 4096));
	memset(guest_at(g, pa), 0xff, 4096);
	for (unsigned int i = 0; i < 20; i++)
		event(g);
	CHECK_EQUAL(((struct heki_log_header *)guest_at(g, pa))->dropped,
		    ((struct heki_log_header *)guest_at(g, pa))->write_index - 15);
	vtl0_end(g);
}

/* Pages of a ring are no place for replies, patches or anything else. */
static void protected_from_replies(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);

	CHECK_OK(ring(g, pa, 4096));
	CHECK_REFUSED(OVERLAP, vtlcall(g, HEKI_CALL_STATS, pa, 0, 0));
	CHECK_REFUSED(OVERLAP, vtlcall(g, HEKI_CALL_QUERY, pa, 0, 0));
	vtl0_end(g);
}

/* Refused text patches of which the call itself is wrong: no site is looked for. */
static void refused_patches(struct guest *g, unsigned int n)
{
	while (n--)
		CHECK(guest_call(g, HEKI_CALL_PATCH_TEXT, 0, 0, 0) < 0);
}

/* A tracer's refusals do not push everything else out of the ring, and none is lost count of. */
static void patches_in_a_row(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 2), stats_pa = guest_pages(g, 1), start;
	const struct heki_log_header *header = guest_at(g, pa);
	const struct heki_stats_reply *stats = guest_at(g, stats_pa);

	CHECK_OK(ring(g, pa, 8192));
	event(g);
	start = g->core->log.written;
	refused_patches(g, HEKI_LOG_RUN);
	CHECK_EQUAL(g->core->log.written, start + HEKI_LOG_RUN);
	CHECK_EQUAL(last_log(g)->omitted, 0);
	refused_patches(g, HEKI_LOG_STEP - 1);
	CHECK_EQUAL(g->core->log.written, start + HEKI_LOG_RUN);
	CHECK_EQUAL(header->omitted, 0);
	refused_patches(g, 1);
	CHECK_EQUAL(g->core->log.written, start + HEKI_LOG_RUN + 1);
	CHECK_EQUAL(last_log(g)->omitted, HEKI_LOG_STEP - 1);
	CHECK_EQUAL(last_log(g)->error, HEKI_E_INPUT_ADDRESS);
	CHECK_EQUAL(header->omitted, HEKI_LOG_STEP - 1);
	refused_patches(g, 5);
	/* Another record says what came before it, and begins a new row. */
	event(g);
	CHECK_EQUAL(last_log(g)->call, HEKI_CALL_OPTEE_MESSAGE);
	CHECK_EQUAL(last_log(g)->omitted, 5);
	CHECK_EQUAL(header->omitted, HEKI_LOG_STEP + 4);
	refused_patches(g, 1);
	CHECK_EQUAL(last_log(g)->call, HEKI_CALL_PATCH_TEXT);
	CHECK_EQUAL(last_log(g)->omitted, 0);
	CHECK_OK(vtlcall(g, HEKI_CALL_STATS, stats_pa, 0, 0));
	CHECK_EQUAL(stats->log_omitted, HEKI_LOG_STEP + 4);
	CHECK_EQUAL(stats->patch_refused, HEKI_LOG_RUN + HEKI_LOG_STEP + 6);
	CHECK_EQUAL(stats->errors[HEKI_E_INPUT_ADDRESS], stats->patch_refused);
	vtl0_end(g);
}

const struct test ring_tests[] = {
	{ "sizes", sizes },
	{ "bad_sizes", bad_sizes },
	{ "bad_places", bad_places },
	{ "mirror", mirror },
	{ "stays_inside", stays_inside },
	{ "moves", moves },
	{ "given_back", given_back },
	{ "failed_move", failed_move },
	{ "over_owned_pages", over_owned_pages },
	{ "forged_header", forged_header },
	{ "protected_from_replies", protected_from_replies },
	{ "patches_in_a_row", patches_in_a_row },
	{ NULL, NULL },
};
