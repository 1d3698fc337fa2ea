/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another reading of a module's file: where its sections lie and what the tables of sites say.  It
 * shares no code with the core, whose reading it is there to judge.
 */
#ifndef SELFTESTS_PROOF_READING_H
#define SELFTESTS_PROOF_READING_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heki/ext.h>

/**
 * struct spot_site - a place that a kernel may rewrite
 * @kind:   enum heki_account
 * @type:   module memory type
 * @start:  offset there
 * @length: bytes
 * @other_type, @other, @other_length: an alternative's replacement
 */
struct spot_site {
	uint8_t kind;
	uint8_t type;
	uint8_t other_type;
	uint32_t start;
	uint32_t length;
	uint32_t other;
	uint32_t other_length;
};

/* A table that the kernel sorts, with the place of its companion if it has one. */
struct spot_table {
	uint8_t type;
	uint32_t start;
	uint32_t size;
	uint32_t entry;
	uint8_t companion_type;
	uint32_t companion;
	uint32_t companion_entry; /* 0: none */
};

/* A section: where it lies, and its header. */
struct spot_section {
	const char *name;
	const Elf64_Shdr *header;
	uint8_t type; /* HEKI_MOD_MEM_TYPES when it is in none */
	uint32_t start;
};

#define SPOT_TABLES 4

/**
 * struct reading - a module
 * @file:      its bytes, @size of them
 * @sections:  all, @sections_count of them
 * @sites:     @sites_count of them
 * @tables:    sorted tables
 * @bytes:     by memory type, up to the end of the last section
 * @category:  by memory type and byte: enum heki_account
 */
struct reading {
	const uint8_t *file;
	size_t size;
	struct spot_section *sections;
	size_t sections_count;
	struct spot_site *sites;
	size_t sites_count;
	struct spot_table tables[SPOT_TABLES];
	size_t tables_count;
	uint32_t bytes[HEKI_MOD_MEM_TYPES];
	uint8_t *category[HEKI_MOD_MEM_TYPES];
};

/* Read a module; @pages by memory type say how far the categories go.  Ends the program on nonsense. */
void reading_make(struct reading *r, const uint8_t *file, size_t size, const uint32_t *pages);
void reading_drop(struct reading *r);

/* The name of the section of a byte, "padding" when there is none; its offset there. */
const char *reading_section(const struct reading *r, uint32_t type, uint32_t offset, uint32_t *in);

/* The sorted table and its entry that a byte belongs to; NULL: none. */
const struct spot_table *reading_entry(const struct reading *r, uint32_t type, uint32_t at,
				       uint32_t *entry);

/* Whether both bytes belong to one site, entry of a table, or site and its replacement. */
bool reading_together(const struct reading *r, uint32_t type_a, uint32_t a, uint32_t type_b,
		      uint32_t b);

/*
 * Whether a byte is of a relocation against memory that is not there any more, of which nothing but
 * such relocations tells where it was.
 */
bool reading_absent(const struct reading *r, const uint32_t *pages, uint32_t type, uint32_t offset);

#endif /* SELFTESTS_PROOF_READING_H */
