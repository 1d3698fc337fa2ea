// SPDX-License-Identifier: GPL-2.0-only
/* KEXEC_VALIDATE: signature, digest, binding of the file to the pages. */
#include "call.h"
#include "kexec_guest.h"

static void accepted(void)
{
	for (uint64_t slot = NORMAL; slot <= CRASH; slot++) {
		struct guest *g = kexec_boot();
		struct snapshot *before = snapshot_take(g);
		struct image m;

		image(g, &m, "kernel-signed.pe", slot);
		CHECK_EQUAL(send_image(&m), 0);
		CHECK(g->core->kexec[slot].valid && !g->core->kexec[!slot].valid);
		CHECK(kexec_frozen(&m));
		CHECK_EQUAL(last_log(g)->event, HEKI_LOG_KEXEC);
		CHECK_EQUAL(last_log(g)->address, slot);
		/* the page of the metadata is shared with others: never protected */
		CHECK(guest_access(g, m.ranges.r[IMAGE].pa) & HEKI_ATTR_WRITE);
		CHECK_EQUAL(vtlcall(g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, slot), 0);
		CHECK(!g->core->kexec[slot].valid && kexec_free(&m));
		memset(g->core->kexec, 0, sizeof(g->core->kexec)); /* the digest for the log stays */
		snapshot_check(g, before);
		drop_image(&m);
		kexec_end(g);
	}
}

/* The signer itself as the anchor, as well as its issuer. */
static void leaf_as_anchor(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct image m;

	trust_kexec(g, "kexecsigner.der");
	image(g, &m, "kernel-signed.pe", NORMAL);
	CHECK_EQUAL(send_image(&m), 0);
	drop_image(&m);
	vtl0_end(g);
}

static void signers(void)
{
	struct guest *g = kexec_boot();
	struct file f = load_file("kexecsigner.der");
	struct image m;

	image(g, &m, "kernel-untrusted.pe", NORMAL);
	CHECK_REFUSED(NO_KEY, kexec_refused(&m));
	drop_image(&m);
	image(g, &m, "kernel-tls.pe", NORMAL); /* of the right issuer, but for another purpose */
	CHECK_REFUSED(CERT_UNTRUSTED, kexec_refused(&m));
	drop_image(&m);
	image(g, &m, "kernel-signed.pe", NORMAL);
	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, 0));
	CHECK_REFUSED(REVOKED, kexec_refused(&m));
	drop_image(&m);
	drop_file(&f);
	kexec_end(g);
}

static void revoked_authority(void)
{
	struct guest *g = kexec_boot();
	struct file f = load_file("kexecca.der");
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, 0));
	CHECK_REFUSED(REVOKED, kexec_refused(&m));
	drop_image(&m);
	drop_file(&f);
	kexec_end(g);
}

static void no_anchor(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	CHECK_REFUSED(CERTS_NOT_LOADED, kexec_refused(&m));
	drop_image(&m);
	vtl0_end(g);
}

/* The secondary set is for modules: root of VTL0 fills it. */
static void secondary_is_no_anchor(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("system.der");
	struct image m;

	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, f.p, f.n, HEKI_KDATA_SYSTEM_CERTS));
	image(g, &m, "kernel-signed.pe", NORMAL);
	CHECK_REFUSED(NO_KEY, kexec_refused(&m));
	drop_image(&m);
	drop_file(&f);
	vtl0_end(g);
}

static void unsigned_image(void)
{
	struct guest *g = kexec_boot();
	struct image m;

	image(g, &m, "kernel.pe", NORMAL);
	CHECK_REFUSED(NO_SIGNATURE, kexec_refused(&m));
	drop_image(&m);
	kexec_end(g);
}

/* The two fields that the digest leaves out: the checksum and the certificate table's entry. */
static bool left_out(const struct file *f, size_t i)
{
	size_t optional = get_le32(f->p + 0x3c) + 24;

	return (i >= optional + 64 && i < optional + 68) ||
	       (i >= optional + 144 && i < optional + 152);
}

/* A byte of the file changed, anywhere: refused, but for the checksum. */
static void every_byte(void)
{
	struct guest *g = kexec_boot();
	struct file f = load_file("kernel-signed.pe");
	size_t table = get_le32(f.p + get_le32(f.p + 0x3c) + 24 + 144);

	for (size_t i = 0; i < f.n; i += i < 0x250 || i >= table ? 1 : 97) {
		uint64_t next = g->next_page;
		struct file changed = { malloc(f.n), f.n };
		struct image m;
		int result;

		memcpy(changed.p, f.p, f.n);
		changed.p[i] ^= 0x04;
		image_file(g, &m, changed, NORMAL);
		result = send_image(&m);
		if (i >= table)
			CHECK(result < 0 || i >= f.n - 8); /* padding of the table */
		else if (!left_out(&f, i))
			CHECK(result == -HEKI_E_PE_DIGEST || result == -HEKI_E_PE_FORMAT ||
			      result == -HEKI_E_NO_SIGNATURE);
		CHECK_EQUAL(vtlcall(g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, NORMAL), 0);
		drop_image(&m);
		g->next_page = next;
	}
	drop_file(&f);
	kexec_end(g);
}

static void truncated(void)
{
	struct guest *g = kexec_boot();
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	for (uint64_t n = 0; n < m.blob.n; n += n < 0x300 ? 1 : 61) {
		uint64_t next = g->next_page;

		m.ranges.r[BLOB].epa = m.ranges.r[BLOB].pa + n;
		CHECK_REFUSED(PE_FORMAT, kexec_refused(&m));
		g->next_page = next;
	}
	drop_image(&m);
	kexec_end(g);
}

/* Sections and certificate table must not share bytes, nor leave any between them. */
static void sections_that_do_not_fit(void)
{
	static const uint32_t sizes[] = { 0, 0x100, 0x400, 0x10000, 0xffffffff };
	struct guest *g = kexec_boot();
	struct image m;
	uint8_t *section;

	image(g, &m, "kernel-signed.pe", NORMAL);
	section = guest_at(g, m.blob_pa + get_le32(m.blob.p + 0x3c) + 24 + 160 + 40);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(sizes); i++) {
		uint32_t old = get_le32(section + 16);

		put_le32(section + 16, sizes[i]);
		if (sizes[i] > old)
			CHECK_REFUSED(PE_FORMAT, kexec_refused(&m));
		else /* what is between is trailing data, which counts */
			CHECK_REFUSED(PE_DIGEST, kexec_refused(&m));
		put_le32(section + 16, old);
	}
	CHECK_EQUAL(send_image(&m), 0);
	drop_image(&m);
	kexec_end(g);
}

/* The signature of one image on another: valid in itself, and not for this one. */
static void moved_signature(void)
{
	struct guest *g = kexec_boot();
	struct file f = load_file("kernel-signed.pe"), other = load_file("other-signed.pe");
	size_t table = get_le32(f.p + get_le32(f.p + 0x3c) + 24 + 144);
	struct image m;

	CHECK(table == get_le32(other.p + get_le32(other.p + 0x3c) + 24 + 144) && f.n == other.n);
	memcpy(f.p + table, other.p + table, f.n - table);
	image_file(g, &m, f, NORMAL);
	CHECK_REFUSED(PE_DIGEST, kexec_refused(&m));
	drop_image(&m);
	drop_file(&other);
	kexec_end(g);
}

static uint8_t *find_bytes(const struct file *f, const uint8_t *what, size_t n)
{
	for (size_t i = 0; i + n <= f->n; i++)
		if (!memcmp(f->p + i, what, n))
			return f->p + i;
	return NULL;
}

/* The image's Authenticode digest by SHA-256, as SpcIndirectData holds it. */
static void image_digest(struct guest *g, const struct file *f, uint8_t *digest)
{
	size_t optional = get_le32(f->p + 0x3c) + 24, table = get_le32(f->p + optional + 144);
	struct span parts[3] = {
		{ f->p, optional + 64 },
		{ f->p + optional + 68, 144 - 68 },
		{ f->p + optional + 152, table - optional - 152 },
	};

	CHECK(!hash_spans(&(struct call){ .core = g->core }, HEKI_SHA256, parts, 3, digest));
}

/*
 * The old attack: another kernel, whose digest is put into SpcIndirectData, under attributes that
 * were signed for the first one. Only messageDigest tells.
 */
static void message_digest(void)
{
	struct guest *g = kexec_boot();
	struct file f = load_file("kernel-signed.pe");
	uint8_t before[HEKI_HASH_MAX], after[HEKI_HASH_MAX];
	uint8_t *content;
	struct image m;

	image_digest(g, &f, before);
	f.p[0x1000] ^= 1;
	image_digest(g, &f, after);
	content = find_bytes(&f, before, 32);
	CHECK(content);
	memcpy(content, after, 32);
	image_file(g, &m, f, NORMAL);
	CHECK_REFUSED(SIGNATURE, kexec_refused(&m));
	drop_image(&m);
	kexec_end(g);
}

static void listed_digest(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("kernel-signed.pe");
	char record[HEKI_BLOCKLIST_RECORD] = "bin:";
	uint8_t digest[HEKI_HASH_MAX];
	struct image m;

	trust_kexec(g, "kexecca.der");
	image_digest(g, &f, digest);
	for (int i = 0; i < 32; i++)
		sprintf(record + 4 + 2 * i, "%02x", digest[i]);
	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, record, sizeof(record),
			    HEKI_KDATA_BLOCKLIST_HASHES));
	image_file(g, &m, f, NORMAL);
	CHECK_REFUSED(REVOKED, kexec_refused(&m));
	drop_image(&m);
	vtl0_end(g);
}

/* Each page of the kernel's segment must hold what was signed; what follows must be zero. */
static void unbound_pages(void)
{
	for (uint64_t slot = NORMAL; slot <= CRASH; slot++) {
		struct guest *g = kexec_boot();
		struct image m;
		uint64_t kernel_pages;

		image(g, &m, "kernel-signed.pe", slot);
		kernel_pages = m.segment[1].memsz >> HEKI_PAGE_SHIFT;
		for (uint64_t i = 0; i < kernel_pages; i++) {
			uint8_t *page = guest_at(g, m.ranges.r[m.pages + 1 + i].pa);

			page[17] ^= 1;
			CHECK_REFUSED(KEXEC_UNBOUND, kexec_refused(&m));
			CHECK_EQUAL(last_log(g)->address, m.ranges.r[m.pages + 1 + i].pa);
			page[17] ^= 1;
			page[4095] ^= 1;
			CHECK_REFUSED(KEXEC_UNBOUND, kexec_refused(&m));
			page[4095] ^= 1;
		}
		CHECK_EQUAL(send_image(&m), 0);
		drop_image(&m);
		kexec_end(g);
	}
}

static void missing_page(void)
{
	for (uint64_t slot = NORMAL; slot <= CRASH; slot++) {
		struct guest *g = kexec_boot();
		struct image m;

		image(g, &m, "kernel-signed.pe", slot);
		memmove(&m.ranges.r[m.pages + 1], &m.ranges.r[m.pages + 2],
			(m.ranges.n - m.pages - 2) * sizeof(*m.ranges.r));
		m.ranges.n--;
		CHECK_REFUSED(KEXEC_UNBOUND, kexec_refused(&m));
		drop_image(&m);
		kexec_end(g);
	}
}

static void other_length(void)
{
	struct guest *g = kexec_boot();
	struct image m;

	image(g, &m, "kernel-signed.pe", NORMAL);
	m.segment[1].bufsz--;
	put_segments(&m);
	CHECK_REFUSED(KEXEC_UNBOUND, kexec_refused(&m));
	drop_image(&m);
	kexec_end(g);
}

const struct test kexec_tests[] = {
	{ "accepted", accepted },
	{ "leaf_as_anchor", leaf_as_anchor },
	{ "signers", signers },
	{ "revoked_authority", revoked_authority },
	{ "no_anchor", no_anchor },
	{ "secondary_is_no_anchor", secondary_is_no_anchor },
	{ "unsigned_image", unsigned_image },
	{ "every_byte", every_byte },
	{ "truncated", truncated },
	{ "sections_that_do_not_fit", sections_that_do_not_fit },
	{ "moved_signature", moved_signature },
	{ "message_digest", message_digest },
	{ "listed_digest", listed_digest },
	{ "unbound_pages", unbound_pages },
	{ "missing_page", missing_page },
	{ "other_length", other_length },
	{ NULL, NULL },
};
