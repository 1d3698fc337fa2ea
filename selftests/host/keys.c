// SPDX-License-Identifier: GPL-2.0-only
/* COPY_SECONDARY_KEY and REVOKE, before and after end of boot. */
#include "call.h"
#include "crypto.h"
#include "place.h"

static int send(struct guest *g, uint32_t id, const char *name)
{
	struct file f = load_file(name);
	int result = call_bytes(g, id, f.p, f.n, 0);

	drop_file(&f);
	return result;
}

static int refused(struct guest *g, uint32_t id, const char *name)
{
	struct snapshot *s = snapshot_take(g);
	int result = send(g, id, name);

	snapshot_check(g, s);
	return result;
}

static struct guest *booted(struct kernel *k)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	kernel_boot(g, k);
	return g;
}

static void end(struct guest *g, struct kernel *k)
{
	kernel_drop(k);
	vtl0_end(g);
}

static void vouched(void)
{
	struct kernel k;
	struct guest *g = booted(&k);

	CHECK_OK(send(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der"));
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SECONDARY), 1);
	CHECK_EQUAL(last_log(g)->event, HEKI_LOG_KEY);
	CHECK(strstr(last_log(g)->text, "secondary"));
	CHECK_OK(send(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der")); /* again: no second entry */
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SECONDARY), 1);
	end(g, &k);
}

static void not_vouched(void)
{
	struct kernel k;
	struct guest *g = booted(&k);

	CHECK_REFUSED(NO_KEY, refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "untrusted.der"));
	CHECK_REFUSED(NO_KEY, refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "stranger.der"));
	CHECK_REFUSED(NO_KEY, refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "plainchild.der"));
	end(g, &k);
}

/* A name is no signature: a certificate that only claims the trusted issuer. */
static void forged(void)
{
	struct kernel k;
	struct guest *g = booted(&k);
	struct file f = load_file("secondary.der");
	struct snapshot *s = snapshot_take(g);

	for (size_t bit = 0; bit < 8; bit++) { /* in the signature, which is at the end */
		f.p[f.n - 17] ^= (uint8_t)(1 << bit);
		CHECK_REFUSED(SIGNATURE,
			      call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n, 0));
		f.p[f.n - 17] ^= (uint8_t)(1 << bit);
	}
	snapshot_check(g, s);
	drop_file(&f);
	end(g, &k);
}

/* No changed byte anywhere in a certificate lets it in. */
static void every_byte(void)
{
	struct kernel k;
	struct guest *g = booted(&k);
	struct file f = load_file("secondary.der");
	uint64_t first = g->next_page;

	for (size_t i = 0; i < f.n; i++) {
		f.p[i] ^= 0x20;
		CHECK(call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n, 0) < 0);
		f.p[i] ^= 0x20;
		g->next_page = first;
	}
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SECONDARY), 0);
	drop_file(&f);
	end(g, &k);
}

static void lengths(void)
{
	struct kernel k;
	struct guest *g = booted(&k);
	struct file f = load_file("secondary.der");
	struct snapshot *s = snapshot_take(g);
	int result;

	CHECK_REFUSED(CERT_LENGTH, call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n - 1, 0));
	f.p = realloc(f.p, f.n + 1);
	f.p[f.n] = 0;
	CHECK_REFUSED(CERT_LENGTH, call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n + 1, 0));
	result = call_range(g, HEKI_CALL_COPY_SECONDARY_KEY, guest_pages(g, 5), 5 * 4096, 0);
	CHECK_EQUAL(result, -HEKI_E_CERT_LENGTH);
	CHECK_REFUSED(CERT_LENGTH,
		      call_range(g, HEKI_CALL_COPY_SECONDARY_KEY, guest_pages(g, 1), 0, 0));
	CHECK_REFUSED(PARAMETER, call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n, 1));
	snapshot_check(g, s);
	drop_file(&f);
	end(g, &k);
}

static void secondary_does_not_outlive_revocation(void)
{
	struct kernel k;
	struct guest *g = booted(&k);

	CHECK_OK(send(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der"));
	CHECK_OK(send(g, HEKI_CALL_REVOKE, "secondary.der"));
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SECONDARY), 0);
	CHECK_EQUAL(last_log(g)->event, HEKI_LOG_KEY);
	CHECK_REFUSED(REVOKED, refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der"));
	end(g, &k);
}

static void revoked_before(void)
{
	struct kernel k;
	struct guest *g = booted(&k);

	CHECK_OK(send(g, HEKI_CALL_REVOKE, "secondary.der"));
	CHECK_REFUSED(REVOKED, refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der"));
	end(g, &k);
}

/* A revoked authority vouches for nobody. */
static void revoked_authority(void)
{
	struct kernel k;
	struct guest *g = booted(&k);

	CHECK_OK(send(g, HEKI_CALL_REVOKE, "ca.der"));
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SYSTEM), 4);
	CHECK_REFUSED(REVOKED, refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der"));
	end(g, &k);
}

/* The DER of a signature can be written in more than one way: revocation is by what was signed. */
static void revoked_by_other_bytes(void)
{
	struct kernel k;
	struct guest *g = booted(&k);
	struct file f = load_file("secondary.der");

	f.p[f.n - 1] ^= 1;
	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, 0));
	CHECK_REFUSED(REVOKED, refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der"));
	drop_file(&f);
	end(g, &k);
}

static void revoke_several(void)
{
	struct kernel k;
	struct guest *g = booted(&k);

	CHECK_OK(send(g, HEKI_CALL_REVOKE, "system.der"));
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SYSTEM), 0);
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_REVOKED), 5);
	CHECK_OK(send(g, HEKI_CALL_REVOKE, "system.der"));
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_REVOKED), 5);
	end(g, &k);
}

static void revoke_malformed(void)
{
	struct kernel k;
	struct guest *g = booted(&k);
	struct file f = load_file("system.der");
	struct snapshot *s = snapshot_take(g);

	CHECK_REFUSED(CERT_LENGTH, call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n - 1, 0));
	CHECK_REFUSED(CERT, call_bytes(g, HEKI_CALL_REVOKE, "\x30\x03\x02\x01\x01", 5, 0));
	CHECK_REFUSED(PARAMETER, call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, HEKI_KDATA_UNKNOWN));
	snapshot_check(g, s);
	drop_file(&f);
	end(g, &k);
}

/* --- the blocklist --- */

static void put_hash(struct guest *g, struct file *f, const char *prefix, struct span bytes,
		     enum heki_hash hash)
{
	uint8_t digest[HEKI_HASH_MAX];
	char *at;

	f->n = HEKI_BLOCKLIST_RECORD;
	f->p = calloc(1, f->n);
	CHECK(f->p && !hash_spans(&(struct call){ .core = g->core }, hash, &bytes, 1, digest));
	at = (char *)f->p + sprintf((char *)f->p, "%s", prefix);
	for (size_t i = 0; i < hash_size(hash); i++)
		at += sprintf(at, "%02x", digest[i]);
}

/* A certificate whose signed part is listed, by any of the hashes. */
static void listed_tbs(void)
{
	static const enum heki_hash hashes[] = { HEKI_SHA256, HEKI_SHA384, HEKI_SHA512 };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(hashes); i++) {
		struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
		struct file cert = load_file("secondary.der"), record;
		struct x509 x509;
		struct kernel k;

		kernel_make(g, &k, NULL, 0);
		kernel_load(g, &k, "system.der");
		CHECK(x509_parse((struct span){ cert.p, cert.n }, &x509) > 0);
		put_hash(g, &record, "tbs:", x509.tbs, hashes[i]);
		CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, record.p, record.n,
				    HEKI_KDATA_BLOCKLIST_HASHES));
		CHECK_REFUSED(REVOKED, refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der"));
		drop_file(&cert);
		drop_file(&record);
		end(g, &k);
	}
}

/* An authority whose signed part is listed vouches for nobody. */
static void listed_authority(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file cert = load_file("ca.der"), record;
	struct x509 x509;
	struct kernel k;

	kernel_make(g, &k, NULL, 0);
	kernel_load(g, &k, "system.der");
	CHECK(x509_parse((struct span){ cert.p, cert.n }, &x509) > 0);
	put_hash(g, &record, "tbs:", x509.tbs, HEKI_SHA256);
	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, record.p, record.n,
			    HEKI_KDATA_BLOCKLIST_HASHES));
	CHECK(refused(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der") < 0);
	drop_file(&cert);
	drop_file(&record);
	end(g, &k);
}

/* --- one at a time --- */

struct other {
	uint64_t first; /* ranges of a certificate */
	int32_t result;
};

static void revoke_meanwhile(struct guest *g, void *context)
{
	struct other *o = context;

	if (guest_locked() || o->result)
		return;
	o->result = 1;
	guest_set_vp(1);
	o->result = guest_call(g, HEKI_CALL_REVOKE, o->first, 1, 0);
	guest_set_vp(0);
}

/* Two calls that change keys do not mix: the one that comes second is refused as busy. */
static void busy(void)
{
	struct kernel k;
	struct guest *g = booted(&k);
	struct file f = load_file("rsa2048.der");
	struct ranges list = { 0 };
	struct other o = { 0 };
	uint64_t pa = put_bytes(g, f.p, f.n);

	add_range(&list, DIRECT_MAP + pa, pa, f.n, 0);
	o.first = put_ranges(g, &list);
	drop_ranges(&list);
	drop_file(&f);
	f = load_file("secondary.der");
	pa = put_bytes(g, f.p, f.n);
	add_range(&list, DIRECT_MAP + pa, pa, f.n, 0);
	guest_clear(g);
	guest_add_hook(g, &(struct guest_hook){ .run = revoke_meanwhile, .context = &o,
						.op = GUEST_VERIFY, .nth = 1 });
	CHECK_EQUAL(guest_call(g, HEKI_CALL_COPY_SECONDARY_KEY, put_ranges(g, &list), 1, 0), 0);
	CHECK_EQUAL(o.result, -16);
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_REVOKED), 0);
	CHECK_EQUAL(vtlcall(g, HEKI_CALL_REVOKE, o.first, 1, 0), 0); /* and now it may */
	drop_ranges(&list);
	drop_file(&f);
	end(g, &k);
}

/* --- built-in anchors --- */

static void built_in(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("ca.der");
	struct span der = { f.p, f.n };

	CHECK_EQUAL(heki_core_trust(g->core, HEKI_CERTS_SYSTEM, der), 0);
	CHECK_EQUAL(heki_core_trust(g->core, HEKI_CERTS_KEXEC, der), 0);
	CHECK_EQUAL(heki_core_trust(g->core, HEKI_CERTS_SECONDARY, der), -HEKI_E_PARAMETER);
	CHECK_EQUAL(heki_core_trust(g->core, HEKI_CERTS_REVOKED, der), -HEKI_E_PARAMETER);
	der.n--;
	CHECK_EQUAL(heki_core_trust(g->core, HEKI_CERTS_SYSTEM, der), -HEKI_E_CERT_LENGTH);
	CHECK_OK(send(g, HEKI_CALL_COPY_SECONDARY_KEY, "secondary.der"));
	drop_file(&f);
	vtl0_end(g);
}

/* With built-in anchors VTL0's own certificates are left out, though the call succeeds. */
static void built_in_anchors_win(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct file f = load_file("p256.der");
	struct kernel k;
	struct placed m;

	CHECK_OK(heki_core_trust(g->core, HEKI_CERTS_SYSTEM, (struct span){ f.p, f.n }));
	kernel_boot(g, &k);
	CHECK_EQUAL(certs_count(g->core, HEKI_CERTS_SYSTEM), 1);
	place(g, &m, "tiny-rsa2048.ko");
	CHECK_EQUAL(validate_refused(&m), -HEKI_E_NO_KEY);
	unplace(&m);
	place(g, &m, "tiny-p256.ko");
	CHECK(validate(&m) > 0);
	unplace(&m);
	drop_file(&f);
	kernel_drop(&k);
	vtl0_end(g);
}

const struct test keys_tests[] = {
	{ "vouched", vouched },
	{ "not_vouched", not_vouched },
	{ "forged", forged },
	{ "every_byte", every_byte },
	{ "lengths", lengths },
	{ "secondary_does_not_outlive_revocation", secondary_does_not_outlive_revocation },
	{ "revoked_before", revoked_before },
	{ "revoked_authority", revoked_authority },
	{ "revoked_by_other_bytes", revoked_by_other_bytes },
	{ "revoke_several", revoke_several },
	{ "revoke_malformed", revoke_malformed },
	{ "listed_tbs", listed_tbs },
	{ "listed_authority", listed_authority },
	{ "busy", busy },
	{ "built_in", built_in },
	{ "built_in_anchors_win", built_in_anchors_win },
	{ NULL, NULL },
};
