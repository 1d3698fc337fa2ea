// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each byte of a signed module is a part of.
 *
 * The files are good ones, so this reads them plainly; but for the end of the file, it does so by
 * <elf.h> and not by the core's parser.  No locks.
 */
#include <stdlib.h>
#include <string.h>

#include <elf.h>

#include "cms.h"
#include "regions.h"

#define MARKER_BYTES 28
#define DESCRIPTION_BYTES 12
#define SIGNATURE_LENGTH_AT 8 /* in the description, big-endian */

const char *const region_names[REGION_KINDS] = {
	[REGION_ELF_HEADER] = "ELF header", [REGION_SECTION_HEADERS] = "section headers",
	[REGION_TEXT] = "text", [REGION_READ_ONLY] = "read-only data", [REGION_DATA] = "data",
	[REGION_RELOCATIONS] = "relocations", [REGION_SYMBOLS] = "symbols",
	[REGION_UNLOADED] = "not loaded", [REGION_GAP] = "between sections",
	[REGION_CMS] = "signature's CMS", [REGION_SIGNATURE] = "signature's value",
	[REGION_DESCRIPTION] = "description", [REGION_MARKER] = "marker",
};

static enum region_kind section_kind(const Elf64_Shdr *s)
{
	switch (s->sh_type) {
	case SHT_RELA:
		return REGION_RELOCATIONS;
	case SHT_SYMTAB:
	case SHT_STRTAB:
		return REGION_SYMBOLS;
	default:
		break;
	}
	if (!(s->sh_flags & SHF_ALLOC))
		return REGION_UNLOADED;
	if (s->sh_flags & SHF_EXECINSTR)
		return REGION_TEXT;
	return s->sh_flags & SHF_WRITE ? REGION_DATA : REGION_READ_ONLY;
}

/* The kind of each byte; what is not said is a gap. */
static void paint(uint8_t *kinds, size_t start, size_t n, enum region_kind kind)
{
	memset(kinds + start, kind, n);
}

static bool paint_elf(const uint8_t *p, size_t n, uint8_t *kinds)
{
	Elf64_Ehdr header;
	Elf64_Shdr s;

	if (n < sizeof(header))
		return false;
	memcpy(&header, p, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_shoff > n ||
	    header.e_shnum * sizeof(s) > n - header.e_shoff)
		return false;
	paint(kinds, 0, n, REGION_GAP);
	paint(kinds, 0, sizeof(header), REGION_ELF_HEADER);
	paint(kinds, header.e_shoff, header.e_shnum * sizeof(s), REGION_SECTION_HEADERS);
	for (unsigned int i = 1; i < header.e_shnum; i++) {
		memcpy(&s, p + header.e_shoff + i * sizeof(s), sizeof(s));
		if (s.sh_type == SHT_NOBITS || s.sh_type == SHT_NULL)
			continue;
		if (s.sh_offset > n || s.sh_size > n - s.sh_offset)
			return false;
		paint(kinds, s.sh_offset, s.sh_size, section_kind(&s));
	}
	return true;
}

/* Signature, description, marker; *content gets the bytes in front of them. */
static bool paint_end(const uint8_t *p, size_t n, uint8_t *kinds, size_t *content)
{
	const uint8_t *length = p + n - MARKER_BYTES - DESCRIPTION_BYTES + SIGNATURE_LENGTH_AT;
	struct span der;
	struct cms cms;

	if (n < MARKER_BYTES + DESCRIPTION_BYTES)
		return false;
	n -= MARKER_BYTES;
	paint(kinds, n, MARKER_BYTES, REGION_MARKER);
	n -= DESCRIPTION_BYTES;
	paint(kinds, n, DESCRIPTION_BYTES, REGION_DESCRIPTION);
	der.n = (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | length[3];
	if (der.n >= n)
		return false;
	n -= der.n;
	der.p = p + n;
	if (cms_parse(der, CMS_MODULE, &cms))
		return false;
	paint(kinds, n, der.n, REGION_CMS);
	paint(kinds, (size_t)(cms.signature.p - p), cms.signature.n, REGION_SIGNATURE);
	*content = n;
	return true;
}

static void gather(const uint8_t *kinds, size_t n, enum region_kind kind, struct regions *out)
{
	size_t start = 0;

	while (start < n) {
		size_t end = start;

		while (end < n && kinds[end] == kind)
			end++;
		if (end > start) {
			out->r = reallocarray(out->r, out->count + 1, sizeof(*out->r));
			if (!out->r)
				abort();
			out->r[out->count++] = (struct region){ kind, start, end - start };
			out->bytes[kind] += end - start;
		}
		start = end + 1;
	}
}

bool regions_find(const uint8_t *p, size_t n, struct regions *regions)
{
	uint8_t *kinds = malloc(n + 1);
	size_t content;
	bool found;

	*regions = (struct regions){ 0 };
	if (!kinds)
		abort();
	found = paint_end(p, n, kinds, &content) && paint_elf(p, content, kinds);
	for (enum region_kind kind = 0; found && kind < REGION_KINDS; kind++)
		gather(kinds, n, kind, regions);
	free(kinds);
	return found;
}

void regions_free(struct regions *regions)
{
	free(regions->r);
	*regions = (struct regions){ 0 };
}

size_t regions_offset(const struct regions *regions, enum region_kind kind, size_t index)
{
	for (size_t i = 0; i < regions->count; i++) {
		const struct region *r = &regions->r[i];

		if (r->kind != kind)
			continue;
		if (index < r->n)
			return r->start + index;
		index -= r->n;
	}
	abort();
}
