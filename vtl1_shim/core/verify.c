// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The verdict on a signature: who signed, is he trusted for this, does the signature hold.
 *
 * The verdict is made here and not by a host's crypto library, so that it is the same in every
 * host; a host only computes hashes and one public-key operation at a time. Validity dates are not
 * looked at. Locks: none held; the tables are asked one question at a time.
 */
#include "call.h"
#include "cms.h"
#include "der.h"

static const enum heki_cert_set module_sets[] = { HEKI_CERTS_SYSTEM, HEKI_CERTS_SECONDARY };
static const enum heki_cert_set kexec_sets[] = { HEKI_CERTS_KEXEC, HEKI_CERTS_SYSTEM };
static const enum heki_cert_set revoked_set[] = { HEKI_CERTS_REVOKED };

#define SERIAL_SHOWN 20

/* Whether there is anything to judge by; revoked certificates count, as a reason to refuse. */
static bool have_certs(struct heki_core *core, enum heki_cert_set set)
{
	return certs_count(core, set) || certs_count(core, HEKI_CERTS_REVOKED);
}

/* For the log: which certificate was looked for. */
static void tell_signer(struct call *c, const struct signer_id *id)
{
	struct span name = id->skid.n ? id->skid : id->serial;

	text_str(c, id->skid.n ? "signer's key id " : "signer's serial number ");
	text_bytes(c, name.p, (size_t)min_u64(name.n, SERIAL_SHOWN));
}

/* A signer that is in no trusted set: it may have been there before. */
static int unknown_signer(struct call *c, const struct signer_id *id)
{
	struct x509 cert;

	tell_signer(c, id);
	if (certs_find(c->core, revoked_set, 1, id, &cert) != CERT_NONE)
		return -HEKI_E_REVOKED;
	return -HEKI_E_NO_KEY;
}

static int check_signature(struct call *c, const struct cms *cms, const struct x509 *signer,
			   const uint8_t *digest)
{
	const struct heki_host_ops *ops = c->core->ops;
	struct span d = { digest, hash_size(cms->hash) };

	if (signer->key != cms->key || !cms->signature.n)
		return -HEKI_E_SIGNATURE;
	call_work(c, WORK_PUBLIC_KEY);
	return ops->verify(c->core->host, signer->der, cms->hash, d, cms->signature);
}

/*
 * Hash the signed part and the whole file, and look both up in the blocklist: a kernel of a distribution
 * may list files as they are, with their signature, by SHA-256.
 */
static int digest_module(struct call *c, struct span file, size_t content, struct digest *digest,
			 uint8_t *sha256)
{
	const struct span parts[] = {
		{ file.p, content },
		{ file.p + content, file.n - content },
	};

	if (hash_with_sha256(c, parts, HEKI_ARRAY_SIZE(parts), 1, digest, sha256))
		return -HEKI_E_SIGNATURE_ALGORITHM;
	if (hashes_listed(c->core, sha256, hash_size(HEKI_SHA256)) ||
	    hashes_cover(c, false, parts[0], digest))
		return -HEKI_E_REVOKED;
	return 0;
}

int cms_verify_module(struct call *c, struct span file, size_t content, struct span der,
		      uint32_t *signer, uint8_t *sha256)
{
	struct heki_core *core = c->core;
	struct digest digest;
	struct x509 cert;
	struct cms cms;
	int result;

	if (!have_certs(core, HEKI_CERTS_SYSTEM))
		return -HEKI_E_CERTS_NOT_LOADED;
	result = cms_parse(der, CMS_MODULE, &cms);
	if (result)
		return result;
	*signer = certs_find(core, module_sets, HEKI_ARRAY_SIZE(module_sets), &cms.signer, &cert);
	if (*signer == CERT_NONE)
		return unknown_signer(c, &cms.signer);
	if (certs_revoked(c, &cert))
		return -HEKI_E_REVOKED;
	digest.algorithm = cms.hash;
	result = digest_module(c, file, content, &digest, sha256);
	if (result)
		return result;
	return check_signature(c, &cms, &cert, digest.bytes);
}

/* The certificate of a kexec signature: an anchor, or one that an anchor signed. */
static int kexec_signer(struct call *c, const struct cms *cms, struct x509 *cert)
{
	struct heki_core *core = c->core;
	int result = 0;

	if (certs_find(core, kexec_sets, HEKI_ARRAY_SIZE(kexec_sets), &cms->signer, cert) ==
	    CERT_NONE) {
		result = unknown_signer(c, &cms->signer);
		if (result != -HEKI_E_NO_KEY || !cms_embedded(cms, cert))
			return result;
		if (cert->key == X509_KEY_OTHER)
			return -HEKI_E_SIGNATURE_ALGORITHM;
		result = certs_signed(c, kexec_sets, HEKI_ARRAY_SIZE(kexec_sets), cert);
		if (result)
			return result;
	}
	if (certs_revoked(c, cert))
		return -HEKI_E_REVOKED;
	if (!cert->code_signing)
		return -HEKI_E_CERT_UNTRUSTED;
	text_clear(c);
	return 0;
}

/*
 * The chain from the signature to the content: messageDigest is the hash of the content. Without
 * this an old signature with its attributes could be moved to another image.
 */
static int check_content(struct call *c, const struct cms *cms)
{
	uint8_t digest[HEKI_HASH_MAX];
	struct span message;
	int result;

	result = cms_message_digest(cms, &message);
	if (result)
		return result;
	if (hash_spans(c, cms->hash, &cms->content, 1, digest))
		return -HEKI_E_SIGNATURE_ALGORITHM;
	if (!span_equal(message, (struct span){ digest, hash_size(cms->hash) }))
		return -HEKI_E_SIGNATURE;
	return 0;
}

/* What is signed are the attributes as a SET, not under the tag that they are sent with. */
static int hash_attributes(struct call *c, const struct cms *cms, uint8_t *digest)
{
	static const uint8_t set = DER_SET;
	const struct span parts[] = {
		{ &set, 1 },
		{ cms->attributes.p + 1, cms->attributes.n - 1 },
	};

	if (hash_spans(c, cms->hash, parts, HEKI_ARRAY_SIZE(parts), digest))
		return -HEKI_E_SIGNATURE_ALGORITHM;
	return 0;
}

static int check_attributes(struct call *c, const struct cms *cms)
{
	uint8_t digest[HEKI_HASH_MAX];
	struct x509 cert;
	int result;

	result = kexec_signer(c, cms, &cert);
	if (result)
		return result;
	result = hash_attributes(c, cms, digest);
	if (result)
		return result;
	return check_signature(c, cms, &cert, digest);
}

int cms_verify_authenticode(struct call *c, struct span der, enum heki_hash *hash, uint8_t *digest)
{
	struct span image;
	struct cms cms;
	int result;

	if (!have_certs(c->core, HEKI_CERTS_KEXEC) && !have_certs(c->core, HEKI_CERTS_SYSTEM))
		return -HEKI_E_CERTS_NOT_LOADED;
	result = cms_parse(der, CMS_KEXEC, &cms);
	if (result)
		return result;
	result = cms_image_digest(&cms, &image);
	if (result)
		return result;
	result = check_content(c, &cms);
	if (result)
		return result;
	result = check_attributes(c, &cms);
	if (result)
		return result;
	*hash = cms.hash;
	memcpy(digest, image.p, image.n);
	return 0;
}
