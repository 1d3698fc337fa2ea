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

static const char *const texts[] = {
	[ELF_GOOD] = "good",
	[ELF_SHORT] = "shorter than an ELF header",
	[ELF_FORMAT] = "no little-endian ELF64 file",
	[ELF_MACHINE] = "ELF file for another machine",
	[ELF_KIND] = "ELF file that is not executable",
	[ELF_HEADER_SIZE] = "program headers of an unknown size",
	[ELF_HEADERS] = "program headers behind the end of the file",
	[ELF_FILE_SIZE] = "segment larger in the file than in memory",
	[ELF_TRUNCATED] = "truncated file",
	[ELF_MEMORY] = "segment beyond the end of memory",
	[ELF_EMPTY] = "nothing to load",
	[ELF_ENTRY] = "entry outside of all segments",
};

const char *elf_text(enum elf_error error)
{
	return texts[error];
}

static enum elf_error check_header(const struct elf_image *image, uint16_t machine)
{
	struct header h;

	if (image->size < sizeof(h))
		return ELF_SHORT;
	h = header_of(image);
	if (memcmp(h.ident, "\177ELF\2\1\1", 7))
		return ELF_FORMAT;
	if (h.machine != machine)
		return ELF_MACHINE;
	if (h.type != ET_EXEC && h.type != ET_DYN)
		return ELF_KIND;
	if (h.phentsize != sizeof(struct segment))
		return ELF_HEADER_SIZE;
	if (h.phoff > image->size || (image->size - h.phoff) / sizeof(struct segment) < h.phnum)
		return ELF_HEADERS;
	return ELF_GOOD;
}

/* @entry is virtual; where the segment that holds it is loaded, there it is. */
static enum elf_error measure(struct elf_image *image, const struct segment *s, uint64_t entry)
{
	if (s->filesz > s->memsz)
		return ELF_FILE_SIZE;
	if (s->offset > image->size || image->size - s->offset < s->filesz)
		return ELF_TRUNCATED;
	if (s->paddr + s->memsz < s->paddr)
		return ELF_MEMORY;
	image->start = min_u64(image->start, s->paddr);
	image->end = max_u64(image->end, s->paddr + s->memsz);
	if (entry - s->vaddr < s->memsz) {
		image->entry = entry - s->vaddr + s->paddr;
		image->has_entry = true;
	}
	return ELF_GOOD;
}

enum elf_error elf_parse(const uint8_t *file, uint64_t size, uint16_t machine,
			 struct elf_image *image)
{
	struct header h;
	enum elf_error wrong;

	*image = (struct elf_image){ .file = file, .size = size, .start = UINT64_MAX };
	wrong = check_header(image, machine);
	if (wrong)
		return wrong;
	h = header_of(image);
	image->movable = h.type == ET_DYN;
	for (uint32_t i = 0; i < h.phnum; i++) {
		struct segment s = segment_of(image, &h, i);

		wrong = s.type == PT_LOAD ? measure(image, &s, h.entry) : ELF_GOOD;
		if (wrong)
			return wrong;
	}
	if (image->start >= image->end)
		return ELF_EMPTY;
	return image->has_entry ? ELF_GOOD : ELF_ENTRY;
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
