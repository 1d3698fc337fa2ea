// SPDX-License-Identifier: GPL-2.0-only
/* Dispatch: ids, phases, contexts, results. */
#include "vtl0.h"

struct entry {
	uint32_t id;
	const char *name;
	unsigned int phase;
};

static const struct entry table[] = {
#define ENTRY(id, name, handler, phase, context, arguments) { id, #name, HEKI_PHASE_##phase },
	HEKI_CALLS(ENTRY)
#undef ENTRY
};

static const struct entry *find(uint64_t id)
{
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(table); i++)
		if (table[i].id == id)
			return &table[i];
	return NULL;
}

static void unknown_ids(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	for (uint64_t id = 0x1fe00; id < 0x20100; id++) {
		if (find(id))
			continue;
		CHECK_REFUSED(UNKNOWN_CALL, vtlcall(g, id, 0, 0, 0));
		CHECK_EQUAL(last_log(g)->address, id);
	}
	CHECK_REFUSED(UNKNOWN_CALL, vtlcall(g, 0, 0, 0, 0));
	vtl0_end(g);
}

/* The id is all of the register: a known id with high bits set is another one. */
static void id_is_64_bits(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct heki_vtlcall_regs regs = { .rdi = HEKI_CALL_QUERY | 1ull << 32 };
	uint64_t before = g->core->stats.calls[HEKI_INDEX_QUERY];

	heki_core_call(g->core, &regs);
	CHECK_EQUAL((int32_t)regs.r8, -22);
	CHECK_EQUAL(g->core->stats.calls[HEKI_INDEX_QUERY], before);
	regs = (struct heki_vtlcall_regs){ .rdi = ~0ull };
	heki_core_call(g->core, &regs);
	CHECK_EQUAL((int32_t)regs.r8, -22);
	vtl0_end(g);
}

static void names(void)
{
	CHECK(!strcmp(heki_call_name(HEKI_CALL_PATCH_TEXT), "PATCH_TEXT"));
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(table); i++)
		CHECK(!strcmp(heki_call_name(table[i].id), table[i].name));
	CHECK(!heki_call_name(1) || !strcmp(heki_call_name(1), "?"));
	CHECK(!strcmp(heki_error_name(HEKI_E_NO_PATCH), "NO_PATCH"));
	CHECK(heki_error_text(HEKI_E_NO_PATCH)[0]);
	CHECK(!heki_error_name(HEKI_ERROR_COUNT) || !strcmp(heki_error_name(HEKI_ERROR_COUNT), "?"));
}

static void errno_of_each_error(void)
{
	static const struct {
		int number;
		const char *name;
	} expected[] = {
#define EXPECTED(name, number, text) { number, #name },
		HEKI_ERRORS(EXPECTED)
#undef EXPECTED
	};

	for (uint32_t i = 0; i < HEKI_ARRAY_SIZE(expected); i++) {
		CHECK_EQUAL(heki_error_errno(i + 1), expected[i].number);
		CHECK(!strcmp(heki_error_name(i + 1), expected[i].name));
	}
}

static void after_end_of_boot(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct kernel k;

	kernel_boot(g, &k);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(table); i++) {
		int result;

		if (table[i].id == HEKI_CALL_LOCK_REGS || table[i].id == HEKI_CALL_QUERY)
			continue;
		result = vtlcall(g, table[i].id, 0, 0, 0);
		CHECK((result == -HEKI_E_AFTER_END_OF_BOOT) == (table[i].phase == HEKI_PHASE_BOOT));
	}
	CHECK_REFUSED(AFTER_END_OF_BOOT, kernel_protect(g, &k));
	CHECK_REFUSED(AFTER_END_OF_BOOT, call_bytes(g, HEKI_CALL_LOAD_KDATA, "x", 1, 0));
	CHECK_REFUSED(AFTER_END_OF_BOOT, vtlcall(g, HEKI_CALL_LOCK_REGS, 0, 0, 0));
	kernel_drop(&k);
	vtl0_end(g);
}

static void end_of_boot_is_idempotent(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct heki_query_reply *reply;
	uint64_t pa = guest_pages(g, 1);

	reply = guest_at(g, pa);
	CHECK_EQUAL(vtlcall(g, HEKI_CALL_QUERY, pa, 0, 0), HEKI_ABI_VERSION);
	CHECK(!reply->end_of_boot);
	CHECK_EQUAL(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0), 0);
	CHECK_EQUAL(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0), 0);
	CHECK_EQUAL(vtlcall(g, HEKI_CALL_QUERY, pa, 0, 0), HEKI_ABI_VERSION);
	CHECK(reply->end_of_boot);
	vtl0_end(g);
}

static void optee_is_not_supported(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_REFUSED(NOT_SUPPORTED, vtlcall(g, HEKI_CALL_OPTEE_MESSAGE, 1, 2, 3));
	vtl0_end(g);
}

/* The control word of a VTL call is 0; nothing else is defined. */
static void registers_are_kept(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct heki_vtlcall_regs regs = { .rdi = HEKI_CALL_STATS, .rdx = 7, .rcx = 9 };

	regs.rsi = guest_pages(g, 1);

	heki_core_call(g->core, &regs);
	CHECK_EQUAL(regs.r8, 0);
	CHECK_EQUAL(regs.rdi, HEKI_CALL_STATS);
	CHECK_EQUAL(regs.rdx, 7);
	CHECK_EQUAL(regs.rcx, 9);
	vtl0_end(g);
}

/* A mask page for ENABLE_APS_VTL and BOOT_APS: @count VPs from 0. */
static uint64_t put_mask(struct guest *g, uint64_t mask)
{
	uint8_t bytes[HEKI_PAGE_SIZE] = { 0 };

	put_le64(bytes, mask);
	return put_bytes(g, bytes, sizeof(bytes)) >> HEKI_PAGE_SHIFT;
}

static void boot_aps(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t mask = put_mask(g, 0xb);
	uint64_t signal = guest_pages(g, 1);
	const uint8_t *bytes = guest_at(g, signal);

	CHECK_OK(vtlcall(g, HEKI_CALL_ENABLE_APS_VTL, mask, 0, 0));
	CHECK(g->vp[1].enabled && !g->vp[2].enabled && g->vp[3].enabled && !g->vp[1].up);
	CHECK_OK(vtlcall(g, HEKI_CALL_BOOT_APS, mask, signal >> HEKI_PAGE_SHIFT, 0));
	for (unsigned int vp = 0; vp < HEKI_PAGE_SIZE; vp++)
		CHECK_EQUAL(bytes[vp], vp < 4 && vp != 2 ? HEKI_BOOT_TOKEN : 0);
	CHECK(g->vp[1].up && !g->vp[2].up && g->vp[3].up);
	vtl0_end(g);
}

static void boot_aps_bad_pages(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t mask = put_mask(g, 1);
	uint64_t hole = HOLE_PA >> HEKI_PAGE_SHIFT, vtl1 = VTL1_PA >> HEKI_PAGE_SHIFT;
	int result;

	CHECK_REFUSED(CPU_MASK_COPY, vtlcall(g, HEKI_CALL_BOOT_APS, hole, mask, 0));
	CHECK_REFUSED(CPU_MASK_COPY, vtlcall(g, HEKI_CALL_BOOT_APS, vtl1, mask, 0));
	CHECK_REFUSED(CPU_MASK_COPY, vtlcall(g, HEKI_CALL_ENABLE_APS_VTL, hole, 0, 0));
	CHECK_REFUSED(CPU_MASK_COPY, vtlcall(g, HEKI_CALL_ENABLE_APS_VTL, RAM_BYTES >> 12, 0, 0));
	result = vtlcall(g, HEKI_CALL_BOOT_APS, ~0ull, mask, 0);
	CHECK(result == -HEKI_E_CPU_MASK_COPY || result == -HEKI_E_PHYS_ADDRESS);
	result = vtlcall(g, HEKI_CALL_BOOT_APS, mask, hole, 0);
	CHECK(result == -HEKI_E_BOOT_SIGNAL_COPY || result == -HEKI_E_BOOT_SIGNAL_WRITE);
	result = vtlcall(g, HEKI_CALL_BOOT_APS, mask, vtl1, 0);
	CHECK(result == -HEKI_E_BOOT_SIGNAL_COPY || result == -HEKI_E_BOOT_SIGNAL_WRITE);
	vtl0_end(g);
}

/* VTL1 is no means of writing to protected pages: the boot-signal page included. */
static void boot_signal_into_protected_page(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;
	uint8_t before;

	kernel_boot(g, &k);
	before = *(uint8_t *)guest_at(g, k.text);
	CHECK(vtlcall(g, HEKI_CALL_BOOT_APS, put_mask(g, 1), k.text >> HEKI_PAGE_SHIFT, 0) < 0);
	CHECK_EQUAL(*(uint8_t *)guest_at(g, k.text), before);
	kernel_drop(&k);
	vtl0_end(g);
}

static void boot_aps_that_fail(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t mask = put_mask(g, 0xf);
	uint64_t signal = guest_pages(g, 1);

	g->vp[2].present = false;
	CHECK_REFUSED(AP_INIT, vtlcall(g, HEKI_CALL_ENABLE_APS_VTL, mask, 0, 0));
	CHECK(g->vp[3].enabled);
	CHECK_REFUSED(AP_INIT, vtlcall(g, HEKI_CALL_BOOT_APS, mask, signal >> HEKI_PAGE_SHIFT, 0));
	CHECK_EQUAL(((uint8_t *)guest_at(g, signal))[2], 0);
	vtl0_end(g);
}

const struct test calls_tests[] = {
	{ "unknown_ids", unknown_ids },
	{ "id_is_64_bits", id_is_64_bits },
	{ "names", names },
	{ "errno_of_each_error", errno_of_each_error },
	{ "after_end_of_boot", after_end_of_boot },
	{ "end_of_boot_is_idempotent", end_of_boot_is_idempotent },
	{ "optee_is_not_supported", optee_is_not_supported },
	{ "registers_are_kept", registers_are_kept },
	{ "boot_aps", boot_aps },
	{ "boot_aps_bad_pages", boot_aps_bad_pages },
	{ "boot_signal_into_protected_page", boot_signal_into_protected_page },
	{ "boot_aps_that_fail", boot_aps_that_fail },
	{ NULL, NULL },
};
