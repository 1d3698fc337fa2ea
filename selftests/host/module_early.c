// SPDX-License-Identifier: GPL-2.0-only
/* VALIDATE_MODULE: what other VPs can do with a module that is not accepted yet. */
#include "place.h"

static struct kernel kernel;

static void end(struct guest *g)
{
	kernel_drop(&kernel);
	vtl0_end(g);
}

struct early_call {
	struct heki_patch patch;
	unsigned int refused, allowed;
	bool running;
};

static void patch_early(struct guest *g, void *context)
{
	struct early_call *e = context;

	if (guest_locked() || e->running)
		return;
	e->running = true;
	guest_set_vp(1);
	guest_store(g, SCRATCH_PA, &e->patch, sizeof(e->patch));
	if (guest_call(g, HEKI_CALL_PATCH_TEXT, SCRATCH_PA, 0, 0))
		e->refused++;
	else
		e->allowed++;
	guest_set_vp(0);
	e->running = false;
}

/*
 * The address of a module's text is VTL0's word until the module is accepted: a static call of the
 * kernel's may not be led there meanwhile, since it would stay when the module is refused.
 */
static void no_target_while_validating(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct early_call e = { 0 };
	struct placed m;
	uint8_t code[5];
	uint64_t pa;

	kernel_make(g, &kernel, NULL, 0);
	pa = kernel.text + 0x200;
	memcpy(guest_at(g, pa), nop5, 5);
	kernel.sites.n = 0;
	add_patch_header(&kernel.sites, HEKI_PATCH_STATIC_CALL);
	add_patch(&kernel.sites, pa, 0, nop5, 5);
	kernel_load(g, &kernel, "system.der");
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));

	place(g, &m, "tiny-rsa2048.ko");
	make_jump(KERNEL_VA + 0x200, m.l.va[HEKI_MOD_TEXT] + 0x10, 5, code);
	code[0] = 0xe8;
	e.patch = make_patch(pa, 0, code, 5);
	*placed_at(&m, HEKI_MOD_TEXT, 0) ^= 1;
	guest_clear(g);
	guest_add_hook(g, &(struct guest_hook){ .run = patch_early, .context = &e,
						.op = GUEST_READ, .after = true });
	CHECK_EQUAL(guest_call(g, HEKI_CALL_VALIDATE_MODULE, put_ranges(g, &m.ranges), m.ranges.n,
			       0), -22);
	guest_clear(g);
	CHECK(e.refused > 5 && !e.allowed && !g->misuse);
	CHECK(!memcmp(guest_at(g, pa), nop5, 5));

	*placed_at(&m, HEKI_MOD_TEXT, 0) ^= 1;
	CHECK(validate(&m) > 0);
	CHECK_OK(patch_text(g, pa, 0, code, 5));
	unplace(&m);
	end(g);
}

struct early_user {
	uint64_t first, ranges;
	unsigned int exported;
	int32_t accepted;
	bool running;
};

static void use_early(struct guest *g, void *context)
{
	struct early_user *u = context;
	struct symbol s;
	int32_t result;

	if (guest_locked() || u->running || !symbols_find(g->core, "tiny_add", 8, &s))
		return;
	u->running = true;
	guest_set_vp(1);
	u->exported++;
	result = guest_call(g, HEKI_CALL_VALIDATE_MODULE, u->first, u->ranges, 0);
	if (result >= 0)
		u->accepted = result;
	guest_set_vp(0);
	u->running = false;
}

/* A module that may still be refused has no users. */
static void no_users_while_validating(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct early_user u = { 0 };
	struct placed tiny, user;
	int32_t token;

	kernel_boot(g, &kernel);
	place(g, &tiny, "tiny-signed.ko");
	token = validate(&tiny);
	place(g, &user, "user-signed.ko"); /* the loader needs the export */
	CHECK_OK(unload(g, token));
	u.first = put_ranges(g, &user.ranges);
	u.ranges = user.ranges.n;
	guest_clear(g);
	guest_add_hook(g, &(struct guest_hook){ .run = use_early, .context = &u, .op = GUEST_READ,
						.after = true });
	token = guest_call(g, HEKI_CALL_VALIDATE_MODULE, put_ranges(g, &tiny.ranges),
			   tiny.ranges.n, 0);
	guest_clear(g);
	CHECK(token > 0 && u.exported && !g->misuse);
	CHECK_EQUAL(u.accepted, 0);
	CHECK(validate(&user) > 0);
	unplace(&tiny);
	unplace(&user);
	end(g);
}

const struct test module_early_tests[] = {
	{ "no_target_while_validating", no_target_while_validating },
	{ "no_users_while_validating", no_users_while_validating },
	{ NULL, NULL },
};
