// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Self-relocation, the first C that runs.
 *
 * Trust boundary: none, the table is the image's own. Locks: none, one VP.
 */
#include "relocate.h"

int relocate(uint8_t *image, uint64_t size, const struct rela *first, const struct rela *end)
{
	const struct rela *r;
	uint64_t value;

	for (r = first; r < end; r++) {
		if (r->info != RELA_RELATIVE || !in_bounds(r->offset, sizeof(value), size))
			return -1;
		value = pa_of(image).v + (uint64_t)r->addend;
		put_le64(image + r->offset, value);
	}
	return 0;
}
