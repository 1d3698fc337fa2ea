// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * KEXEC_VALIDATE: freeze a loaded image, verify the file that it came from, bind the one to the
 * other.
 *
 * Trust boundary: all ranges are VTL0's. The pages of the image are frozen before anything is
 * judged; the file and the segment table are copied once. What is verified is the kernel: initrd,
 * command line and purgatory are frozen, not authenticated. That the kernel really jumps into these
 * pages is not shown here: executing an image needs a call of its own.
 *
 * PAGES ranges of a normal image hold the pages of its segments, in the order of the segments,
 * before any others; those of a crash image lie where the segments will run.
 *
 * Locks: slot->busy keeps a slot to one call; HEKI_LOCK_TABLES only around it.
 */
#include "call.h"
#include "pe.h"

#define SLOT_CRASH 1
#define BLOB_MAX (256u << 20)
#define DIGEST_SHOWN 8

/**
 * struct image - an image that is being judged
 * @c:        the call
 * @chain:    frames of its slot
 * @owner:    HEKI_OWNER_KEXEC or HEKI_OWNER_CRASH
 * @list:     ranges
 * @segments: copied segments
 * @count:    their number
 * @kernel:   which of them holds the kernel
 * @blob:     copy of the signed file
 * @sha256:   Authenticode digest of it
 * @revision: of the revocations that it was judged by
 */
struct image {
	struct call *c;
	struct chain *chain;
	uint32_t owner;
	struct range_list list;
	const struct heki_kexec_segment *segments;
	uint32_t count;
	uint32_t kernel;
	struct span blob;
	uint8_t sha256[HEKI_HASH_MAX];
	uint64_t revision;
};

static int check_types(struct call *c, const struct range_list *list)
{
	uint32_t i;

	for (i = 0; i < list->n; i++) {
		const struct heki_range *r = &list->r[i];

		switch (r->attributes) {
		case HEKI_KEXEC_IMAGE: /* its layout is the running kernel's own: not read */
		case HEKI_KEXEC_KERNEL_BLOB:
		case HEKI_KEXEC_SEGMENTS:
			break;
		case HEKI_KEXEC_PAGES:
			if (!page_aligned(r->pa) || !page_aligned(r->epa))
				return refuse(c, HEKI_E_NOT_ALIGNED, r->pa);
			if (r->pa == r->epa)
				return refuse(c, HEKI_E_RANGE, r->pa);
			break;
		default:
			return refuse(c, HEKI_E_KEXEC_TYPE, r->attributes);
		}
	}
	return 0;
}

static int check_segment(struct call *c, const struct heki_kexec_segment *s)
{
	struct heki_core *core = c->core;

	if (s->flags & ~(uint64_t)HEKI_SEGMENT_KERNEL || s->bufsz > s->memsz)
		return refuse(c, HEKI_E_KEXEC_SEGMENTS, s->mem);
	if (!s->memsz || !page_aligned(s->mem) || !page_aligned(s->memsz) ||
	    !phys_valid(s->mem) || !phys_valid(s->memsz) || !phys_valid(s->mem + s->memsz) ||
	    !core->ops->is_kexec_target(core->host, gpa(s->mem), s->memsz))
		return refuse(c, HEKI_E_KEXEC_SEGMENT_RANGE, s->mem);
	return 0;
}

/* Each one before it has been checked for itself, so the sums do not wrap. */
static bool overlaps_earlier(const struct heki_kexec_segment *segments, uint32_t i)
{
	const struct heki_kexec_segment *s = &segments[i];
	uint32_t j;

	for (j = 0; j < i; j++)
		if (s->mem < segments[j].mem + segments[j].memsz &&
		    segments[j].mem < s->mem + s->memsz)
			return true;
	return false;
}

static int copy_segments(struct image *image)
{
	struct call *c = image->c;
	struct span bytes;
	uint32_t i, kernels = 0;
	int result;

	result = ranges_bytes(c, &image->list, HEKI_KEXEC_SEGMENTS,
			      HEKI_KEXEC_SEGMENT_MAX * sizeof(*image->segments),
			      HEKI_E_KEXEC_SEGMENTS, &bytes);
	if (result)
		return result;
	if (!bytes.n || bytes.n % sizeof(*image->segments))
		return refuse(c, HEKI_E_KEXEC_SEGMENTS, bytes.n);
	image->segments = (const struct heki_kexec_segment *)bytes.p;
	image->count = (uint32_t)(bytes.n / sizeof(*image->segments));
	for (i = 0; i < image->count; i++) {
		result = check_segment(c, &image->segments[i]);
		if (result)
			return result;
		if (overlaps_earlier(image->segments, i))
			return refuse(c, HEKI_E_KEXEC_SEGMENTS, image->segments[i].mem);
		if (image->segments[i].flags & HEKI_SEGMENT_KERNEL) {
			image->kernel = i;
			kernels++;
		}
	}
	return kernels == 1 ? 0 : refuse(c, HEKI_E_KEXEC_SEGMENTS, kernels);
}

static int freeze_pages(struct image *image)
{
	uint32_t i;
	int result;

	for (i = 0; i < image->list.n; i++) {
		const struct heki_range *r = &image->list.r[i];

		if (r->attributes != HEKI_KEXEC_PAGES)
			continue;
		result = frames_claim(image->c, image->chain, image->owner, gpa(r->pa),
				      (r->epa - r->pa) >> HEKI_PAGE_SHIFT, HEKI_ATTR_READ,
				      FRAME_NO_KIND);
		if (result)
			return refuse(image->c, (enum heki_error)-result, r->pa);
	}
	return 0;
}

/* The digest that was signed against the digest of the file. */
static int check_digest(struct image *image, const struct pe *pe, enum heki_hash hash,
			const uint8_t *expected)
{
	struct heki_core *core = image->c->core;
	struct digest digest = { .algorithm = hash };

	if (hash_with_sha256(image->c, pe->parts, PE_PARTS, PE_PARTS, &digest, image->sha256))
		return -HEKI_E_SIGNATURE_ALGORITHM;
	if (memcmp(digest.bytes, expected, hash_size(hash)))
		return -HEKI_E_PE_DIGEST;
	if (hashes_listed(core, digest.bytes, hash_size(hash)) ||
	    hashes_listed(core, image->sha256, hash_size(HEKI_SHA256)))
		return -HEKI_E_REVOKED;
	return 0;
}

static int copy_blob(struct image *image)
{
	return ranges_bytes(image->c, &image->list, HEKI_KEXEC_KERNEL_BLOB, BLOB_MAX,
			    HEKI_E_PE_FORMAT, &image->blob);
}

static int verify_blob(struct image *image)
{
	uint8_t expected[HEKI_HASH_MAX];
	enum heki_hash hash;
	struct pe pe;
	int result;

	image->revision = certs_revision(image->c->core);
	result = pe_parse(image->blob, &pe);
	if (result)
		return result;
	result = cms_verify_authenticode(image->c, pe.cms, &hash, expected);
	if (result)
		return result;
	return check_digest(image, &pe, hash, expected);
}

/**
 * struct binding - a walk over the frozen pages in the order of the kernel's segment
 * @image:   the image
 * @payload: what the segment must begin with; zeroes follow
 * @start:   where the segment begins: position in the PAGES ranges, or physical address
 * @end:     where it ends
 * @found:   bytes of it that were found and compared
 * @page:    scratch memory
 */
struct binding {
	struct image *image;
	struct span payload;
	uint64_t start;
	uint64_t end;
	uint64_t found;
	uint8_t *page;
};

static bool is_expected(const struct binding *b, uint64_t offset)
{
	size_t n = 0;
	size_t i;

	if (offset < b->payload.n)
		n = (size_t)min_u64(b->payload.n - offset, HEKI_PAGE_SIZE);
	if (n && memcmp(b->page, b->payload.p + offset, n))
		return false;
	for (i = n; i < HEKI_PAGE_SIZE; i++)
		if (b->page[i])
			return false;
	return true;
}

/* Compare the pages of one range that lie in the segment; @at is where the range begins. */
static int bind_range(struct binding *b, const struct heki_range *r, uint64_t at)
{
	struct call *c = b->image->c;
	struct heki_core *core = c->core;
	uint64_t pa;

	for (pa = r->pa; pa < r->epa; pa += HEKI_PAGE_SIZE, at += HEKI_PAGE_SIZE) {
		if (at < b->start || at >= b->end)
			continue;
		call_work(c, HEKI_PAGE_SIZE);
		if (core->ops->read(core->host, gpa(pa), b->page, HEKI_PAGE_SIZE))
			return refuse(c, HEKI_E_COPY_FROM_VTL0, pa);
		if (!is_expected(b, at - b->start)) {
			text_str(c, "kernel segment differs in the page at offset ");
			text_hex(c, at - b->start);
			return refuse(c, HEKI_E_KEXEC_UNBOUND, pa);
		}
		b->found += HEKI_PAGE_SIZE;
	}
	return 0;
}

static int bind_ranges(struct binding *b)
{
	const struct range_list *list = &b->image->list;
	uint64_t position = 0;
	uint32_t i;
	int result;

	for (i = 0; i < list->n; i++) {
		const struct heki_range *r = &list->r[i];

		if (r->attributes != HEKI_KEXEC_PAGES)
			continue;
		result = bind_range(b, r, b->image->owner == HEKI_OWNER_CRASH ? r->pa : position);
		if (result)
			return result;
		position += r->epa - r->pa;
	}
	/* No page is frozen twice, so this many bytes are all of the segment. */
	if (b->found != b->end - b->start)
		return refuse(b->image->c, HEKI_E_KEXEC_UNBOUND, b->found);
	return 0;
}

/* The frozen pages of the kernel's segment must hold the kernel of the verified file. */
static int bind_kernel(struct image *image)
{
	const struct heki_kexec_segment *kernel = &image->segments[image->kernel];
	struct binding b = { .image = image };
	uint32_t i;
	int result;

	result = bzimage_payload(image->blob, &b.payload);
	if (result)
		return result;
	if (kernel->bufsz != b.payload.n)
		return refuse(image->c, HEKI_E_KEXEC_UNBOUND, kernel->bufsz);
	if (image->owner == HEKI_OWNER_CRASH)
		b.start = kernel->mem;
	else
		for (i = 0; i < image->kernel; i++)
			b.start += image->segments[i].memsz;
	b.end = b.start + kernel->memsz;
	b.page = arena_alloc(&image->c->arena, HEKI_PAGE_SIZE);
	if (!b.page)
		return -HEKI_E_NO_MEMORY;
	return bind_ranges(&b);
}

static int validate(struct image *image)
{
	struct call *c = image->c;
	int result;

	result = ranges_copy_in(c, c->p[0], c->p[1], &image->list);
	if (result)
		return result;
	result = check_types(c, &image->list);
	if (result)
		return result;
	result = copy_segments(image);
	if (result)
		return result;
	result = freeze_pages(image);
	if (result)
		return result;
	result = copy_blob(image);
	if (result)
		return result;
	result = verify_blob(image);
	if (result)
		return result;
	result = bind_kernel(image);
	if (result)
		return result;
	return frames_record(c, image->chain, FRAMES_ALL);
}

static void log_image(struct call *c, uint64_t slot, const uint8_t *digest)
{
	struct heki_log_record record = {
		.address = slot,
		.call = c->id,
		.event = HEKI_LOG_KEXEC,
	};

	text_clear(c);
	text_str(c, slot == SLOT_CRASH ? "crash" : "normal");
	text_str(c, " kernel, Authenticode SHA-256 ");
	text_bytes(c, digest, DIGEST_SHOWN);
	memcpy(record.text, c->text, sizeof(record.text));
	log_write(c->core, &record);
}

static int slot_enter(struct heki_core *core, struct kexec_slot *slot)
{
	int result = 0;

	core_lock(core);
	if (slot->busy) {
		result = -HEKI_E_BUSY;
	} else {
		slot->busy = 1;
		slot->valid = false;
	}
	core_unlock(core);
	return result;
}

static void slot_leave(struct heki_core *core, struct kexec_slot *slot)
{
	core_lock(core);
	slot->busy = 0;
	core_unlock(core);
}

/* Whether the image was published: not when something was revoked since it was judged. */
static bool publish(struct image *image, struct kexec_slot *slot)
{
	struct heki_core *core = image->c->core;
	bool current;

	core_lock(core);
	current = core->revision == image->revision;
	if (current) {
		memcpy(slot->digest, image->sha256, sizeof(slot->digest));
		slot->valid = true;
	}
	core_unlock(core);
	return current;
}

/* Each turn needs a revocation that is new, for which there is a budget: this comes to an end. */
static int validate_and_publish(struct image *image, struct kexec_slot *slot)
{
	int result = validate(image);

	while (!result) {
		if (image->c->abandoned)
			return -HEKI_E_AGAIN;
		if (publish(image, slot))
			return 0;
		result = verify_blob(image);
	}
	return result;
}

/* The old image of the slot goes first, whatever comes of the new one: so does the kernel's own. */
int call_kexec_validate(struct call *c)
{
	struct heki_core *core = c->core;
	struct image image = { .c = c };
	struct kexec_slot *slot;
	int result;

	if (c->p[2] > SLOT_CRASH)
		return refuse(c, HEKI_E_PARAMETER, c->p[2]);
	slot = &core->kexec[c->p[2]];
	result = slot_enter(core, slot);
	if (result)
		return result;
	image.owner = c->p[2] == SLOT_CRASH ? HEKI_OWNER_CRASH : HEKI_OWNER_KEXEC;
	image.chain = &core->owner_frames[image.owner - HEKI_OWNER_KERNEL];
	frames_release(c, image.chain, FRAMES_ALL);
	if (!c->p[0]) {
		slot_leave(core, slot);
		return 0;
	}
	result = validate_and_publish(&image, slot);
	if (result)
		frames_release(c, image.chain, FRAMES_ALL);
	slot_leave(core, slot);
	if (!result)
		log_image(c, c->p[2], image.sha256);
	return result;
}
