// SPDX-License-Identifier: GPL-2.0-only
/*
 * PATCH_TEXT: the state machine of a site, compared with a model of it for every state, every
 * step, every page split and every value of every byte; and the same of PATCH_TEXT_BATCH.
 */
#include "vtl0.h"

#define TEXT_BYTES (KERNEL_TEXT_PAGES * (uint64_t)HEKI_PAGE_SIZE)

static const uint8_t ret5[5] = { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc };
static const uint8_t zero5[5] = { 0x2e, 0x2e, 0x2e, 0x31, 0xc0 };

/* A site of the model. */
struct site {
	struct guest *g;
	struct kernel k;
	uint64_t offset; /* in the text */
	uint32_t type;
	uint8_t size;
	uint8_t split; /* bytes on the first page; size when it does not straddle */
	uint8_t code[5];
	bool tail; /* a static call that jumps or returns */
	bool batch; /* patched by PATCH_TEXT_BATCH */
};

/* A branch at the site to an address that is @distance from the start of the text. */
static void branch(const struct site *s, uint8_t opcode, uint64_t distance, uint8_t *code)
{
	code[0] = opcode;
	put_le32(code + 1, (uint32_t)(distance - (s->offset + 5)));
}

static uint64_t byte_address(const struct site *s, unsigned int i)
{
	return s->k.text + s->offset + i;
}

static void set_bytes(struct site *s, const uint8_t *bytes)
{
	memcpy(guest_at(s->g, byte_address(s, 0)), bytes, s->size);
}

static const uint8_t *bytes_now(const struct site *s)
{
	return guest_at(s->g, byte_address(s, 0));
}

/*
 * A kernel with one site at the last @split bytes of its first page, and end of boot. If it is none
 * of a jump label, @first stands there.
 */
static void site_make_first(struct site *s, uint32_t type, uint8_t size, uint8_t split,
			    const uint8_t *first)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	memset(s, 0, sizeof(*s));
	s->g = g;
	s->type = type;
	s->size = size;
	s->split = split;
	s->offset = split == size ? 0x123 : HEKI_PAGE_SIZE - split;
	kernel_make(g, &s->k, NULL, 0);
	if (type == HEKI_PATCH_JUMP_LABEL)
		make_jump(KERNEL_VA + s->offset, KERNEL_VA + s->offset + 0x40, size, s->code);
	else
		memcpy(s->code, first, 5);
	s->k.sites.n = 0;
	add_patch_header(&s->k.sites, type);
	add_patch(&s->k.sites, byte_address(s, 0), s->k.text + HEKI_PAGE_SIZE, s->code, size);
	s->tail = first[0] == 0xc3;
	set_bytes(s, type == HEKI_PATCH_JUMP_LABEL && size == 2 ? nop2 : first);
	kernel_load(g, &s->k, "rsa2048.der");
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	CHECK_EQUAL(g->core->kernel_patches.count, 1);
}

static void site_make(struct site *s, uint32_t type, uint8_t size, uint8_t split)
{
	site_make_first(s, type, size, split, nop5);
}

static void site_end(struct site *s)
{
	kernel_drop(&s->k);
	vtl0_end(s->g);
}

/* --- the model --- */

static bool to_text(const struct site *s, const uint8_t *b)
{
	uint64_t target = s->offset + 5 + (uint64_t)(int64_t)(int32_t)get_le32(b + 1);

	return target < TEXT_BYTES;
}

static bool model_final(const struct site *s, const uint8_t *b)
{
	switch (s->type) {
	case HEKI_PATCH_JUMP_LABEL:
		return !memcmp(b, s->code, s->size) || !memcmp(b, s->size == 2 ? nop2 : nop5, s->size);
	case HEKI_PATCH_STATIC_CALL:
		if (s->tail)
			return !memcmp(b, ret5, 5) || (b[0] == 0xe9 && to_text(s, b));
		return !memcmp(b, nop5, 5) || !memcmp(b, zero5, 5) ||
		       (b[0] == 0xe8 && to_text(s, b));
	case HEKI_PATCH_SMP_LOCK:
		return b[0] == 0xf0 || b[0] == 0x3e;
	default:
		return !memcmp(b, nop5, 5) || (b[0] == 0xe8 && to_text(s, b));
	}
}

static bool model_tail(const struct site *s, const uint8_t *b)
{
	uint8_t whole[5];

	memcpy(whole, b, s->size);
	for (unsigned int first = 0; first < 256; first++) {
		whole[0] = (uint8_t)first;
		if (model_final(s, whole))
			return true;
	}
	return false;
}

/* Is the step "write @n bytes at @at" one of the kernel's, in this state? */
static bool model_step(const struct site *s, const uint8_t *state, unsigned int at, unsigned int n,
		       const uint8_t *code)
{
	uint8_t after[5];

	if (at + n > s->size)
		return false;
	memcpy(after, state, s->size);
	memcpy(after + at, code, n);
	if (!at && n == 1 && s->size > 1 && code[0] == 0xcc)
		return true;
	if (!at && (n == 1 || n == s->size))
		return model_final(s, after);
	return at == 1 && n == s->size - 1u && state[0] == 0xcc && model_tail(s, after);
}

/* --- comparing --- */

static int send(struct site *s, unsigned int at, unsigned int n, const uint8_t *code)
{
	uint64_t pa = byte_address(s, at), next = s->k.text + HEKI_PAGE_SIZE;
	struct heki_patch patch;

	if (!s->batch)
		return patch_text(s->g, pa, next, code, (uint8_t)n);
	patch = make_patch(pa, next, code, (uint8_t)n);
	return patch_batch(s->g, &patch, 1);
}

/* One step in one state: verdict and bytes must be the model's, around the site nothing moves. */
static void try(struct site *s, const uint8_t *state, unsigned int at, unsigned int n,
		const uint8_t *code)
{
	bool expected = model_step(s, state, at, n, code);
	uint8_t after[5];
	int result;

	set_bytes(s, state);
	memcpy(after, state, s->size);
	if (expected)
		memcpy(after + at, code, n);
	result = send(s, at, n, code);
	if ((result >= 0) != expected)
		test_fail(__FILE__, __LINE__,
			  "size %u split %u type %#x: step at %u of %u bytes %02x.. in state %02x %02x..: %s",
			  s->size, s->split, s->type, at, n, code[0], state[0], state[1],
			  result >= 0 ? "accepted" : heki_error_name((uint32_t)-result));
	if (result < 0)
		CHECK(result == -HEKI_E_PATCH_SUSPICIOUS || result == -HEKI_E_NO_PATCH);
	CHECK(!memcmp(bytes_now(s), after, s->size));
	CHECK(bytes_now(s)[-1] == 0x90 && bytes_now(s)[s->size] == 0x90);
}

#define MAX_FINALS 6

/* What a site of this type may be in the end, for the states and the codes to try. */
static unsigned int finals(const struct site *s, uint8_t out[MAX_FINALS][5])
{
	if (s->type == HEKI_PATCH_SMP_LOCK) {
		out[0][0] = 0xf0;
		out[1][0] = 0x3e;
		return 2;
	}
	memcpy(out[0], s->size == 2 ? nop2 : nop5, s->size);
	if (s->type == HEKI_PATCH_JUMP_LABEL) {
		memcpy(out[1], s->code, s->size);
		return 2;
	}
	branch(s, 0xe8, 0x40, out[1]);
	branch(s, 0xe8, TEXT_BYTES - 1, out[2]);
	if (s->type == HEKI_PATCH_MCOUNT)
		return 3;
	memcpy(out[3], ret5, 5);
	memcpy(out[4], zero5, 5);
	branch(s, 0xe9, 0x40, out[5]);
	return 6;
}

/* Every step of the three, and the whole, with every value at every position. */
static void try_values(struct site *s, const uint8_t *state, const uint8_t *final)
{
	uint8_t code[5];

	for (unsigned int at = 0; at < 2; at++) {
		unsigned int sizes[2] = { at ? s->size - 1u : 1, at ? 0 : s->size };

		for (unsigned int j = 0; j < 2 && sizes[j]; j++) {
			for (unsigned int i = 0; i < sizes[j]; i++) {
				memcpy(code, final + at, s->size - at);
				for (unsigned int v = 0; v < 256; v++) {
					code[i] = (uint8_t)v;
					try(s, state, at, sizes[j], code);
				}
			}
		}
	}
}

/* Every place and size, with the right bytes for that place: only the three steps pass. */
static void try_places(struct site *s, const uint8_t *state, const uint8_t *final)
{
	for (unsigned int at = 0; at < s->size; at++)
		for (unsigned int n = 1; at + n <= s->size; n++)
			try(s, state, at, n, final + at);
}

static void exhaust_form(uint32_t type, uint8_t size, const uint8_t *first, bool batch)
{
	for (uint8_t split = 1; split <= size; split++) {
		uint8_t final[MAX_FINALS][5] = { 0 };
		struct site s;
		unsigned int n;

		site_make_first(&s, type, size, split, first);
		s.batch = batch;
		n = finals(&s, final);
		for (unsigned int i = 0; i < 2 * n; i++) {
			uint8_t state[5];

			memcpy(state, final[i / 2], 5);
			if (i & 1)
				state[0] = 0xcc;
			for (unsigned int j = 0; j < n; j++) {
				try_places(&s, state, final[j]);
				if (n == 2 || j < 2)
					try_values(&s, state, final[j]);
			}
		}
		site_end(&s);
	}
}

static void exhaust_first(uint32_t type, uint8_t size, const uint8_t *first)
{
	exhaust_form(type, size, first, false);
	exhaust_form(type, size, first, true);
}

static void exhaust(uint32_t type, uint8_t size, bool tail)
{
	exhaust_first(type, size, tail ? ret5 : nop5);
}

static void jump_label_5(void)
{
	exhaust(HEKI_PATCH_JUMP_LABEL, 5, false);
}

static void jump_label_2(void)
{
	exhaust(HEKI_PATCH_JUMP_LABEL, 2, false);
}

static void static_call(void)
{
	exhaust(HEKI_PATCH_STATIC_CALL, 5, false);
}

static void static_tail_call(void)
{
	exhaust(HEKI_PATCH_STATIC_CALL, 5, true);
}

static void mcount(void)
{
	exhaust(HEKI_PATCH_MCOUNT, 5, false);
}

static void smp_lock(void)
{
	static const uint8_t first[5] = { 0x3e };

	exhaust_first(HEKI_PATCH_SMP_LOCK, 1, first);
}

/* The kernel's own sequence, both ways, twice. */
static void flip(void)
{
	for (uint8_t size = 2; size <= 5; size += 3) {
		for (uint8_t split = 1; split <= size; split++) {
			const uint8_t *nop = size == 2 ? nop2 : nop5;
			struct site s;

			site_make(&s, HEKI_PATCH_JUMP_LABEL, size, split);
			for (int round = 0; round < 4; round++) {
				const uint8_t *to = round & 1 ? nop : s.code;

				CHECK_OK(send(&s, 0, 1, (uint8_t[]){ 0xcc }));
				CHECK_OK(send(&s, 1, size - 1u, to + 1));
				CHECK_OK(send(&s, 0, 1, to));
				CHECK(!memcmp(bytes_now(&s), to, size));
			}
			CHECK_EQUAL(s.g->core->stats.patch_allowed, 12);
			CHECK_EQUAL(s.g->core->stats.patch_refused, 0);
			site_end(&s);
		}
	}
}

/* Every order of the three steps: only the right one leads to the jump. */
static void orders(void)
{
	static const unsigned int order[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};

	for (unsigned int i = 0; i < 6; i++) {
		struct site s;
		int ok = 0;

		site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, 5);
		for (unsigned int j = 0; j < 3; j++) {
			if (order[i][j] == 0)
				ok += send(&s, 0, 1, (uint8_t[]){ 0xcc }) >= 0;
			else if (order[i][j] == 1)
				ok += send(&s, 1, 4, s.code + 1) >= 0;
			else
				ok += send(&s, 0, 1, s.code) >= 0;
		}
		CHECK_EQUAL(ok == 3, i == 0);
		CHECK_EQUAL(!memcmp(bytes_now(&s), s.code, 5), i == 0);
		CHECK(bytes_now(&s)[0] == 0xcc || !memcmp(bytes_now(&s), nop5, 5) || i == 0);
		site_end(&s);
	}
}

static void beside_the_site(void)
{
	for (uint8_t split = 1; split <= 5; split++) {
		struct site s;

		site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, split);
		for (int at = -8; at < 16; at++) {
			int result;

			if (at == 0)
				continue;
			result = patch_text(s.g, byte_address(&s, 0) + (uint64_t)at, 0,
					    (uint8_t[]){ 0xcc }, 1);
			CHECK(result == -HEKI_E_NO_PATCH || result == -HEKI_E_PATCH_SUSPICIOUS);
			CHECK_EQUAL(((uint8_t *)guest_at(s.g, byte_address(&s, 0)))[at],
				    at > 0 && at < 5 ? nop5[at] : 0x90);
		}
		site_end(&s);
	}
}

/* The tail begins on the second page only when the first byte is alone on the first. */
static void tail_sent_to_the_second_page(void)
{
	for (uint8_t split = 2; split <= 4; split++) {
		struct site s;

		site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, split);
		CHECK_OK(send(&s, 0, 1, (uint8_t[]){ 0xcc }));
		CHECK_REFUSED(NO_PATCH, patch_text(s.g, s.k.text + HEKI_PAGE_SIZE, 0, s.code + 1, 4));
		CHECK(!memcmp(bytes_now(&s) + 1, nop5 + 1, 4));
		site_end(&s);
	}
}

/* The second page is the site's own or none: never one that VTL0 names. */
static void foreign_second_page(void)
{
	for (uint8_t split = 1; split <= 4; split++) {
		struct site s;
		uint64_t victim;
		uint64_t wrong[4];

		site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, split);
		victim = guest_pages(s.g, 1);
		wrong[0] = victim;
		wrong[1] = s.k.rodata;
		wrong[2] = s.k.text + 2 * HEKI_PAGE_SIZE;
		wrong[3] = VTL1_PA;
		for (unsigned int i = 0; i < 4; i++) {
			struct heki_patch patch = make_patch(byte_address(&s, 0), wrong[i], s.code, 5);

			memcpy(guest_at(s.g, SCRATCH_PA), &patch, sizeof(patch));
			CHECK_REFUSED(PATCH_SUSPICIOUS,
				      vtlcall(s.g, HEKI_CALL_PATCH_TEXT, SCRATCH_PA, 0, 0));
			CHECK(!memcmp(bytes_now(&s), nop5, 5));
		}
		site_end(&s);
	}
}

static int send_raw(struct site *s, const struct heki_patch *patch)
{
	memcpy(guest_at(s->g, SCRATCH_PA), patch, sizeof(*patch));
	return vtlcall(s->g, HEKI_CALL_PATCH_TEXT, SCRATCH_PA, 0, 0);
}

static void malformed(void)
{
	struct site s;
	struct heki_patch good, bad;

	site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, 2);
	good = make_patch(byte_address(&s, 0), s.k.text + HEKI_PAGE_SIZE, s.code, 5);
	bad = good;
	bad.pa[0] = 0;
	CHECK_REFUSED(PATCH_FORMAT, send_raw(&s, &bad));
	bad.pa[0] = 1ull << 52;
	CHECK_REFUSED(PATCH_FORMAT, send_raw(&s, &bad));
	bad.pa[0] = ~0ull;
	CHECK_REFUSED(PATCH_FORMAT, send_raw(&s, &bad));
	for (unsigned int size = 0; size < 256; size++) {
		if (size >= 1 && size <= 5)
			continue;
		bad = good;
		bad.size = (uint8_t)size;
		CHECK_REFUSED(PATCH_FORMAT, send_raw(&s, &bad));
	}
	bad = good;
	bad.pa[1] = 0; /* straddles without a second page */
	CHECK_REFUSED(PATCH_FORMAT, send_raw(&s, &bad));
	bad.pa[1] = good.pa[1] + 1;
	CHECK_REFUSED(PATCH_FORMAT, send_raw(&s, &bad));
	bad.pa[1] = page_down(good.pa[0]);
	CHECK_REFUSED(PATCH_FORMAT, send_raw(&s, &bad));
	bad = good;
	bad.size = 1; /* a second page without need */
	CHECK_REFUSED(PATCH_FORMAT, send_raw(&s, &bad));
	CHECK(!memcmp(bytes_now(&s), nop5, 5));
	CHECK_OK(send_raw(&s, &good));
	site_end(&s);
}

/* The structure may itself lie across two pages, at every split. */
static void structure_across_pages(void)
{
	struct site s;
	struct heki_patch patch;
	uint64_t a, b;

	site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, 5);
	a = guest_pages(s.g, 3);
	b = a + 2 * HEKI_PAGE_SIZE;
	for (unsigned int first = 1; first < sizeof(patch); first++) {
		uint64_t at = a + HEKI_PAGE_SIZE - first;
		const uint8_t *code = first & 1 ? s.code : nop5;

		patch = make_patch(byte_address(&s, 0), 0, code, 5);
		memcpy(guest_at(s.g, at), &patch, first);
		memcpy(guest_at(s.g, b), (uint8_t *)&patch + first, sizeof(patch) - first);
		CHECK(vtlcall(s.g, HEKI_CALL_PATCH_TEXT, at, 0, 0) < 0);
		CHECK_REFUSED(NOT_ALIGNED, vtlcall(s.g, HEKI_CALL_PATCH_TEXT, at, b + 1, 0));
		CHECK(vtlcall(s.g, HEKI_CALL_PATCH_TEXT, at, VTL1_PA, 0) < 0);
		CHECK(vtlcall(s.g, HEKI_CALL_PATCH_TEXT, at, 1ull << 53, 0) < 0);
		CHECK_OK(vtlcall(s.g, HEKI_CALL_PATCH_TEXT, at, b, 0));
		CHECK(!memcmp(bytes_now(&s), code, 5));
	}
	site_end(&s);
}

static void bad_structure_addresses(void)
{
	struct site s;

	site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, 5);
	CHECK_REFUSED(INPUT_ADDRESS, vtlcall(s.g, HEKI_CALL_PATCH_TEXT, 0, 0, 0));
	CHECK_REFUSED(INPUT_ADDRESS, vtlcall(s.g, HEKI_CALL_PATCH_TEXT, ~0ull, 0, 0));
	CHECK_REFUSED(INPUT_ADDRESS, vtlcall(s.g, HEKI_CALL_PATCH_TEXT, 1ull << 52, 0, 0));
	CHECK_REFUSED(COPY_FROM_VTL0, vtlcall(s.g, HEKI_CALL_PATCH_TEXT, RAM_BYTES, 0, 0));
	CHECK_REFUSED(COPY_FROM_VTL0, vtlcall(s.g, HEKI_CALL_PATCH_TEXT, VTL1_PA, 0, 0));
	CHECK_REFUSED(COPY_FROM_VTL0, vtlcall(s.g, HEKI_CALL_PATCH_TEXT, HOLE_PA, 0, 0));
	site_end(&s);
}

static void swap_patch(struct guest *g, void *context)
{
	memcpy(guest_at(g, SCRATCH_PA), context, sizeof(struct heki_patch));
}

/* The structure is copied once: what is there afterwards is not what is judged or written. */
static void structure_read_once(void)
{
	static const uint8_t evil[5] = { 0xe9, 0x41, 0x41, 0x41, 0x41 };
	struct heki_patch patch;
	struct site s;

	site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, 5);
	patch = make_patch(byte_address(&s, 0), 0, evil, 5);
	for (unsigned int nth = 1; nth < 4; nth++) {
		guest_clear(s.g);
		guest_add_hook(s.g, &(struct guest_hook){ .run = swap_patch, .context = &patch,
							  .op = GUEST_READ, .nth = nth,
							  .after = true });
		CHECK_OK(send(&s, 0, 5, nth & 1 ? s.code : nop5));
		CHECK(!memcmp(bytes_now(&s), nth & 1 ? s.code : nop5, 5));
	}
	site_end(&s);
}

/* When the host cannot write the second page, the first is as before. */
static void half_written(void)
{
	for (uint8_t split = 1; split <= 4; split++) {
		for (unsigned int nth = 1; nth <= 2; nth++) {
			struct site s;

			site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, split);
			guest_clear(s.g);
			s.g->fail[GUEST_WRITE] = nth;
			CHECK_REFUSED(COPY_TO_VTL0, send(&s, 0, 5, s.code));
			CHECK(!memcmp(bytes_now(&s), nop5, 5));
			guest_clear(s.g);
			CHECK_OK(send(&s, 0, 5, s.code));
			site_end(&s);
		}
	}
}

static void counted(void)
{
	struct site s;

	site_make(&s, HEKI_PATCH_JUMP_LABEL, 5, 5);
	CHECK_OK(send(&s, 0, 5, s.code));
	CHECK_REFUSED(PATCH_SUSPICIOUS, send(&s, 0, 5, ret5));
	CHECK_REFUSED(NO_PATCH, patch_text(s.g, s.k.text + 8, 0, nop5, 5));
	CHECK_EQUAL(s.g->core->stats.patch_allowed, 1);
	CHECK_EQUAL(s.g->core->stats.patch_refused, 2);
	CHECK(last_log(s.g)->address == s.k.text + 8);
	site_end(&s);
}

/* A site that turns out, at end of boot, not to lie in protected text is gone. */
static void site_without_text(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;
	struct ranges list = { 0 };
	uint64_t pa;

	kernel_make(g, &k, NULL, 0);
	kernel_site(g, &k, 0x100, 5);
	pa = put_bytes(g, k.sites.bytes, k.sites.n);
	add_range(&list, DIRECT_MAP + pa, pa, k.sites.n, HEKI_KDATA_PATCH_INFO);
	if (call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0) >= 0) {
		CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
		CHECK_REFUSED(NO_PATCH, patch_text(g, k.text + 0x100, 0, (uint8_t[]){ 0xcc }, 1));
	}
	CHECK(!memcmp(guest_at(g, k.text + 0x100), nop5, 5));
	drop_ranges(&list);
	kernel_drop(&k);
	vtl0_end(g);
}

const struct test patch_tests[] = {
	{ "jump_label_5", jump_label_5 },
	{ "jump_label_2", jump_label_2 },
	{ "static_call", static_call },
	{ "static_tail_call", static_tail_call },
	{ "mcount", mcount },
	{ "smp_lock", smp_lock },
	{ "flip", flip },
	{ "orders", orders },
	{ "beside_the_site", beside_the_site },
	{ "tail_sent_to_the_second_page", tail_sent_to_the_second_page },
	{ "foreign_second_page", foreign_second_page },
	{ "malformed", malformed },
	{ "structure_across_pages", structure_across_pages },
	{ "bad_structure_addresses", bad_structure_addresses },
	{ "structure_read_once", structure_read_once },
	{ "half_written", half_written },
	{ "counted", counted },
	{ "site_without_text", site_without_text },
	{ NULL, NULL },
};
