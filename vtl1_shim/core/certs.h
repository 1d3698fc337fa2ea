/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Certificates and revoked hashes, and the verification of CMS signatures against them.
 */
#ifndef HEKI_CORE_CERTS_H
#define HEKI_CORE_CERTS_H

#include "digest.h"

struct call;

#define CERT_NONE 0xffffffffu
#define CERT_DER_MAX 16384

/* What a public key is, as far as signatures of it can be accepted. */
enum x509_key {
	X509_KEY_OTHER, /* no such key is accepted: Ed25519, P-521, RSA below 2048 bits, ... */
	X509_KEY_RSA,
	X509_KEY_EC /* P-256 or P-384 */
};

/* Offsets into the DER that parsing found. */
struct x509 {
	struct span der; /* exactly the certificate */
	struct span tbs; /* with its header */
	struct span serial; /* content of the INTEGER */
	struct span issuer; /* Name, with its header */
	struct span subject;
	struct span common_name; /* of the subject, content; may be empty */
	struct span skid; /* subject key identifier, content; may be empty */
	struct span akid; /* authority key identifier's keyid; may be empty */
	struct span signature; /* of the certificate, without the unused-bits octet */
	enum heki_hash hash; /* of that signature; HEKI_HASH_COUNT when it is of no known kind */
	enum x509_key signed_by; /* kind of the key that made that signature */
	struct span spki; /* SubjectPublicKeyInfo, with its header */
	enum x509_key key;
	bool ca; /* basicConstraints */
	bool key_cert_sign; /* keyUsage absent or with keyCertSign */
	bool code_signing; /* extKeyUsage absent or with codeSigning */
};

/**
 * x509_parse() - read one certificate strictly
 * @der: bytes that start with the certificate; may be longer
 * @cert: filled; points into @der
 *
 * Return: bytes that the certificate takes (> 0), or -HEKI_E_CERT_LENGTH when the DER runs over
 * the end, -HEKI_E_CERT otherwise
 */
long x509_parse(struct span der, struct x509 *cert);

/**
 * struct signer_id - how a certificate is named by what it signed
 * @issuer: Name, with its header
 * @serial: contents of the INTEGER
 * @skid:   subject key identifier; when not empty, the others are not used
 */
struct signer_id {
	struct span issuer;
	struct span serial;
	struct span skid;
};

/* Whether @id names this certificate. */
bool x509_is(const struct x509 *cert, const struct signer_id *id);

/**
 * certs_add() - enter a certificate
 * @c:    the call
 * @set: enum heki_cert_set
 * @der: exactly one certificate
 *
 * A revoked certificate is not entered into a trusted set; one on the blocklist is entered into the
 * revoked set instead, with the error REVOKED. One that is there already is no error. Entering one
 * into the revoked set takes it out of all others.
 *
 * Return: 0, -HEKI_E_CERT_LENGTH, CERT, SIGNATURE_ALGORITHM, REVOKED, NO_MEMORY
 */
int certs_add(struct call *c, enum heki_cert_set set, struct span der);

/**
 * certs_add_all() - enter all certificates of a list
 * @c:    the call
 * @set: enum heki_cert_set
 * @ders: certificates, one behind the other
 *
 * After an error some of them may have been entered: certs_rollback().
 *
 * Return: 0, or as certs_add(); an empty list is no error
 */
int certs_add_all(struct call *c, enum heki_cert_set set, struct span ders);

/**
 * struct certs_mark - certificates and hashes as they were
 * @certs:  number of certificates
 * @bytes:  bytes of their DER
 * @hashes: number of blocklist records
 * @sets:   set of each certificate, in the arena
 */
struct certs_mark {
	uint32_t certs;
	uint32_t bytes;
	uint32_t hashes;
	uint32_t *sets;
};

/**
 * certs_mark() - remember the tables before a call changes them
 * @c:    the call; the only one that changes certificates or hashes at this time
 * @mark: filled
 *
 * Return: 0 or -HEKI_E_NO_MEMORY
 */
int certs_mark(struct call *c, struct certs_mark *mark);

/* Make the tables what they were at certs_mark() of the same call. */
void certs_rollback(struct heki_core *core, const struct certs_mark *mark);

/**
 * certs_commit() - what was entered since certs_mark() of the same call stays
 * @core: the core
 * @mark: of this call
 *
 * If anything has changed, so does the revision: a call whose verdict is older judges again.
 */
void certs_commit(struct heki_core *core, const struct certs_mark *mark);

/* Changes when certificates or hashes have been entered or revoked; not for secondary keys. */
uint64_t certs_revision(struct heki_core *core);

/* Certificates that are in a set now. */
uint32_t certs_count(struct heki_core *core, enum heki_cert_set set);

/**
 * certs_find() - find a certificate by its id
 * @core: the core
 * @sets: HEKI_CERTS_*, searched in this order
 * @n:    number of sets
 * @id:   which one
 * @cert: a copy of what was parsed; its spans stay valid
 *
 * Return: its index, or CERT_NONE
 */
uint32_t certs_find(struct heki_core *core, const enum heki_cert_set *sets, size_t n,
		    const struct signer_id *id, struct x509 *cert);

/**
 * certs_revoked() - is a certificate, wherever it came from, revoked?
 * @c:    the call
 * @cert: the certificate
 *
 * By a certificate of the revoked set with the same to-be-signed part, or with the same issuer and
 * serial number (the signature over them may be written in more than one way), or by a "tbs:"
 * record.
 */
bool certs_revoked(struct call *c, const struct x509 *cert);

/**
 * certs_signed() - did a trusted authority of these sets sign a certificate?
 * @c:    the call
 * @sets: HEKI_CERTS_*, tried in this order
 * @n:    number of sets
 * @cert: the certificate
 *
 * An authority is a certificate that says so (basicConstraints, keyUsage) and is not revoked.
 * Whether @cert itself is revoked is not looked at.
 *
 * Return: 0, -HEKI_E_NO_KEY when none has the name of its issuer, -HEKI_E_REVOKED when only a
 * revoked one has, -HEKI_E_SIGNATURE, -HEKI_E_SIGNATURE_ALGORITHM, -HEKI_E_CERT
 */
int certs_signed(struct call *c, const enum heki_cert_set *sets, size_t n,
		 const struct x509 *cert);

/**
 * certs_vouched() - did a trusted certificate sign this one?
 * @c:    the call
 * @der:  exactly one certificate
 *
 * Trusted are the system and the secondary set.
 *
 * Return: 0, -HEKI_E_NO_KEY, SIGNATURE, SIGNATURE_ALGORITHM, REVOKED, CERT, CERT_LENGTH
 */
int certs_vouched(struct call *c, struct span der);

/* Enter a blocklist record, "bin:HEX" or "tbs:HEX"; 0, -HEKI_E_BLOCKLIST_FORMAT, NO_MEMORY. */
int hashes_add(struct heki_core *core, const char record[HEKI_BLOCKLIST_RECORD]);

/* Whether the hash of a whole file or image ("bin:") of @n bytes is listed. */
bool hashes_listed(struct heki_core *core, const uint8_t *digest, size_t n);

/**
 * hashes_cover() - whether any hash of some bytes is listed
 * @c:     the call
 * @tbs:   true for "tbs:" records, false for "bin:"
 * @bytes: what is hashed, by each algorithm of which there is a record
 * @known: a digest of them that need not be computed again; may be NULL
 */
bool hashes_cover(struct call *c, bool tbs, struct span bytes, const struct digest *known);

/* CMS_KEXEC is Authenticode; the signer's chain has at most one step, to the kexec or system set. */
enum cms_purpose {
	CMS_MODULE, /* detached, no signed attributes, signer in the system or secondary set */
	CMS_KEXEC /* SpcIndirectData, signed attributes */
};

/**
 * cms_verify_module() - verify a detached CMS SignedData over a module
 * @c:       the call
 * @file:    the file
 * @content: how much of it is signed, from its first byte
 * @cms:     DER, exactly
 * @signer:  index of the certificate
 * @sha256:  SHA-256 of all of @file, 32 bytes, which takes no second pass over it
 *
 * Return: 0, -HEKI_E_SIGNATURE, NO_KEY, SIGNATURE_ALGORITHM, SIGNATURE_FORMAT, CERTS_NOT_LOADED,
 * REVOKED (also for a listed hash of the content or the signer's tbs hash)
 */
int cms_verify_module(struct call *c, struct span file, size_t content, struct span cms,
		      uint32_t *signer, uint8_t *sha256);

/**
 * cms_verify_authenticode() - verify the signature of a PE image
 * @c:   the call
 * @cms: DER, exactly
 * @hash: out: algorithm of the image's digest
 * @digest: out: the Authenticode digest that was signed, from SpcIndirectData; HEKI_HASH_MAX bytes
 *
 * messageDigest is compared with the hash of the SpcIndirectData content.
 *
 * Return: as cms_verify_module()
 */
int cms_verify_authenticode(struct call *c, struct span cms, enum heki_hash *hash, uint8_t *digest);

#endif /* HEKI_CORE_CERTS_H */
