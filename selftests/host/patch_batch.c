// SPDX-License-Identifier: GPL-2.0-only
/*
 * PATCH_TEXT_BATCH: all of its patches are written, or none. What becomes of each of them is
 * compared with a model in patch.c.
 */
#include "place.h"

#define SITES HEKI_PATCH_BATCH_MAX

/* A kernel with many jump labels; some straddle. */
struct many {
	struct guest *g;
	struct kernel k;
	struct patch_site site[SITES];
	uint8_t nop[SITES][HEKI_POKE_MAX];
	struct heki_patch patch[SITES];
};

enum part { INT3, TAIL, FIRST };

static void many_make(struct many *m)
{
	uint32_t index = 1, at = 0x50;

	memset(m, 0, sizeof(*m));
	m->g = vtl0_start(HEKI_GRADE_ENFORCE);
	kernel_make(m->g, &m->k, NULL, 0);
	/* The last bytes of four pages: 1, 2, 3 and 4 of a site on the first page. */
	for (uint32_t page = 1; page <= 4; page++)
		kernel_site(m->g, &m->k, page * HEKI_PAGE_SIZE - page, 5);
	for (uint32_t i = 4; i < SITES; i++, at += 0x60)
		kernel_site(m->g, &m->k, at, i & 1 ? 2 : 5);
	kernel_load(m->g, &m->k, "rsa2048.der");
	CHECK_OK(vtlcall(m->g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	for (uint32_t i = 0; i < SITES; i++, index++) {
		CHECK(patches_next(m->g->core, &index, &m->site[i]));
		memcpy(m->nop[i], m->site[i].size == 2 ? nop2 : nop5, m->site[i].size);
	}
}

static void many_end(struct many *m)
{
	kernel_drop(&m->k);
	vtl0_end(m->g);
}

static const uint8_t *there(struct many *m, uint32_t i)
{
	return guest_at(m->g, m->site[i].pa.v);
}

static bool all_are(struct many *m, const uint8_t *code, size_t each)
{
	for (uint32_t i = 0; i < SITES; i++)
		if (memcmp(there(m, i), code + i * each, m->site[i].size))
			return false;
	return true;
}

static bool all_nops(struct many *m)
{
	return all_are(m, m->nop[0], sizeof(m->nop[0]));
}

static struct heki_patch step_of(const struct patch_site *site, enum part step, const uint8_t *code)
{
	static const uint8_t int3 = PATCH_INT3;

	if (step == TAIL)
		return make_patch(site->pa.v + 1, site->next.v, code + 1, site->size - 1);
	return make_patch(site->pa.v, site->next.v, step == INT3 ? &int3 : code, 1);
}

static void fill(struct many *m, enum part step, bool jump)
{
	for (uint32_t i = 0; i < SITES; i++)
		m->patch[i] = step_of(&m->site[i], step, jump ? m->site[i].code : m->nop[i]);
}

static int send(struct many *m)
{
	return patch_batch(m->g, m->patch, SITES);
}

/* The kernel's own sequence, a call a step, both ways. */
static void flip(void)
{
	struct many m;

	many_make(&m);
	for (int round = 0; round < 4; round++) {
		bool jump = !(round & 1);

		for (enum part step = INT3; step <= FIRST; step++) {
			fill(&m, step, jump);
			CHECK_OK(send(&m));
		}
		for (uint32_t i = 0; i < SITES; i++)
			CHECK(!memcmp(there(&m, i), jump ? m.site[i].code : m.nop[i],
				      m.site[i].size));
	}
	CHECK_EQUAL(m.g->core->stats.patch_allowed, 12 * SITES);
	CHECK_EQUAL(m.g->core->stats.patch_refused, 0);
	CHECK_EQUAL(m.g->core->stats.calls[HEKI_INDEX_PATCH_TEXT_BATCH], 12);
	CHECK_EQUAL(m.g->core->stats.calls[HEKI_INDEX_PATCH_TEXT], 0);
	many_end(&m);
}

/* Of any number of patches no more than that number are written. */
static void every_count(void)
{
	struct many m;

	many_make(&m);
	fill(&m, INT3, true);
	for (uint32_t n = 1; n <= SITES; n++) {
		CHECK_OK(patch_batch(m.g, m.patch, n));
		for (uint32_t i = 0; i < SITES; i++)
			CHECK_EQUAL(*there(&m, i), i < n ? PATCH_INT3 : m.nop[i][0]);
	}
	many_end(&m);
}

/* The log names the patch, and nothing was written; a good batch still is. */
static void check_refused(struct many *m, uint32_t index, int result, int error)
{
	char text[32];

	CHECK_EQUAL(result, -error);
	CHECK(all_nops(m));
	snprintf(text, sizeof(text), "patch %u of the batch", index);
	if (!m->g->core->log.omitted) {
		CHECK(strstr(last_log(m->g)->text, text));
		CHECK_EQUAL(last_log(m->g)->address, m->patch[index].pa[0]);
	}
	CHECK_EQUAL(m->g->core->stats.patch_allowed, 0);
}

/* One bad patch among good ones, at each place, of each kind. */
static void one_is_bad(void)
{
	static const int errors[] = { HEKI_E_PATCH_SUSPICIOUS, HEKI_E_NO_PATCH, HEKI_E_PATCH_FORMAT,
				      HEKI_E_PATCH_FORMAT, HEKI_E_PATCH_SUSPICIOUS };
	struct many m;
	uint64_t refused = 0;

	many_make(&m);
	for (uint32_t i = 0; i < SITES; i++) {
		for (uint32_t kind = 0; kind < HEKI_ARRAY_SIZE(errors); kind++) {
			struct heki_patch *p = &m.patch[i];

			fill(&m, INT3, true);
			if (kind == 0)
				p->code[0] = 0xc3;
			else if (kind == 1)
				p->pa[0] = m.k.text + 0x10;
			else if (kind == 2)
				p->size = 0;
			else if (kind == 3)
				p->padding[1] = 1;
			else /* the tail before the INT3 */
				*p = step_of(&m.site[i], TAIL, m.site[i].code);
			check_refused(&m, i, send(&m), errors[kind]);
			CHECK_EQUAL(m.g->core->stats.patch_refused, ++refused);
		}
	}
	fill(&m, INT3, true);
	CHECK_OK(send(&m));
	many_end(&m);
}

/* Two patches of one site, wherever they stand in the batch and whatever they are. */
static void site_twice(void)
{
	struct many m;

	many_make(&m);
	for (uint32_t i = 0; i < SITES; i += 13) {
		for (uint32_t j = i + 1; j < SITES; j += 7) {
			fill(&m, INT3, true);
			m.patch[j] = m.patch[i];
			check_refused(&m, j, send(&m), HEKI_E_PATCH_LIST);
		}
	}
	many_end(&m);
}

/*
 * Each by itself is a step that the site's state allows, both together would leave the first byte of
 * one code with the tail of another; for each way in which the site lies across pages.
 */
static void first_and_tail_of_a_site(void)
{
	struct heki_patch both[2];
	struct many m;

	many_make(&m);
	for (uint32_t i = 0; i < 6; i++) {
		const struct patch_site *site = &m.site[i];

		both[0] = step_of(site, INT3, m.nop[i]);
		CHECK_OK(patch_batch(m.g, both, 1));
		both[0] = step_of(site, FIRST, m.nop[i]);
		both[1] = step_of(site, TAIL, site->code);
		for (int order = 0; order < 2; order++) {
			struct heki_patch swap = both[0];

			CHECK_REFUSED(PATCH_LIST, patch_batch(m.g, both, 2));
			CHECK(there(&m, i)[0] == PATCH_INT3);
			CHECK(!memcmp(there(&m, i) + 1, m.nop[i] + 1, site->size - 1u));
			both[0] = both[1];
			both[1] = swap;
		}
		CHECK_OK(patch_batch(m.g, both, 1));
		CHECK_OK(patch_batch(m.g, both + 1, 1) < 0 ? 0 : -1);
	}
	many_end(&m);
}

static int send_raw(struct guest *g, const struct heki_patch_batch *batch)
{
	memcpy(guest_at(g, SCRATCH_PA), batch, sizeof(*batch));
	return vtlcall(g, HEKI_CALL_PATCH_TEXT_BATCH, SCRATCH_PA, 0, 0);
}

static void malformed(void)
{
	static const uint32_t counts[] = { 0, SITES + 1, 4096, 0x80000000, 0x80000001, 0xffffffff };
	struct heki_patch_batch good = { .count = SITES }, bad;
	struct many m;

	many_make(&m);
	fill(&m, INT3, true);
	memcpy(good.patches, m.patch, sizeof(good.patches));
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(counts); i++) {
		bad = good;
		bad.count = counts[i];
		CHECK_REFUSED(PATCH_FORMAT, send_raw(m.g, &bad));
		CHECK_EQUAL(last_log(m.g)->address, counts[i]);
	}
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(bad.padding); i++) {
		bad = good;
		bad.padding[i] = 1u << (11 * i);
		CHECK_REFUSED(PATCH_FORMAT, send_raw(m.g, &bad));
	}
	CHECK(all_nops(&m));
	CHECK_OK(send_raw(m.g, &good));
	many_end(&m);
}

static void bad_addresses(void)
{
	struct many m;

	many_make(&m);
	fill(&m, INT3, true);
	CHECK_OK(send(&m));
	fill(&m, TAIL, true);
	CHECK_REFUSED(INPUT_ADDRESS, vtlcall(m.g, HEKI_CALL_PATCH_TEXT_BATCH, 0, 0, 0));
	CHECK_REFUSED(INPUT_ADDRESS, vtlcall(m.g, HEKI_CALL_PATCH_TEXT_BATCH, 1ull << 52, 0, 0));
	CHECK_REFUSED(INPUT_ADDRESS, vtlcall(m.g, HEKI_CALL_PATCH_TEXT_BATCH, ~0xfffull, 0, 0));
	for (uint64_t low = 1; low < HEKI_PAGE_SIZE; low <<= 1)
		CHECK_REFUSED(NOT_ALIGNED,
			      vtlcall(m.g, HEKI_CALL_PATCH_TEXT_BATCH, SCRATCH_PA + low, 0, 0));
	CHECK_REFUSED(COPY_FROM_VTL0, vtlcall(m.g, HEKI_CALL_PATCH_TEXT_BATCH, RAM_BYTES, 0, 0));
	CHECK_REFUSED(COPY_FROM_VTL0, vtlcall(m.g, HEKI_CALL_PATCH_TEXT_BATCH, VTL1_PA, 0, 0));
	CHECK_REFUSED(COPY_FROM_VTL0, vtlcall(m.g, HEKI_CALL_PATCH_TEXT_BATCH, HOLE_PA, 0, 0));
	CHECK_OK(send(&m));
	many_end(&m);
}

static void swap_page(struct guest *g, void *context)
{
	memcpy(guest_at(g, SCRATCH_PA), context, HEKI_PAGE_SIZE);
}

/* Each byte is copied once: what is there afterwards is not what is judged or written. */
static void page_read_once(void)
{
	struct heki_patch_batch evil;
	struct many m;

	many_make(&m);
	memset(&evil, 0xcc, sizeof(evil));
	for (unsigned int nth = 2; nth < 2 + SITES; nth += 12) {
		fill(&m, INT3, true);
		guest_clear(m.g);
		guest_add_hook(m.g, &(struct guest_hook){ .run = swap_page, .context = &evil,
							  .op = GUEST_READ, .nth = nth,
							  .after = true });
		CHECK_OK(send(&m));
		guest_clear(m.g);
	}
	/* Between the count and the patches: the count is what was copied, the patches are judged. */
	memcpy(evil.patches, m.patch, sizeof(evil.patches));
	guest_add_hook(m.g, &(struct guest_hook){ .run = swap_page, .context = &evil,
						  .op = GUEST_READ, .nth = 1, .after = true });
	CHECK_OK(patch_batch(m.g, m.patch, 3));
	CHECK_EQUAL(m.g->core->batch.count, 3);
	many_end(&m);
}

/* When the host cannot write, at any of the sites, all are as before. */
static void half_written(void)
{
	struct many m;

	many_make(&m);
	for (uint32_t nth = 1; nth <= SITES; nth += nth < 8 ? 1 : 9) {
		fill(&m, INT3, true);
		guest_clear(m.g);
		m.g->fail[GUEST_WRITE] = nth;
		check_refused(&m, nth - 1, send(&m), HEKI_E_COPY_TO_VTL0);
	}
	guest_clear(m.g);
	CHECK_OK(send(&m));
	/* Tails that straddle take two writes each. */
	for (uint32_t nth = 1; nth <= 12; nth++) {
		fill(&m, TAIL, true);
		guest_clear(m.g);
		m.g->fail[GUEST_WRITE] = nth;
		CHECK_REFUSED(COPY_TO_VTL0, send(&m));
		for (uint32_t i = 0; i < SITES; i++)
			CHECK(!memcmp(there(&m, i) + 1, m.nop[i] + 1, m.site[i].size - 1u));
	}
	guest_clear(m.g);
	CHECK_OK(send(&m));
	many_end(&m);
}

/* A tracer that VTL1 does not know: not each of its batches has a record. */
static void refusals_in_a_row(void)
{
	struct many m;
	uint64_t before;

	many_make(&m);
	fill(&m, INT3, true);
	m.patch[0].code[0] = 0xc3;
	before = m.g->core->log.written;
	for (unsigned int i = 0; i < 2 * HEKI_LOG_RUN; i++)
		CHECK_REFUSED(PATCH_SUSPICIOUS, send(&m));
	CHECK_EQUAL(m.g->core->log.written - before, HEKI_LOG_RUN);
	CHECK_EQUAL(m.g->core->log.omitted, HEKI_LOG_RUN);
	CHECK_EQUAL(m.g->core->stats.refusals[HEKI_INDEX_PATCH_TEXT_BATCH], 2 * HEKI_LOG_RUN);
	many_end(&m);
}

/* Sites of the kernel and of a module in one batch; none of the module's once it is gone. */
static void with_a_module(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct heki_patch patches[64];
	struct patch_site site;
	struct kernel k;
	struct placed m;
	uint32_t index, n = 0;
	int token;

	kernel_boot(g, &k);
	place(g, &m, "tiny-rsa2048.ko");
	token = validate(&m);
	CHECK_OK(token);
	for (index = 1; patches_next(g->core, &index, &site) && n < 64; index++)
		if (site.type == HEKI_PATCH_JUMP_LABEL)
			patches[n++] = step_of(&site, INT3, site.code);
	CHECK(n > 4);
	CHECK_OK(patch_batch(g, patches, n));
	CHECK_EQUAL(g->core->stats.patch_allowed, n);
	CHECK_OK(unload(g, token));
	CHECK_REFUSED(NO_PATCH, patch_batch(g, patches, n));
	CHECK_EQUAL(g->core->stats.patch_allowed, n);
	unplace(&m);
	kernel_drop(&k);
	vtl0_end(g);
}

const struct test patch_batch_tests[] = {
	{ "flip", flip },
	{ "every_count", every_count },
	{ "one_is_bad", one_is_bad },
	{ "site_twice", site_twice },
	{ "first_and_tail_of_a_site", first_and_tail_of_a_site },
	{ "malformed", malformed },
	{ "bad_addresses", bad_addresses },
	{ "page_read_once", page_read_once },
	{ "half_written", half_written },
	{ "refusals_in_a_row", refusals_in_a_row },
	{ "with_a_module", with_a_module },
	{ NULL, NULL },
};
