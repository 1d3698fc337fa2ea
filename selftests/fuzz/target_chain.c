// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page chains: the input says how many ranges VTL0 declares, then for each of some pages where it
 * leads, how many ranges it claims to have, and a few of these.
 */
#include "world.h"

#define PAGES 12

void target_seeds(void)
{
	/* two pages that are as they should be: nranges, first, {next, n, given, ranges...} */
	static const uint8_t good[] = { 3, 0, 0, 1, 2, 2, 13, 0, 0, 1, 14, 0, 0, 1, 0xff, 1, 1, 15, 0, 0, 1 };
	static const uint8_t cycle[] = { 9, 0, 0, 0, 2, 1, 13, 0, 0, 1 };

	seed("good", good, sizeof(good));
	seed("cycle", cycle, sizeof(cycle));
}

static uint64_t where(const struct world *w, uint8_t choice)
{
	const uint64_t odd[] = { 0, WORLD_VTL1, HOLE_PA, WORLD_RAM, 1ull << 52, ~0ull, ~0xfffull };

	if (choice < WORLD_PAGES)
		return w->pages + choice * HEKI_PAGE_SIZE;
	if (choice & 0x40)
		return w->pages + (choice & 7) * HEKI_PAGE_SIZE + 8;
	return odd[choice % HEKI_ARRAY_SIZE(odd)];
}

/* A page, a few bytes of offset, a length in pages, odd when the top bit says so. */
static struct heki_range range(const struct world *w, struct input *in)
{
	struct heki_range r;
	uint8_t place = input_u8(in), offset = input_u8(in), type = input_u8(in);
	uint8_t length = input_u8(in);

	r.pa = where(w, place) + offset;
	r.epa = r.pa + (length & 15) * (uint64_t)HEKI_PAGE_SIZE + (length & 0x80 ? 0x77 : 0);
	if (length & 0x40)
		r.epa = input_u64(in);
	r.va = type & 0x80 ? input_u64(in) : DIRECT_MAP + r.pa;
	r.attributes = type & 0x1f;
	return r;
}

static uint64_t declare(struct world *w, struct input *in)
{
	uint64_t declared = input_u16(in);
	uint8_t given, wide;

	for (unsigned int i = 0; i < PAGES && in->n; i++) {
		struct heki_page *page = guest_at(w->g, w->pages + i * HEKI_PAGE_SIZE);

		wide = input_u8(in);
		page->next_pa = wide == 0xff ? 0 : where(w, wide);
		wide = input_u8(in);
		page->nranges = wide == 0xff ? input_u64(in) : wide;
		given = input_u8(in) & 7;
		for (unsigned int k = 0; k < HEKI_MAX_RANGES && (k < given || k < page->nranges); k++)
			page->ranges[k] = k < given ? range(w, in) : page->ranges[0];
	}
	return declared;
}

static void check_list(struct world *w, struct call *c, struct range_list *list)
{
	struct span bytes;

	for (uint32_t i = 0; i < list->n; i++) {
		const struct heki_range *r = &list->r[i];

		CHECK(r->pa <= r->epa && phys_valid(r->epa) && virt_canonical(r->va));
		if (r->pa == r->epa)
			continue; /* no memory at all */
		CHECK(r->epa <= WORLD_RAM);
		for (uint64_t at = page_down(r->pa); at < r->epa; at += HEKI_PAGE_SIZE)
			CHECK_EQUAL(w->g->kind[at >> HEKI_PAGE_SHIFT], GUEST_RAM);
	}
	for (uint64_t type = 0; type < 3; type++)
		if (!ranges_bytes(c, list, type, 1 << 20, HEKI_E_NO_MEMORY, &bytes))
			CHECK(bytes.n <= 1 << 20 && !bytes.n == !bytes.p);
	ranges_sort_va(c, list);
	for (uint32_t i = 1; i < list->n; i++)
		CHECK(list->r[i - 1].va <= list->r[i].va);
	ranges_sort_pa(c, list);
	for (uint32_t i = 1; i < list->n; i++)
		CHECK(list->r[i - 1].pa <= list->r[i].pa);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_get(HEKI_GRADE_ENFORCE, false);
	struct input in = { data, size };
	uint64_t declared = declare(w, &in);
	struct call c = world_begin(w);
	struct range_list list = { 0 };

	if (!ranges_copy_in(&c, w->pages, declared, &list)) {
		CHECK_EQUAL(list.n, declared);
		check_list(w, &c, &list);
	}
	world_end(w, &c);
	world_call(w, HEKI_CALL_PROTECT_MEMORY, w->pages, declared, 0);
	return 0;
}
