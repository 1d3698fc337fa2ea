// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patch buffers: the parser, then LOAD_KDATA of the buffer, then PATCH_TEXT steps at what it
 * entered. Input: the number of bytes of steps, steps of 8 bytes, the buffer.
 */
#include "world.h"

/* INT3, the tail, the first byte; at once to the NOP. At the site of this number. */
#define STEPS(site)                                                                                \
	site, 0, 1, 0xcc, 0, 0, 0, 0, site, 1, 4, 0, 0, 0, 0, 0, site, 0, 1, 0xe9, 0, 0, 0, 0,     \
		site, 4, 5, 0, 0, 0, 0, 0

/* The last two straddle: to the next page, and to one elsewhere. */
static const uint8_t steps[] = { 12, STEPS(0), STEPS(2), STEPS(4) };

/* These steps at the sites of a buffer. */
static void seed_buffer(const char *name, const struct patches *buffer)
{
	uint8_t *bytes = malloc(sizeof(steps) + buffer->n);

	CHECK(bytes);
	memcpy(bytes, steps, sizeof(steps));
	memcpy(bytes + sizeof(steps), buffer->bytes, buffer->n);
	seed(name, bytes, sizeof(steps) + buffer->n);
	free(bytes);
}

void target_seeds(void)
{
	static const uint8_t ds[HEKI_POKE_MAX] = { 0x3e };
	struct world *w = world_get(HEKI_GRADE_ENFORCE, false);
	struct patches locks = { 0 };
	struct heki_patch_info *info;
	uint8_t jump[HEKI_POKE_MAX];

	make_jump(KERNEL_VA + 0x2ffe, KERNEL_VA + 0x3040, sizeof(jump), jump);
	add_patch(&w->k.sites, w->k.text + 0x2ffe, w->k.text + 0x5000, jump, sizeof(jump));
	info = (void *)w->k.sites.bytes;
	seed_buffer("jump-labels", &w->k.sites);
	info->type = HEKI_PATCH_STATIC_CALL;
	seed_buffer("static-calls", &w->k.sites);
	info->type = HEKI_PATCH_MCOUNT;
	seed_buffer("mcount", &w->k.sites);
	add_patch_header(&locks, HEKI_PATCH_SMP_LOCK);
	for (uint64_t i = 0; i < WORLD_LOCKS; i++)
		add_patch(&locks, w->k.text + WORLD_LOCK + i, 0, ds, 1);
	seed_buffer("smp-locks", &locks);
	drop_patches(&locks);
}

static int each(struct call *c, uint32_t type, const struct heki_patch *patch, void *context)
{
	uint32_t *count = context;

	(void)c;
	CHECK(patch_well_formed(patch));
	CHECK(patch_code_valid(type, patch->size, patch->code));
	CHECK(patch->size && patch->size <= HEKI_POKE_MAX);
	++*count;
	return 0;
}

/* A step of PATCH_TEXT at a site: which, how, size, bytes of its own. */
static void step(struct world *w, const uint8_t *s)
{
	uint32_t index = 1 + s[0] % 8;
	struct patch_site site;
	struct heki_patch patch;
	uint8_t code[HEKI_POKE_MAX + 1] = { 0 };
	uint8_t at = s[1] == 1, size = s[2];

	if (!patches_next(w->g->core, &index, &site))
		return;
	memcpy(code, site.code, site.size);
	if (s[1] & 4)
		memcpy(code, site.size == 2 ? nop2 : nop5, site.size);
	for (unsigned int i = 0; i < 4; i++)
		code[i] ^= s[1] & 8 ? s[4 + i] : 0;
	if (size == 1)
		code[0] = s[3];
	patch = make_patch(site.pa.v + at, site.next.v, code + (at && size > 1), size);
	if (s[1] & 16)
		patch.pa[1] = site.pa.v + get_le32(s + 4);
	world_patch(w, w->pages, &patch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_get(size & 1 ? HEKI_GRADE_ENFORCE : HEKI_GRADE_AUDIT, false);
	struct input in = { data, size };
	struct span steps = input_bytes(&in, (input_u8(&in) & 15) * 8u);
	struct call c = world_begin(w);
	struct ranges list = { 0 };
	uint32_t count = 0;

	if (in.n && in.n <= 16 * HEKI_PAGE_SIZE) {
		uint8_t *copy = malloc(in.n);
		int rc;

		CHECK(copy);
		memcpy(copy, in.p, in.n);
		rc = patches_parse(&c, (struct span){ copy, in.n }, each, &count);
		free(copy);
		CHECK(count * sizeof(struct heki_patch) <= in.n);
		kernel_protect(w->g, &w->k);
		add_range(&list, DIRECT_MAP, put_bytes(w->g, in.p, in.n), in.n,
			  HEKI_KDATA_PATCH_INFO);
		list.r[0].epa = list.r[0].pa + in.n;
		CHECK(world_ranges(w, HEKI_CALL_LOAD_KDATA, &list, 0) < 0 || !rc);
		for (size_t i = 0; i + 8 <= steps.n; i += 8)
			step(w, steps.p + i);
	}
	drop_ranges(&list);
	world_end(w, &c);
	return 0;
}
