// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of the userspace host: hashes with and without the processor's SHA extensions,
 * and the exponentiation of RSA, against known answers and against Mbed TLS's own.
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "call.h"
#include "crypto.h"
#include "exp_mod.h"
#include "sha256_ni.h"
#include "vtl0.h"

#include <bignum_internal.h>

#define BUFFER 20000

/* The same numbers in each run. */
static uint32_t random_u32(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) * 2 + (uint32_t)(state >> 63);
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(random_u32() >> 8);
}

/* --- hashes --- */

struct known {
	enum heki_hash algorithm;
	const char *text;
	unsigned int times;
	const char *hex; /* the first 32 bytes, if there are more */
};

/* FIPS 180 examples, and a million "a" */
static const struct known known_answers[] = {
	{ HEKI_SHA1, "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ HEKI_SHA256, "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ HEKI_SHA256, "abc", 1,
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ HEKI_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ HEKI_SHA256, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 20000,
	  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	{ HEKI_SHA384, "abc", 1, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed" },
	{ HEKI_SHA512, "abc", 1, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" },
};

static void check_known(const struct known *known)
{
	struct heki_hash_state state;
	uint8_t digest[HEKI_HASH_MAX];
	char hex[2 * HEKI_HASH_MAX + 1] = "";

	CHECK_OK(user_hash_begin(NULL, known->algorithm, &state));
	for (unsigned int i = 0; i < known->times; i++)
		CHECK_OK(user_hash_update(NULL, &state, known->text, strlen(known->text)));
	CHECK_OK(user_hash_end(NULL, &state, digest));
	for (size_t i = 0; i < hash_size(known->algorithm); i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
	CHECK(!strncmp(hex, known->hex, 64));
}

static void hash_known_answers(void)
{
	struct heki_hash_state state;

	for (int sha_ni = 0; sha_ni < 2; sha_ni++) {
		user_use_sha_ni(sha_ni);
		for (size_t i = 0; i < HEKI_ARRAY_SIZE(known_answers); i++)
			check_known(&known_answers[i]);
	}
	CHECK_EQUAL(user_hash_begin(NULL, HEKI_HASH_COUNT, &state), -1);
}

/* A digest of @n bytes, given in random pieces, each with or without SHA extensions. */
static void hash_in_pieces(const uint8_t *p, size_t n, uint8_t digest[32])
{
	struct heki_hash_state state;
	size_t piece;

	CHECK_OK(user_hash_begin(NULL, HEKI_SHA256, &state));
	for (; n; p += piece, n -= piece) {
		piece = random_u32() % (n < 400 ? n : n / 4) + 1;
		user_use_sha_ni(random_u32() & 1);
		CHECK_OK(user_hash_update(NULL, &state, p, piece));
	}
	CHECK_OK(user_hash_end(NULL, &state, digest));
}

static void hash_in_c(const uint8_t *p, size_t n, uint8_t digest[32])
{
	struct heki_hash_state state;

	user_use_sha_ni(false);
	CHECK_OK(user_hash_begin(NULL, HEKI_SHA256, &state));
	CHECK_OK(user_hash_update(NULL, &state, p, n));
	CHECK_OK(user_hash_end(NULL, &state, digest));
}

static void sha_ni_equals_c(void)
{
	uint8_t *p = malloc(BUFFER), mixed[32], plain[32];

	if (!sha256_ni_present())
		test_skip("this processor has no SHA extensions");
	CHECK(p);
	fill(p, BUFFER);
	for (int i = 0; i < 400; i++) {
		size_t start = random_u32() % 64, n = random_u32() % (BUFFER - 64);

		hash_in_pieces(p + start, n, mixed);
		hash_in_c(p + start, n, plain);
		CHECK(!memcmp(mixed, plain, 32));
	}
	free(p);
}

static void hash_copied(void)
{
	static const uint8_t bytes[] = "first and then either this or that";
	const struct span whole[] = { { bytes, 10 }, { bytes + 10, sizeof(bytes) - 10 } };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	for (int i = HEKI_SHA1; i < HEKI_HASH_COUNT; i++) {
		struct heki_hash_state state, copy;
		uint8_t digest[HEKI_HASH_MAX], expected[HEKI_HASH_MAX];

		CHECK_OK(user_hash_begin(NULL, (enum heki_hash)i, &state));
		CHECK_OK(user_hash_update(NULL, &state, bytes, 10));
		CHECK_OK(user_hash_copy(NULL, &copy, &state));
		CHECK_OK(hash_spans(&(struct call){ .core = g->core }, (enum heki_hash)i, whole, 1, expected));
		CHECK_OK(user_hash_end(NULL, &state, digest));
		CHECK(!memcmp(digest, expected, hash_size((enum heki_hash)i)));
		CHECK_OK(user_hash_update(NULL, &copy, bytes + 10, sizeof(bytes) - 10));
		CHECK_OK(user_hash_end(NULL, &copy, digest));
		CHECK_OK(hash_spans(&(struct call){ .core = g->core }, (enum heki_hash)i, whole, 2, expected));
		CHECK(!memcmp(digest, expected, hash_size((enum heki_hash)i)));
	}
	vtl0_end(g);
}

/* Both digests of one pass are those of two. */
static void two_digests(void)
{
	static const uint8_t bytes[] = "signed, and the signature";
	const struct span parts[] = { { bytes, 6 }, { bytes + 6, sizeof(bytes) - 6 } };
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	for (int i = HEKI_SHA256; i < HEKI_HASH_COUNT; i++) {
		struct digest digest = { .algorithm = (enum heki_hash)i };
		uint8_t sha256[32], expected[HEKI_HASH_MAX];

		for (size_t covered = 0; covered <= 2; covered++) {
			CHECK_OK(hash_with_sha256(&(struct call){ .core = g->core }, parts, 2, covered, &digest, sha256));
			CHECK_OK(hash_spans(&(struct call){ .core = g->core }, HEKI_SHA256, parts, 2, expected));
			CHECK(!memcmp(sha256, expected, 32));
			CHECK_OK(hash_spans(&(struct call){ .core = g->core }, (enum heki_hash)i, parts, covered, expected));
			CHECK(!memcmp(digest.bytes, expected, hash_size((enum heki_hash)i)));
		}
	}
	vtl0_end(g);
}

/* --- exponentiation --- */

struct numbers {
	mbedtls_mpi base;
	mbedtls_mpi exponent;
	mbedtls_mpi modulus;
};

static void set(mbedtls_mpi *mpi, size_t bytes)
{
	uint8_t p[600];

	CHECK(bytes <= sizeof(p));
	fill(p, bytes);
	mbedtls_mpi_init(mpi);
	CHECK_OK(mbedtls_mpi_read_binary(mpi, p, bytes));
}

static void numbers(struct numbers *n, size_t bytes, uint64_t exponent)
{
	uint8_t e[8];

	for (int i = 0; i < 8; i++)
		e[i] = (uint8_t)(exponent >> (56 - 8 * i));
	set(&n->modulus, bytes);
	CHECK_OK(mbedtls_mpi_set_bit(&n->modulus, 0, 1));
	CHECK_OK(mbedtls_mpi_set_bit(&n->modulus, 8 * bytes - 1, 1));
	mbedtls_mpi_init(&n->exponent);
	CHECK_OK(mbedtls_mpi_read_binary(&n->exponent, e, sizeof(e)));
	set(&n->base, bytes);
	CHECK_OK(mbedtls_mpi_mod_mpi(&n->base, &n->base, &n->modulus));
}

/* Twice, the second time with what was kept of the modulus; and in place, as rsa.c does it. */
static void check_power(struct numbers *n)
{
	mbedtls_mpi expected, got;
	int error, i;

	mbedtls_mpi_init(&expected);
	mbedtls_mpi_init(&got);
	error = mbedtls_mpi_exp_mod_unsafe(&expected, &n->base, &n->exponent, &n->modulus, NULL);
	for (i = 0; i < 2; i++) {
		CHECK_EQUAL(user_exp_mod(&got, &n->base, &n->exponent, &n->modulus, NULL), error);
		CHECK(error || !mbedtls_mpi_cmp_mpi(&got, &expected));
	}
	CHECK_EQUAL(user_exp_mod(&n->base, &n->base, &n->exponent, &n->modulus, NULL), error);
	CHECK(error || !mbedtls_mpi_cmp_mpi(&n->base, &expected));
	mbedtls_mpi_free(&expected);
	mbedtls_mpi_free(&got);
}

static void drop(struct numbers *n)
{
	mbedtls_mpi_free(&n->base);
	mbedtls_mpi_free(&n->exponent);
	mbedtls_mpi_free(&n->modulus);
}

static void powers(void)
{
	static const size_t sizes[] = { 8, 9, 128, 255, 256, 257, 320, 384, 511, 512, 513, 600 };
	static const uint64_t exponents[] = { 0, 1, 2, 3, 4, 5, 17, 65537, 65538, 0x80000001,
					      0xffffffff, 0x100000001 };

	/* More moduli than are kept. */
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(sizes); i++) {
		for (size_t k = 0; k < HEKI_ARRAY_SIZE(exponents); k++) {
			struct numbers n;

			numbers(&n, sizes[i], exponents[k]);
			check_power(&n);
			drop(&n);
		}
	}
}

/* What is not RSA's: an even modulus, bases that are 0, 1, the modulus or beyond it. */
static void odd_powers(void)
{
	for (int i = 0; i < 5; i++) {
		struct numbers n;

		numbers(&n, 256, 65537);
		if (i < 2)
			CHECK_OK(mbedtls_mpi_lset(&n.base, i));
		else if (i == 2)
			CHECK_OK(mbedtls_mpi_copy(&n.base, &n.modulus));
		else if (i == 3)
			CHECK_OK(mbedtls_mpi_shift_l(&n.base, 64));
		else
			CHECK_OK(mbedtls_mpi_set_bit(&n.modulus, 0, 0));
		check_power(&n);
		drop(&n);
	}
}

const struct test crypto_tests[] = {
	{ "hash_known_answers", hash_known_answers },
	{ "sha_ni_equals_c", sha_ni_equals_c },
	{ "hash_copied", hash_copied },
	{ "two_digests", two_digests },
	{ "powers", powers },
	{ "odd_powers", odd_powers },
	{ NULL, NULL },
};
