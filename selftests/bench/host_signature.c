// SPDX-License-Identifier: GPL-2.0-only
/*
 * The signature path: finding the signature of a module's file, both digests, the public-key
 * operation.  Each module is verified three times one after the other: with the processor's SHA
 * extensions, without, and by OpenSSL, which is the limit of what this machine can do.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "cms.h"
#include "host_bench.h"

static double hash_time, verify_time;

static int timed_begin(void *host, enum heki_hash algorithm, struct heki_hash_state *state)
{
	double start = cpu_time();
	int result = user_hash_begin(host, algorithm, state);

	hash_time += cpu_time() - start;
	return result;
}

static int timed_update(void *host, struct heki_hash_state *state, const void *bytes, size_t n)
{
	double start = cpu_time();
	int result = user_hash_update(host, state, bytes, n);

	hash_time += cpu_time() - start;
	return result;
}

static int timed_end(void *host, struct heki_hash_state *state, uint8_t *digest)
{
	double start = cpu_time();
	int result = user_hash_end(host, state, digest);

	hash_time += cpu_time() - start;
	return result;
}

static int timed_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
			struct span sig)
{
	double start = cpu_time();
	int result = user_verify(host, cert, algorithm, digest, sig);

	verify_time += cpu_time() - start;
	return result;
}

/**
 * struct way - one way to verify, and what it took
 * @name:  part of the figures' names
 * @total: seconds for everything
 * @hash:  of these for hashes
 * @key:   of these for public-key operations
 */
struct way {
	const char *name;
	double total;
	double hash;
	double key;
};

enum { WITH_SHA_NI, WITHOUT_SHA_NI, BY_OPENSSL, WAYS };

/* The core, as VALIDATE_MODULE does it. */
static void verify_by_core(struct guest *g, const struct file *f, struct way *way)
{
	struct call c = { .core = g->core, .id = HEKI_CALL_VALIDATE_MODULE };
	struct span file = { f->p, f->n }, content, cms;
	double start = cpu_time();
	uint8_t sha256[32];
	uint32_t signer;

	hash_time = verify_time = 0;
	CHECK_OK(-signature_split(&c, file, &content, &cms));
	CHECK_OK(-cms_verify_module(&c, file, content.n, cms, &signer, sha256));
	way->total += cpu_time() - start;
	way->hash += hash_time;
	way->key += verify_time;
}

static EVP_PKEY *openssl_key(const struct file *cert)
{
	const unsigned char *p = cert->p;
	X509 *x509 = d2i_X509(NULL, &p, (long)cert->n);
	EVP_PKEY *key = x509 ? X509_get_pubkey(x509) : NULL;

	CHECK(key);
	X509_free(x509);
	return key;
}

/* The two parts that take time; the parsing of the signature is left out. */
static void verify_by_openssl(struct guest *g, const struct file *f, EVP_PKEY *key, struct way *way)
{
	struct call c = { .core = g->core, .id = HEKI_CALL_VALIDATE_MODULE };
	struct span content, der;
	EVP_MD_CTX *md;
	struct cms cms;
	double start;

	CHECK_OK(-signature_split(&c, (struct span){ f->p, f->n }, &content, &der));
	CHECK_OK(-cms_parse(der, CMS_MODULE, &cms));
	CHECK(cms.hash == HEKI_SHA256);
	start = cpu_time();
	md = EVP_MD_CTX_new();
	CHECK(md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1);
	CHECK(EVP_DigestVerify(md, cms.signature.p, cms.signature.n, content.p, content.n) == 1);
	EVP_MD_CTX_free(md);
	way->total += cpu_time() - start;
}

static void verify_file(struct guest *g, const struct file *f, EVP_PKEY *key, struct way *ways)
{
	user_use_sha_ni(true);
	verify_by_core(g, f, &ways[WITH_SHA_NI]);
	user_use_sha_ni(false);
	verify_by_core(g, f, &ways[WITHOUT_SHA_NI]);
	user_use_sha_ni(true);
	verify_by_openssl(g, f, key, &ways[BY_OPENSSL]);
}

static void report_ways(const char *version, const struct way *ways, size_t modules, double bytes)
{
	report((double)modules, "modules", "host.%s.signature.modules", version);
	for (int i = 0; i < WAYS; i++) {
		const struct way *way = &ways[i];

		report(bytes / way->total / 1e6, "MB/s", "host.%s.signature%s", version, way->name);
		report(way->total / (double)modules * 1e6, "us/module", "host.%s.signature%s.time",
		       version, way->name);
		if (!way->hash)
			continue;
		report(bytes / way->hash / 1e6, "MB/s", "host.%s.signature%s.hash", version,
		       way->name);
		report(way->key / (double)modules * 1e6, "us/module", "host.%s.signature%s.key",
		       version, way->name);
	}
	report(ways[WITH_SHA_NI].total / ways[BY_OPENSSL].total, "ratio",
	       "host.%s.signature.to_openssl", version);
}

void bench_signatures(const char *version, bool all)
{
	struct way ways[WAYS] = { { .name = "" }, { .name = ".c" }, { .name = ".openssl" } };
	struct stock_lines paths = modules_of(version);
	size_t step = all || paths.n < SAMPLE ? 1 : paths.n / SAMPLE, modules = 0;
	struct file cert;
	struct guest *g = guest_that_trusts(version, &cert);
	EVP_PKEY *key = openssl_key(&cert);
	double bytes = 0;

	CHECK_OK(-heki_core_trust(g->core, HEKI_CERTS_SYSTEM, (struct span){ cert.p, cert.n }));
	g->ops.hash_begin = timed_begin;
	g->ops.hash_update = timed_update;
	g->ops.hash_end = timed_end;
	g->ops.verify = timed_verify;
	for (size_t i = 0; i < paths.n; i += step) {
		struct file f = stock_module(paths.line[i]);

		verify_file(g, &f, key, ways);
		bytes += (double)f.n;
		modules++;
		drop_file(&f);
	}
	report_ways(version, ways, modules, bytes);
	EVP_PKEY_free(key);
	stock_drop_lines(&paths);
	drop_file(&cert);
	vtl0_end(g);
}
