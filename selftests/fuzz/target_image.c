// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signed kernel images with changes. Input: what is changed, then changes of fields.
 *
 * IMAGE_SENT: an image of the test is sent whole by KEXEC_VALIDATE, its signature really verified:
 * a byte that its digest covers, or of the kernel that would run, and the image is refused.
 * Otherwise: the reader alone, on the stock kernels' images.
 */
#include "parts.h"

#define IMAGE_SENT 2 /* number of the stock images, which come before */
#define CHANGES_MOST 16

/* Where a PE header has what the changes change. */
#define PE_OFFSET 0x3c
#define OPTIONAL 24
#define CHECKSUM 64
#define DIRECTORY 144 /* of the certificates, 8 bytes */
#define SECTIONS (112 + 16 * 8)

struct bytes {
	uint8_t *p;
	size_t n;
};

struct undo {
	size_t at;
	uint64_t old;
};

struct change {
	struct input in;
	struct bytes b;
	struct undo undo[CHANGES_MOST];
	unsigned int count;
};

void target_seeds(void)
{
	static const uint8_t stock[] = { 0, 0, 0, 1, 1 };
	static const uint8_t section[] = { 1, 2, 1, 4, 1 };
	static const uint8_t sent[] = { IMAGE_SENT };
	static const uint8_t crash[] = { IMAGE_SENT | 4, 5, 0, 1, 0, 0x61 };
	static const uint8_t changed[] = { IMAGE_SENT, 4, 0x10, 0x30, 0x61 };
	static const uint8_t segment[] = { IMAGE_SENT, 6, 1, 0, 1, 0x61 };

	seed("stock", stock, sizeof(stock));
	seed("section", section, sizeof(section));
	seed("sent", sent, sizeof(sent));
	seed("crash", crash, sizeof(crash));
	seed("changed", changed, sizeof(changed));
	seed("segment", segment, sizeof(segment));
}

static uint32_t read32(const struct bytes *b, size_t at)
{
	return at + 4 <= b->n ? get_le32(b->p + at) : 0;
}

static uint64_t value(struct change *c, uint64_t old)
{
	const uint64_t some[] = {
		0, 1, 7, 8, 16, 40, 64, 96, 0x200, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		~0ull, c->b.n, c->b.n - 1, c->b.n - 8, c->b.n + 1, 0x100000000,
	};
	uint8_t choice = input_u8(&c->in);

	if (choice < 0x40)
		return some[choice % HEKI_ARRAY_SIZE(some)];
	if (choice < 0x80)
		return old + choice - 0x60;
	return choice < 0xc0 ? old ^ 1ull << (choice & 31) : input_u64(&c->in);
}

/* Change @n bytes, to be undone later; less than 8 are put back with what follows them. */
static void change(struct change *c, size_t at, size_t n)
{
	uint64_t field = 0;

	if (at + 8 > c->b.n || c->count == CHANGES_MOST)
		return;
	memcpy(&c->undo[c->count].old, c->b.p + at, 8);
	c->undo[c->count++].at = at;
	memcpy(&field, c->b.p + at, n);
	field = value(c, field);
	memcpy(c->b.p + at, &field, n);
}

static void undo(struct change *c)
{
	while (c->count--)
		memcpy(c->b.p + c->undo[c->count].at, &c->undo[c->count].old, 8);
}

struct field {
	uint8_t at;
	uint8_t n;
};

static void change_field(struct change *c, size_t base, const struct field *fields, size_t count)
{
	const struct field *f = &fields[input_u8(&c->in) % count];

	change(c, base + f->at, f->n);
}

static void change_start(struct change *c)
{
	static const struct field fields[] = { { 0, 2 }, { PE_OFFSET, 4 } };

	change_field(c, 0, fields, HEKI_ARRAY_SIZE(fields));
}

static void change_coff(struct change *c)
{
	static const struct field fields[] = { { 0, 4 }, { 4, 2 }, { 6, 2 }, { 20, 2 } };

	change_field(c, read32(&c->b, PE_OFFSET), fields, HEKI_ARRAY_SIZE(fields));
}

static void change_optional(struct change *c)
{
	static const struct field fields[] = { { 0, 2 }, { 60, 4 }, { CHECKSUM, 4 }, { 108, 4 },
					       { DIRECTORY, 4 }, { DIRECTORY + 4, 4 } };

	change_field(c, read32(&c->b, PE_OFFSET) + OPTIONAL, fields, HEKI_ARRAY_SIZE(fields));
}

static void change_section(struct change *c)
{
	static const struct field fields[] = { { 8, 4 }, { 12, 4 }, { 16, 4 }, { 20, 4 } };
	size_t base = read32(&c->b, PE_OFFSET) + OPTIONAL + SECTIONS;

	change_field(c, base + (input_u8(&c->in) & 7) * 40u, fields, HEKI_ARRAY_SIZE(fields));
}

static void change_anywhere(struct change *c)
{
	uint64_t at = input_u16(&c->in);

	change(c, at * 64 % c->b.n + input_u8(&c->in) % 64, 1);
}

/* The table of certificates: its header, or a byte of the signature. */
static void change_certificates(struct change *c)
{
	static const struct field fields[] = { { 0, 4 }, { 4, 2 }, { 6, 2 } };
	size_t base = read32(&c->b, read32(&c->b, PE_OFFSET) + OPTIONAL + DIRECTORY);

	if (input_u8(&c->in) & 1)
		change_field(c, base, fields, HEKI_ARRAY_SIZE(fields));
	else
		change(c, base + 8 + input_u16(&c->in) % 2048, 1);
}

static void (*const changes[])(struct change *c) = {
	change_start, change_coff, change_optional, change_section, change_anywhere,
	change_certificates,
};

/* --- the reader --- */

static void check_reader(const struct bytes *b)
{
	struct span image = { b->p, b->n }, payload;
	struct pe pe;

	if (!pe_parse(image, &pe))
		parts_check(image, &pe);
	if (!bzimage_payload(image, &payload))
		CHECK(payload.n && span_inside(payload, image));
}

/* A stock image, or one of the test's where none has been fetched. */
static struct bytes *stock_image(unsigned int index)
{
	static const char *const paths[IMAGE_SENT] = { "build/kernel/6.1/vmlinuz",
						       "build/kernel/6.12/vmlinuz" };
	static struct bytes images[IMAGE_SENT];
	struct bytes *b = &images[index % IMAGE_SENT];
	struct file f;

	if (b->p)
		return b;
	f = load_path(paths[index % IMAGE_SENT]);
	if (!f.p)
		f = load_file("kernel-signed.pe");
	*b = (struct bytes){ malloc(f.n), f.n }; /* exactly, for the sanitizer */
	CHECK(b->p);
	memcpy(b->p, f.p, f.n);
	drop_file(&f);
	return b;
}

/* --- a whole image --- */

/* Whether a byte of the blob that the digest covers is another now. */
static bool covered_changed(const struct image *m, const struct bytes *now)
{
	size_t optional = get_le32(m->blob.p + PE_OFFSET) + OPTIONAL;
	size_t certs = get_le32(m->blob.p + optional + DIRECTORY);
	const size_t open[] = { 0, optional + CHECKSUM, optional + CHECKSUM + 4, optional + DIRECTORY,
				optional + DIRECTORY + 8, certs };

	for (unsigned int i = 0; i < HEKI_ARRAY_SIZE(open); i += 2)
		if (memcmp(m->blob.p + open[i], now->p + open[i], open[i + 1] - open[i]))
			return true;
	return false;
}

/* A field of a segment, then true, or a byte of what the segments hold. */
static bool change_segments(struct change *c, struct world *w, struct image *m)
{
	uint8_t which = input_u8(&c->in) % 3;
	uint64_t *field = (uint64_t *)&m->segment[which] + input_u8(&c->in) % 4;
	const struct image *placed = &w->image[m->slot];
	const struct heki_range *r = &placed->ranges.r[placed->pages + input_u8(&c->in) %
						       (placed->ranges.n - placed->pages)];
	uint8_t *byte = guest_at(w->g, r->pa + input_u16(&c->in) % (r->epa - r->pa));
	uint8_t bits = input_u8(&c->in);

	if (input_u8(&c->in) & 1) {
		*field = value(c, *field);
		put_segments(m);
		return true;
	}
	*byte ^= bits;
	return false;
}

static void change_range(struct change *c, struct image *m)
{
	struct heki_range *r = &m->ranges.r[input_u8(&c->in) % m->ranges.n];
	uint64_t *field = (uint64_t *)r + input_u8(&c->in) % 4;

	*field = value(c, *field);
}

/* The bytes that would run are those of the blob; all pages are the segments' then. */
static void check_accepted(struct world *w, const struct image *m, const struct bytes *blob)
{
	struct span payload;

	CHECK(!covered_changed(m, blob));
	CHECK(!bzimage_payload((struct span){ blob->p, blob->n }, &payload));
	for (size_t done = 0, i = m->pages + 1; done < payload.n; i++) {
		const struct heki_range *r = &m->ranges.r[i];
		size_t n = min_u64(r->epa - r->pa, payload.n - done);

		CHECK(i < m->ranges.n && !memcmp(guest_at(w->g, r->pa), payload.p + done, n));
		done += n;
	}
}

static void send_one(struct input in, uint8_t kind)
{
	struct world *w = world_get(kind & 8 ? HEKI_GRADE_ENFORCE : HEKI_GRADE_AUDIT, true);
	struct image m = w->image[kind & 4 ? CRASH : NORMAL];
	struct change c = { .in = in, .b = { guest_at(w->g, m.blob_pa), m.blob.n } };
	struct ranges list = { 0 };
	bool unchanged = !in.n, moved = false;
	int result;

	for (size_t i = 0; i < m.ranges.n; i++)
		add_range(&list, m.ranges.r[i].va, m.ranges.r[i].pa,
			  m.ranges.r[i].epa - m.ranges.r[i].pa, m.ranges.r[i].attributes);
	m.ranges = list;
	for (unsigned int i = 0; i < CHANGES_MOST && c.in.n; i++) {
		uint8_t which = input_u8(&c.in) & 7;

		if (which < HEKI_ARRAY_SIZE(changes)) {
			changes[which](&c);
		} else if (which == 6) {
			moved |= change_segments(&c, w, &m);
		} else {
			change_range(&c, &m);
			moved = true;
		}
	}
	result = world_ranges(w, HEKI_CALL_KEXEC_VALIDATE, &m.ranges, m.slot);
	CHECK(!unchanged || !result);
	if (!result && !moved)
		check_accepted(w, &m, &c.b);
	drop_ranges(&m.ranges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct change c = { .in = { data, size } };
	uint8_t kind = input_u8(&c.in);

	if ((kind & 3) >= IMAGE_SENT) {
		send_one(c.in, kind);
		return 0;
	}
	c.b = *stock_image(kind & 3);
	for (unsigned int i = 0; i < CHANGES_MOST && c.in.n; i++)
		changes[input_u8(&c.in) % HEKI_ARRAY_SIZE(changes)](&c);
	check_reader(&c.b);
	undo(&c);
	return 0;
}
