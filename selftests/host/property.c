// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of calls from a seeded generator, right and wrong ones mixed, from several VPs.
 * After each call the tables must agree with each other and with VTL0's permissions; at the end
 * everything is unloaded and all budgets are where they were.
 */
#include "kimage.h"
#include "place.h"

#define MODULES 4
#define STEPS 400

struct world {
	struct guest *g;
	struct kernel k;
	struct placed m[MODULES];
	int token[MODULES]; /* 0: not loaded */
	struct image image[2];
	uint64_t pages; /* some RAM that nobody owns */
	uint64_t random;
};

static uint32_t draw(struct world *w, uint32_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)(w->random >> 11) % below;
}

/* An address that is likely to hurt, but nobody's who needs the bytes that are there. */
static uint64_t address(struct world *w)
{
	uint64_t some[] = {
		0, 1, w->k.text, w->k.rodata, w->k.text + 0x200, VTL1_PA, HOLE_PA, RAM_BYTES, 1ull << 52,
		~0ull, w->pages, w->pages + 8, w->pages + 4 * HEKI_PAGE_SIZE,
	};

	return some[draw(w, HEKI_ARRAY_SIZE(some))];
}

static void step_validate(struct world *w)
{
	unsigned int i = draw(w, MODULES);
	struct placed *m = &w->m[i];
	uint8_t *byte = placed_at(m, HEKI_MOD_TEXT, draw(w, 0x40));
	bool damage = !draw(w, 3);
	int result;

	if (w->token[i] && damage)
		return; /* it is running: its text stays as it is */
	*byte ^= damage;
	result = validate(m);
	*byte ^= damage;
	if (w->token[i]) {
		CHECK_REFUSED(OVERLAP, result);
	} else if (damage) {
		CHECK(result < 0);
	} else if (result < 0) { /* the last one is linked with the first, others export the same */
		CHECK(i == MODULES - 1);
		if (w->token[1] || w->token[2])
			CHECK_REFUSED(MODULE_DIFFERS, result);
		else
			CHECK_REFUSED(MODULE_SYMBOL, result);
	} else {
		CHECK(i < MODULES - 1 || w->token[0]);
		w->token[i] = result;
	}
}

static void step_free_init(struct world *w)
{
	int token = draw(w, 4) ? w->token[draw(w, MODULES)] : (int)draw(w, 30);

	free_init(w->g, token);
}

static void step_unload(struct world *w)
{
	unsigned int i = draw(w, MODULES);
	int result = unload(w->g, w->token[i]);

	if (!w->token[i])
		CHECK_REFUSED(TOKEN, result);
	else if (i == 0 && w->token[MODULES - 1])
		CHECK_REFUSED(BUSY, result);
	else
		w->token[i] = (CHECK_OK(result), 0);
}

static void step_patch(struct world *w)
{
	struct patch_site site = { 0 };
	uint32_t index = 1 + draw(w, 8);
	uint8_t code[5] = { 0 }, at = (uint8_t)draw(w, 2);

	if (!patches_next(w->g->core, &index, &site))
		return;
	memcpy(code, draw(w, 2) ? site.code : site.size == 2 ? nop2 : nop5, site.size);
	if (!draw(w, 4))
		code[draw(w, 5)] = (uint8_t)draw(w, 256);
	switch (draw(w, 3)) {
	case 0:
		patch_text(w->g, site.pa.v + at, site.next.v, (uint8_t[]){ 0xcc }, 1);
		break;
	case 1:
		patch_text(w->g, site.pa.v + 1, site.next.v, code + 1, site.size - 1);
		break;
	default:
		patch_text(w->g, site.pa.v, site.next.v, code, draw(w, 2) ? site.size : 1);
	}
}

static void step_kexec(struct world *w)
{
	struct image *m = &w->image[draw(w, 2)];
	bool damage = !draw(w, 2);
	uint8_t *byte = guest_at(w->g, m->blob_pa + 0x1000 + draw(w, 0x1000));

	if (!draw(w, 3)) {
		CHECK_EQUAL(vtlcall(w->g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, m->slot), 0);
		return;
	}
	*byte ^= damage;
	if (damage)
		CHECK(send_image(m) < 0);
	else
		CHECK_EQUAL(send_image(m), 0);
	*byte ^= damage;
}

static void step_ring(struct world *w)
{
	vtlcall(w->g, HEKI_CALL_ALLOCATE_RINGBUFFER, address(w), 4096u << draw(w, 3), 0);
}

static void step_garbage(struct world *w)
{
	uint64_t id = HEKI_CALL_QUERY + draw(w, 0x100);

	if (draw(w, 4))
		id = HEKI_CALL_ENABLE_APS_VTL + draw(w, 0x11);
	/* where VTL1 may write is VTL0's own business, but not here: the images would change */
	if (id == HEKI_CALL_BOOT_APS || id == HEKI_CALL_UNLOAD_MODULE || id < HEKI_CALL_REVOKE ||
	    id == HEKI_CALL_ALLOCATE_RINGBUFFER || id == HEKI_CALL_KEXEC_VALIDATE)
		return;
	vtlcall(w->g, id, address(w), draw(w, 2) ? draw(w, 300) : address(w), draw(w, 3));
}

static void step_query(struct world *w)
{
	vtlcall(w->g, HEKI_CALL_STATS, w->pages, 0, 0);
	vtlcall(w->g, HEKI_CALL_LIST, w->pages, draw(w, 8), draw(w, 100));
	vtlcall(w->g, HEKI_CALL_AUDIT, w->pages, draw(w, 300), 0);
}

static void step_key(struct world *w)
{
	static const char *const names[] = { "secondary.der", "stranger.der", "untrusted.der" };
	struct file f = load_file(names[draw(w, 3)]);

	if (!draw(w, 3))
		f.p[draw(w, (uint32_t)f.n)] ^= 1;
	call_bytes(w->g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n, 0);
	drop_file(&f);
}

static void step_registers(struct world *w)
{
	w->g->vp[guest_current_vp()].restarted = !draw(w, 2);
	vtlcall(w->g, HEKI_CALL_LOCK_REGS, 0, 0, 0);
}

static void (*const steps[])(struct world *w) = {
	step_validate, step_validate, step_validate, step_free_init, step_unload, step_unload,
	step_patch, step_patch, step_kexec, step_ring, step_garbage, step_garbage, step_query,
	step_key, step_registers,
};

/* What no sequence of calls may change after end of boot. */
static void kernel_intact(struct world *w)
{
	for (uint32_t i = 0; i < w->k.text_pages; i++)
		CHECK_EQUAL(guest_access(w->g, w->k.text + i * HEKI_PAGE_SIZE),
			    HEKI_ATTR_READ | HEKI_ATTR_EXEC);
	for (uint32_t i = 0; i < w->k.rodata_pages; i++)
		CHECK_EQUAL(guest_access(w->g, w->k.rodata + i * HEKI_PAGE_SIZE), HEKI_ATTR_READ);
	CHECK_EQUAL(w->g->core->kernel_patches.count, 3);
	CHECK_EQUAL(certs_count(w->g->core, HEKI_CERTS_SYSTEM), 5);
}

static void world_start(struct world *w, enum heki_grade grade, uint64_t seed)
{
	static const char *const names[MODULES] = {
		"tiny-rsa2048.ko", "tiny-signed.ko", "tiny-sha512.ko", "user-signed.ko",
	};

	memset(w, 0, sizeof(*w));
	w->random = seed * 0x9e3779b97f4a7c15;
	w->g = vtl0_start(grade);
	trust_kexec(w->g, "kexecca.der");
	kernel_boot(w->g, &w->k);
	w->pages = guest_pages(w->g, 8);
	for (unsigned int i = 0; i < MODULES - 1; i++)
		place(w->g, &w->m[i], names[i]);
	w->token[0] = validate(&w->m[0]);
	CHECK_OK(w->token[0]);
	place(w->g, &w->m[MODULES - 1], names[MODULES - 1]);
	image(w->g, &w->image[0], "kernel-signed.pe", NORMAL);
	image(w->g, &w->image[1], "other-signed.pe", CRASH);
}

static void world_end(struct world *w)
{
	struct heki_core *core = w->g->core;

	for (unsigned int i = MODULES; i-- > 0;)
		if (w->token[i])
			CHECK_OK(unload(w->g, w->token[i]));
	for (uint64_t slot = 0; slot < 2; slot++)
		CHECK_EQUAL(vtlcall(w->g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, slot), 0);
	CHECK_EQUAL(core->modules_budget.used, 0);
	CHECK_EQUAL(core->deps.budget.used, 0);
	CHECK_EQUAL(core->symbols.budget.used, core->kernel_symbols.count);
	CHECK_EQUAL(core->patches.budget.used, 4); /* three sites, one of them over two pages */
	CHECK_EQUAL(core->frames.budget.used,
		    w->k.text_pages + w->k.rodata_pages +
			    core->owner_frames[HEKI_OWNER_RING - HEKI_OWNER_KERNEL].count);
	for (unsigned int i = 0; i < MODULES; i++)
		unplace(&w->m[i]);
	drop_image(&w->image[0]);
	drop_image(&w->image[1]);
	kernel_drop(&w->k);
	vtl0_end(w->g);
}

static void sequence(enum heki_grade grade, uint64_t seed)
{
	struct world w;
	uint64_t next;

	world_start(&w, grade, seed);
	next = w.g->next_page;
	for (int i = 0; i < STEPS; i++) {
		guest_set_vp(draw(&w, 4));
		steps[draw(&w, HEKI_ARRAY_SIZE(steps))](&w);
		tables_check(w.g);
		kernel_intact(&w);
		w.g->next_page = next; /* what was sent is no longer needed */
	}
	guest_set_vp(0);
	world_end(&w);
}

static void sequences_audit(void)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		sequence(HEKI_GRADE_AUDIT, seed);
}

static void sequences_enforce(void)
{
	for (uint64_t seed = 5; seed <= 8; seed++)
		sequence(HEKI_GRADE_ENFORCE, seed);
}

/* Loading and unloading, many times: nothing grows. */
static void cycles(void)
{
	struct world w;
	struct snapshot *s;
	uint64_t next;
	int first = 0;

	world_start(&w, HEKI_GRADE_AUDIT, 1);
	CHECK_OK(unload(w.g, w.token[0]));
	w.token[0] = 0;
	s = snapshot_take(w.g);
	next = w.g->next_page;
	for (int i = 0; i < 300; i++) {
		int token = validate(&w.m[0]);

		CHECK_OK(token);
		if (!i)
			first = token;
		CHECK_EQUAL(token, first + i);
		if (i & 1)
			CHECK_OK(free_init(w.g, token));
		CHECK_OK(unload(w.g, token));
		w.g->next_page = next;
	}
	snapshot_check(w.g, s);
	world_end(&w);
}

/* --- several threads at once --- */

struct thread {
	pthread_t thread;
	struct world *w;
	uint32_t vp;
	unsigned int rounds;
	uint64_t ranges; /* of the module that it loads */
	uint64_t nranges;
	uint64_t page;
	int failures;
};

static void *load_and_unload(void *argument)
{
	struct thread *t = argument;

	guest_set_vp(t->vp);
	for (unsigned int i = 0; i < t->rounds; i++) {
		int token = guest_call(t->w->g, HEKI_CALL_VALIDATE_MODULE, t->ranges, t->nranges, 0);

		t->failures += token <= 0;
		t->failures += !!guest_call(t->w->g, HEKI_CALL_FREE_MODULE_INIT, (uint64_t)token, 0, 0);
		t->failures += !!guest_call(t->w->g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)token, 0, 0);
	}
	return NULL;
}

/* Flip one of the kernel's keys both ways in the three steps. */
static void *flip(void *argument)
{
	struct thread *t = argument;
	struct guest *g = t->w->g;
	uint64_t pa = t->w->k.text + 0x200;
	struct heki_patch *patch = guest_at(g, t->page);
	uint8_t jump[5];

	guest_set_vp(t->vp);
	make_jump(KERNEL_VA + 0x200, KERNEL_VA + 0x225, 5, jump);
	for (unsigned int i = 0; i < 20 * t->rounds; i++) {
		const uint8_t *to = i & 1 ? nop5 : jump;

		*patch = make_patch(pa, 0, (uint8_t[]){ 0xcc }, 1);
		t->failures += !!guest_call(g, HEKI_CALL_PATCH_TEXT, t->page, 0, 0);
		*patch = make_patch(pa + 1, 0, to + 1, 4);
		t->failures += !!guest_call(g, HEKI_CALL_PATCH_TEXT, t->page, 0, 0);
		*patch = make_patch(pa, 0, to, 1);
		t->failures += !!guest_call(g, HEKI_CALL_PATCH_TEXT, t->page, 0, 0);
	}
	return NULL;
}

/* The same with the other two keys, each step a batch. */
static void *flip_batch(void *argument)
{
	struct thread *t = argument;
	struct guest *g = t->w->g;
	struct heki_patch_batch *batch = guest_at(g, t->page);
	uint64_t text = t->w->k.text;
	uint8_t jump2[2], jump5[5];

	guest_set_vp(t->vp);
	make_jump(KERNEL_VA + 0x300, KERNEL_VA + 0x322, 2, jump2);
	make_jump(KERNEL_VA + 0x1ffe, KERNEL_VA + 0x2023, 5, jump5);
	batch->count = 2;
	for (unsigned int i = 0; i < 20 * t->rounds; i++) {
		const uint8_t *to2 = i & 1 ? nop2 : jump2, *to5 = i & 1 ? nop5 : jump5;
		static const uint8_t int3 = PATCH_INT3;

		batch->patches[0] = make_patch(text + 0x300, 0, &int3, 1);
		batch->patches[1] = make_patch(text + 0x1ffe, 0, &int3, 1);
		t->failures += !!guest_call(g, HEKI_CALL_PATCH_TEXT_BATCH, t->page, 0, 0);
		batch->patches[0] = make_patch(text + 0x301, 0, to2 + 1, 1);
		batch->patches[1] = make_patch(text + 0x1fff, text + 0x2000, to5 + 1, 4);
		t->failures += !!guest_call(g, HEKI_CALL_PATCH_TEXT_BATCH, t->page, 0, 0);
		batch->patches[0] = make_patch(text + 0x300, 0, to2, 1);
		batch->patches[1] = make_patch(text + 0x1ffe, 0, to5, 1);
		t->failures += !!guest_call(g, HEKI_CALL_PATCH_TEXT_BATCH, t->page, 0, 0);
	}
	return NULL;
}

/* Audits, lists and statistics meanwhile: nothing is ever found changed. */
static void *watch(void *argument)
{
	struct thread *t = argument;
	struct guest *g = t->w->g;
	const struct heki_audit_reply *reply = guest_at(g, t->page);
	uint64_t cursor;

	guest_set_vp(t->vp);
	for (unsigned int i = 0; i < t->rounds; i++) {
		cursor = 0;
		do {
			t->failures += !!guest_call(g, HEKI_CALL_AUDIT, t->page, cursor, 0);
			t->failures += reply->violations != 0;
			cursor = reply->next_cursor;
		} while (cursor);
		t->failures += !!guest_call(g, HEKI_CALL_STATS, t->page, 0, 0);
		t->failures += !!guest_call(g, HEKI_CALL_LIST, t->page, HEKI_LIST_MODULES, 0);
	}
	return NULL;
}

static void threads(void)
{
	static void *(*const work[])(void *) = { load_and_unload, load_and_unload, flip, flip_batch,
						 watch };
	enum { THREADS = HEKI_ARRAY_SIZE(work) };
	struct thread t[THREADS] = { 0 };
	struct world w;

	world_start(&w, HEKI_GRADE_AUDIT, 1);
	for (uint32_t i = 0; i < THREADS; i++) {
		t[i].w = &w;
		t[i].vp = i;
		t[i].rounds = 100;
		t[i].page = guest_pages(w.g, 1);
		if (i < 2) {
			t[i].ranges = put_ranges(w.g, &w.m[i + 1].ranges);
			t[i].nranges = w.m[i + 1].ranges.n;
		}
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i].thread, NULL, work[i], &t[i]));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i].thread, NULL));
	if (w.g->misuse)
		test_fail(__FILE__, __LINE__, "the core %s", w.g->misuse);
	for (int i = 0; i < THREADS; i++)
		if (t[i].failures)
			test_fail(__FILE__, __LINE__, "thread %d: %d failures, last log: %s", i,
				  t[i].failures, last_log(w.g)->text);
	tables_check(w.g);
	kernel_intact(&w);
	CHECK_EQUAL(w.g->core->stats.violations, 0);
	world_end(&w);
}

const struct test property_tests[] = {
	{ "sequences_audit", sequences_audit },
	{ "sequences_enforce", sequences_enforce },
	{ "cycles", cycles },
	{ "threads", threads },
	{ NULL, NULL },
};
