/* SPDX-License-Identifier: GPL-2.0-only */
/* A kexec image, as VTL0 sends it. */
#ifndef SELFTESTS_HOST_KIMAGE_H
#define SELFTESTS_HOST_KIMAGE_H

#include "vtl0.h"

#define NORMAL 0
#define CRASH 1

/**
 * struct image - a loaded kexec image, as VTL0 sends it
 * @segment: a helper's page, the kernel, an initrd of two pages
 * @ranges:  IMAGE, KERNEL_BLOB, SEGMENTS, then PAGES
 * @pages:   index of the first PAGES range
 */
struct image {
	struct guest *g;
	uint64_t slot;
	struct file blob;
	uint64_t blob_pa;
	uint64_t segments_pa;
	struct heki_kexec_segment segment[3];
	struct ranges ranges;
	size_t pages;
};

enum { IMAGE, BLOB, SEGMENTS, PAGES };

/* Build an image of a signed kernel and put it into guest memory. */
void image_file(struct guest *g, struct image *m, struct file blob, uint64_t slot);
/* The same of a file of build/testdata. */
void image(struct guest *g, struct image *m, const char *name, uint64_t slot);
void drop_image(struct image *m);
/* Write m->segment to guest memory again. */
void put_segments(struct image *m);
/* KEXEC_VALIDATE. */
int send_image(struct image *m);
/* LOAD_KDATA of a trust anchor for kexec. */
void trust_kexec(struct guest *g, const char *name);

#endif /* SELFTESTS_HOST_KIMAGE_H */
