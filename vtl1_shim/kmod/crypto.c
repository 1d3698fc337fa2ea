// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hashes and signatures by the kernel's own crypto API.
 *
 * The shim can be loaded while initcalls run. Nothing is looked up before it is needed, and what is
 * missing is looked up again the next time: algorithms, the asymmetric key type and its parsers
 * register one after the other.
 *
 * Locks: keys_lock guards the cache of parsed certificates, transforms_lock the list of hash
 * drivers. Looking for an algorithm, or parsing a certificate that was signed with one, can load a
 * module, which comes back here to be validated: both are done without these locks.
 */
#include "shim.h"

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/key.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <crypto/hash.h>
#include <crypto/public_key.h>
#include <crypto/sha2.h>
#include <keys/asymmetric-type.h>

/* More than a kernel has trust anchors; a certificate that fell out is parsed again. */
#define KEYS 16
/* Of one hash algorithm on one machine: in C, and for each of some instruction sets. */
#define DRIVERS 6

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

/*
 * Transforms, shared by all hashes of an algorithm. A faster driver may come later than the first
 * use, as a module, so it is looked for each time, which costs about as much as to hash 20 bytes in
 * C; the ones before stay, for hashes that have begun with them.
 */
struct transforms {
	struct crypto_shash *tfm[DRIVERS];
	unsigned int n;
};

static DEFINE_MUTEX(transforms_lock); /* n never falls */
static struct transforms transforms[HEKI_HASH_COUNT];

/* A state of the core's: of a transform, or without one of the library's SHA-256. */
struct shim_hash {
	struct crypto_shash *tfm;
	union {
		struct sha256_state library;
		u8 desc[sizeof(struct shash_desc) + HASH_MAX_DESCSIZE];
	} __aligned(__alignof__(struct shash_desc));
};

static_assert(sizeof(struct shim_hash) <= sizeof(struct heki_hash_state));
static_assert(__alignof__(struct shim_hash) <= __alignof__(struct heki_hash_state));

static struct shash_desc *desc_of(struct shim_hash *h)
{
	return (struct shash_desc *)h->desc;
}

static bool same_driver(struct crypto_shash *a, struct crypto_shash *b)
{
	return !strcmp(crypto_shash_driver_name(a), crypto_shash_driver_name(b));
}

/* The driver of a new transform among those that are held; NULL: none. Under transforms_lock. */
static struct crypto_shash *find_driver(const struct transforms *t, struct crypto_shash *tfm)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (same_driver(tfm, t->tfm[i]))
			return t->tfm[i];
	return NULL;
}

/* Keeps a new transform, or frees it and takes one that is held. Under transforms_lock. */
static struct crypto_shash *keep_driver(struct transforms *t, struct crypto_shash *tfm)
{
	struct crypto_shash *held = find_driver(t, tfm);

	if (!held && t->n == DRIVERS)
		held = t->tfm[DRIVERS - 1];
	if (held) {
		crypto_free_shash(tfm);
		return held;
	}
	t->tfm[t->n] = tfm;
	t->n++;
	return tfm;
}

static struct crypto_shash *get_transform(enum heki_hash algorithm)
{
	struct crypto_shash *tfm = crypto_alloc_shash(hash_names[algorithm], 0, 0);
	struct transforms *t = &transforms[algorithm];

	mutex_lock(&transforms_lock);
	if (!IS_ERR(tfm))
		tfm = keep_driver(t, tfm);
	else
		tfm = t->n ? t->tfm[t->n - 1] : NULL;
	mutex_unlock(&transforms_lock);
	return tfm;
}

int shim_hash_begin(void *host, enum heki_hash algorithm, struct heki_hash_state *state)
{
	struct shim_hash *h = (struct shim_hash *)state;

	if (algorithm >= HEKI_HASH_COUNT)
		return -1;
	h->tfm = get_transform(algorithm);
	if (h->tfm) {
		desc_of(h)->tfm = h->tfm;
		return crypto_shash_init(desc_of(h)) ? -1 : 0;
	}
	/* SHA-256 is needed before the crypto API has it, and without it nothing works. */
	if (algorithm != HEKI_SHA256)
		return -1;
	sha256_init(&h->library);
	return 0;
}

int shim_hash_update(void *host, struct heki_hash_state *state, const void *bytes, size_t n)
{
	struct shim_hash *h = (struct shim_hash *)state;

	if (n > UINT_MAX)
		return -1;
	/* A kernel of many MiB comes part by part; who hashes may sleep, as for shim_hash_begin(). */
	cond_resched();
	if (h->tfm)
		return crypto_shash_update(desc_of(h), bytes, n) ? -1 : 0;
	sha256_update(&h->library, bytes, n);
	return 0;
}

int shim_hash_end(void *host, struct heki_hash_state *state, uint8_t *digest)
{
	struct shim_hash *h = (struct shim_hash *)state;

	if (h->tfm)
		return crypto_shash_final(desc_of(h), digest) ? -1 : 0;
	sha256_final(&h->library, digest);
	return 0;
}

/* Only a driver knows what its state is made of. */
static int copy_desc(struct shim_hash *to, struct shim_hash *from)
{
	u8 exported[HASH_MAX_DESCSIZE] __aligned(8);

	desc_of(to)->tfm = from->tfm;
	if (crypto_shash_statesize(from->tfm) > sizeof(exported) ||
	    crypto_shash_export(desc_of(from), exported) ||
	    crypto_shash_import(desc_of(to), exported))
		return -1;
	return 0;
}

int shim_hash_copy(void *host, struct heki_hash_state *to, const struct heki_hash_state *from)
{
	struct shim_hash *source = (struct shim_hash *)from;
	struct shim_hash *h = (struct shim_hash *)to;

	h->tfm = source->tfm;
	if (h->tfm)
		return copy_desc(h, source);
	h->library = source->library;
	return 0;
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

/* Under keys_lock. */
static struct key *key_find(const u8 *digest)
{
	unsigned int i;

	for (i = 0; i < KEYS; i++)
		if (keys[i].key && !memcmp(keys[i].digest, digest, SHA256_DIGEST_SIZE))
			return key_get(keys[i].key);
	return NULL;
}

/* Takes the caller's reference over. Under keys_lock. */
static void key_keep(struct key *key, const u8 *digest)
{
	struct cached_key *slot = &keys[keys_next];

	key_forget(slot);
	slot->key = key;
	memcpy(slot->digest, digest, SHA256_DIGEST_SIZE);
	keys_next = (keys_next + 1) % KEYS;
}

/* A reference to the parsed certificate, or an error pointer. */
static struct key *key_get_cached(struct span cert)
{
	u8 digest[SHA256_DIGEST_SIZE];
	struct key *key, *made;

	sha256(cert.p, cert.n, digest);
	mutex_lock(&keys_lock);
	key = key_find(digest);
	mutex_unlock(&keys_lock);
	if (key)
		return key;
	made = key_make(cert);
	if (IS_ERR(made))
		return made;
	mutex_lock(&keys_lock);
	/* Another may have parsed it meanwhile. */
	key = key_find(digest);
	if (key) {
		key_put(made);
	} else {
		key = made;
		key_keep(key_get(key), digest);
	}
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
	unsigned int i, k;

	for (i = 0; i < HEKI_HASH_COUNT; i++)
		for (k = 0; k < transforms[i].n; k++)
			crypto_free_shash(transforms[i].tfm[k]);
	for (i = 0; i < KEYS; i++)
		key_forget(&keys[i]);
	key_put(keyring);
}
