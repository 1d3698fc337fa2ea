// SPDX-License-Identifier: GPL-2.0-only
/* QUERY, STATS, LIST, AUDIT. */
#include "vtl0.h"

#define REPLY_CALLS 4

static const uint32_t reply_calls[REPLY_CALLS] = {
	HEKI_CALL_QUERY, HEKI_CALL_STATS, HEKI_CALL_AUDIT, HEKI_CALL_LIST,
};

/* LIST takes a kind as its second parameter; the others do not mind. */
static int reply_call(struct guest *g, uint32_t id, uint64_t pa)
{
	return vtlcall(g, id, pa, id == HEKI_CALL_LIST ? HEKI_LIST_VPS : 0, 0);
}

static void query(void)
{
	for (int grade = HEKI_GRADE_AUDIT; grade <= HEKI_GRADE_ENFORCE; grade++) {
		struct guest *g = vtl0_start((enum heki_grade)grade);
		uint64_t pa = guest_pages(g, 1);
		const struct heki_query_reply *r = guest_at(g, pa);

		CHECK_EQUAL(vtlcall(g, HEKI_CALL_QUERY, pa, 0, 0), HEKI_ABI_VERSION);
		CHECK_EQUAL(r->abi_version, HEKI_ABI_VERSION);
		CHECK_EQUAL(r->grade, grade);
		CHECK_EQUAL(r->calls, HEKI_CALL_COUNT);
		CHECK_EQUAL(r->errors, HEKI_ERROR_COUNT);
		CHECK(r->features & HEKI_FEATURE_LIST && r->features & HEKI_FEATURE_STATS);
		CHECK(!strcmp(r->host, "user"));
		vtl0_end(g);
	}
}

static void bad_reply_pages(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;
	uint64_t pa = guest_pages(g, 1);

	kernel_boot(g, &k);
	for (unsigned int i = 0; i < REPLY_CALLS; i++) {
		uint32_t id = reply_calls[i];

		CHECK_REFUSED(NOT_ALIGNED, reply_call(g, id, pa + 8));
		CHECK_REFUSED(PHYS_ADDRESS, reply_call(g, id, 1ull << 52));
		CHECK_REFUSED(PHYS_ADDRESS, reply_call(g, id, RAM_BYTES));
		CHECK_REFUSED(PHYS_ADDRESS, reply_call(g, id, HOLE_PA));
		CHECK_REFUSED(PHYS_ADDRESS, reply_call(g, id, VTL1_PA));
		CHECK_REFUSED(OVERLAP, reply_call(g, id, k.text));
		CHECK_REFUSED(OVERLAP, reply_call(g, id, k.rodata));
		CHECK(reply_call(g, id, pa) >= 0);
	}
	CHECK_EQUAL(*(uint8_t *)guest_at(g, k.text), 0x90);
	kernel_drop(&k);
	vtl0_end(g);
}

static void host_cannot_write(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);

	for (unsigned int i = 0; i < REPLY_CALLS; i++) {
		guest_clear(g);
		g->fail[GUEST_WRITE] = 1;
		CHECK_REFUSED(COPY_TO_VTL0, reply_call(g, reply_calls[i], pa));
	}
	vtl0_end(g);
}

static void stats(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_stats_reply *s = guest_at(g, pa);
	struct kernel k;

	kernel_boot(g, &k);
	CHECK_REFUSED(NO_PATCH, patch_text(g, k.text, 0, nop5, 5));
	CHECK_OK(vtlcall(g, HEKI_CALL_STATS, pa, 0, 0));
	CHECK_EQUAL(s->calls[HEKI_INDEX_LOAD_KDATA], 1);
	CHECK_EQUAL(s->calls[HEKI_INDEX_LOCK_REGS], 2);
	CHECK_EQUAL(s->refusals[HEKI_INDEX_PATCH_TEXT], 1);
	CHECK_EQUAL(s->errors[HEKI_E_NO_PATCH], 1);
	CHECK_EQUAL(s->pages_text, KERNEL_TEXT_PAGES);
	CHECK_EQUAL(s->pages_rodata, k.rodata_pages);
	CHECK_EQUAL(s->symbols, 3);
	CHECK_EQUAL(s->symbols_gpl, 2);
	CHECK_EQUAL(s->patches_kernel, 3);
	CHECK_EQUAL(s->jump_labels_kernel, 3);
	CHECK_EQUAL(s->certs_system, 5);
	CHECK_EQUAL(s->vps_locked, 2);
	CHECK_EQUAL(s->patch_refused, 1);
	CHECK_EQUAL(s->log_written, g->core->log.written);
	CHECK_EQUAL(s->budgets[HEKI_BUDGET_FRAMES].used, KERNEL_TEXT_PAGES + k.rodata_pages);
	CHECK_EQUAL(s->budgets[HEKI_BUDGET_FRAMES].limit, test_limits.frames);
	CHECK_EQUAL(s->budgets[HEKI_BUDGET_SCRATCH_KIB].used, 0);
	CHECK(s->budgets[HEKI_BUDGET_SCRATCH_KIB].peak > 0);
	kernel_drop(&k);
	vtl0_end(g);
}

/* Walk a list to its end; the number of entries. */
static uint64_t walk(struct guest *g, uint32_t kind, uint32_t entry_size)
{
	uint64_t pa = guest_pages(g, 1), cursor = 0, n = 0, pages = 0;
	const struct heki_list_reply *head = guest_at(g, pa);

	do {
		CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, kind, cursor));
		CHECK_EQUAL(head->entry_size, entry_size);
		CHECK(sizeof(*head) + head->count * entry_size <= HEKI_PAGE_SIZE);
		n += head->count;
		CHECK(head->next_cursor != cursor || !cursor);
		cursor = head->next_cursor;
		CHECK(++pages < 1000);
	} while (cursor);
	return n;
}

static void lists(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	uint64_t pa;

	kernel_boot(g, &k);
	pa = guest_pages(g, 256);
	CHECK_OK(vtlcall(g, HEKI_CALL_ALLOCATE_RINGBUFFER, pa, 256 * HEKI_PAGE_SIZE, 0));
	CHECK_EQUAL(walk(g, HEKI_LIST_MODULES, sizeof(struct heki_list_module)), 0);
	CHECK_EQUAL(walk(g, HEKI_LIST_FRAMES, sizeof(struct heki_list_frame)),
		    256 + KERNEL_TEXT_PAGES + k.rodata_pages);
	CHECK_EQUAL(walk(g, HEKI_LIST_PATCHES, sizeof(struct heki_list_patch)), 3);
	CHECK_EQUAL(walk(g, HEKI_LIST_CERTS, sizeof(struct heki_list_cert)), 5);
	CHECK_EQUAL(walk(g, HEKI_LIST_VPS, sizeof(struct heki_list_vp)), 2);
	CHECK_EQUAL(walk(g, HEKI_LIST_ACCOUNTS, sizeof(struct heki_list_account)), 0);
	CHECK_EQUAL(walk(g, HEKI_LIST_LOG, sizeof(struct heki_log_record)), g->core->log.written);
	kernel_drop(&k);
	vtl0_end(g);
}

static void list_contents(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_list_cert *certs = guest_at(g, pa + sizeof(struct heki_list_reply));
	const struct heki_list_vp *vps = (const void *)certs;
	const struct heki_list_patch *patches = (const void *)certs;
	struct kernel k;

	kernel_boot(g, &k);
	CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, HEKI_LIST_CERTS, 0));
	CHECK(!strcmp(certs[0].subject, "ca") && certs[0].set == HEKI_CERTS_SYSTEM);
	CHECK(!strcmp(certs[4].subject, "p384"));
	CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, HEKI_LIST_VPS, 0));
	CHECK_EQUAL(vps[1].vp, 1);
	CHECK_EQUAL(vps[1].starts, 1);
	CHECK(!memcmp(&vps[1].regs, &g->vp[1].regs, sizeof(vps[1].regs)));
	CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, HEKI_LIST_PATCHES, 0));
	for (int i = 0; i < 3; i++) {
		CHECK_EQUAL(patches[i].owner, HEKI_OWNER_KERNEL);
		CHECK(!memcmp(patches[i].there, patches[i].patch.size == 2 ? nop2 : nop5,
			      patches[i].patch.size));
	}
	kernel_drop(&k);
	vtl0_end(g);
}

static void bad_kinds_and_cursors(void)
{
	static const uint64_t cursors[] = { 1, 2, 7, 100000, 1ull << 31, 1ull << 32, 1ull << 63, ~0ull };
	static const uint64_t kinds[] = { 0, 8, 1ull << 32, (1ull << 32) + 1, ~0ull };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	struct kernel k;

	kernel_boot(g, &k);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(kinds); i++)
		CHECK_REFUSED(PARAMETER, vtlcall(g, HEKI_CALL_LIST, pa, kinds[i], 0));
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(cursors); i++) {
		for (uint64_t kind = HEKI_LIST_MODULES; kind <= HEKI_LIST_ACCOUNTS; kind++)
			CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, kind, cursors[i]));
		CHECK_OK(vtlcall(g, HEKI_CALL_AUDIT, pa, cursors[i], 0));
	}
	kernel_drop(&k);
	vtl0_end(g);
}

struct sums {
	uint64_t pages, sites, violations;
};

static struct sums audit(struct guest *g)
{
	uint64_t pa = guest_pages(g, 1);
	const struct heki_audit_reply *r = guest_at(g, pa);
	struct sums sums = { 0 };
	uint64_t cursor = 0;

	do {
		CHECK_OK(vtlcall(g, HEKI_CALL_AUDIT, pa, cursor, 0));
		CHECK(r->pages_checked <= 64);
		sums.pages += r->pages_checked;
		sums.sites += r->sites_checked;
		sums.violations += r->violations;
		cursor = r->next_cursor;
	} while (cursor);
	return sums;
}

static void audit_clean(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	struct sums sums;

	kernel_boot(g, &k);
	sums = audit(g);
	CHECK_EQUAL(sums.pages, KERNEL_TEXT_PAGES + k.rodata_pages);
	CHECK_EQUAL(sums.sites, 3);
	CHECK_EQUAL(sums.violations, 0);
	CHECK_EQUAL(g->core->stats.audits, 1);
	kernel_drop(&k);
	vtl0_end(g);
}

/* Any single changed byte is found, wherever it is, and its page named. */
static void audit_changed_byte(void)
{
	static const uint64_t offsets[] = { 0, 1, 0x1ff, 0x205, 0x302, 0x1ffd, 0x2003, 0x7fff };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_boot(g, &k);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(offsets); i++) {
		uint8_t *byte = guest_at(g, k.text + offsets[i]);

		*byte ^= 1;
		CHECK_EQUAL(audit(g).violations, 1);
		CHECK_EQUAL(last_log(g)->event, HEKI_LOG_VIOLATION);
		CHECK_EQUAL(last_log(g)->address, page_down(k.text + offsets[i]));
		*byte ^= 1;
		CHECK_EQUAL(audit(g).violations, 0);
	}
	CHECK_EQUAL(g->core->stats.violations, HEKI_ARRAY_SIZE(offsets));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Flipping keys is no tampering, in no step of it, on both sides of a page boundary. */
static void audit_flipped_keys(void)
{
	static const uint32_t offsets[] = { 0x200, 0x300, 0x1ffe };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_boot(g, &k);
	for (unsigned int i = 0; i < 3; i++) {
		struct patch_site site;
		uint64_t pa = k.text + offsets[i], next = page_up(pa + 1);

		CHECK(patches_find(g->core, gpa(pa), &site));
		CHECK_OK(patch_text(g, pa, next, (uint8_t[]){ 0xcc }, 1));
		CHECK_EQUAL(audit(g).violations, 0);
		CHECK_OK(patch_text(g, pa + 1, next, site.code + 1, site.size - 1));
		CHECK_EQUAL(audit(g).violations, 0);
		CHECK_OK(patch_text(g, pa, next, site.code, 1));
		CHECK_EQUAL(audit(g).violations, 0);
	}
	kernel_drop(&k);
	vtl0_end(g);
}

/* A site in a state that no patch leads to is found, though its page is otherwise as it was. */
static void audit_forged_site(void)
{
	static const uint8_t evil[5] = { 0xe9, 0x41, 0x41, 0x41, 0x01 };
	static const uint32_t offsets[] = { 0x200, 0x1ffe };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_boot(g, &k);
	for (unsigned int i = 0; i < 2; i++) {
		memcpy(guest_at(g, k.text + offsets[i]), evil, 5);
		CHECK(audit(g).violations >= 1);
		memcpy(guest_at(g, k.text + offsets[i]), nop5, 5);
		CHECK_EQUAL(audit(g).violations, 0);
	}
	kernel_drop(&k);
	vtl0_end(g);
}

/* Found once, told once: a violation that stays does not flood the log. */
static void audit_tells_once(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	uint64_t written;

	kernel_boot(g, &k);
	*(uint8_t *)guest_at(g, k.rodata + 0x2000) ^= 1;
	CHECK_EQUAL(audit(g).violations, 1);
	written = g->core->log.written;
	CHECK_EQUAL(audit(g).violations, 1);
	CHECK_EQUAL(g->core->log.written, written);
	CHECK_EQUAL(g->core->stats.violations, 1);
	kernel_drop(&k);
	vtl0_end(g);
}

/* An audit that cannot be answered finds nothing: what is there to find is news the next time. */
static void audit_without_reply(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct snapshot *s;
	struct kernel k;

	kernel_boot(g, &k);
	*(uint8_t *)guest_at(g, k.rodata + 0x2000) ^= 1;
	s = snapshot_take(g);
	CHECK_REFUSED(OVERLAP, vtlcall(g, HEKI_CALL_AUDIT, k.rodata, 0, 0));
	snapshot_check(g, s);
	CHECK(!g->core->stats.violations);
	CHECK_EQUAL(audit(g).violations, 1);
	CHECK_EQUAL(g->core->stats.violations, 1);
	CHECK_EQUAL(last_log(g)->event, HEKI_LOG_VIOLATION);
	kernel_drop(&k);
	vtl0_end(g);
}

/* Under enforce nothing is hashed: writes do not happen. */
static void audit_under_enforce(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;

	kernel_boot(g, &k);
	CHECK_EQUAL(g->count[GUEST_HASH_BEGIN], 10); /* two a certificate */
	CHECK_EQUAL(audit(g).pages, 0);
	CHECK_EQUAL(guest_store(g, k.text, "x", 1), -1);
	kernel_drop(&k);
	vtl0_end(g);
}

const struct test query_tests[] = {
	{ "query", query },
	{ "bad_reply_pages", bad_reply_pages },
	{ "host_cannot_write", host_cannot_write },
	{ "stats", stats },
	{ "lists", lists },
	{ "list_contents", list_contents },
	{ "bad_kinds_and_cursors", bad_kinds_and_cursors },
	{ "audit_clean", audit_clean },
	{ "audit_changed_byte", audit_changed_byte },
	{ "audit_flipped_keys", audit_flipped_keys },
	{ "audit_forged_site", audit_forged_site },
	{ "audit_tells_once", audit_tells_once },
	{ "audit_without_reply", audit_without_reply },
	{ "audit_under_enforce", audit_under_enforce },
	{ NULL, NULL },
};
