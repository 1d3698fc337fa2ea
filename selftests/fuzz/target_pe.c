// SPDX-License-Identifier: GPL-2.0-only
/* Kernel images: the reader, what the digest covers, the payload that kexec loads. */
#include "parts.h"

void target_seeds(void)
{
	static const char *const names[] = { "kernel-signed.pe", "kernel.pe", "other-signed.pe" };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++) {
		struct file f = load_file(names[i]);

		seed(names[i], f.p, f.n);
		drop_file(&f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct span image = { copy, size };
	struct span payload;
	struct pe pe;

	CHECK(copy);
	memcpy(copy, data, size);
	if (!pe_parse(image, &pe))
		parts_check(image, &pe);
	if (!bzimage_payload(image, &payload))
		CHECK(payload.n && span_inside(payload, image));
	free(copy);
	return 0;
}
