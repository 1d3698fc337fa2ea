// SPDX-License-Identifier: GPL-2.0-only
/* Lists of certificates: the parser, and LOAD_KDATA's and REVOKE's use of it. */
#include "mutate_der.h"
#include "world.h"

void target_seeds(void)
{
	static const char *const names[] = { "p256.der", "rsa2048.der", "ed25519.der", "system.der",
					     "kexectls.der", "secondary.der" };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++) {
		struct file f = load_file(names[i]);

		seed(names[i], f.p, f.n);
		drop_file(&f);
	}
}

static void check_spans(struct span der, const struct x509 *cert)
{
	CHECK(span_inside(cert->der, der) && span_inside(cert->tbs, cert->der));
	CHECK(span_inside(cert->serial, cert->tbs) && span_inside(cert->issuer, cert->tbs));
	CHECK(span_inside(cert->subject, cert->tbs) && span_inside(cert->spki, cert->tbs));
	CHECK(span_inside(cert->common_name, cert->subject));
	CHECK(span_inside(cert->skid, cert->tbs) && span_inside(cert->akid, cert->tbs));
	CHECK(span_inside(cert->signature, cert->der));
}

static void enter(struct span ders, enum heki_cert_set set)
{
	struct world *w = world_get(HEKI_GRADE_AUDIT, true);
	struct call c = world_begin(w);
	uint32_t count = certs_count(w->g->core, HEKI_CERTS_SYSTEM);
	struct certs_mark mark;

	world_trust_all(w);
	CHECK_OK(certs_mark(&c, &mark));
	certs_add_all(&c, set, ders);
	certs_rollback(w->g->core, &mark);
	CHECK_EQUAL(certs_count(w->g->core, HEKI_CERTS_SYSTEM), count);
	certs_vouched(&c, ders);
	world_end(w, &c);
}

/* Mostly DER that stays DER, else bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t n = seed % 4 ? mutate_der(data, size, max_size, seed / 4) : size;

	return n != size || seed % 8 == 7 ? n : LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct span in = { copy, size };
	struct x509 cert;
	long n;

	CHECK(copy);
	memcpy(copy, data, size);
	while (in.n) {
		n = x509_parse(in, &cert);
		CHECK(n <= (long)in.n && n && n > -HEKI_ERROR_COUNT);
		if (n < 0)
			break;
		check_spans(in, &cert);
		CHECK_EQUAL(cert.der.n, n);
		in = (struct span){ in.p + n, in.n - (size_t)n };
	}
	if (in.n != size) /* at least one is well-formed */
		enter((struct span){ copy, size }, size & 1 ? HEKI_CERTS_REVOKED : HEKI_CERTS_SECONDARY);
	free(copy);
	return 0;
}
