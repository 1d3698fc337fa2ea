// SPDX-License-Identifier: GPL-2.0-only
/* Kernel images: the reader, what the digest covers, the payload that kexec loads. */
#include "world.h"
#include "pe.h"

void target_seeds(void)
{
	static const char *const names[] = { "kernel-signed.pe", "kernel.pe", "other-signed.pe" };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++) {
		struct file f = load_file(names[i]);

		seed(names[i], f.p, f.n);
		drop_file(&f);
	}
}

/* The digest covers each byte but the checksum, the directory entry and the certificate table. */
static void check_parts(struct span image, const struct pe *pe)
{
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
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);
	struct span image = { copy, size };
	struct span payload;
	struct pe pe;

	CHECK(copy);
	memcpy(copy, data, size);
	if (!pe_parse(image, &pe))
		check_parts(image, &pe);
	if (!bzimage_payload(image, &payload))
		CHECK(payload.n && span_inside(payload, image));
	free(copy);
	return 0;
}
