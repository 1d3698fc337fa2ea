// SPDX-License-Identifier: GPL-2.0-only
/* LOAD_KDATA: certificates, revocation, blocklist. */
#include "vtl0.h"

static int load(struct guest *g, const void *bytes, size_t n, uint64_t type)
{
	return call_bytes(g, HEKI_CALL_LOAD_KDATA, bytes, n, type);
}

static int load_refused(struct guest *g, const void *bytes, size_t n, uint64_t type)
{
	struct snapshot *s = snapshot_take(g);
	int result = load(g, bytes, n, type);

	snapshot_check(g, s);
	return result;
}

static int load_name(struct guest *g, const char *name, uint64_t type)
{
	struct file f = load_file(name);
	int result = load(g, f.p, f.n, type);

	drop_file(&f);
	return result;
}

/* --- certificates --- */

static void system_certs(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(load_name(g, "system.der", HEKI_KDATA_SYSTEM_CERTS));
	CHECK_EQUAL(g->core->certs_count, 5);
	for (uint32_t i = 0; i < g->core->certs_count; i++)
		CHECK_EQUAL(g->core->certs[i].set, HEKI_CERTS_SYSTEM);
	vtl0_end(g);
}

/* The ranges of one type may be cut anywhere: a sender cuts them at page boundaries. */
static void certs_in_pieces(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("system.der");
	uint64_t pages = page_up(f.n) / HEKI_PAGE_SIZE;
	uint64_t pa = guest_pages(g, 2 * pages), va = DIRECT_MAP + 0x123000;
	struct ranges list = { 0 };

	for (uint64_t i = 0; i < pages; i++) {
		uint64_t n = min_u64(HEKI_PAGE_SIZE, f.n - i * HEKI_PAGE_SIZE);
		uint64_t at = pa + 2 * (pages - 1 - i) * HEKI_PAGE_SIZE; /* backwards, with gaps */

		memcpy(guest_at(g, at), f.p + i * HEKI_PAGE_SIZE, n);
		add_range(&list, va + i * HEKI_PAGE_SIZE, at, n, HEKI_KDATA_SYSTEM_CERTS);
	}
	CHECK_OK(call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
	CHECK_EQUAL(g->core->certs_count, 5);
	drop_ranges(&list);
	drop_file(&f);
	vtl0_end(g);
}

static void discontiguous(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("rsa2048.der");
	uint64_t pa = put_bytes(g, f.p, f.n);
	struct ranges list = { 0 };

	add_range(&list, DIRECT_MAP + pa, pa, 100, HEKI_KDATA_SYSTEM_CERTS);
	add_range(&list, DIRECT_MAP + pa + 101, pa + 100, f.n - 100, HEKI_KDATA_SYSTEM_CERTS);
	CHECK_REFUSED(DISCONTIGUOUS, call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
	CHECK(!g->core->certs_count);
	drop_ranges(&list);
	drop_file(&f);
	vtl0_end(g);
}

static void system_certs_set_once(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("untrusted.der");

	CHECK_OK(load_name(g, "rsa2048.der", HEKI_KDATA_SYSTEM_CERTS));
	CHECK_REFUSED(ALREADY_LOADED, load_refused(g, f.p, f.n, HEKI_KDATA_SYSTEM_CERTS));
	drop_file(&f);
	vtl0_end(g);
}

/* Wraps content of @n bytes in a SEQUENCE with @form octets of length; 0: the short form. */
static size_t sequence(uint8_t *out, unsigned int form, size_t n)
{
	size_t at = 0;

	out[at++] = 0x30;
	if (form)
		out[at++] = (uint8_t)(0x80 | form);
	for (unsigned int i = form ? form : 1; i--;)
		out[at++] = (uint8_t)(i < 8 ? n >> 8 * i : 0);
	memset(out + at, 0, n);
	return at + n;
}

/* Each form of a DER length is read as such: within the bytes CERT, beyond them CERT_LENGTH. */
static void certs_der_lengths(void)
{
	uint8_t bytes[70000];
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	static const struct {
		unsigned int form;
		size_t n;
	} good[] = { { 0, 0 }, { 0, 127 }, { 1, 128 }, { 1, 255 }, { 2, 256 }, { 2, 16000 } };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(good); i++) {
		size_t n = sequence(bytes, good[i].form, good[i].n);

		CHECK_REFUSED(CERT, load_refused(g, bytes, n, HEKI_KDATA_SYSTEM_CERTS));
		if (good[i].n)
			CHECK_REFUSED(CERT_LENGTH,
				      load_refused(g, bytes, n - 1, HEKI_KDATA_SYSTEM_CERTS));
	}
	vtl0_end(g);
}

/* Forms that DER does not have: indefinite, longer than needed, longer than 64 bits. */
static void certs_bad_lengths(void)
{
	static const uint8_t bad[][12] = {
		{ 0x30, 0x80, 0x02, 0x01, 0x01, 0, 0 }, /* indefinite */
		{ 0x30, 0x81, 0x05, 0x02, 0x01, 0x01 }, /* could be short */
		{ 0x30, 0x82, 0x00, 0x05, 0x02, 0x01 }, /* leading zero */
		{ 0x30, 0x84, 0xff, 0xff, 0xff, 0xff },
		{ 0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x30, 0x89, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ 0x30, 0xff },
		{ 0x30, 0x7f },
		{ 0x31, 0x03, 0x02, 0x01, 0x01 }, /* not a SEQUENCE */
		{ 0x3f, 0xff, 0xff, 0xff, 0xff, 0x03 }, /* long tag */
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(bad); i++) {
		int result = load_refused(g, bad[i], sizeof(bad[i]), HEKI_KDATA_SYSTEM_CERTS);

		CHECK(result == -HEKI_E_CERT || result == -HEKI_E_CERT_LENGTH);
	}
	CHECK_REFUSED(CERT_LENGTH, load_refused(g, "\x30", 1, HEKI_KDATA_SYSTEM_CERTS));
	CHECK_REFUSED(CERT_LENGTH, load_refused(g, "\x30\x82\x05", 3, HEKI_KDATA_SYSTEM_CERTS));
	vtl0_end(g);
}

static void no_certs(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	struct ranges list = { 0 };

	add_range(&list, DIRECT_MAP + pa, pa, 0, HEKI_KDATA_SYSTEM_CERTS);
	CHECK_REFUSED(NO_SYSTEM_CERT, call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
	drop_ranges(&list);
	vtl0_end(g);
}

/* Cut at every length: never accepted, never read beyond the end (the sanitizer sees it). */
static void certs_truncated(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("p256.der");
	uint64_t pa = put_bytes(g, f.p, f.n);

	for (size_t n = 1; n < f.n; n++)
		CHECK_REFUSED(CERT_LENGTH,
			      call_range(g, HEKI_CALL_LOAD_KDATA, pa, n, HEKI_KDATA_SYSTEM_CERTS));
	CHECK(!g->core->certs_count);
	drop_file(&f);
	vtl0_end(g);
}

/* A good one in front does not help: all or nothing. */
static void second_cert_bad(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("system.der");

	CHECK_REFUSED(CERT_LENGTH, load_refused(g, f.p, f.n - 1, HEKI_KDATA_SYSTEM_CERTS));
	f.p[f.n - 1] ^= 1; /* still parses: nobody checks a root's own signature */
	drop_file(&f);
	f = load_file("rsa2048.der");
	f.p = realloc(f.p, f.n + 4);
	memcpy(f.p + f.n, "\x30\x02\x05\x00", 4);
	CHECK_REFUSED(CERT, load_refused(g, f.p, f.n + 4, HEKI_KDATA_SYSTEM_CERTS));
	memcpy(f.p + f.n, "\0\0\0\0", 4); /* no padding allowed */
	CHECK(load_refused(g, f.p, f.n + 4, HEKI_KDATA_SYSTEM_CERTS) < 0);
	drop_file(&f);
	vtl0_end(g);
}

/* A key that this host cannot use is an unsupported algorithm, not a crash. */
static void certs_of_other_algorithms(void)
{
	static const char *const names[] = { "ed25519.der", "p521.der" };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++) {
		struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
		struct file f = load_file(names[i]);

		CHECK_REFUSED(SIGNATURE_ALGORITHM,
			      load_refused(g, f.p, f.n, HEKI_KDATA_SYSTEM_CERTS));
		drop_file(&f);
		vtl0_end(g);
	}
}

static void certs_budget(void)
{
	struct heki_limits limits = test_limits;
	struct guest *g;
	struct file f = load_file("system.der");

	limits.certs = 4;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	CHECK_REFUSED(NO_MEMORY, load_refused(g, f.p, f.n, HEKI_KDATA_SYSTEM_CERTS));
	vtl0_end(g);
	limits = test_limits;
	limits.cert_bytes = (uint32_t)f.n - 1;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	CHECK_REFUSED(NO_MEMORY, load_refused(g, f.p, f.n, HEKI_KDATA_SYSTEM_CERTS));
	vtl0_end(g);
	drop_file(&f);
}

static void kexec_certs(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(load_name(g, "kexecca.der", HEKI_KDATA_KEXEC_CERTS));
	CHECK_EQUAL(g->core->certs_count, 1);
	CHECK_EQUAL(g->core->certs[0].set, HEKI_CERTS_KEXEC);
	vtl0_end(g);
}

/* --- revocation --- */

static int load_two(struct guest *g, const char *a, uint64_t a_type, const char *b, uint64_t b_type)
{
	struct ranges list = { 0 };
	struct file f = load_file(a), h = load_file(b);
	uint64_t pa = put_bytes(g, f.p, f.n), pb = put_bytes(g, h.p, h.n);
	int result;

	add_range(&list, DIRECT_MAP + pa, pa, f.n, a_type);
	add_range(&list, DIRECT_MAP + pb, pb, h.n, b_type);
	result = call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0);
	drop_ranges(&list);
	drop_file(&f);
	drop_file(&h);
	return result;
}

static void revoked_first(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("rsa2048.der");

	CHECK_OK(load(g, f.p, f.n, HEKI_KDATA_REVOCATION_CERTS));
	CHECK_EQUAL(g->core->certs_count, 1);
	CHECK_REFUSED(CERTS_INVALID, load_refused(g, f.p, f.n, HEKI_KDATA_SYSTEM_CERTS));
	drop_file(&f);
	vtl0_end(g);
}

/* In one call, whatever the order: what is revoked is not trusted. */
static void revoked_in_the_same_call(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_REFUSED(CERTS_INVALID, load_two(g, "rsa2048.der", HEKI_KDATA_SYSTEM_CERTS,
					      "rsa2048.der", HEKI_KDATA_REVOCATION_CERTS));
	CHECK_REFUSED(CERTS_INVALID, load_two(g, "rsa2048.der", HEKI_KDATA_REVOCATION_CERTS,
					      "rsa2048.der", HEKI_KDATA_SYSTEM_CERTS));
	CHECK(!g->core->certs_count);
	CHECK_OK(load_two(g, "rsa2048.der", HEKI_KDATA_REVOCATION_CERTS, "system.der",
			  HEKI_KDATA_SYSTEM_CERTS));
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SYSTEM), 4);
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_REVOKED), 1);
	vtl0_end(g);
}

/* A call that fails revokes nothing: certificates that were trusted before it still are. */
static void revocation_is_undone(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct snapshot *s;

	CHECK_OK(load_name(g, "system.der", HEKI_KDATA_SYSTEM_CERTS));
	s = snapshot_take(g);
	CHECK_REFUSED(ALREADY_LOADED, load_two(g, "rsa2048.der", HEKI_KDATA_REVOCATION_CERTS,
					       "rsa4096.der", HEKI_KDATA_SYSTEM_CERTS));
	snapshot_check(g, s);
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SYSTEM), 5);
	vtl0_end(g);
}

/* --- blocklist --- */

static void put_record(char *record, const char *prefix, size_t digits)
{
	memset(record, 0, HEKI_BLOCKLIST_RECORD);
	memcpy(record, prefix, 4);
	memset(record + 4, 'a', digits);
}

static void blocklist(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	static char records[3 * HEKI_BLOCKLIST_RECORD];

	put_record(records, "bin:", 64);
	put_record(records + HEKI_BLOCKLIST_RECORD, "tbs:", 64);
	put_record(records + 2 * HEKI_BLOCKLIST_RECORD, "bin:", 128);
	CHECK_OK(load(g, records, sizeof(records), HEKI_KDATA_BLOCKLIST_HASHES));
	CHECK_EQUAL(g->core->hashes_count, 3);
	vtl0_end(g);
}

static void blocklist_malformed(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	char record[HEKI_BLOCKLIST_RECORD + 1];
	const uint64_t type = HEKI_KDATA_BLOCKLIST_HASHES;
	static const char wrong[] = { 'g', 'A', 'F', ' ', ':', '/', '`', 0x7f, (char)0x80 };

	put_record(record, "bin:", 64);
	CHECK_REFUSED(BLOCKLIST_FORMAT, load_refused(g, record, HEKI_BLOCKLIST_RECORD - 1, type));
	CHECK_REFUSED(BLOCKLIST_FORMAT, load_refused(g, record, HEKI_BLOCKLIST_RECORD + 1, type));
	for (size_t i = 0; i < sizeof(wrong); i++) {
		record[4 + i * 7] = wrong[i];
		CHECK_REFUSED(BLOCKLIST_FORMAT,
			      load_refused(g, record, HEKI_BLOCKLIST_RECORD, type));
		record[4 + i * 7] = 'a';
	}
	for (size_t digits = 1; digits <= 129; digits += 2) {
		put_record(record, "tbs:", digits);
		CHECK_REFUSED(BLOCKLIST_FORMAT,
			      load_refused(g, record, HEKI_BLOCKLIST_RECORD, type));
	}
	put_record(record, "tbs:", 0);
	CHECK_REFUSED(BLOCKLIST_FORMAT, load_refused(g, record, HEKI_BLOCKLIST_RECORD, type));
	put_record(record, "foo:", 64);
	CHECK_REFUSED(BLOCKLIST_FORMAT, load_refused(g, record, HEKI_BLOCKLIST_RECORD, type));
	put_record(record, "bin:", 64);
	record[100] = 'a'; /* behind the padding */
	CHECK_REFUSED(BLOCKLIST_FORMAT, load_refused(g, record, HEKI_BLOCKLIST_RECORD, type));
	vtl0_end(g);
}

static void blocklist_full(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	const size_t n = HEKI_BLOCKLIST_MAX + 1;
	char *records = calloc(n, HEKI_BLOCKLIST_RECORD);

	CHECK(records);
	for (size_t i = 0; i < n; i++) {
		put_record(records + i * HEKI_BLOCKLIST_RECORD, "bin:", 64);
		memcpy(records + i * HEKI_BLOCKLIST_RECORD + 4,
		       (char[3]){ (char)('0' + i / 100), (char)('0' + i / 10 % 10),
				  (char)('0' + i % 10) }, 3);
	}
	CHECK(load_refused(g, records, n * HEKI_BLOCKLIST_RECORD, HEKI_KDATA_BLOCKLIST_HASHES) < 0);
	CHECK_OK(load(g, records, (n - 1) * HEKI_BLOCKLIST_RECORD, HEKI_KDATA_BLOCKLIST_HASHES));
	CHECK_EQUAL(g->core->hashes_count, HEKI_BLOCKLIST_MAX);
	free(records);
	vtl0_end(g);
}

/* One that names itself as its issuer is signed by its own key, or it is not taken. */
static void not_signed_by_itself(void)
{
	static const char *const names[] = { "ca.der", "rsa2048.der", "rsa4096.der", "p256.der",
					     "p384.der" };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++) {
		struct file f = load_file(names[i]);

		f.p[f.n - 1] ^= 1; /* the end of its signature */
		CHECK_REFUSED(CERT, heki_core_trust(g->core, HEKI_CERTS_SYSTEM,
						    (struct span){ f.p, f.n }));
		f.p[f.n - 1] ^= 1;
		CHECK_OK(heki_core_trust(g->core, HEKI_CERTS_SYSTEM, (struct span){ f.p, f.n }));
		drop_file(&f);
	}
	vtl0_end(g);
}

/* A signature of no bytes is none; no host is asked about it. */
static void empty_signature(void)
{
	static const uint8_t empty[3] = { 0x03, 0x01, 0x00 };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("ca.der");
	size_t n = f.n - 4 - 257 + sizeof(empty); /* RSA-2048: a bit string of 256 bytes */

	CHECK(f.p[0] == 0x30 && f.p[1] == 0x82 && f.p[f.n - 261] == 0x03);
	memcpy(f.p + f.n - 261, empty, sizeof(empty));
	f.p[2] = (uint8_t)((n - 4) >> 8);
	f.p[3] = (uint8_t)(n - 4);
	guest_clear(g);
	CHECK_REFUSED(CERT, call_bytes(g, HEKI_CALL_LOAD_KDATA, f.p, n, HEKI_KDATA_SYSTEM_CERTS));
	CHECK(!g->count[GUEST_VERIFY]);
	drop_file(&f);
	vtl0_end(g);
}

const struct test kdata_keys_tests[] = {
	{ "not_signed_by_itself", not_signed_by_itself },
	{ "empty_signature", empty_signature },
	{ "system_certs", system_certs },
	{ "certs_in_pieces", certs_in_pieces },
	{ "discontiguous", discontiguous },
	{ "system_certs_set_once", system_certs_set_once },
	{ "certs_der_lengths", certs_der_lengths },
	{ "certs_bad_lengths", certs_bad_lengths },
	{ "no_certs", no_certs },
	{ "certs_truncated", certs_truncated },
	{ "second_cert_bad", second_cert_bad },
	{ "certs_of_other_algorithms", certs_of_other_algorithms },
	{ "certs_budget", certs_budget },
	{ "kexec_certs", kexec_certs },
	{ "revoked_first", revoked_first },
	{ "revoked_in_the_same_call", revoked_in_the_same_call },
	{ "revocation_is_undone", revocation_is_undone },
	{ "blocklist", blocklist },
	{ "blocklist_malformed", blocklist_malformed },
	{ "blocklist_full", blocklist_full },
	{ NULL, NULL },
};
