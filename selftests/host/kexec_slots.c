// SPDX-License-Identifier: GPL-2.0-only
/* KEXEC_VALIDATE: segments, ownership of slots, what changes meanwhile. */
#include <errno.h>

#include "call.h"
#include "kexec_guest.h"

/* --- segments --- */

static void bad_segment(int error, size_t offset, uint64_t value)
{
	struct guest *g = kexec_boot();
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	memcpy((uint8_t *)&m.segment[2] + offset, &value, sizeof(value));
	put_segments(&m);
	check_result(__FILE__, __LINE__, "segment", kexec_refused(&m), -error);
	drop_image(&m);
	kexec_end(g);
}

static void bad_segments(void)
{
	const size_t mem = offsetof(struct heki_kexec_segment, mem);
	const size_t memsz = offsetof(struct heki_kexec_segment, memsz);
	const size_t bufsz = offsetof(struct heki_kexec_segment, bufsz);
	const size_t flags = offsetof(struct heki_kexec_segment, flags);

	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, mem, 0x1001);
	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, mem, RAM_BYTES);
	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, mem, VTL1_PA);
	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, mem, HOLE_PA);
	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, mem, ~HEKI_PAGE_MASK);
	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, mem, 1ull << 52);
	bad_segment(HEKI_E_KEXEC_SEGMENTS, memsz, 0);
	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, memsz, 8193);
	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, memsz, ~HEKI_PAGE_MASK);
	bad_segment(HEKI_E_KEXEC_SEGMENT_RANGE, memsz, RAM_BYTES);
	bad_segment(HEKI_E_KEXEC_SEGMENTS, bufsz, 8193);
	bad_segment(HEKI_E_KEXEC_SEGMENTS, bufsz, ~0ull);
	bad_segment(HEKI_E_KEXEC_SEGMENTS, flags, 2);
	bad_segment(HEKI_E_KEXEC_SEGMENTS, flags, HEKI_SEGMENT_KERNEL); /* two kernels */
}

static void segment_lists(void)
{
	struct guest *g = kexec_boot();
	struct heki_range old;
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	old = m.ranges.r[SEGMENTS];
	for (uint64_t n = 0; n <= 17 * 32; n++) {
		uint64_t next = g->next_page;

		if (n == 64 || n == 96) /* with the kernel, with or without the initrd: both are whole */
			continue;
		m.ranges.r[SEGMENTS].epa = old.pa + n;
		CHECK(kexec_refused(&m) < 0);
		if (n % 32 || n > 16 * 32)
			CHECK_EQUAL(last_log(g)->error, HEKI_E_KEXEC_SEGMENTS);
		g->next_page = next;
	}
	m.ranges.r[SEGMENTS] = old;
	m.segment[1].flags = 0; /* no kernel */
	put_segments(&m);
	CHECK_REFUSED(KEXEC_SEGMENTS, kexec_refused(&m));
	m.segment[1].flags = HEKI_SEGMENT_KERNEL;
	m.segment[2].mem = m.segment[1].mem; /* one over the other */
	put_segments(&m);
	CHECK_REFUSED(KEXEC_SEGMENTS, kexec_refused(&m));
	drop_image(&m);
	kexec_end(g);
}

static void bad_types(void)
{
	static const uint64_t types[] = { 3, 0xff, 0x101, 1ull << 32, HEKI_KEXEC_UNKNOWN };
	struct guest *g = kexec_boot();
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(types); i++) {
		m.ranges.r[IMAGE].attributes = types[i];
		CHECK_REFUSED(KEXEC_TYPE, kexec_refused(&m));
	}
	m.ranges.r[IMAGE].attributes = HEKI_KEXEC_IMAGE;
	m.ranges.r[m.pages].pa++;
	CHECK_REFUSED(NOT_ALIGNED, kexec_refused(&m));
	m.ranges.r[m.pages].pa--;
	m.slot = 2;
	CHECK_REFUSED(PARAMETER, send_image(&m));
	m.slot = 1ull << 32;
	CHECK_REFUSED(PARAMETER, send_image(&m));
	drop_image(&m);
	kexec_end(g);
}

/* --- ownership --- */

/* Pages of others are neither taken nor given back: not on failure, repetition or release. */
static void others_pages(void)
{
	struct guest *g = kexec_boot();
	struct image m;
	uint64_t victims[2] = { kexec_kernel.text, kexec_kernel.rodata };

	image(g, &m, "kernel-signed.pe", NORMAL);
	for (int i = 0; i < 2; i++) {
		struct heki_range *r = &m.ranges.r[m.ranges.n - 1], old = *r;

		r->pa = victims[i];
		r->epa = r->pa + HEKI_PAGE_SIZE;
		CHECK_REFUSED(OVERLAP, kexec_refused(&m));
		CHECK_REFUSED(OVERLAP, kexec_refused(&m));
		CHECK_EQUAL(vtlcall(g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, NORMAL), 0);
		CHECK_EQUAL(guest_store(g, victims[i], "x", 1), -1);
		*r = old;
	}
	drop_image(&m);
	kexec_end(g);
}

/* The slots do not touch each other. */
static void two_slots(void)
{
	struct guest *g = kexec_boot();
	struct image normal, crash;

	image(g, &normal, "kernel-signed.pe", NORMAL);
	image(g, &crash, "other-signed.pe", CRASH);
	CHECK_EQUAL(send_image(&normal), 0);
	CHECK_EQUAL(send_image(&crash), 0);
	CHECK_EQUAL(vtlcall(g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, NORMAL), 0);
	CHECK(kexec_free(&normal) && kexec_frozen(&crash));
	CHECK(g->core->kexec[CRASH].valid);
	/* pages of the crash image in a normal one, which fails: the crash image keeps them */
	normal.ranges.r[normal.ranges.n - 1].pa = crash.ranges.r[crash.pages].pa;
	normal.ranges.r[normal.ranges.n - 1].epa = crash.ranges.r[crash.pages].epa;
	CHECK_REFUSED(OVERLAP, kexec_refused(&normal));
	CHECK(kexec_frozen(&crash));
	drop_image(&normal);
	drop_image(&crash);
	kexec_end(g);
}

/* The same image again, then a bad one: its old pages are free, nothing else is. */
static void repeated(void)
{
	struct guest *g = kexec_boot();
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	CHECK_EQUAL(send_image(&m), 0);
	CHECK_EQUAL(send_image(&m), 0);
	CHECK(kexec_frozen(&m));
	*(uint8_t *)guest_at(g, m.blob_pa + 0x1000) ^= 1;
	CHECK_REFUSED(PE_DIGEST, send_image(&m));
	CHECK(kexec_free(&m) && !g->core->kexec[NORMAL].valid);
	drop_image(&m);
	kexec_end(g);
}

/* --- bytes that change meanwhile --- */

static void write_page(struct guest *g, void *context)
{
	const struct image *m = context;

	guest_store(g, m->ranges.r[m->pages + 2].pa + 5, "evil", 4);
}

/* Another VP writes into the kernel's pages at the n-th read: an accepted image is whole. */
static void changed_meanwhile(void)
{
	bool refused_once = false;

	for (uint64_t nth = 1;; nth++) {
		struct guest *g = kexec_boot();
		struct image m;
		uint8_t before[HEKI_PAGE_SIZE];
		bool reached;
		int result;

		image(g, &m, "kernel-signed.pe", NORMAL);
		memcpy(before, guest_at(g, m.ranges.r[m.pages + 2].pa), sizeof(before));
		guest_clear(g);
		guest_add_hook(g, &(struct guest_hook){ .run = write_page, .context = &m,
							.op = GUEST_READ, .nth = nth, .after = true });
		result = send_image(&m);
		reached = g->count[GUEST_READ] >= nth;
		if (!result)
			CHECK(!memcmp(before, guest_at(g, m.ranges.r[m.pages + 2].pa), sizeof(before)));
		refused_once |= result < 0;
		drop_image(&m);
		kexec_end(g);
		if (!reached)
			break;
	}
	CHECK(refused_once);
}

static void call_again(struct guest *g, void *context)
{
	int32_t *result = context;

	if (guest_locked() || *result)
		return;
	*result = 1;
	guest_set_vp(1);
	*result = guest_call(g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, NORMAL);
	guest_set_vp(0);
}

/* A second call for a slot that is being worked on. */
static void busy(void)
{
	struct guest *g = kexec_boot();
	int32_t result = 0;
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	guest_clear(g);
	guest_add_hook(g, &(struct guest_hook){ .run = call_again, .context = &result,
						.op = GUEST_READ, .nth = 1, .after = true });
	CHECK_EQUAL(guest_call(g, HEKI_CALL_KEXEC_VALIDATE, put_ranges(g, &m.ranges), m.ranges.n,
			       NORMAL), 0);
	CHECK_EQUAL(result, -16);
	CHECK(kexec_frozen(&m));
	drop_image(&m);
	kexec_end(g);
}

/* --- what is revoked between two entries --- */

/* KEXEC_VALIDATE entry by entry: before entry @when (0: never) something is revoked. */
struct attempt {
	struct image m;
	void (*revoke)(struct guest *g, const void *what);
	const void *what;
	unsigned int when;
	unsigned int entries;
};

static int32_t attempt(struct attempt *a)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	int32_t result;
	uint64_t pa;

	trust_kexec(g, "kexecca.der");
	g->core->limits.entry_pages = 1;
	CHECK_OK(guest_continue(g));
	image(g, &a->m, "kernel-signed.pe", NORMAL);
	pa = put_ranges(g, &a->m.ranges);
	a->entries = 0;
	do {
		a->entries++;
		if (a->entries == a->when)
			a->revoke(g, a->what);
		result = guest_enter(g, HEKI_CALL_KEXEC_VALIDATE, pa, a->m.ranges.n, NORMAL);
	} while (result == -EAGAIN);
	CHECK_EQUAL(g->core->kexec[NORMAL].valid, !result);
	CHECK(result ? kexec_free(&a->m) : kexec_frozen(&a->m));
	if (result)
		CHECK_EQUAL(last_log(g)->error, HEKI_E_REVOKED);
	CHECK(!g->misuse);
	drop_image(&a->m);
	vtl0_end(g);
	return result;
}

/* Whenever it comes: @result is what becomes of the image. */
static void attempts(void (*revoke)(struct guest *g, const void *what), const void *what,
		     int32_t result)
{
	struct attempt a = { .revoke = revoke, .what = what };
	unsigned int most;

	CHECK_EQUAL(attempt(&a), 0);
	most = a.entries;
	CHECK(most > 5);
	for (a.when = 1; a.when <= most; a.when++)
		CHECK_EQUAL(attempt(&a), result);
}

static void revoke_cert(struct guest *g, const void *name)
{
	struct file f = load_file(name);

	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, 0));
	drop_file(&f);
}

static void block_hash(struct guest *g, const void *record)
{
	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, record, HEKI_BLOCKLIST_RECORD,
			    HEKI_KDATA_BLOCKLIST_HASHES));
}

static void signer_revoked_meanwhile(void)
{
	attempts(revoke_cert, "kexecsigner.der", -heki_error_errno(HEKI_E_REVOKED));
}

static void authority_revoked_meanwhile(void)
{
	attempts(revoke_cert, "kexecca.der", -heki_error_errno(HEKI_E_REVOKED));
}

static void other_revoked_meanwhile(void)
{
	attempts(revoke_cert, "untrusted.der", 0);
}

/* The record of a SHA-256 digest. */
static void put_record(char record[HEKI_BLOCKLIST_RECORD], const char *kind, const uint8_t *digest)
{
	memset(record, 0, HEKI_BLOCKLIST_RECORD);
	memcpy(record, kind, 4);
	for (int i = 0; i < 32; i++)
		sprintf(record + 4 + 2 * i, "%02x", digest[i]);
}

static void image_listed_meanwhile(void)
{
	struct guest *g = kexec_boot();
	char record[HEKI_BLOCKLIST_RECORD];
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	CHECK_OK(send_image(&m));
	put_record(record, "bin:", g->core->kexec[NORMAL].digest);
	drop_image(&m);
	kexec_end(g);
	attempts(block_hash, record, -heki_error_errno(HEKI_E_REVOKED));
}

static void signer_listed_meanwhile(void)
{
	struct file f = load_file("kexecsigner.der");
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	char record[HEKI_BLOCKLIST_RECORD];
	struct call c = { .core = g->core };
	uint8_t digest[HEKI_HASH_MAX];
	struct x509 cert;

	CHECK(x509_parse((struct span){ f.p, f.n }, &cert) > 0);
	CHECK_OK(hash_spans(&c, HEKI_SHA256, &cert.tbs, 1, digest));
	put_record(record, "tbs:", digest);
	vtl0_end(g);
	attempts(block_hash, record, -heki_error_errno(HEKI_E_REVOKED));
	drop_file(&f);
}

const struct test kexec_slots_tests[] = {
	{ "bad_segments", bad_segments },
	{ "segment_lists", segment_lists },
	{ "bad_types", bad_types },
	{ "others_pages", others_pages },
	{ "two_slots", two_slots },
	{ "repeated", repeated },
	{ "changed_meanwhile", changed_meanwhile },
	{ "busy", busy },
	{ "signer_revoked_meanwhile", signer_revoked_meanwhile },
	{ "authority_revoked_meanwhile", authority_revoked_meanwhile },
	{ "other_revoked_meanwhile", other_revoked_meanwhile },
	{ "image_listed_meanwhile", image_listed_meanwhile },
	{ "signer_listed_meanwhile", signer_listed_meanwhile },
	{ NULL, NULL },
};
