// SPDX-License-Identifier: GPL-2.0-only
/*
 * CMS SignedData of modules and of kernel images: the walker, and the decision with a host whose
 * signatures all verify. The first byte says which purpose.
 */
#include "world.h"
#include "cms.h"
#include "mutate_der.h"
#include "pe.h"
#include "validate.h"

static void seed_cms(const char *name, enum cms_purpose purpose, struct span cms)
{
	uint8_t *bytes = malloc(cms.n + 1);

	CHECK(bytes);
	bytes[0] = (uint8_t)purpose;
	memcpy(bytes + 1, cms.p, cms.n);
	seed(name, bytes, cms.n + 1);
	free(bytes);
}

static void seed_module(const char *name)
{
	struct world *w = world_get(HEKI_GRADE_AUDIT, true);
	struct call c = world_begin(w);
	struct file f = load_file(name);
	struct span content, cms;

	CHECK_OK(signature_split(&c, (struct span){ f.p, f.n }, &content, &cms));
	seed_cms(name, CMS_MODULE, cms);
	drop_file(&f);
	world_end(w, &c);
}

static void seed_image(const char *name)
{
	struct file f = load_file(name);
	struct pe pe;

	CHECK_OK(pe_parse((struct span){ f.p, f.n }, &pe));
	seed_cms(name, CMS_KEXEC, pe.cms);
	drop_file(&f);
}

void target_seeds(void)
{
	seed_module("tiny-rsa2048.ko");
	seed_module("tiny-p256.ko");
	seed_module("tiny-sha512.ko");
	seed_module("tiny-attributes.ko");
	seed_module("tiny-pss.ko");
	seed_image("kernel-signed.pe");
	seed_image("kernel-untrusted.pe");
}

/* The walker alone; false when it is no CMS. */
static bool walk(struct span der, enum cms_purpose purpose)
{
	struct span digest;
	struct x509 cert;
	struct cms cms;

	if (cms_parse(der, purpose, &cms))
		return false;
	CHECK(span_inside(cms.content, der) && span_inside(cms.certs, der));
	CHECK(span_inside(cms.signer.issuer, der) && span_inside(cms.signer.skid, der));
	CHECK(span_inside(cms.attributes, der) && span_inside(cms.signature, der));
	CHECK(cms.hash != HEKI_SHA1 && cms.hash < HEKI_HASH_COUNT);
	if (purpose == CMS_MODULE) {
		CHECK(!cms.attributes.n && !cms.certs.n && !cms.content.n);
		return true;
	}
	if (!cms_message_digest(&cms, &digest))
		CHECK(span_inside(digest, cms.attributes));
	if (!cms_image_digest(&cms, &digest))
		CHECK(span_inside(digest, cms.content) && digest.n == hash_size(cms.hash));
	if (cms_embedded(&cms, &cert))
		CHECK(span_inside(cert.der, cms.certs));
	return true;
}

/* The decision, by a host whose signatures all verify. */
static void decide(struct span der, enum cms_purpose purpose)
{
	static const uint8_t content[] = "what is signed";
	struct world *w = world_get(HEKI_GRADE_AUDIT, true);
	struct call c = world_begin(w);
	uint8_t digest[HEKI_HASH_MAX];
	enum heki_hash hash;
	uint32_t signer;

	world_trust_all(w);
	if (purpose == CMS_KEXEC)
		cms_verify_authenticode(&c, der, &hash, digest);
	else if (!cms_verify_module(&c, (struct span){ content, sizeof(content) }, sizeof(content),
				    der, &signer, digest))
		CHECK(signer < w->g->core->certs_count);
	world_end(w, &c);
}

/* Mostly DER that stays DER, else bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t n = size && seed % 4 ? 1 + mutate_der(data + 1, size - 1, max_size - 1, seed / 4) : size;

	return n != size || seed % 8 == 7 ? n : LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum cms_purpose purpose = size && data[0] & 1 ? CMS_KEXEC : CMS_MODULE;
	size_t n = size ? size - 1 : 0;
	uint8_t *copy = malloc(n ? n : 1);

	CHECK(copy);
	if (n)
		memcpy(copy, data + 1, n);
	if (walk((struct span){ copy, n }, purpose))
		decide((struct span){ copy, n }, purpose);
	free(copy);
	return 0;
}
