// SPDX-License-Identifier: GPL-2.0-only
/* ELF64 images. Every offset is checked against the file before it is followed. */
#include "elf.h"

struct header {
	uint8_t ident[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t rest[3];
};

struct segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

#define PT_LOAD 1
#define ET_EXEC 2
#define ET_DYN 3

static struct header header_of(const struct elf_image *image)
{
	struct header h;

	memcpy(&h, image->file, sizeof(h));
	return h;
}

static struct segment segment_of(const struct elf_image *image, const struct header *h, uint32_t i)
{
	struct segment s;

	memcpy(&s, image->file + h->phoff + (uint64_t)i * sizeof(s), sizeof(s));
	return s;
}

static const char *check_header(const struct elf_image *image, uint16_t machine)
{
	struct header h;

	if (image->size < sizeof(h))
		return "shorter than an ELF header";
	h = header_of(image);
	if (memcmp(h.ident, "\177ELF\2\1\1", 7))
		return "no little-endian ELF64 file";
	if (h.machine != machine)
		return "ELF file for another machine";
	if (h.type != ET_EXEC && h.type != ET_DYN)
		return "ELF file that is not executable";
	if (h.phentsize != sizeof(struct segment))
		return "program headers of an unknown size";
	if (h.phoff > image->size || (image->size - h.phoff) / sizeof(struct segment) < h.phnum)
		return "program headers behind the end of the file";
	return NULL;
}

static const char *measure(struct elf_image *image, const struct segment *s)
{
	if (s->filesz > s->memsz)
		return "segment larger in the file than in memory";
	if (s->offset > image->size || image->size - s->offset < s->filesz)
		return "truncated file";
	if (s->paddr + s->memsz < s->paddr)
		return "segment beyond the end of memory";
	image->start = min_u64(image->start, s->paddr);
	image->end = max_u64(image->end, s->paddr + s->memsz);
	return NULL;
}

const char *elf_parse(const uint8_t *file, uint64_t size, uint16_t machine,
		      struct elf_image *image)
{
	struct header h;
	const char *wrong;

	*image = (struct elf_image){ .file = file, .size = size, .start = UINT64_MAX };
	wrong = check_header(image, machine);
	if (wrong)
		return wrong;
	h = header_of(image);
	for (uint32_t i = 0; i < h.phnum; i++) {
		struct segment s = segment_of(image, &h, i);

		wrong = s.type == PT_LOAD ? measure(image, &s) : NULL;
		if (wrong)
			return wrong;
	}
	if (image->start >= image->end)
		return "nothing to load";
	image->entry = h.entry;
	return NULL;
}

void elf_place(const struct elf_image *image, uint8_t *to)
{
	struct header h = header_of(image);

	memset(to, 0, image->end - image->start);
	for (uint32_t i = 0; i < h.phnum; i++) {
		struct segment s = segment_of(image, &h, i);

		if (s.type == PT_LOAD)
			memcpy(to + (s.paddr - image->start), image->file + s.offset, s.filesz);
	}
}
