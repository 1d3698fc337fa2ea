/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF64 images that lie in memory: what they need, and putting them where they shall run. */
#ifndef HV_ELF_H
#define HV_ELF_H

#include "base.h"

#define ELF_X86_64 62
#define ELF_AARCH64 183

enum elf_error {
	ELF_GOOD,
	ELF_SHORT,
	ELF_FORMAT,
	ELF_MACHINE,
	ELF_KIND,
	ELF_HEADER_SIZE,
	ELF_HEADERS,
	ELF_FILE_SIZE,
	ELF_TRUNCATED,
	ELF_MEMORY,
	ELF_EMPTY,
	ELF_ENTRY,
};

struct elf_image {
	const uint8_t *file;
	uint64_t size;
	uint64_t start; /* lowest physical address of a segment */
	uint64_t end;	/* behind the highest */
	uint64_t entry; /* physical */
	bool has_entry;
	bool movable; /* position-independent: it may be placed elsewhere as a whole */
};

/**
 * elf_parse() - check an ELF64 file and take its measure
 * @file: its bytes
 * @size: how many
 * @machine: the only one that is accepted, ELF_X86_64 or ELF_AARCH64
 * @image: filled in
 *
 * Return: ELF_GOOD (0), or what is wrong with the file.
 */
enum elf_error elf_parse(const uint8_t *file, uint64_t size, uint16_t machine,
			 struct elf_image *image);

/**
 * elf_text() - an error in words
 * @error: from elf_parse()
 *
 * Return: the words.
 */
const char *elf_text(enum elf_error error);

/**
 * elf_place() - copy the segments of a parsed image, and clear what the file does not fill
 * @image: from elf_parse()
 * @to: where image->start goes, of which image->end - image->start bytes are the image's
 */
void elf_place(const struct elf_image *image, uint8_t *to);

#endif /* HV_ELF_H */
