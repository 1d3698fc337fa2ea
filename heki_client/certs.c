// SPDX-License-Identifier: GPL-2.0-only
/*
 * System certificates: trust anchors for modules. Those for kexec are a set of their own.
 *
 * Loaded early, the client takes what the kernel was built with, before that memory is freed, and
 * what the initramfs adds. Loaded late, it takes certificates from userspace, but only those whose
 * very key the kernel trusts: whoever can write a file must not choose the anchors.
 *
 * Locks: called by the lock sequence alone, under its mutex.
 */
#include "internal.h"

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/key.h>
#include <linux/kernel_read_file.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <crypto/public_key.h>
#include <keys/asymmetric-type.h>

#define CERTS_MAX (64 << 10)

/* What will be sent: DER certificates one behind the other. */
static u8 *certs;
static size_t certs_size;

static int certs_append(const void *der, size_t n)
{
	if (n > CERTS_MAX - certs_size)
		return -E2BIG;
	if (!certs)
		certs = vzalloc(CERTS_MAX);
	if (!certs)
		return -ENOMEM;
	memcpy(certs + certs_size, der, n);
	certs_size += n;
	return 0;
}

int client_certs_builtin(void)
{
	unsigned long list, size_at;
	const struct client_want want[] = {
		{ "system_certificate_list", &list },
		{ "system_certificate_list_size", &size_at },
	};
	unsigned long size;
	void *copy;
	int error;

	error = client_symbols(want, ARRAY_SIZE(want));
	if (error)
		return error;
	if (copy_from_kernel_nofault(&size, (void *)size_at, sizeof(size)))
		return -EFAULT;
	if (!size || size > CERTS_MAX)
		return -ENODATA;
	copy = kmalloc(size, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	error = copy_from_kernel_nofault(copy, (void *)list, size);
	if (!error)
		error = certs_append(copy, size);
	kfree(copy);
	return error;
}

static bool same_key(const struct key *a, const struct key *b)
{
	const struct public_key *x = a->payload.data[asym_crypto];
	const struct public_key *y = b->payload.data[asym_crypto];

	return x && y && x->keylen == y->keylen && !strcmp(x->pkey_algo, y->pkey_algo) &&
	       !memcmp(x->key, y->key, x->keylen);
}

static bool keyring_holds(const char *symbol, const struct key *key)
{
	const struct asymmetric_key_ids *ids = asymmetric_key_ids(key);
	unsigned long at = client_symbol(symbol);
	struct key *ring = NULL, *found;
	bool same;

	if (!at || !ids || copy_from_kernel_nofault(&ring, (void *)at, sizeof(ring)) || !ring)
		return false;
	found = find_asymmetric_key(ring, ids->id[0], ids->id[1], NULL, false);
	if (IS_ERR(found))
		return false;
	same = same_key(found, key);
	key_put(found);
	return same;
}

/* The keyrings that the kernel itself asks: for modules, and more of them for kexec. */
static bool kernel_trusts(const struct key *key, u64 type)
{
	return keyring_holds("builtin_trusted_keys", key) ||
	       keyring_holds("machine_trusted_keys", key) ||
	       (type == HEKI_KDATA_KEXEC_CERTS && keyring_holds("platform_trusted_keys", key));
}

/* Size of the DER object at the start; 0 when it does not fit. */
static size_t der_size(const u8 *p, size_t n)
{
	size_t header = 2, length = 0, i;

	if (n < 2 || p[0] != 0x30)
		return 0;
	if (p[1] < 0x80) {
		length = p[1];
	} else {
		header += p[1] & 0x7f;
		if (header == 2 || header > 5 || header > n)
			return 0;
		for (i = 2; i < header; i++)
			length = length << 8 | p[i];
	}
	return length <= n - header ? header + length : 0;
}

/* A keyring of our own parses a certificate; asking it for trust is the next step. */
static int cert_check(struct key *keyring, const u8 *der, size_t n, u64 type)
{
	key_ref_t ref = key_create_or_update(make_key_ref(keyring, true), "asymmetric", NULL, der,
					     n, KEY_POS_SEARCH | KEY_POS_VIEW,
					     KEY_ALLOC_NOT_IN_QUOTA);
	int error;

	if (IS_ERR(ref))
		return PTR_ERR(ref);
	error = kernel_trusts(key_ref_to_ptr(ref), type) ? 0 : -EKEYREJECTED;
	key_ref_put(ref);
	return error;
}

static int certs_check(const u8 *der, size_t n, u64 type)
{
	struct key *keyring;
	size_t size;
	int error = 0;

	keyring = keyring_alloc(".heki_client", GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, current_cred(),
				KEY_POS_SEARCH | KEY_POS_WRITE | KEY_POS_LINK,
				KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	if (IS_ERR(keyring))
		return PTR_ERR(keyring);
	for (; !error && n; der += size, n -= size) {
		size = der_size(der, n);
		error = size ? cert_check(keyring, der, size, type) : -EBADMSG;
	}
	key_put(keyring);
	return error;
}

int client_certs_add(const void *der, size_t n)
{
	int error = 0;

	if (!n || n > CERTS_MAX)
		return -E2BIG;
	if (!client.early)
		error = certs_check(der, n, HEKI_KDATA_SYSTEM_CERTS);
	if (error == -EKEYREJECTED)
		pr_err("a certificate is none that this kernel trusts\n");
	return error ? error : certs_append(der, n);
}

/* A file of certificates, to be freed with vfree(). */
static int file_read(const char *path, void **data, size_t *size)
{
	ssize_t n;

	*data = NULL;
	n = kernel_read_file_from_path(path, 0, data, CERTS_MAX, NULL, READING_X509_CERTIFICATE);
	if (n < 0) {
		pr_err("%s: error %zd\n", path, n);
		return n;
	}
	*size = n;
	return 0;
}

int client_certs_file(const char *path)
{
	void *data;
	size_t size;
	int error = file_read(path, &data, &size);

	if (!error)
		error = client_certs_add(data, size);
	vfree(data);
	return error;
}

static int certs_load(const void *der, size_t size, u64 type)
{
	struct client_ranges ranges;
	int error;

	client_ranges_init(&ranges);
	error = client_ranges_add(&ranges, der, size, type);
	if (!error)
		error = client_ranges_call(&ranges, HEKI_CALL_LOAD_KDATA, 0);
	client_ranges_free(&ranges);
	return error < 0 ? error : 0;
}

int client_certs_send(void)
{
	return certs_size ? certs_load(certs, certs_size, HEKI_KDATA_SYSTEM_CERTS) : -ENODATA;
}

int client_certs_kexec(const char *path)
{
	void *data;
	size_t size;
	int error = file_read(path, &data, &size);

	if (!error && !client.early)
		error = certs_check(data, size, HEKI_KDATA_KEXEC_CERTS);
	if (!error)
		error = certs_load(data, size, HEKI_KDATA_KEXEC_CERTS);
	vfree(data);
	return error;
}

void client_certs_free(void)
{
	vfree(certs);
	certs = NULL;
	certs_size = 0;
}
