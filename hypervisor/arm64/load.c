// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loader: ELF64 files, arm64 Images by Linux's boot protocol, flat files.
 *
 * Trust boundary: the file is anything.  Each number of it is checked before it is used.
 */
#include "device_tree.h"
#include "elf.h"
#include "load.h"
#include "machine.h"

/* The header of an Image. */
#define IMAGE_HEADER 64u
#define IMAGE_OFFSET 8u
#define IMAGE_SIZE 16u
#define IMAGE_FLAGS 24u
#define IMAGE_MAGIC 56u
#define FLAG_BIG_ENDIAN BIT(0)

struct range {
	uint64_t start;
	uint64_t end;
};

static struct load_error wrong(enum exit_code code, const char *text)
{
	return (struct load_error){ code, text };
}

static bool overlap(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end;
}

static struct range range(uint64_t start, uint64_t size)
{
	return (struct range){ start, start + size };
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool is_image(const uint8_t *file)
{
	return !memcmp(file + IMAGE_MAGIC, "ARM\x64", 4);
}

static enum guest_kind kind_of(const struct guest_config *c, const uint8_t *file)
{
	if (c->kind != GUEST_AUTO)
		return c->kind;
	if (c->file_size && c->file_size < IMAGE_HEADER)
		return GUEST_FLAT;
	if (!memcmp(file, "\177ELF", 4))
		return GUEST_ELF;
	return is_image(file) ? GUEST_IMAGE : GUEST_FLAT;
}

/* The guest's own memory holds all of it, and nothing else is there. */
static struct load_error check_place(const struct guest_config *c, struct range to)
{
	if (to.end < to.start)
		return wrong(EXIT_OUTSIDE, "the guest reaches beyond the end of memory");
	if (overlap(to, (struct range){ HYPERVISOR_START, HYPERVISOR_END }))
		return wrong(EXIT_OVERLAP, "the guest lies where the hypervisor is");
	if (to.start < c->load || to.end > c->load + c->memory)
		return wrong(EXIT_OUTSIDE, "the guest lies outside of its memory");
	if (overlap(to, range(RAM_START, TREE_ROOM)))
		return wrong(EXIT_OVERLAP, "the guest lies where its device tree goes");
	if (c->initrd_size && overlap(to, range(c->initrd, c->initrd_size)))
		return wrong(EXIT_OVERLAP, "the guest lies where its initrd is");
	return wrong(0, NULL);
}

static struct load_error load_elf(const struct guest_config *c, uint8_t *room, struct load_result *r)
{
	static const uint8_t codes[] = {
		[ELF_SHORT] = EXIT_TRUNCATED,	  [ELF_FORMAT] = EXIT_FILE,
		[ELF_MACHINE] = EXIT_MACHINE,	  [ELF_KIND] = EXIT_FILE,
		[ELF_HEADER_SIZE] = EXIT_FILE,	  [ELF_HEADERS] = EXIT_TRUNCATED,
		[ELF_FILE_SIZE] = EXIT_FILE,	  [ELF_TRUNCATED] = EXIT_TRUNCATED,
		[ELF_MEMORY] = EXIT_OUTSIDE,	  [ELF_EMPTY] = EXIT_FILE,
		[ELF_ENTRY] = EXIT_FILE,
	};
	struct elf_image image;
	struct load_error error;
	enum elf_error bad;
	uint64_t move;

	if (!c->file_size)
		return wrong(EXIT_CONFIG, "an ELF file needs file-size=");
	bad = elf_parse(room + c->file, c->file_size, ELF_AARCH64, &image);
	if (bad)
		return wrong(codes[bad], elf_text(bad));
	move = image.movable ? c->load - align_down(image.start, PAGE_SIZE) : 0;
	*r = (struct load_result){ image.entry + move, image.start + move, image.end + move };
	error = check_place(c, (struct range){ r->start, r->end });
	if (error.code)
		return error;
	if (overlap((struct range){ r->start, r->end }, range(c->file, c->file_size)))
		return wrong(EXIT_OVERLAP, "the guest lies where its file is");
	elf_place(&image, room + r->start);
	return error;
}

static struct load_error load_image(const struct guest_config *c, uint8_t *room,
				    struct load_result *r)
{
	const uint8_t *file = room + c->file;
	struct load_error error;
	uint64_t offset;
	uint64_t size;

	if (c->file_size && c->file_size < IMAGE_HEADER)
		return wrong(EXIT_TRUNCATED, "shorter than an Image's header");
	if (!is_image(file))
		return wrong(EXIT_FILE, "no arm64 Image");
	offset = get64(file + IMAGE_OFFSET);
	size = get64(file + IMAGE_SIZE);
	if (get64(file + IMAGE_FLAGS) & FLAG_BIG_ENDIAN)
		return wrong(EXIT_MACHINE, "a big-endian Image");
	if (c->load % LARGE_SIZE)
		return wrong(EXIT_CONFIG, "an Image's memory starts at a multiple of 2 MiB");
	if (!size || c->file_size > size)
		return wrong(EXIT_FILE, "an Image that does not say how much memory it needs");
	if (offset > c->memory || size > c->memory)
		return wrong(EXIT_OUTSIDE, "the guest lies outside of its memory");
	*r = (struct load_result){ c->load + offset, c->load + offset, c->load + offset + size };
	error = check_place(c, (struct range){ r->start, r->end });
	if (error.code)
		return error;
	if (!c->file_size && c->file != r->start)
		return wrong(EXIT_CONFIG, "an Image that is to be moved needs file-size=");
	if (c->file_size)
		memmove(room + r->start, file, c->file_size);
	return error;
}

static struct load_error load_flat(const struct guest_config *c, uint8_t *room,
				   struct load_result *r)
{
	struct load_error error;

	*r = (struct load_result){ c->load, c->load, c->load + c->file_size };
	error = check_place(c, (struct range){ r->start, r->end });
	if (error.code)
		return error;
	if (!c->file_size && c->file != c->load)
		return wrong(EXIT_CONFIG, "a flat file that is to be moved needs file-size=");
	if (c->file_size)
		memmove(room + c->load, room + c->file, c->file_size);
	return error;
}

static struct load_error check_config(const struct guest_config *c, const struct memory_map *ram)
{
	struct range initrd = range(c->initrd, c->initrd_size);
	const struct memory_range *start = memory_find(ram, c->load);

	if (!start || start->kind == MEMORY_HYPERVISOR)
		return start ? wrong(EXIT_OVERLAP, "the guest's memory starts in the hypervisor's") :
			       wrong(EXIT_OUTSIDE, "the guest's memory is not there");
	if (c->load > HYPERVISOR_START && !memory_is_guest(ram, c->load, c->memory))
		return wrong(EXIT_OUTSIDE, "the guest's memory is not there");
	if (c->load < HYPERVISOR_START && c->load + c->memory > HYPERVISOR_END &&
	    !memory_is_guest(ram, HYPERVISOR_END, c->load + c->memory - HYPERVISOR_END))
		return wrong(EXIT_OUTSIDE, "the guest's memory is not there");
	if (!memory_is_guest(ram, c->file, c->file_size ? c->file_size : IMAGE_HEADER))
		return wrong(EXIT_OUTSIDE, "the guest's file is not in memory");
	if (!c->initrd_size)
		return wrong(0, NULL);
	if (!memory_is_guest(ram, c->initrd, c->initrd_size) || initrd.start < c->load ||
	    initrd.end > c->load + c->memory)
		return wrong(EXIT_OUTSIDE, "the initrd lies outside of the guest's memory");
	if (overlap(initrd, range(RAM_START, TREE_ROOM)))
		return wrong(EXIT_OVERLAP, "the initrd lies where the device tree goes");
	return wrong(0, NULL);
}

struct load_error guest_load(const struct guest_config *c, const struct memory_map *ram,
			     uint8_t *room, struct load_result *r)
{
	struct load_error error = check_config(c, ram);

	if (error.code)
		return error;
	switch (kind_of(c, room + c->file)) {
	case GUEST_ELF:
		error = load_elf(c, room, r);
		break;
	case GUEST_IMAGE:
		error = load_image(c, room, r);
		break;
	default:
		error = load_flat(c, room, r);
		break;
	}
	if (!error.code && c->entry)
		r->entry = c->entry;
	if (!error.code && (r->entry & 3 || !memory_is_guest(ram, r->entry, 4) ||
			    r->entry < c->load || r->entry >= c->load + c->memory))
		return wrong(EXIT_OUTSIDE, "the entry lies outside of the guest's memory");
	return error;
}
