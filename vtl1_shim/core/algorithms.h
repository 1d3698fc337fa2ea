/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * AlgorithmIdentifiers of hashes and signatures, and object identifiers by their octets.
 */
#ifndef HEKI_CORE_ALGORITHMS_H
#define HEKI_CORE_ALGORITHMS_H

#include "certs.h"

/* Compare the contents of an OBJECT IDENTIFIER with a byte array. */
#define oid_is(oid, octets) span_equal(oid, (struct span){ octets, sizeof(octets) })

/**
 * struct signature_algorithm - what a signature's AlgorithmIdentifier says
 * @key:  kind of key; X509_KEY_OTHER for algorithms that are not accepted
 * @hash: the hash that it names; HEKI_HASH_COUNT when it names none (rsaEncryption)
 */
struct signature_algorithm {
	enum x509_key key;
	enum heki_hash hash;
};

/**
 * take_hash_algorithm() - read the AlgorithmIdentifier of a hash
 * @in:   cursor
 * @hash: HEKI_HASH_COUNT for one that is not known
 *
 * Return: false when it is malformed or has parameters other than none or NULL
 */
bool take_hash_algorithm(struct span *in, enum heki_hash *hash);

/**
 * take_signature_algorithm() - read the AlgorithmIdentifier of a signature
 * @in:  cursor
 * @out: filled
 *
 * Return: false when it is malformed, or known and with parameters that it may not have
 */
bool take_signature_algorithm(struct span *in, struct signature_algorithm *out);

#endif /* HEKI_CORE_ALGORITHMS_H */
