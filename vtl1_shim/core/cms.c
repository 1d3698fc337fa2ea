// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * CMS SignedData, read strictly: one digest algorithm, one signer, no CRLs.
 *
 * All of it is an attacker's. Of a module's signature each octet means something, so nothing can
 * hide there: no embedded certificates and no attributes. The kernel would accept signed attributes
 * on a module; sign-file makes none, and they are refused here as a form that is not known.
 * No state, no locks.
 */
#include "cms.h"
#include "der.h"

static const uint8_t oid_signed_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
static const uint8_t oid_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
static const uint8_t oid_content_type[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03 };
static const uint8_t oid_message_digest[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04 };
/* Microsoft's SPC_INDIRECT_DATA and SPC_PE_IMAGE_DATA */
static const uint8_t oid_spc_indirect[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x04 };
static const uint8_t oid_spc_pe_image[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x0f };

/* Versions of a SignerInfo, which say how its certificate is named. */
#define SIGNER_BY_ISSUER 1
#define SIGNER_BY_KEY_ID 3

/* The parts of a SignedData before they are judged. */
struct signed_data {
	uint32_t version;
	enum heki_hash digest_algorithm; /* of the outer set, which nothing authenticates */
	struct span content_type;
	struct span content; /* of [0]; empty when detached */
	struct span signer;
};

/* SET OF AlgorithmIdentifier with one member. */
static bool take_digest_algorithms(struct span *in, enum heki_hash *hash)
{
	struct span set;

	return der_take(in, DER_SET, &set) && take_hash_algorithm(&set, hash) && !set.n;
}

static bool take_content(struct span *in, struct signed_data *sd)
{
	struct span info;

	return der_take(in, DER_SEQUENCE, &info) && der_take(&info, DER_OID, &sd->content_type) &&
	       der_optional(&info, DER_CONTEXT(0), &sd->content) && !info.n;
}

static bool take_signed_data(struct span in, struct signed_data *sd, struct cms *cms)
{
	struct span outer, oid, explicit, inner, signers;

	if (!der_take(&in, DER_SEQUENCE, &outer) || in.n || !der_take(&outer, DER_OID, &oid) ||
	    !oid_is(oid, oid_signed_data) || !der_take(&outer, DER_CONTEXT(0), &explicit) ||
	    outer.n || !der_take(&explicit, DER_SEQUENCE, &inner) || explicit.n)
		return false;
	return der_small(&inner, &sd->version) &&
	       take_digest_algorithms(&inner, &sd->digest_algorithm) && take_content(&inner, sd) &&
	       der_optional(&inner, DER_CONTEXT(0), &cms->certs) &&
	       der_take(&inner, DER_SET, &signers) && !inner.n &&
	       der_take(&signers, DER_SEQUENCE, &sd->signer) && !signers.n;
}

static bool take_signer_id(struct span *in, uint32_t version, struct signer_id *id)
{
	struct der_item name;
	struct span sequence;

	if (version == SIGNER_BY_KEY_ID)
		return der_take(in, DER_CONTEXT_PRIMITIVE(0), &id->skid) && id->skid.n;
	if (version != SIGNER_BY_ISSUER || !der_take(in, DER_SEQUENCE, &sequence) ||
	    !der_any(&sequence, &name) || name.tag != DER_SEQUENCE)
		return false;
	id->issuer = name.whole;
	return der_integer(&sequence, &id->serial) && !sequence.n;
}

static bool take_attributes(struct span *in, struct span *attributes)
{
	struct der_item item;

	if (!der_is(in, DER_CONTEXT(0)))
		return true;
	if (!der_any(in, &item) || !item.value.n)
		return false;
	*attributes = item.whole;
	return true;
}

/*
 * SignerInfo. Unsigned attributes (a time stamp's) may be there in Authenticode; nothing
 * authenticates them and nothing reads them.
 */
static bool signer_info(struct span in, uint32_t *version, struct cms *cms,
			struct signature_algorithm *algorithm, bool *unsigned_attributes)
{
	struct span skipped;

	if (!der_small(&in, version) || !take_signer_id(&in, *version, &cms->signer) ||
	    !take_hash_algorithm(&in, &cms->hash) || !take_attributes(&in, &cms->attributes) ||
	    !take_signature_algorithm(&in, algorithm) ||
	    !der_take(&in, DER_OCTET_STRING, &cms->signature))
		return false;
	*unsigned_attributes = in.n;
	return der_optional(&in, DER_CONTEXT(1), &skipped) && !in.n && der_list_valid(skipped);
}

static bool module_form(const struct signed_data *sd, const struct cms *cms,
			uint32_t signer_version, bool unsigned_attributes)
{
	return oid_is(sd->content_type, oid_data) && !sd->content.p && !cms->certs.p &&
	       !cms->attributes.n && !unsigned_attributes && sd->version == signer_version;
}

/* [0] holds one SEQUENCE, the contents of which are what messageDigest covers. */
static bool authenticode_form(const struct signed_data *sd, struct cms *cms)
{
	struct span explicit = sd->content;

	return sd->version == SIGNER_BY_ISSUER && oid_is(sd->content_type, oid_spc_indirect) &&
	       der_take(&explicit, DER_SEQUENCE, &cms->content) && !explicit.n &&
	       cms->attributes.n && der_list_valid(cms->certs);
}

/*
 * What the outer, unauthenticated algorithm says must be what the signer's says. RSA is named
 * without a hash (rsaEncryption), as the kernel demands it: nothing authenticates that name, so it
 * may have one form only.
 */
static int check_algorithms(const struct signed_data *sd, struct cms *cms,
			    const struct signature_algorithm *algorithm)
{
	if (sd->digest_algorithm != cms->hash)
		return -HEKI_E_SIGNATURE_FORMAT;
	if (cms->hash == HEKI_SHA1 || cms->hash == HEKI_HASH_COUNT ||
	    algorithm->key == X509_KEY_OTHER ||
	    (algorithm->key == X509_KEY_RSA && algorithm->hash != HEKI_HASH_COUNT))
		return -HEKI_E_SIGNATURE_ALGORITHM;
	if (algorithm->hash != HEKI_HASH_COUNT && algorithm->hash != cms->hash)
		return -HEKI_E_SIGNATURE_FORMAT;
	cms->key = algorithm->key;
	return 0;
}

int cms_parse(struct span der, enum cms_purpose purpose, struct cms *cms)
{
	struct signature_algorithm algorithm;
	struct signed_data sd;
	uint32_t version;
	bool unsigned_attributes;
	bool form;
	int result;

	memset(cms, 0, sizeof(*cms));
	if (!take_signed_data(der, &sd, cms) ||
	    !signer_info(sd.signer, &version, cms, &algorithm, &unsigned_attributes))
		return -HEKI_E_SIGNATURE_FORMAT;
	result = check_algorithms(&sd, cms, &algorithm);
	if (result)
		return result;
	if (purpose == CMS_MODULE)
		form = module_form(&sd, cms, version, unsigned_attributes);
	else
		form = authenticode_form(&sd, cms);
	return form ? 0 : -HEKI_E_SIGNATURE_FORMAT;
}

/* Attribute ::= SEQUENCE { type, SET OF value }; *value gets the set. */
static bool take_attribute(struct span *in, struct span *type, struct span *value)
{
	struct span attribute;

	return der_take(in, DER_SEQUENCE, &attribute) && der_take(&attribute, DER_OID, type) &&
	       der_take(&attribute, DER_SET, value) && !attribute.n && der_list_valid(*value);
}

int cms_message_digest(const struct cms *cms, struct span *digest)
{
	struct span in = cms->attributes;
	struct span list, type, value, oid;
	unsigned int types = 0, digests = 0;

	if (!der_take(&in, DER_CONTEXT(0), &list))
		return -HEKI_E_SIGNATURE_FORMAT;
	while (list.n) {
		if (!take_attribute(&list, &type, &value))
			return -HEKI_E_SIGNATURE_FORMAT;
		if (oid_is(type, oid_content_type)) {
			if (!der_take(&value, DER_OID, &oid) || value.n ||
			    !oid_is(oid, oid_spc_indirect))
				return -HEKI_E_SIGNATURE_FORMAT;
			types++;
		} else if (oid_is(type, oid_message_digest)) {
			if (!der_take(&value, DER_OCTET_STRING, digest) || value.n)
				return -HEKI_E_SIGNATURE_FORMAT;
			digests++;
		}
	}
	return types == 1 && digests == 1 ? 0 : -HEKI_E_SIGNATURE_FORMAT;
}

int cms_image_digest(const struct cms *cms, struct span *digest)
{
	struct span in = cms->content;
	struct span data, type, info;
	enum heki_hash hash;

	if (!der_take(&in, DER_SEQUENCE, &data) || !der_take(&data, DER_OID, &type) ||
	    !oid_is(type, oid_spc_pe_image) || !der_list_valid(data) ||
	    !der_take(&in, DER_SEQUENCE, &info) || in.n)
		return -HEKI_E_SIGNATURE_FORMAT;
	if (!take_hash_algorithm(&info, &hash) || hash != cms->hash ||
	    !der_take(&info, DER_OCTET_STRING, digest) || info.n || digest->n != hash_size(hash))
		return -HEKI_E_SIGNATURE_FORMAT;
	return 0;
}

bool cms_embedded(const struct cms *cms, struct x509 *cert)
{
	struct span in = cms->certs;
	struct der_item item;

	/* Certificates that are of no use here need not be readable. */
	while (in.n && der_any(&in, &item))
		if (x509_parse(item.whole, cert) > 0 && x509_is(cert, &cms->signer))
			return true;
	return false;
}
