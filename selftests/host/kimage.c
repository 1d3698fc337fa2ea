// SPDX-License-Identifier: GPL-2.0-only
/* Builds what VTL0 sends of a kexec image: source pages scattered, a crash image in place. */
#include "kimage.h"

/* The real-mode part of a bzImage, which kexec does not load. */
static uint64_t setup_bytes(const struct file *blob)
{
	return (blob->p[0x1f1] + 1ull) * 512;
}

/* Page @i of a segment's content. */
static void fill_page(struct image *m, unsigned int segment, uint64_t i, uint64_t pa)
{
	uint8_t *page = guest_at(m->g, pa);
	uint64_t offset = setup_bytes(&m->blob) + i * HEKI_PAGE_SIZE;

	memset(page, segment == 1 ? 0 : 0x70 + (int)segment, HEKI_PAGE_SIZE);
	if (segment == 1 && offset < m->blob.n)
		memcpy(page, m->blob.p + offset, min_u64(HEKI_PAGE_SIZE, m->blob.n - offset));
}

static void add_segment(struct image *m, unsigned int segment, uint64_t bytes)
{
	struct heki_kexec_segment *s = &m->segment[segment];
	uint64_t pages = page_up(bytes) >> HEKI_PAGE_SHIFT;

	s->mem = guest_pages(m->g, pages);
	s->memsz = pages << HEKI_PAGE_SHIFT;
	s->bufsz = bytes;
	s->flags = segment == 1 ? HEKI_SEGMENT_KERNEL : 0;
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t pa = m->slot == CRASH ? s->mem + i * HEKI_PAGE_SIZE : guest_pages(m->g, 1);

		fill_page(m, segment, i, pa);
		if (m->slot == NORMAL)
			guest_pages(m->g, 1); /* scattered */
		add_range(&m->ranges, DIRECT_MAP + pa, pa, HEKI_PAGE_SIZE, HEKI_KEXEC_PAGES);
	}
}

void put_segments(struct image *m)
{
	memcpy(guest_at(m->g, m->segments_pa), m->segment, sizeof(m->segment));
}

void image_file(struct guest *g, struct image *m, struct file blob, uint64_t slot)
{
	uint64_t pa = guest_pages(g, 1);

	memset(m, 0, sizeof(*m));
	m->g = g;
	m->slot = slot;
	m->blob = blob;
	m->blob_pa = put_bytes(g, blob.p, blob.n);
	m->segments_pa = guest_pages(g, 1);
	add_range(&m->ranges, DIRECT_MAP + pa + 0x340, pa + 0x340, 584, HEKI_KEXEC_IMAGE);
	add_range(&m->ranges, DIRECT_MAP + m->blob_pa, m->blob_pa, blob.n, HEKI_KEXEC_KERNEL_BLOB);
	add_range(&m->ranges, DIRECT_MAP + m->segments_pa, m->segments_pa, sizeof(m->segment),
		  HEKI_KEXEC_SEGMENTS);
	m->pages = m->ranges.n;
	add_segment(m, 0, 100);
	add_segment(m, 1, blob.n - setup_bytes(&blob));
	add_segment(m, 2, 5000);
	put_segments(m);
}

void image(struct guest *g, struct image *m, const char *name, uint64_t slot)
{
	image_file(g, m, load_file(name), slot);
}

void drop_image(struct image *m)
{
	drop_ranges(&m->ranges);
	drop_file(&m->blob);
}

int send_image(struct image *m)
{
	return call_ranges(m->g, HEKI_CALL_KEXEC_VALIDATE, &m->ranges, m->slot);
}

void trust_kexec(struct guest *g, const char *name)
{
	struct file f = load_file(name);

	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, f.p, f.n, HEKI_KDATA_KEXEC_CERTS));
	drop_file(&f);
}
