// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold of a kernel image that the reader takes, in 64 bits and without regard to how the
 * reader does it. One thread.
 */
#include "parts.h"

#define PE_OFFSET 0x3c
#define SECTION_BYTES 40u

/* The size of the section at @at in the file; there must be exactly one. */
static uint64_t section_size(const uint8_t *section, unsigned int count, uint64_t at)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < count; i++, section += SECTION_BYTES) {
		if (get_le32(section + 20) != at || !get_le32(section + 16))
			continue;
		CHECK(!size);
		size = get_le32(section + 16);
	}
	CHECK(size);
	return size;
}

/* Headers and sections, in a row; where the last one ends. */
static uint64_t sections_end(const uint8_t *optional)
{
	unsigned int count = get_le16(optional - 18), filled = 0;
	const uint8_t *section = optional + get_le16(optional - 4);
	uint64_t end = get_le32(optional + 60);

	for (unsigned int i = 0; i < count; i++)
		filled += get_le32(section + i * SECTION_BYTES + 16) != 0;
	while (filled--)
		end += section_size(section, count, end);
	return end;
}

void parts_check(struct span image, const struct pe *pe)
{
	const uint8_t *optional = image.p + get_le32(image.p + PE_OFFSET) + 24;
	size_t covered = 0;

	for (unsigned int i = 0; i < PE_PARTS; i++) {
		CHECK(span_inside(pe->parts[i], image));
		covered += pe->parts[i].n;
	}
	CHECK(pe->parts[0].p == image.p);
	CHECK(pe->parts[0].p + pe->parts[0].n + 4 == pe->parts[1].p);
	CHECK(pe->parts[1].p + pe->parts[1].n + 8 == pe->parts[2].p);
	CHECK(pe->cms.n && span_inside(pe->cms, image));
	CHECK(pe->cms.p >= pe->parts[2].p + pe->parts[2].n);
	CHECK(covered + 4 + 8 + pe->cms.n <= image.n);
	CHECK(image.n - (covered + 4 + 8) - pe->cms.n < 24); /* header and alignment of the table */
	CHECK(sections_end(optional) <= (size_t)(pe->parts[2].p + pe->parts[2].n - image.p));
}
