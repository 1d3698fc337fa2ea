// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Trust anchors: DER certificates in a folder at build time, in system/ for modules and kexec/ for
 * kernels.  An image with any of the first kind takes none from VTL0.
 *
 * Trust boundary: part of the image. Locks: none, one VP.
 */
#include "anchors.h"
#include "types.h"

/* As build.mk makes it, one for each file. */
struct anchor {
	uint64_t set; /* enum heki_cert_set */
	uint64_t size;
	const uint8_t *der;
};

/* From the linker script; the last entry has no certificate. */
extern const struct anchor image_anchors[];

const char *anchors_trust(struct heki_core *core)
{
	const struct anchor *a;

	for (a = image_anchors; a->der; a++)
		if (heki_core_trust(core, (enum heki_cert_set)a->set,
				    (struct span){ a->der, a->size }))
			return "a certificate that it was built with cannot be used";
	return NULL;
}
