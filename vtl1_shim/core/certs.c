// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The table of certificates: four sets, entered once, never moved.
 *
 * Trust boundary: certificates are copied and parsed before they are entered; a revocation is an
 * entry of its own, so that it also meets certificates that come later.
 *
 * Locks: HEKI_LOCK_TABLES around each look into the table; never while hashing or verifying.
 */
#include "call.h"
#include "der.h"

static bool same_certificate(const struct x509 *a, const struct x509 *b)
{
	return span_equal(a->tbs, b->tbs) ||
	       (span_equal(a->issuer, b->issuer) && span_equal(a->serial, b->serial));
}

/* Under HEKI_LOCK_TABLES. */
static bool table_revokes(const struct heki_core *core, const struct x509 *cert)
{
	uint32_t i;

	for (i = 0; i < core->certs_count; i++)
		if (core->certs[i].set == HEKI_CERTS_REVOKED &&
		    same_certificate(&core->certs[i].x509, cert))
			return true;
	return false;
}

bool certs_revoked(struct call *c, const struct x509 *cert)
{
	struct heki_core *core = c->core;
	bool revoked;

	core_lock(core);
	revoked = table_revokes(core, cert);
	core_unlock(core);
	return revoked || hashes_cover(c, true, cert->tbs, NULL);
}

/* Under HEKI_LOCK_TABLES. */
static bool in_set(const struct heki_core *core, enum heki_cert_set set, const uint8_t *sha256)
{
	uint32_t i;

	for (i = 0; i < core->certs_count; i++)
		if (core->certs[i].set == set && !memcmp(core->certs[i].sha256, sha256, 32))
			return true;
	return false;
}

/* Under HEKI_LOCK_TABLES. */
static int append(struct heki_core *core, enum heki_cert_set set, struct span der,
		  const uint8_t *sha256)
{
	struct cert *cert = &core->certs[core->certs_count];
	uint8_t *copy = core->cert_bytes + core->cert_bytes_used;

	if (core->certs_count == core->limits.certs ||
	    der.n > core->limits.cert_bytes - core->cert_bytes_used)
		return -HEKI_E_NO_MEMORY;
	memcpy(copy, der.p, der.n);
	if (x509_parse((struct span){ copy, der.n }, &cert->x509) < 0)
		return -HEKI_E_CERT;
	cert->set = set;
	cert->offset = core->cert_bytes_used;
	cert->size = (uint32_t)der.n;
	memcpy(cert->sha256, sha256, sizeof(cert->sha256));
	core->cert_bytes_used += cert->size;
	core->certs_count++;
	return 0;
}

/* Take what is the same certificate out of the trusted sets. Under HEKI_LOCK_TABLES. */
static void revoke_entries(struct heki_core *core, const struct x509 *cert)
{
	uint32_t i;

	for (i = 0; i < core->certs_count; i++)
		if (same_certificate(&core->certs[i].x509, cert))
			core->certs[i].set = HEKI_CERTS_REVOKED;
}

/* Under HEKI_LOCK_TABLES. */
static int enter(struct heki_core *core, enum heki_cert_set set, const struct x509 *cert,
		 const uint8_t *sha256)
{
	if (set == HEKI_CERTS_REVOKED)
		revoke_entries(core, cert);
	else if (table_revokes(core, cert))
		return -HEKI_E_REVOKED;
	if (in_set(core, set, sha256))
		return 0;
	return append(core, set, cert->der, sha256);
}

/* Whether a certificate says that its own key has signed it, by names and key ids. */
static bool self_issued(const struct x509 *cert)
{
	if (!span_equal(cert->subject, cert->issuer))
		return false;
	return !cert->akid.n || span_equal(cert->akid, cert->skid);
}

/* A signature that no host can verify proves nothing either way. */
static int check_self(struct call *c, const struct x509 *cert)
{
	struct span digest = { NULL, hash_size(cert->hash) };
	uint8_t bytes[HEKI_HASH_MAX];
	int result;

	if (!self_issued(cert) || cert->hash == HEKI_SHA1 || cert->hash == HEKI_HASH_COUNT ||
	    hash_spans(c, cert->hash, &cert->tbs, 1, bytes))
		return 0;
	if (cert->key != cert->signed_by || !cert->signature.n)
		return -HEKI_E_CERT;
	digest.p = bytes;
	call_work(c, WORK_PUBLIC_KEY);
	result = c->core->ops->verify(c->core->host, cert->der, cert->hash, digest,
				      cert->signature);
	if (result == -HEKI_E_SIGNATURE)
		return -HEKI_E_CERT;
	return result == -HEKI_E_SIGNATURE_ALGORITHM ? 0 : result;
}

/*
 * What a certificate needs to be trusted. Who signed it does not matter, but hosts whose library
 * reads that signature cannot use one of an unknown kind, nor a certificate that names itself as its
 * issuer and whose signature is not its own key's: so that no host does.
 */
static int usable(struct call *c, const struct x509 *cert)
{
	int result;

	if (cert->key == X509_KEY_OTHER || cert->signed_by == X509_KEY_OTHER)
		return -HEKI_E_SIGNATURE_ALGORITHM;
	result = c->core->ops->cert_check(c->core->host, cert->der);
	return result ? result : check_self(c, cert);
}

/*
 * One that is on the blocklist is entered all the same, as revoked: what it signed is then refused
 * for that reason, and not because its signer is unknown.
 */
static int add_parsed(struct call *c, enum heki_cert_set set, const struct x509 *cert)
{
	struct heki_core *core = c->core;
	uint8_t sha256[HEKI_HASH_MAX];
	bool listed = set != HEKI_CERTS_REVOKED && hashes_cover(c, true, cert->tbs, NULL);
	int result = 0;

	if (set != HEKI_CERTS_REVOKED && !listed)
		result = usable(c, cert);
	if (result)
		return result;
	if (hash_spans(c, HEKI_SHA256, &cert->der, 1, sha256))
		return -HEKI_E_SIGNATURE_ALGORITHM;
	core_lock(core);
	result = enter(core, listed ? HEKI_CERTS_REVOKED : set, cert, sha256);
	core_unlock(core);
	return !result && listed ? -HEKI_E_REVOKED : result;
}

int certs_add(struct call *c, enum heki_cert_set set, struct span der)
{
	struct x509 cert;
	long n = x509_parse(der, &cert);

	if (n < 0)
		return (int)n;
	if ((size_t)n != der.n)
		return -HEKI_E_CERT_LENGTH;
	return add_parsed(c, set, &cert);
}

int certs_add_all(struct call *c, enum heki_cert_set set, struct span ders)
{
	struct x509 cert;
	int result;
	long n;

	while (ders.n) {
		n = x509_parse(ders, &cert);
		if (n < 0)
			return (int)n;
		call_work(c, HEKI_PAGE_SIZE);
		result = add_parsed(c, set, &cert);
		if (result)
			return result;
		ders.p += n;
		ders.n -= (size_t)n;
	}
	return 0;
}

int certs_mark(struct call *c, struct certs_mark *mark)
{
	struct heki_core *core = c->core;
	uint32_t i;

	mark->sets = arena_array(&c->arena, core->limits.certs, sizeof(*mark->sets));
	if (!mark->sets)
		return -HEKI_E_NO_MEMORY;
	core_lock(core);
	mark->certs = core->certs_count;
	mark->bytes = core->cert_bytes_used;
	mark->hashes = core->hashes_count;
	for (i = 0; i < mark->certs; i++)
		mark->sets[i] = core->certs[i].set;
	core_unlock(core);
	return 0;
}

void certs_rollback(struct heki_core *core, const struct certs_mark *mark)
{
	uint32_t i;

	core_lock(core);
	core->certs_count = mark->certs;
	core->cert_bytes_used = mark->bytes;
	core->hashes_count = mark->hashes;
	for (i = 0; i < mark->certs; i++)
		core->certs[i].set = mark->sets[i];
	core_unlock(core);
}

/* Under HEKI_LOCK_TABLES. */
static bool changed_since(const struct heki_core *core, const struct certs_mark *mark)
{
	uint32_t i;

	for (i = 0; i < mark->certs; i++)
		if (core->certs[i].set != mark->sets[i])
			return true;
	return core->certs_count != mark->certs || core->hashes_count != mark->hashes;
}

void certs_commit(struct heki_core *core, const struct certs_mark *mark)
{
	core_lock(core);
	core->revision += changed_since(core, mark);
	core_unlock(core);
}

uint64_t certs_revision(struct heki_core *core)
{
	uint64_t revision;

	core_lock(core);
	revision = core->revision;
	core_unlock(core);
	return revision;
}

uint32_t certs_count(struct heki_core *core, enum heki_cert_set set)
{
	uint32_t i, count = 0;

	core_lock(core);
	for (i = 0; i < core->certs_count; i++)
		count += core->certs[i].set == set;
	core_unlock(core);
	return count;
}

/* Under HEKI_LOCK_TABLES. */
static uint32_t find_in(const struct heki_core *core, enum heki_cert_set set,
			const struct signer_id *id)
{
	uint32_t i;

	for (i = 0; i < core->certs_count; i++)
		if (core->certs[i].set == set && x509_is(&core->certs[i].x509, id))
			return i;
	return CERT_NONE;
}

uint32_t certs_find(struct heki_core *core, const enum heki_cert_set *sets, size_t n,
		    const struct signer_id *id, struct x509 *cert)
{
	uint32_t index = CERT_NONE;
	size_t i;

	core_lock(core);
	for (i = 0; i < n && index == CERT_NONE; i++)
		index = find_in(core, sets[i], id);
	if (index != CERT_NONE)
		*cert = core->certs[index].x509;
	core_unlock(core);
	return index;
}

/* Whether @issuer may have signed @cert, by names and key ids. */
static bool is_authority(const struct x509 *issuer, const struct x509 *cert)
{
	if (!issuer->ca || !issuer->key_cert_sign || !span_equal(issuer->subject, cert->issuer))
		return false;
	return !issuer->skid.n || !cert->akid.n || span_equal(issuer->skid, cert->akid);
}

/* The next authority for @cert from index *@at on; false at the end. */
static bool next_authority(struct heki_core *core, enum heki_cert_set set, const struct x509 *cert,
			   uint32_t *at, struct x509 *authority)
{
	bool found = false;

	core_lock(core);
	for (; *at < core->certs_count && !found; (*at)++) {
		const struct cert *candidate = &core->certs[*at];

		found = candidate->set == set && is_authority(&candidate->x509, cert);
		if (found)
			*authority = candidate->x509;
	}
	core_unlock(core);
	return found;
}

static int signed_by(struct call *c, const struct x509 *authority, const struct x509 *cert,
		     struct span digest)
{
	struct heki_core *core = c->core;

	if (authority->key != cert->signed_by || !cert->signature.n)
		return -HEKI_E_SIGNATURE;
	if (hashes_cover(c, true, authority->tbs, NULL))
		return -HEKI_E_REVOKED;
	call_work(c, WORK_PUBLIC_KEY);
	return core->ops->verify(core->host, authority->der, cert->hash, digest, cert->signature);
}

int certs_signed(struct call *c, const enum heki_cert_set *sets, size_t n, const struct x509 *cert)
{
	struct heki_core *core = c->core;
	uint8_t digest[HEKI_HASH_MAX];
	struct x509 authority;
	int result = -HEKI_E_NO_KEY;
	uint32_t at = 0;
	size_t i;

	if (cert->hash == HEKI_SHA1 || cert->hash == HEKI_HASH_COUNT ||
	    hash_spans(c, cert->hash, &cert->tbs, 1, digest))
		return -HEKI_E_SIGNATURE_ALGORITHM;
	if (next_authority(core, HEKI_CERTS_REVOKED, cert, &at, &authority))
		result = -HEKI_E_REVOKED;
	for (i = 0; i < n; i++) {
		at = 0;
		while (next_authority(core, sets[i], cert, &at, &authority)) {
			result = signed_by(c, &authority, cert,
					   (struct span){ digest, hash_size(cert->hash) });
			if (!result)
				return 0;
		}
	}
	return result;
}

int certs_vouched(struct call *c, struct span der)
{
	static const enum heki_cert_set sets[] = { HEKI_CERTS_SYSTEM, HEKI_CERTS_SECONDARY };
	struct x509 cert;
	long n = x509_parse(der, &cert);

	if (n < 0)
		return (int)n;
	if ((size_t)n != der.n)
		return -HEKI_E_CERT_LENGTH;
	if (certs_revoked(c, &cert))
		return -HEKI_E_REVOKED;
	return certs_signed(c, sets, HEKI_ARRAY_SIZE(sets), &cert);
}
