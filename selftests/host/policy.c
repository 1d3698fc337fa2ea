// SPDX-License-Identifier: GPL-2.0-only
/* SET_POLICY, and kernel execution as an allow-list. */
#include <errno.h>

#include "call.h"
#include "place.h"

#define R HEKI_ATTR_READ
#define W HEKI_ATTR_WRITE
#define X HEKI_ATTR_EXEC

static int set(struct guest *g, uint64_t policy)
{
	return vtlcall(g, HEKI_CALL_SET_POLICY, policy, 0, 0);
}

static uint32_t told(struct guest *g)
{
	struct heki_query_reply reply;
	uint64_t pa = guest_pages(g, 1);

	CHECK_OK(vtlcall(g, HEKI_CALL_QUERY, pa, 0, 0));
	memcpy(&reply, guest_at(g, pa), sizeof(reply));
	CHECK(reply.features & HEKI_FEATURE_POLICY);
	CHECK_EQUAL(!!(reply.features & HEKI_FEATURE_EXEC_STRICT), g->splits_exec);
	return reply.policy;
}

/* The last one before end of boot counts. */
static void set_and_told(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;

	CHECK_EQUAL(told(g), HEKI_POLICY_DEFAULT);
	g->splits_exec = true;
	CHECK_OK(set(g, HEKI_POLICY_ALL));
	CHECK_EQUAL(told(g), HEKI_POLICY_ALL);
	CHECK_OK(set(g, 0));
	CHECK_EQUAL(told(g), 0);
	kernel_boot(g, &k);
	CHECK_REFUSED(AFTER_END_OF_BOOT, set(g, HEKI_POLICY_PATCHES_TRACING));
	CHECK_EQUAL(told(g), 0);
	kernel_drop(&k);
	vtl0_end(g);
}

static void unknown_bits(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct snapshot *s = snapshot_take(g);

	g->splits_exec = true;
	for (unsigned int bit = 2; bit < 64; bit++)
		CHECK_REFUSED(PARAMETER, set(g, 1ull << bit));
	snapshot_check(g, s);
	vtl0_end(g);
}

/* A processor whose users lose what the kernel loses. */
static void not_offered(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct snapshot *s = snapshot_take(g);

	CHECK_REFUSED(NOT_SUPPORTED, set(g, HEKI_POLICY_EXEC_STRICT));
	CHECK_REFUSED(NOT_SUPPORTED, set(g, HEKI_POLICY_ALL));
	snapshot_check(g, s);
	vtl0_end(g);
}

/* Every page of RAM: what its owner gives it, or no execution. */
static void all_restricted(struct guest *g)
{
	struct frame f;

	for (uint64_t pa = 0; pa < g->size; pa += HEKI_PAGE_SIZE) {
		if (g->kind[pa >> HEKI_PAGE_SHIFT] != GUEST_RAM)
			CHECK_EQUAL(guest_access(g, pa), R | W | X);
		else if (frames_find(g->core, gpa(pa), &f))
			CHECK_EQUAL(guest_access(g, pa), f.attributes & (R | W | X));
		else
			CHECK_EQUAL(guest_access(g, pa), R | W);
	}
}

static struct guest *strict(struct kernel *k)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	g->splits_exec = true;
	CHECK_OK(set(g, HEKI_POLICY_EXEC_STRICT));
	kernel_boot(g, k);
	return g;
}

static void allow_list(void)
{
	struct kernel k;
	struct guest *g = strict(&k);
	struct placed m;
	int token;

	all_restricted(g);
	CHECK_EQUAL(guest_access(g, k.text), R | X);
	place(g, &m, "tiny-rsa2048.ko");
	token = validate(&m);
	CHECK(token > 0);
	CHECK_EQUAL(guest_access(g, placed_pa(&m, HEKI_MOD_TEXT, 0)), R | X);
	CHECK_EQUAL(guest_access(g, placed_pa(&m, HEKI_MOD_INIT_TEXT, 0)), R | X);
	all_restricted(g);
	CHECK_OK(free_init(g, token));
	CHECK_EQUAL(guest_access(g, placed_pa(&m, HEKI_MOD_INIT_TEXT, 0)), R | W);
	CHECK_OK(unload(g, token));
	CHECK_EQUAL(guest_access(g, placed_pa(&m, HEKI_MOD_TEXT, 0)), R | W);
	all_restricted(g);
	*placed_at(&m, HEKI_MOD_TEXT, 0) ^= 1;
	CHECK(validate_refused(&m) < 0);
	all_restricted(g);
	unplace(&m);
	kernel_drop(&k);
	vtl0_end(g);
}

/* The long way through memory is cut like any other call. */
static void in_shares(void)
{
	struct heki_limits limits = test_limits;
	struct guest *g;
	struct kernel k;
	unsigned int entries = 1;

	limits.entry_pages = 1;
	g = vtl0_start_limits(HEKI_GRADE_ENFORCE, &limits);
	g->splits_exec = true;
	CHECK_OK(set(g, HEKI_POLICY_EXEC_STRICT));
	kernel_make(g, &k, NULL, 0);
	kernel_start(g, &k);
	g->core->limits.entry_pages = 1;
	CHECK_OK(guest_continue(g));
	while (guest_enter(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0) == -EAGAIN)
		entries++;
	CHECK(entries > g->size >> HEKI_PAGE_SHIFT >> 7);
	all_restricted(g);
	kernel_drop(&k);
	vtl0_end(g);
}

/* A host that does not do it: the call says so, boot has ended all the same. */
static void host_fails(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;

	g->splits_exec = true;
	CHECK_OK(set(g, HEKI_POLICY_EXEC_STRICT));
	kernel_make(g, &k, NULL, 0);
	kernel_start(g, &k);
	g->fail[GUEST_PROTECT] = g->count[GUEST_PROTECT] + 5;
	CHECK_REFUSED(HYPERCALL, vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	CHECK_REFUSED(AFTER_END_OF_BOOT, set(g, 0));
	/* What it has left as it was. */
	for (uint64_t pfn = 0; pfn < g->size >> HEKI_PAGE_SHIFT; pfn++)
		if (g->kind[pfn] == GUEST_RAM && g->access[pfn] == (R | W | X))
			g->access[pfn] = R | W;
	kernel_drop(&k);
	vtl0_end(g);
}

static void end_boot(struct guest *g, void *context)
{
	*(int *)context = vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0);
}

/* Another VP ends the boot after this call was let in: what was fixed then stays. */
static void boot_ends_meanwhile(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	int ended = -1;

	g->splits_exec = true;
	CHECK_OK(set(g, 0));
	guest_clear(g);
	guest_add_hook(g, &(struct guest_hook){ .run = end_boot, .context = &ended,
						.op = GUEST_SPLITS_EXEC, .nth = 1, .after = true });
	CHECK_REFUSED(AFTER_END_OF_BOOT, set(g, HEKI_POLICY_ALL));
	CHECK_EQUAL(ended, 0);
	guest_clear(g);
	CHECK_EQUAL(told(g), 0);
	vtl0_end(g);
}

const struct test policy_tests[] = {
	{ "set_and_told", set_and_told },
	{ "unknown_bits", unknown_bits },
	{ "not_offered", not_offered },
	{ "allow_list", allow_list },
	{ "in_shares", in_shares },
	{ "host_fails", host_fails },
	{ "boot_ends_meanwhile", boot_ends_meanwhile },
	{ NULL, NULL },
};
