/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The walker of CMS SignedData (RFC 5652) and of Authenticode's contents.
 */
#ifndef HEKI_CORE_CMS_H
#define HEKI_CORE_CMS_H

#include "algorithms.h"

/**
 * struct cms - a SignedData with its one SignerInfo
 * @content: contents octets of the SpcIndirectDataContent; empty for a module
 * @certs:   certificates that it brings along; empty for a module
 * @signer:  id of the signer's certificate
 * @hash:    digest algorithm: SHA-256, SHA-384 or SHA-512
 * @attributes: signed attributes with their [0] header; empty for a module
 * @key:     kind of key that the signature's algorithm takes
 * @signature: the signature
 */
struct cms {
	struct span content;
	struct span certs;
	struct signer_id signer;
	enum heki_hash hash;
	struct span attributes;
	enum x509_key key;
	struct span signature;
};

/**
 * cms_parse() - walk a SignedData
 * @der:     exactly one ContentInfo
 * @purpose: what its form must be
 * @cms:     filled; points into @der
 *
 * Return: 0, -HEKI_E_SIGNATURE_FORMAT, -HEKI_E_SIGNATURE_ALGORITHM
 */
int cms_parse(struct span der, enum cms_purpose purpose, struct cms *cms);

/**
 * cms_message_digest() - read the signed attributes of an Authenticode signature
 * @cms:    the signature
 * @digest: out: the messageDigest attribute
 *
 * contentType and messageDigest must be there, once each, and the former must be SpcIndirectData.
 *
 * Return: 0 or -HEKI_E_SIGNATURE_FORMAT
 */
int cms_message_digest(const struct cms *cms, struct span *digest);

/**
 * cms_image_digest() - read the digest of the image out of SpcIndirectDataContent
 * @cms:    the signature
 * @digest: out: the digest, of @cms->hash
 *
 * Return: 0 or -HEKI_E_SIGNATURE_FORMAT
 */
int cms_image_digest(const struct cms *cms, struct span *digest);

/**
 * cms_embedded() - find the signer among the certificates that a signature brings along
 * @cms:  the signature
 * @cert: filled
 *
 * Return: whether it is there
 */
bool cms_embedded(const struct cms *cms, struct x509 *cert);

#endif /* HEKI_CORE_CMS_H */
