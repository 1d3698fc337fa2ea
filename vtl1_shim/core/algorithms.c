// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Algorithms by object identifier.  Input is an attacker's.  No state, no locks.
 */
#include "algorithms.h"
#include "der.h"

#define OID_MAX 9

struct known_hash {
	uint8_t oid[OID_MAX];
	uint8_t n;
	uint8_t hash;
	uint8_t size;
};

/* 1.3.14.3.2.26 and 2.16.840.1.101.3.4.2.x, in the order of enum heki_hash */
static const struct known_hash hashes[HEKI_HASH_COUNT] = {
	{ { 0x2b, 0x0e, 0x03, 0x02, 0x1a }, 5, HEKI_SHA1, 20 },
	{ { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 }, 9, HEKI_SHA256, 32 },
	{ { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02 }, 9, HEKI_SHA384, 48 },
	{ { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03 }, 9, HEKI_SHA512, 64 },
};

struct known_signature {
	uint8_t oid[OID_MAX];
	uint8_t n;
	uint8_t key;
	uint8_t hash;
};

/* PKCS #1 (1.2.840.113549.1.1.x) and ANSI X9.62 (1.2.840.10045.4.x) */
static const struct known_signature signatures[] = {
	{ { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 }, 9, X509_KEY_RSA, HEKI_HASH_COUNT },
	{ { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05 }, 9, X509_KEY_RSA, HEKI_SHA1 },
	{ { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b }, 9, X509_KEY_RSA, HEKI_SHA256 },
	{ { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c }, 9, X509_KEY_RSA, HEKI_SHA384 },
	{ { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d }, 9, X509_KEY_RSA, HEKI_SHA512 },
	{ { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01 }, 7, X509_KEY_EC, HEKI_SHA1 },
	{ { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 }, 8, X509_KEY_EC, HEKI_SHA256 },
	{ { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 }, 8, X509_KEY_EC, HEKI_SHA384 },
	{ { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 }, 8, X509_KEY_EC, HEKI_SHA512 },
};

size_t hash_size(enum heki_hash algorithm)
{
	return (unsigned int)algorithm < HEKI_HASH_COUNT ? hashes[algorithm].size : 0;
}

/* SEQUENCE { OBJECT IDENTIFIER, parameters } */
static bool take_identifier(struct span *in, struct span *oid, struct span *parameters)
{
	if (!der_take(in, DER_SEQUENCE, parameters))
		return false;
	return der_take(parameters, DER_OID, oid) && der_list_valid(*parameters);
}

static bool absent_or_null(struct span parameters)
{
	static const uint8_t null[] = { DER_NULL, 0 };

	return !parameters.n || span_equal(parameters, (struct span){ null, sizeof(null) });
}

bool take_hash_algorithm(struct span *in, enum heki_hash *hash)
{
	struct span oid, parameters;
	unsigned int i;

	*hash = HEKI_HASH_COUNT;
	if (!take_identifier(in, &oid, &parameters))
		return false;
	for (i = 0; i < HEKI_ARRAY_SIZE(hashes); i++) {
		if (!span_equal(oid, (struct span){ hashes[i].oid, hashes[i].n }))
			continue;
		*hash = (enum heki_hash)hashes[i].hash;
		return absent_or_null(parameters);
	}
	return true;
}

bool take_signature_algorithm(struct span *in, struct signature_algorithm *out)
{
	struct span oid, parameters;
	unsigned int i;

	*out = (struct signature_algorithm){ X509_KEY_OTHER, HEKI_HASH_COUNT };
	if (!take_identifier(in, &oid, &parameters))
		return false;
	for (i = 0; i < HEKI_ARRAY_SIZE(signatures); i++) {
		const struct known_signature *s = &signatures[i];

		if (!span_equal(oid, (struct span){ s->oid, s->n }))
			continue;
		*out = (struct signature_algorithm){ (enum x509_key)s->key, (enum heki_hash)s->hash };
		return s->key == X509_KEY_EC ? !parameters.n : absent_or_null(parameters);
	}
	return true;
}
