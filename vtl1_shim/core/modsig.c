// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The signature that is appended to a module: bytes, signature, its description, a marker.
 *
 * Trust boundary: the file is a copy of VTL0's. Locks: none.
 */
#include "validate.h"

/* The kernel's struct module_signature, in front of the marker; the length is big-endian. */
#define DESCRIPTION_SIZE 12u
#define ID_TYPE_PKCS7 2

static const char marker[] = "~Module signature appended~\n";
#define MARKER_SIZE (sizeof(marker) - 1)

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int bad(struct call *c, uint64_t at)
{
	text_clear(c);
	text_str(c, "description of the appended signature");
	return refuse(c, HEKI_E_SIGNATURE_FORMAT, at);
}

int signature_split(struct call *c, struct span file, struct span *content, struct span *cms)
{
	const uint8_t *p;
	size_t left = file.n;
	uint32_t size;
	size_t i;

	*content = file;
	if (left < MARKER_SIZE || memcmp(file.p + left - MARKER_SIZE, marker, MARKER_SIZE))
		return refuse(c, HEKI_E_NO_SIGNATURE, 0);
	left -= MARKER_SIZE;
	if (left < DESCRIPTION_SIZE)
		return bad(c, left);
	left -= DESCRIPTION_SIZE;
	p = file.p + left;
	size = get_be32(p + 8);
	/* Everything but the kind of signature and its length is unused and zero. */
	for (i = 0; i < 8; i++)
		if (p[i] != (i == 2 ? ID_TYPE_PKCS7 : 0))
			return bad(c, left + i);
	if (!size || size >= left)
		return bad(c, left + 8);
	content->n = left - size;
	*cms = (struct span){ file.p + content->n, size };
	return 0;
}
