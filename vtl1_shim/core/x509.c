// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * X.509 certificates, read strictly (RFC 5280) in every host by this one parser.
 *
 * A certificate may be an attacker's until a signature says otherwise: everything is bounded by the
 * DER given.  Validity dates are checked for form only: VTL1 has no clock to trust, as the kernel
 * for its keyrings.  No state, no locks.
 */
#include "algorithms.h"
#include "der.h"

/* Sizes of RSA keys that are accepted, in bits. */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

#define KEY_CERT_SIGN 0x04 /* bit 5 of keyUsage */

static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t oid_p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t oid_p384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t oid_common_name[] = { 0x55, 0x04, 0x03 };
static const uint8_t oid_code_signing[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03 };
static const uint8_t oid_any_usage[] = { 0x55, 0x1d, 0x25, 0x00 };

/* Obsolete; Debian's Secure Boot CA marks it critical. Its bits repeat keyUsage and extKeyUsage. */
static const uint8_t oid_netscape_type[] = { 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01 };

/* Last octet of the id-ce extensions 2.5.29.x that are looked at or known to be harmless. */
#define CE_SKID 14
#define CE_KEY_USAGE 15
#define CE_SUBJECT_ALT_NAME 17
#define CE_BASIC_CONSTRAINTS 19
#define CE_POLICIES 32
#define CE_AKID 35
#define CE_EXT_KEY_USAGE 37

/* Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }; *common_name may be NULL. */
static bool take_name(struct span *in, struct span *name, struct span *common_name)
{
	struct span rdn, pair, oid;
	struct der_item item;
	struct der_item value;

	if (!der_any(in, &item) || item.tag != DER_SEQUENCE)
		return false;
	*name = item.whole;
	while (item.value.n) {
		if (!der_take(&item.value, DER_SET, &rdn) || !rdn.n)
			return false;
		while (rdn.n) {
			if (!der_take(&rdn, DER_SEQUENCE, &pair) || !der_take(&pair, DER_OID, &oid) ||
			    !der_any(&pair, &value) || pair.n)
				return false;
			if (common_name && oid_is(oid, oid_common_name))
				*common_name = value.value;
		}
	}
	return true;
}

static bool take_time(struct span *in)
{
	struct span time;
	uint8_t tag = der_is(in, DER_UTC_TIME) ? DER_UTC_TIME : DER_GENERALIZED_TIME;

	return der_take(in, tag, &time);
}

static bool take_validity(struct span *in)
{
	struct span validity;

	return der_take(in, DER_SEQUENCE, &validity) && take_time(&validity) &&
	       take_time(&validity) && !validity.n;
}

/* RSAPublicKey ::= SEQUENCE { modulus, exponent } */
static bool rsa_key(struct span key, struct x509 *cert)
{
	struct span sequence, modulus, exponent;
	size_t bits;

	if (!der_take(&key, DER_SEQUENCE, &sequence) || key.n ||
	    !der_integer(&sequence, &modulus) || !der_integer(&sequence, &exponent) || sequence.n)
		return false;
	if (modulus.p[0] & 0x80 || exponent.p[0] & 0x80)
		return false;
	/* A leading zero octet is there exactly when the top bit is set. */
	bits = (modulus.p[0] ? modulus.n : modulus.n - 1) * 8;
	if (modulus.p[0])
		bits -= (size_t)__builtin_clz(modulus.p[0]) - 24;
	if (bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX)
		cert->key = X509_KEY_RSA;
	return true;
}

static void ec_key(struct span parameters, struct x509 *cert)
{
	struct span curve;

	if (der_take(&parameters, DER_OID, &curve) && !parameters.n &&
	    (oid_is(curve, oid_p256) || oid_is(curve, oid_p384)))
		cert->key = X509_KEY_EC;
}

static bool take_public_key(struct span *in, struct x509 *cert)
{
	struct span algorithm, oid, key;
	struct der_item item;

	if (!der_any(in, &item) || item.tag != DER_SEQUENCE)
		return false;
	cert->spki = item.whole;
	if (!der_take(&item.value, DER_SEQUENCE, &algorithm) ||
	    !der_take(&algorithm, DER_OID, &oid) || !der_list_valid(algorithm) ||
	    !der_bits(&item.value, &key) || item.value.n)
		return false;
	cert->key = X509_KEY_OTHER;
	if (oid_is(oid, oid_rsa))
		return rsa_key(key, cert);
	if (oid_is(oid, oid_ec))
		ec_key(algorithm, cert);
	return true;
}

static bool basic_constraints(struct span value, struct x509 *cert)
{
	struct span sequence;
	uint32_t path_length;

	if (!der_take(&value, DER_SEQUENCE, &sequence) || value.n ||
	    !der_boolean(&sequence, &cert->ca))
		return false;
	return !sequence.n || (der_small(&sequence, &path_length) && !sequence.n);
}

static bool key_usage(struct span value, struct x509 *cert)
{
	struct span bits;

	/* A named bit list: the first octet counts the unused bits of the last one. */
	if (!der_take(&value, DER_BIT_STRING, &bits) || value.n || bits.n < 2 || bits.p[0] > 7)
		return false;
	cert->key_cert_sign = bits.p[1] & KEY_CERT_SIGN;
	return true;
}

static bool ext_key_usage(struct span value, struct x509 *cert)
{
	struct span sequence, oid;

	if (!der_take(&value, DER_SEQUENCE, &sequence) || value.n || !sequence.n)
		return false;
	cert->code_signing = false;
	while (sequence.n) {
		if (!der_take(&sequence, DER_OID, &oid))
			return false;
		if (oid_is(oid, oid_code_signing) || oid_is(oid, oid_any_usage))
			cert->code_signing = true;
	}
	return true;
}

static bool authority_key(struct span value, struct x509 *cert)
{
	struct span sequence;

	return der_take(&value, DER_SEQUENCE, &sequence) && !value.n &&
	       der_optional(&sequence, DER_CONTEXT_PRIMITIVE(0), &cert->akid) &&
	       der_list_valid(sequence);
}

static bool subject_key(struct span value, struct x509 *cert)
{
	return der_take(&value, DER_OCTET_STRING, &cert->skid) && !value.n;
}

/*
 * One extension by its number below 2.5.29. @known: bit mask of those met; one that comes twice
 * could mean either, so it is refused.
 */
static bool known_extension(uint8_t number, struct span value, uint64_t *known, struct x509 *cert)
{
	if (*known & 1ull << number)
		return false;
	*known |= 1ull << number;
	switch (number) {
	case CE_SKID:
		return subject_key(value, cert);
	case CE_KEY_USAGE:
		return key_usage(value, cert);
	case CE_BASIC_CONSTRAINTS:
		return basic_constraints(value, cert);
	case CE_AKID:
		return authority_key(value, cert);
	case CE_EXT_KEY_USAGE:
		return ext_key_usage(value, cert);
	default: /* of no meaning to who signs what here */
		return true;
	}
}

static bool extension_is_known(struct span oid, uint8_t *number)
{
	if (oid.n != 3 || oid.p[0] != 0x55 || oid.p[1] != 0x1d)
		return false;
	*number = oid.p[2];
	switch (*number) {
	case CE_SKID:
	case CE_KEY_USAGE:
	case CE_SUBJECT_ALT_NAME:
	case CE_BASIC_CONSTRAINTS:
	case CE_POLICIES:
	case CE_AKID:
	case CE_EXT_KEY_USAGE:
		return true;
	default:
		return false;
	}
}

static bool extensions(struct span list, struct x509 *cert)
{
	struct span extension, oid, value;
	uint64_t known = 0;
	uint8_t number;
	bool critical;

	while (list.n) {
		if (!der_take(&list, DER_SEQUENCE, &extension) ||
		    !der_take(&extension, DER_OID, &oid) || !der_boolean(&extension, &critical) ||
		    !der_take(&extension, DER_OCTET_STRING, &value) || extension.n)
			return false;
		if (extension_is_known(oid, &number)) {
			if (!known_extension(number, value, &known, cert))
				return false;
		} else if (critical && !oid_is(oid, oid_netscape_type)) {
			return false; /* a restriction, such as name constraints, that is not understood */
		}
	}
	return true;
}

/* [0] EXPLICIT version: absent is 1, else 2 or 3. */
static bool take_version(struct span *in, uint32_t *version)
{
	struct span value;

	*version = 0;
	if (!der_is(in, DER_CONTEXT(0)))
		return true;
	return der_take(in, DER_CONTEXT(0), &value) && der_small(&value, version) && !value.n &&
	       (*version == 1 || *version == 2);
}

/* The rest behind the public key: [3] EXPLICIT extensions, in version 3 only. */
static bool take_extensions(struct span *in, uint32_t version, struct x509 *cert)
{
	struct span explicit, list;

	if (!in->n)
		return true;
	return version == 2 && der_take(in, DER_CONTEXT(3), &explicit) && !in->n &&
	       der_take(&explicit, DER_SEQUENCE, &list) && !explicit.n && list.n &&
	       extensions(list, cert);
}

/* TBSCertificate; *algorithm gets the octets of its signature field. */
static bool tbs_certificate(struct span in, struct x509 *cert, struct span *algorithm)
{
	struct der_item item;
	uint32_t version;

	if (!take_version(&in, &version) || !der_integer(&in, &cert->serial) ||
	    !der_any(&in, &item) || item.tag != DER_SEQUENCE)
		return false;
	*algorithm = item.whole;
	return take_name(&in, &cert->issuer, NULL) && take_validity(&in) &&
	       take_name(&in, &cert->subject, &cert->common_name) && take_public_key(&in, cert) &&
	       take_extensions(&in, version, cert);
}

static bool certificate(struct span in, struct x509 *cert)
{
	struct signature_algorithm algorithm;
	struct span inner, outer;
	struct der_item item;

	if (!der_any(&in, &item) || item.tag != DER_SEQUENCE)
		return false;
	cert->tbs = item.whole;
	if (!tbs_certificate(item.value, cert, &inner))
		return false;
	outer = in;
	if (!take_signature_algorithm(&in, &algorithm))
		return false;
	outer.n -= in.n;
	cert->hash = algorithm.hash;
	cert->signed_by = algorithm.key;
	/* Only the inner one is signed. */
	return span_equal(inner, outer) && der_bits(&in, &cert->signature) && !in.n;
}

long x509_parse(struct span der, struct x509 *cert)
{
	struct der_item item;

	memset(cert, 0, sizeof(*cert));
	cert->key_cert_sign = true;
	cert->code_signing = true;
	if (!der_is(&der, DER_SEQUENCE))
		return -HEKI_E_CERT;
	if (!der_any(&der, &item) || item.whole.n > CERT_DER_MAX)
		return -HEKI_E_CERT_LENGTH;
	cert->der = item.whole;
	if (!certificate(item.value, cert))
		return -HEKI_E_CERT;
	return (long)item.whole.n;
}

bool x509_is(const struct x509 *cert, const struct signer_id *id)
{
	if (id->skid.n)
		return span_equal(cert->skid, id->skid);
	return span_equal(cert->issuer, id->issuer) && span_equal(cert->serial, id->serial);
}
