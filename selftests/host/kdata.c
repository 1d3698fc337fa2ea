// SPDX-License-Identifier: GPL-2.0-only
/* LOAD_KDATA but for symbols: certificates, revocation, blocklist, patch lists, trampoline. */
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

/* --- types --- */

static void unknown_types(void)
{
	static const uint64_t types[] = { 7, 0xff, 0x101, 1ull << 32, HEKI_KDATA_UNKNOWN };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(types); i++)
		CHECK_REFUSED(KDATA_TYPE, load_refused(g, "x", 1, types[i]));
	vtl0_end(g);
}

static void trampoline(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 3);

	/* 2048 bytes across two pages: both are protected */
	CHECK_OK(call_range(g, HEKI_CALL_LOAD_KDATA, pa + 3072, 2048, HEKI_KDATA_KEXEC_TRAMPOLINE));
	CHECK(!(guest_access(g, pa) & HEKI_ATTR_WRITE));
	CHECK(!(guest_access(g, pa + HEKI_PAGE_SIZE) & HEKI_ATTR_WRITE));
	CHECK(guest_access(g, pa + 2 * HEKI_PAGE_SIZE) & HEKI_ATTR_WRITE);
	CHECK_EQUAL(guest_store(g, pa + 4095, "xx", 2), -1);
	vtl0_end(g);
}

static void trampoline_overlap(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 3);
	struct snapshot *s;

	CHECK_OK(call_range(g, HEKI_CALL_PROTECT_MEMORY, pa, HEKI_PAGE_SIZE,
			    HEKI_ATTR_READ | HEKI_ATTR_WRITE));
	s = snapshot_take(g);
	CHECK_REFUSED(OVERLAP, call_range(g, HEKI_CALL_LOAD_KDATA, pa + 2048, 4096,
					  HEKI_KDATA_KEXEC_TRAMPOLINE));
	snapshot_check(g, s);
	vtl0_end(g);
}

/* --- patch lists --- */

static void patch_lists(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	for (uint32_t list = 0; list < 5; list++) { /* headers with 1, 2, .. patches */
		if (list)
			add_patch_header(&k.sites, HEKI_PATCH_JUMP_LABEL);
		for (uint32_t i = 0; i <= list; i++)
			kernel_site(g, &k, 0x100 * (list + 1) + 8 * i, i & 1 ? 2 : 5);
	}
	CHECK_OK(kernel_protect(g, &k));
	CHECK_OK(load(g, k.sites.bytes, k.sites.n, HEKI_KDATA_PATCH_INFO));
	CHECK_EQUAL(g->core->kernel_patches.count, 15);
	for (uint32_t list = 0; list < 5; list++)
		for (uint32_t i = 0; i <= list; i++)
			CHECK_OK(patch_text(g, k.text + 0x100 * (list + 1) + 8 * i, 0,
					    (uint8_t[]){ 0xcc }, 1));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Each damage to a list of two headers with two patches each is seen, wherever it is. */
static void patch_lists_malformed(void)
{
	static const struct {
		size_t offset; /* in a header, or in a patch when >= 48 */
		uint64_t value;
		unsigned int bytes;
	} damage[] = {
		{ 0, 1, 4 }, { 0, 0xffffffff, 4 }, { 0, 0x102, 4 }, /* type */
		{ 32, 0, 8 }, { 32, 3, 8 }, { 32, 1, 8 }, { 32, ~0ull, 8 }, { 32, 1ull << 60, 8 },
		{ 40, 1, 8 }, { 40, 0, 8 }, /* room less than patches */
		{ 48 + 0, 0, 8 }, /* pa 0 */
		{ 48 + 16, 0, 1 }, { 48 + 16, 6, 1 }, { 48 + 16, 255, 1 }, { 48 + 16, 3, 1 }, /* size */
		{ 48 + 0, 1ull << 52, 8 }, /* not a physical address */
		{ 48 + 8, 1ull << 52, 8 },
		{ 48 + 8, 0x5000, 8 }, /* second page without straddling */
		{ 48 + 8, 0x5001, 8 },
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	kernel_site(g, &k, 0x100, 5);
	kernel_site(g, &k, 0x110, 5);
	add_patch_header(&k.sites, HEKI_PATCH_JUMP_LABEL);
	kernel_site(g, &k, 0x200, 5);
	kernel_site(g, &k, 0x210, 5);
	CHECK_OK(kernel_protect(g, &k));
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(damage); i++) {
		for (size_t list = 0; list < 2; list++) {
			uint8_t copy[2 * (48 + 2 * 24)];

			CHECK_EQUAL(k.sites.n, sizeof(copy));
			memcpy(copy, k.sites.bytes, sizeof(copy));
			memcpy(copy + list * sizeof(copy) / 2 + damage[i].offset, &damage[i].value,
			       damage[i].bytes);
			CHECK(load_refused(g, copy, sizeof(copy), HEKI_KDATA_PATCH_INFO) < 0);
		}
	}
	for (size_t n = 1; n < k.sites.n; n++) /* cut short; half of it is a whole list */
		if (n != k.sites.n / 2)
			CHECK_REFUSED(PATCH_FORMAT, load_refused(g, k.sites.bytes, n,
								 HEKI_KDATA_PATCH_INFO));
	CHECK_OK(load(g, k.sites.bytes, k.sites.n, HEKI_KDATA_PATCH_INFO));
	kernel_drop(&k);
	vtl0_end(g);
}

/* Two sites of 5 bytes at these offsets: refused when they share a byte, in either order. */
static void two_sites(uint32_t a, uint32_t b, bool overlap)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;
	int result;

	kernel_make(g, &k, NULL, 0);
	kernel_site(g, &k, a, 5);
	kernel_site(g, &k, b, 5);
	CHECK_OK(kernel_protect(g, &k));
	if (overlap) {
		result = load_refused(g, k.sites.bytes, k.sites.n, HEKI_KDATA_PATCH_INFO);
		CHECK_EQUAL(result, -HEKI_E_PATCH_LIST);
	} else {
		CHECK_OK(load(g, k.sites.bytes, k.sites.n, HEKI_KDATA_PATCH_INFO));
	}
	kernel_drop(&k);
	vtl0_end(g);
}

static void patch_sites_overlap(void)
{
	/* in a line of 64 bytes, over its end, over the end of a page by any part */
	static const uint32_t first[] = { 0x100, 0x13d, 0xffc, 0xffd, 0xffe, 0xfff };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(first); i++) {
		for (uint32_t distance = 0; distance <= 5; distance++) {
			two_sites(first[i], first[i] + distance, distance < 5);
			two_sites(first[i] + distance, first[i], distance < 5);
		}
	}
}

/* Load one 5-byte site at this address; whatever the call says of it, end of boot must drop it. */
static void site_elsewhere(struct guest *g, uint64_t pa)
{
	struct patches bad = { 0 };
	uint8_t jump[5];

	make_jump(KERNEL_VA, KERNEL_VA + 64, 5, jump);
	add_patch_header(&bad, HEKI_PATCH_JUMP_LABEL);
	add_patch(&bad, pa, page_up(pa + 1), jump, 5);
	(void)load(g, bad.bytes, bad.n, HEKI_KDATA_PATCH_INFO);
	drop_patches(&bad);
}

/* A site outside of executable read-only memory would let VTL0 write anywhere. */
static void patch_target_not_text(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;
	uint64_t data = guest_pages(g, 2);
	uint64_t where[4];

	kernel_make(g, &k, NULL, 0);
	CHECK_OK(kernel_protect(g, &k));
	where[0] = data; /* not protected at all */
	where[1] = k.rodata + 0x3000;
	where[2] = k.text + KERNEL_TEXT_PAGES * HEKI_PAGE_SIZE - 2; /* half of it in text */
	where[3] = VTL1_PA + 16;
	for (unsigned int i = 0; i < 4; i++)
		site_elsewhere(g, where[i]);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t before = *(uint8_t *)guest_at(g, where[i]);

		CHECK_REFUSED(NO_PATCH, patch_text(g, where[i], 0, (uint8_t[]){ 0xcc }, 1));
		CHECK_EQUAL(*(uint8_t *)guest_at(g, where[i]), before);
	}
	CHECK_EQUAL(g->core->patches.budget.used, 0);
	kernel_drop(&k);
	vtl0_end(g);
}

/* The types may come in any order and in one call. */
static void everything_in_any_order(void)
{
	for (unsigned int rotation = 0; rotation < 5; rotation++) {
		struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
		struct ranges parts = { 0 }, list = { 0 };
		struct file f = load_file("system.der"), r = load_file("revoked.der");
		struct kernel k;
		uint64_t pa;

		kernel_make(g, &k, NULL, 0);
		kernel_site(g, &k, 0x100, 5);
		kernel_symbol_ranges(g, &k, &parts);
		pa = put_bytes(g, f.p, f.n);
		add_range(&parts, DIRECT_MAP + pa, pa, f.n, HEKI_KDATA_SYSTEM_CERTS);
		pa = put_bytes(g, r.p, r.n);
		add_range(&parts, DIRECT_MAP + pa, pa, r.n, HEKI_KDATA_REVOCATION_CERTS);
		pa = put_bytes(g, k.sites.bytes, k.sites.n);
		add_range(&parts, DIRECT_MAP + pa, pa, k.sites.n, HEKI_KDATA_PATCH_INFO);
		for (size_t i = 0; i < parts.n; i++) {
			struct heki_range *p = &parts.r[(i + rotation) % parts.n];

			add_range(&list, p->va, p->pa, p->epa - p->pa, p->attributes);
		}
		CHECK_OK(call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
		CHECK_OK(kernel_protect(g, &k));
		CHECK_EQUAL(g->core->certs_count, 6);
		CHECK_EQUAL(g->core->kernel_patches.count, 1);
		CHECK_EQUAL(g->core->kernel_symbols.count, 5);
		drop_ranges(&parts);
		drop_ranges(&list);
		drop_file(&f);
		drop_file(&r);
		kernel_drop(&k);
		vtl0_end(g);
	}
}

const struct test kdata_tests[] = {
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
	{ "unknown_types", unknown_types },
	{ "trampoline", trampoline },
	{ "trampoline_overlap", trampoline_overlap },
	{ "patch_lists", patch_lists },
	{ "patch_lists_malformed", patch_lists_malformed },
	{ "patch_sites_overlap", patch_sites_overlap },
	{ "patch_target_not_text", patch_target_not_text },
	{ "everything_in_any_order", everything_in_any_order },
	{ NULL, NULL },
};
