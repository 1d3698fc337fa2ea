/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each byte of a signed module is a part of.
 */
#ifndef SELFTESTS_CORPUS_REGIONS_H
#define SELFTESTS_CORPUS_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum region_kind {
	REGION_ELF_HEADER,
	REGION_SECTION_HEADERS,
	REGION_TEXT,
	REGION_READ_ONLY,
	REGION_DATA,
	REGION_RELOCATIONS,
	REGION_SYMBOLS, /* and their names */
	REGION_UNLOADED, /* notes, comments, what else is not loaded */
	REGION_GAP, /* between the sections */
	REGION_CMS, /* of the signature all but its value */
	REGION_SIGNATURE,
	REGION_DESCRIPTION,
	REGION_MARKER,
	REGION_KINDS
};

struct region {
	enum region_kind kind;
	size_t start;
	size_t n;
};

/* @count regions, by kind first and then by place; together all of the file, once. */
struct regions {
	struct region *r;
	size_t count;
	size_t bytes[REGION_KINDS];
};

extern const char *const region_names[REGION_KINDS];

/* Find the regions of a file; false when it is not a signed module. */
bool regions_find(const uint8_t *p, size_t n, struct regions *regions);
void regions_free(struct regions *regions);

/* The offset in the file of the @index-th byte of a kind. */
size_t regions_offset(const struct regions *regions, enum region_kind kind, size_t index);

#endif /* SELFTESTS_CORPUS_REGIONS_H */
