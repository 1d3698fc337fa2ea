// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * PE32+ as Authenticode hashes it.
 *
 * The image is an attacker's until its signature is verified. The digest is defined over headers,
 * sections in file order and what trails them; an image whose sections have gaps or overlap could
 * be read in more than one way, so one is accepted only when headers, sections, trailing data and
 * certificate table follow each other without either. The digest then covers all of the file but
 * the checksum, the directory entry of the certificate table and the table. No state, no locks.
 */
#include "pe.h"

#define FILE_MAX 0x7fffffffu /* so that 32-bit offsets do not wrap */
#define MZ_MAGIC 0x5a4d
#define MZ_PE_OFFSET 0x3c
#define PE_MAGIC 0x4550
#define PE_MACHINE_AMD64 0x8664
#define COFF_SIZE 24 /* with the magic in front */
#define COFF_MACHINE 4
#define COFF_SECTIONS 6
#define COFF_OPTIONAL_SIZE 20

#define OPTIONAL_PE32PLUS 0x20b
#define OPTIONAL_HEADERS_SIZE 60
#define OPTIONAL_CHECKSUM 64
#define OPTIONAL_DIRECTORIES 108
#define OPTIONAL_SIZE 112u /* up to the directories */
#define OPTIONAL_CERTIFICATES 144 /* directory entry 4 */
#define DIRECTORY_SIZE 8u
#define DIRECTORY_CERTIFICATES 4
#define DIRECTORIES_MAX 16

#define SECTION_SIZE 40
#define SECTION_RAW_SIZE 16
#define SECTION_RAW_OFFSET 20
#define SECTIONS_MAX 32

#define CERT_HEADER 8
#define CERT_REVISION 0x0200
#define CERT_PKCS7 0x0002
#define CERT_ALIGN 8

#define SETUP_SECTS 0x1f1
#define SETUP_MAGIC 0x202
#define SETUP_HEADER_END 0x206
#define SETUP_SECTOR 512
#define SETUP_SECTS_DEFAULT 4

/* Where things are; all of it in bounds of the file. */
struct headers {
	uint32_t optional; /* offset of the optional header */
	uint32_t sections; /* offset of the section table */
	uint32_t sections_count;
	uint32_t headers_size;
	uint32_t certs;
	uint32_t certs_size;
};

static bool find_headers(struct span image, struct headers *h)
{
	uint64_t pe, optional_size;

	if (image.n < MZ_PE_OFFSET + 4 || image.n > FILE_MAX || get_le16(image.p) != MZ_MAGIC)
		return false;
	pe = get_le32(image.p + MZ_PE_OFFSET);
	if (!in_bounds(pe, COFF_SIZE + OPTIONAL_SIZE, image.n) ||
	    get_le32(image.p + pe) != PE_MAGIC ||
	    get_le16(image.p + pe + COFF_MACHINE) != PE_MACHINE_AMD64)
		return false;
	h->optional = (uint32_t)pe + COFF_SIZE;
	h->sections_count = get_le16(image.p + pe + COFF_SECTIONS);
	optional_size = get_le16(image.p + pe + COFF_OPTIONAL_SIZE);
	h->sections = h->optional + (uint32_t)optional_size;
	return in_bounds(h->optional, optional_size, image.n) && optional_size >= OPTIONAL_SIZE &&
	       h->sections_count && h->sections_count <= SECTIONS_MAX;
}

static bool read_optional(struct span image, struct headers *h)
{
	const uint8_t *optional = image.p + h->optional;
	const uint8_t *directory = optional + OPTIONAL_CERTIFICATES;
	uint32_t directories = get_le32(optional + OPTIONAL_DIRECTORIES);

	if (get_le16(optional) != OPTIONAL_PE32PLUS || directories <= DIRECTORY_CERTIFICATES ||
	    directories > DIRECTORIES_MAX ||
	    h->sections - h->optional != OPTIONAL_SIZE + directories * DIRECTORY_SIZE)
		return false;
	h->headers_size = get_le32(optional + OPTIONAL_HEADERS_SIZE);
	h->certs = get_le32(directory);
	h->certs_size = get_le32(directory + 4);
	return h->headers_size <= image.n &&
	       in_bounds(h->sections, (uint64_t)h->sections_count * SECTION_SIZE, h->headers_size);
}

/* End of the section that begins at @at in the file; 0 when there is none or more than one. */
static uint32_t section_end(struct span image, const struct headers *h, uint32_t at)
{
	const uint8_t *section = image.p + h->sections;
	uint32_t i, size, end = 0;

	for (i = 0; i < h->sections_count; i++, section += SECTION_SIZE) {
		size = get_le32(section + SECTION_RAW_SIZE);
		if (!size || get_le32(section + SECTION_RAW_OFFSET) != at)
			continue;
		if (end || !in_bounds(at, size, image.n))
			return 0;
		end = at + size;
	}
	return end;
}

/* Sections must fill the file from the headers on; *end gets where the last one ends. */
static bool sections_follow(struct span image, const struct headers *h, uint32_t *end)
{
	const uint8_t *section = image.p + h->sections;
	uint32_t i, filled = 0;

	*end = h->headers_size;
	for (i = 0; i < h->sections_count; i++, section += SECTION_SIZE)
		filled += !!get_le32(section + SECTION_RAW_SIZE);
	for (i = 0; i < filled; i++) {
		*end = section_end(image, h, *end);
		if (!*end)
			return false;
	}
	return true;
}

static bool all_zero(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i])
			return false;
	return true;
}

/* The signature's own length, by the DER header; the form is checked by who reads it. */
static size_t der_length(struct span s)
{
	if (s.n < 4 || s.p[0] != 0x30)
		return 0;
	if (s.p[1] < 0x80)
		return 2u + s.p[1];
	if (s.p[1] == 0x81)
		return 3u + s.p[2];
	if (s.p[1] == 0x82)
		return 4u + (size_t)(s.p[2] << 8 | s.p[3]);
	return 0;
}

/* One WIN_CERTIFICATE at the very end; zeroes fill it up to a multiple of 8. */
static bool read_certificates(struct span image, const struct headers *h, struct span *cms)
{
	struct span table = { image.p + h->certs, h->certs_size };
	uint64_t length;

	if (h->certs % CERT_ALIGN || table.n % CERT_ALIGN || table.n <= CERT_HEADER)
		return false;
	length = get_le32(table.p);
	if (get_le16(table.p + 4) != CERT_REVISION || get_le16(table.p + 6) != CERT_PKCS7 ||
	    length > table.n || table.n - length >= CERT_ALIGN || length <= CERT_HEADER)
		return false;
	*cms = (struct span){ table.p + CERT_HEADER, table.n - CERT_HEADER };
	length = der_length(*cms);
	if (!length || length > cms->n || cms->n - length >= CERT_ALIGN ||
	    !all_zero((struct span){ cms->p + length, cms->n - length }))
		return false;
	cms->n = length;
	return true;
}

int pe_parse(struct span image, struct pe *pe)
{
	struct headers h;
	uint32_t end, checksum, directory;

	if (!find_headers(image, &h) || !read_optional(image, &h) ||
	    !sections_follow(image, &h, &end))
		return -HEKI_E_PE_FORMAT;
	if (!h.certs && !h.certs_size)
		return -HEKI_E_NO_SIGNATURE;
	if (h.certs < end || (uint64_t)h.certs + h.certs_size != image.n ||
	    !read_certificates(image, &h, &pe->cms))
		return -HEKI_E_PE_FORMAT;
	checksum = h.optional + OPTIONAL_CHECKSUM;
	directory = h.optional + OPTIONAL_CERTIFICATES;
	pe->parts[0] = (struct span){ image.p, checksum };
	pe->parts[1] = (struct span){ image.p + checksum + 4, directory - checksum - 4 };
	pe->parts[2] = (struct span){ image.p + directory + DIRECTORY_SIZE,
				      h.certs - directory - DIRECTORY_SIZE };
	return 0;
}

int bzimage_payload(struct span image, struct span *payload)
{
	static const uint8_t magic[] = { 'H', 'd', 'r', 'S' };
	size_t sectors, start;

	if (image.n < SETUP_HEADER_END || memcmp(image.p + SETUP_MAGIC, magic, sizeof(magic)))
		return -HEKI_E_PE_FORMAT;
	sectors = image.p[SETUP_SECTS] ? image.p[SETUP_SECTS] : SETUP_SECTS_DEFAULT;
	start = (sectors + 1) * SETUP_SECTOR;
	if (start >= image.n)
		return -HEKI_E_PE_FORMAT;
	*payload = (struct span){ image.p + start, image.n - start };
	return 0;
}
