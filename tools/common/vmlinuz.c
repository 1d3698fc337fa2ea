// SPDX-License-Identifier: GPL-2.0-only
/*
 * The certificates in a stock kernel image.
 *
 * The image is a file of somebody's: every offset is checked.  Nothing is trusted for having been
 * found here; the client compares it with the kernel's own keyring.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "vmlinuz.h"

#define VMLINUZ_MAX (512u << 20)

/* The x86 boot protocol's header. */
#define BOOT_SETUP_SECTS 0x1f1
#define BOOT_MAGIC 0x202
#define BOOT_VERSION 0x206
#define BOOT_PAYLOAD_OFFSET 0x248
#define BOOT_PAYLOAD_LENGTH 0x24c
#define BOOT_HEADER_END 0x250
#define BOOT_VERSION_PAYLOAD 0x208 /* the first with payload fields */

/* An extra certificate may have been given room between the list and its size. */
#define EXTRA_CERT_ROOM 65536
#define CERT_MIN 128

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool is_bzimage(const uint8_t *p, size_t n)
{
	return n >= BOOT_HEADER_END && !memcmp(p + BOOT_MAGIC, "HdrS", 4) &&
	       (p[BOOT_VERSION] | p[BOOT_VERSION + 1] << 8) >= BOOT_VERSION_PAYLOAD;
}

static bool is_kernel_elf(const uint8_t *p, size_t n)
{
	return n >= sizeof(Elf64_Ehdr) && !memcmp(p, ELFMAG, SELFMAG) &&
	       p[EI_CLASS] == ELFCLASS64 && p[16] == ET_EXEC && p[18] == EM_X86_64;
}

bool vmlinuz_is(const uint8_t *p, size_t n)
{
	return is_bzimage(p, n) || is_kernel_elf(p, n);
}

int vmlinuz_unpack(const uint8_t *p, size_t n, struct file_data *elf)
{
	size_t start, length;
	int ret;

	if (is_kernel_elf(p, n))
		return file_uncompress(p, n, VMLINUZ_MAX, elf);
	if (!is_bzimage(p, n))
		return -ENOEXEC;
	/* 0 means 4, for kernels of another century. */
	start = ((p[BOOT_SETUP_SECTS] ? p[BOOT_SETUP_SECTS] : 4) + 1u) * 512;
	start += le32(p + BOOT_PAYLOAD_OFFSET);
	length = le32(p + BOOT_PAYLOAD_LENGTH);
	if (start > n || length > n - start)
		return -EBADMSG;
	ret = file_uncompress(p + start, length, VMLINUZ_MAX, elf);
	if (ret)
		return ret;
	if (is_kernel_elf(elf->p, elf->n))
		return 0;
	file_free(elf);
	return -ENOEXEC;
}

/* Content size of a DER SEQUENCE whose header is *header bytes; 0 when there is none. */
static size_t sequence(const uint8_t *p, size_t n, size_t *header)
{
	if (n < 4 || p[0] != 0x30)
		return 0;
	if (p[1] == 0x81) {
		*header = 3;
		return p[2];
	}
	if (p[1] == 0x82) {
		*header = 4;
		return (size_t)p[2] << 8 | p[3];
	}
	return 0;
}

size_t der_size(const uint8_t *p, size_t n)
{
	size_t outer, inner, header = 0, inner_header = 0;

	outer = sequence(p, n, &header);
	if (outer < CERT_MIN || outer > n - header)
		return 0;
	inner = sequence(p + header, outer, &inner_header);
	if (!inner || inner_header + inner >= outer)
		return 0;
	/* version [0] of an X.509 v3 certificate, which the kernel's keys are */
	return p[header + inner_header] == 0xa0 ? header + outer : 0;
}

/* Certificates in a row; *first is the size of the first. */
static size_t cert_run(const uint8_t *p, size_t n, size_t *first)
{
	size_t used = der_size(p, n), size = used;

	*first = size;
	while (size) {
		size = der_size(p + used, n - used);
		used += size;
	}
	return used;
}

/* Do the list's sizes follow it? */
static bool sizes_follow(const struct file_data *elf, size_t end, size_t list, size_t first)
{
	size_t at = (end + 7) & ~(size_t)7;
	size_t last = at + EXTRA_CERT_ROOM;

	for (; at <= last && at + 16 <= elf->n; at += 8)
		if (le64(elf->p + at) == list && le64(elf->p + at + 8) == first)
			return true;
	return false;
}

size_t vmlinuz_certs(const struct file_data *elf, const uint8_t **certs)
{
	for (size_t at = 0; at + CERT_MIN < elf->n; at += 8) {
		size_t first, size;

		if (elf->p[at] != 0x30)
			continue;
		size = cert_run(elf->p + at, elf->n - at, &first);
		if (size && sizes_follow(elf, at + size, size, first)) {
			*certs = elf->p + at;
			return size;
		}
	}
	return 0;
}
