/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stock kernel image (x86 bzImage, or the ELF inside it) holds: its trusted certificates.
 */
#ifndef TOOLS_COMMON_VMLINUZ_H
#define TOOLS_COMMON_VMLINUZ_H

#include <stdbool.h>

#include "file.h"

/* Whether the bytes begin as a bzImage or as an x86-64 ELF executable. */
bool vmlinuz_is(const uint8_t *p, size_t n);

/**
 * vmlinuz_unpack() - the ELF of the kernel
 * @p:   the image: a bzImage or that ELF itself
 * @n:   its size
 * @elf: filled; drop with file_free()
 *
 * Return: 0, -ENOEXEC when it is no kernel image, -EBADMSG, -EOPNOTSUPP, -EFBIG, -ENOMEM
 */
int vmlinuz_unpack(const uint8_t *p, size_t n, struct file_data *elf);

/**
 * vmlinuz_certs() - find system_certificate_list
 * @elf:   the unpacked kernel
 * @certs: out: where the certificates (DER, concatenated) begin
 *
 * Found by its form, since a stock kernel has no symbol table: certificates at an 8-byte boundary,
 * behind them the 64-bit sizes of the list and of its first certificate.
 *
 * Return: bytes of the list, or 0 when there is none
 */
size_t vmlinuz_certs(const struct file_data *elf, const uint8_t **certs);

/**
 * der_size() - bytes that a DER certificate takes, by its outer header
 * @p: bytes
 * @n: their number
 *
 * Looks at the two outer SEQUENCE headers only: who needs a certificate checked parses it.
 *
 * Return: size, or 0 when no certificate can begin here
 */
size_t der_size(const uint8_t *p, size_t n);

#endif /* TOOLS_COMMON_VMLINUZ_H */
