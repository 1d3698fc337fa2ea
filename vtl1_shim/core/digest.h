/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Digests of bytes that are there as a whole, by the host's hash operations.
 */
#ifndef HEKI_CORE_DIGEST_H
#define HEKI_CORE_DIGEST_H

#include "host.h"

struct call;

/**
 * struct digest - a digest and what it was computed with
 * @algorithm: how
 * @bytes:     the first hash_size() of them
 */
struct digest {
	enum heki_hash algorithm;
	uint8_t bytes[HEKI_HASH_MAX];
};

/* Digest size of an algorithm, 0 for one that is not known. */
size_t hash_size(enum heki_hash algorithm);

/**
 * hash_spans() - digest over spans as if they were one
 * @c:         the call
 * @algorithm: how
 * @spans:     what is hashed, in this order
 * @count:     number of spans
 * @digest:    hash_size() bytes
 *
 * Return: 0, or -1 when the host has no such algorithm
 */
int hash_spans(struct call *c, enum heki_hash algorithm, const struct span *spans, size_t count,
	       uint8_t *digest);

/**
 * hash_with_sha256() - the digest that was signed, and the SHA-256 of everything, in one pass
 * @c:      the call
 * @spans:  everything, in this order
 * @count:  number of spans
 * @covered: how many of them @out covers, from the first
 * @out:    @algorithm is set; its bytes are filled
 * @sha256: 32 bytes
 *
 * With SHA-256 each byte is hashed once, with another algorithm once by each.
 *
 * Return: 0, or -1 when the host has no such algorithm
 */
int hash_with_sha256(struct call *c, const struct span *spans, size_t count, size_t covered,
		     struct digest *out, uint8_t *sha256);

#endif /* HEKI_CORE_DIGEST_H */
