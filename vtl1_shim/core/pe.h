/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A strict reader of signed PE32+ images and their Authenticode digest.
 */
#ifndef HEKI_CORE_PE_H
#define HEKI_CORE_PE_H

#include "host.h"

/* Spans that the digest covers: between and behind the two fields that it leaves out. */
#define PE_PARTS 3

/**
 * struct pe - a signed image
 * @parts: what the Authenticode digest covers, in file order
 * @cms:   its PKCS #7 signature, exactly
 */
struct pe {
	struct span parts[PE_PARTS];
	struct span cms;
};

/**
 * pe_parse() - read a signed image
 * @image: the whole file
 * @pe:    filled; points into @image
 *
 * Return: 0, -HEKI_E_PE_FORMAT, or -HEKI_E_NO_SIGNATURE when it has no certificate table
 */
int pe_parse(struct span image, struct pe *pe);

/**
 * bzimage_payload() - the part of a kernel image that kexec loads
 * @image: the whole file
 * @payload: filled: what follows the real-mode setup sectors
 *
 * Return: 0, or -HEKI_E_PE_FORMAT when it is no bzImage
 */
int bzimage_payload(struct span image, struct span *payload);

#endif /* HEKI_CORE_PE_H */
