// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hashes and signatures by the kernel's own crypto API.
 *
 * The shim can be loaded while initcalls run. Nothing is looked up before it is needed, and what is
 * missing is looked up again the next time: algorithms, the asymmetric key type and its parsers
 * register one after the other.
 *
 * Locks: keys_lock guards the cache of parsed certificates; nothing else is taken under it but what
 * the key service takes.
 */
#include "shim.h"

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/key.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <crypto/hash.h>
#include <crypto/public_key.h>
#include <crypto/sha2.h>
#include <keys/asymmetric-type.h>

/* More than a kernel has trust anchors; a certificate that fell out is parsed again. */
#define KEYS 16

struct cached_key {
	struct key *key; /* NULL: free slot */
	u8 digest[SHA256_DIGEST_SIZE]; /* SHA-256 of the DER */
};

static DEFINE_MUTEX(keys_lock);
static struct cached_key keys[KEYS];
static unsigned int keys_next; /* slot that is replaced next */
static struct key *keyring;

static const char *const hash_names[HEKI_HASH_COUNT] = {
	[HEKI_SHA1] = "sha1",
	[HEKI_SHA256] = "sha256",
	[HEKI_SHA384] = "sha384",
	[HEKI_SHA512] = "sha512",
};

/* SHA-256 is needed before the crypto API has it, and without it nothing works. */
static int hash_by_library(const struct span *spans, size_t count, uint8_t *digest)
{
	struct sha256_state state;
	size_t i;

	sha256_init(&state);
	for (i = 0; i < count; i++)
		sha256_update(&state, spans[i].p, spans[i].n);
	sha256_final(&state, digest);
	return 0;
}

static int hash_by_api(struct crypto_shash *tfm, const struct span *spans, size_t count,
		       uint8_t *digest)
{
	SHASH_DESC_ON_STACK(desc, tfm);
	int error;
	size_t i;

	desc->tfm = tfm;
	error = crypto_shash_init(desc);
	for (i = 0; !error && i < count; i++)
		error = crypto_shash_update(desc, spans[i].p, spans[i].n);
	if (!error)
		error = crypto_shash_final(desc, digest);
	shash_desc_zero(desc);
	return error ? -1 : 0;
}

int shim_hash(void *host, enum heki_hash algorithm, const struct span *spans, size_t count,
	      uint8_t *digest)
{
	struct crypto_shash *tfm;
	int error;

	if (algorithm >= HEKI_HASH_COUNT)
		return -1;
	tfm = crypto_alloc_shash(hash_names[algorithm], 0, 0);
	if (IS_ERR(tfm))
		return algorithm == HEKI_SHA256 ? hash_by_library(spans, count, digest) : -1;
	error = hash_by_api(tfm, spans, count, digest);
	crypto_free_shash(tfm);
	return error;
}

static struct key *key_make(struct span cert)
{
	key_ref_t ref = key_create_or_update(make_key_ref(keyring, true), "asymmetric", NULL,
					     cert.p, cert.n, KEY_POS_SEARCH | KEY_POS_VIEW,
					     KEY_ALLOC_NOT_IN_QUOTA);

	return IS_ERR(ref) ? ERR_CAST(ref) : key_ref_to_ptr(ref);
}

static void key_forget(struct cached_key *slot)
{
	if (!slot->key)
		return;
	key_unlink(keyring, slot->key);
	key_put(slot->key);
	slot->key = NULL;
}

/* A reference to the parsed certificate, or an error pointer. */
static struct key *key_get_cached(struct span cert)
{
	u8 digest[SHA256_DIGEST_SIZE];
	struct key *key = NULL;
	unsigned int i;

	sha256(cert.p, cert.n, digest);
	mutex_lock(&keys_lock);
	for (i = 0; i < KEYS && !key; i++)
		if (keys[i].key && !memcmp(keys[i].digest, digest, sizeof(digest)))
			key = keys[i].key;
	if (!key) {
		key = key_make(cert);
		if (IS_ERR(key))
			goto out;
		key_forget(&keys[keys_next]);
		keys[keys_next].key = key;
		memcpy(keys[keys_next].digest, digest, sizeof(digest));
		keys_next = (keys_next + 1) % KEYS;
	}
	key_get(key);
out:
	mutex_unlock(&keys_lock);
	return key;
}

static int verify_by_key(struct key *key, enum heki_hash algorithm, struct span digest,
			 struct span sig)
{
	const struct public_key *pub = key->payload.data[asym_crypto];
	bool rsa = pub && pub->pkey_algo && !strcmp(pub->pkey_algo, "rsa");
	struct public_key_signature s = {
		.s = (u8 *)sig.p,
		.s_size = sig.n,
		.digest = (u8 *)digest.p,
		.digest_size = digest.n,
		.pkey_algo = rsa ? "rsa" : "ecdsa",
		.hash_algo = hash_names[algorithm],
		.encoding = rsa ? "pkcs1" : "x962",
	};

	return verify_signature(key, &s);
}

/* A key of an unknown type, a missing curve, a missing algorithm: nobody forged anything. */
static bool is_missing(int error)
{
	return error == -ENOPKG || error == -ENOENT || error == -ELIBBAD;
}

int shim_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		struct span sig)
{
	struct key *key;
	int error;

	if (algorithm >= HEKI_HASH_COUNT)
		return -HEKI_E_SIGNATURE_ALGORITHM;
	key = key_get_cached(cert);
	if (IS_ERR(key))
		return is_missing(PTR_ERR(key)) ? -HEKI_E_SIGNATURE_ALGORITHM : -HEKI_E_CERT;
	error = verify_by_key(key, algorithm, digest, sig);
	key_put(key);
	if (!error)
		return 0;
	return is_missing(error) ? -HEKI_E_SIGNATURE_ALGORITHM : -HEKI_E_SIGNATURE;
}

/*
 * -ENODEV: the asymmetric key type or its parser has not registered yet. The certificate cannot be
 * judged now; shim_verify() will, when it is first used.
 */
int shim_cert_check(void *host, struct span cert)
{
	struct key *key = key_get_cached(cert);

	if (!IS_ERR(key)) {
		key_put(key);
		return 0;
	}
	if (PTR_ERR(key) == -ENODEV)
		return 0;
	return is_missing(PTR_ERR(key)) ? -HEKI_E_SIGNATURE_ALGORITHM : -HEKI_E_CERT;
}

int shim_crypto_init(void)
{
	keyring = keyring_alloc(".heki_vtl1", GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, current_cred(),
				KEY_POS_SEARCH | KEY_POS_WRITE | KEY_POS_LINK,
				KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	return PTR_ERR_OR_ZERO(keyring);
}

void shim_crypto_exit(void)
{
	unsigned int i;

	for (i = 0; i < KEYS; i++)
		key_forget(&keys[i]);
	key_put(keyring);
}
