// SPDX-License-Identifier: GPL-2.0-only
/* Hypercalls against one that is played here: reps, splitting, parameters. */
#include "suites.h"
#include "vsm.h"

#define PFNS 8192

static struct hypercall_pages pages;
static uint64_t last_control;
static unsigned int calls;
static uint64_t answer; /* of all calls, when not played */
static bool played; /* ModifyVtlProtectionMask is played */
static uint32_t most; /* elements that one call does */
static uint64_t stop_at; /* page frame that is refused */
static uint8_t seen[PFNS];

static uint64_t modify(uint64_t control)
{
	const struct hv_modify_vtl_protection_mask *in = pages.in;
	uint32_t count = control >> HV_CALL_REP_COUNT_SHIFT & HV_CALL_REP_MASK;
	uint32_t i = control >> HV_CALL_REP_START_SHIFT & HV_CALL_REP_MASK;
	uint32_t end = i + most < count ? i + most : count;
	uint64_t status = 0;

	CHECK_EQUAL(control & 0xffff, HV_CALL_MODIFY_VTL_PROTECTION_MASK);
	CHECK(i < count && count <= HV_MODIFY_VTL_PROTECTION_MASK_MAX);
	CHECK_EQUAL(in->partition, HV_PARTITION_SELF);
	CHECK_EQUAL(in->vtl, 0);
	for (; i < end && !status; i++) {
		CHECK(in->pfns[i] < PFNS);
		if (in->pfns[i] == stop_at)
			status = HV_STATUS_ACCESS_DENIED;
		else
			seen[in->pfns[i]]++;
	}
	return (uint64_t)(status ? i - 1 : i) << HV_RESULT_REP_SHIFT | status;
}

uint64_t hypercall(uint64_t control, const struct hypercall_pages *p)
{
	CHECK(p == &pages);
	calls++;
	last_control = control;
	return played ? modify(control) : answer;
}

/* Parameters of exactly one page each, so that ASan sees what runs over. */
static void start(void)
{
	pages.in = malloc(4096);
	pages.out = malloc(4096);
	memset(pages.in, 0xee, 4096);
	memset(pages.out, 0xdd, 4096);
	memset(seen, 0, sizeof(seen));
	calls = 0;
	stop_at = ~0ull;
	most = 4096;
}

static void simple(void)
{
	start();
	answer = HV_STATUS_SUCCESS;
	CHECK_EQUAL(hypercall_simple(HV_CALL_ENABLE_VP_VTL, &pages), 0);
	CHECK_EQUAL(last_control, HV_CALL_ENABLE_VP_VTL);
	answer = 0x12345ull << 32 | HV_STATUS_VTL_ALREADY_ENABLED;
	CHECK_EQUAL(hypercall_simple(HV_CALL_ENABLE_VP_VTL, &pages), HV_STATUS_VTL_ALREADY_ENABLED);
}

static void rep_fields(void)
{
	start();
	answer = 3ull << 32;
	CHECK_EQUAL(hypercall_rep(HV_CALL_GET_VP_REGISTERS, 3, &pages), 0);
	CHECK_EQUAL(last_control, 3ull << 32 | HV_CALL_GET_VP_REGISTERS);
	CHECK_EQUAL(calls, 1);
}

static void rep_that_errs(void)
{
	start();
	answer = 2ull << 32 | HV_STATUS_INVALID_PARAMETER;
	CHECK_EQUAL(hypercall_rep(HV_CALL_SET_VP_REGISTERS, 3, &pages),
		    HV_STATUS_INVALID_PARAMETER);
	CHECK_EQUAL(calls, 1);
}

static void rep_that_goes_nowhere(void)
{
	start();
	answer = 0;
	CHECK_EQUAL(hypercall_rep(HV_CALL_SET_VP_REGISTERS, 3, &pages), HYPERCALL_STUCK);
	answer = 2ull << 32;
	calls = 0;
	CHECK_EQUAL(hypercall_rep(HV_CALL_SET_VP_REGISTERS, 3, &pages), HYPERCALL_STUCK);
	CHECK_EQUAL(calls, 2);
	CHECK_EQUAL(last_control >> HV_CALL_REP_START_SHIFT, 2);
	answer = 4ull << 32; /* more than there were */
	CHECK_EQUAL(hypercall_rep(HV_CALL_SET_VP_REGISTERS, 3, &pages), HYPERCALL_STUCK);
}

static void protects_each_page_once(uint64_t first, uint64_t count, uint32_t most_in_a_call)
{
	start();
	played = true;
	most = most_in_a_call;
	CHECK_EQUAL(vsm_protect(&pages, gpa(first << 12), count, HV_MAP_READ), 0);
	for (uint64_t pfn = 0; pfn < PFNS; pfn++)
		CHECK_EQUAL(seen[pfn], pfn >= first && pfn < first + count);
}

static void protect_splits(void)
{
	static const uint64_t counts[] = { 0, 1, 2, 509, 510, 511, 1019, 1020, 1021, 5120 };
	static const uint32_t mosts[] = { 1, 7, 100, 509, 510, 4096 };

	for (size_t c = 0; c < HEKI_ARRAY_SIZE(counts); c++)
		for (size_t i = 0; i < HEKI_ARRAY_SIZE(mosts); i++)
			protects_each_page_once(5, counts[c], mosts[i]);
	protects_each_page_once(0, PFNS, 64);
}

static void protect_stops_at_an_error(void)
{
	start();
	played = true;
	stop_at = 600;
	CHECK_EQUAL(vsm_protect(&pages, gpa(0), 2000, 0), HV_STATUS_ACCESS_DENIED);
	CHECK_EQUAL(seen[599], 1);
	CHECK_EQUAL(seen[601], 0);
	CHECK_EQUAL(calls, 2);
}

static void protect_parameters(void)
{
	const struct hv_modify_vtl_protection_mask *in;

	start();
	in = pages.in;
	answer = 1ull << 32;
	CHECK_EQUAL(vsm_protect(&pages, gpa(0xabc000), 1, HV_MAP_READ | HV_MAP_USER_EXECUTE), 0);
	CHECK_EQUAL(in->map_flags, 9);
	CHECK_EQUAL(in->pfns[0], 0xabc);
	for (size_t i = 0; i < sizeof(in->reserved); i++)
		CHECK_EQUAL(in->reserved[i], 0);
}

static void reads_registers(void)
{
	const struct hv_get_vp_registers *in;
	uint64_t value;

	start();
	in = pages.in;
	answer = 1ull << 32;
	put_le64(pages.out, 0x123456789abcdefull);
	CHECK_EQUAL(vsm_get_register(&pages, HV_REGISTER_VSM_CAPABILITIES, &value), 0);
	CHECK_EQUAL(value, 0x123456789abcdefull);
	CHECK_EQUAL(in->vp, HV_VP_SELF);
	CHECK_EQUAL(in->vtl, 0);
	CHECK_EQUAL(in->names[0], HV_REGISTER_VSM_CAPABILITIES);
	answer = HV_STATUS_INVALID_PARAMETER;
	CHECK_EQUAL(vsm_get_register(&pages, HV_REGISTER_VSM_CAPABILITIES, &value),
		    HV_STATUS_INVALID_PARAMETER);
	CHECK_EQUAL(value, 0);
}

static void injects_a_general_protection_fault(void)
{
	const struct hv_set_vp_registers *in;

	start();
	in = pages.in;
	answer = 1ull << 32;
	CHECK_EQUAL(vsm_inject_gp(&pages), 0);
	CHECK_EQUAL(last_control, 1ull << 32 | HV_CALL_SET_VP_REGISTERS);
	CHECK_EQUAL(in->vtl, 0x10); /* VTL0's, not the caller's */
	CHECK_EQUAL(in->elements[0].name, HV_REGISTER_PENDING_EVENT0);
	CHECK_EQUAL(in->elements[0].value.low, 0xd0101);
	CHECK_EQUAL(in->elements[0].value.high, 0);
	CHECK_EQUAL(in->elements[0].reserved[0] | in->elements[0].reserved[2], 0);
}

static void enables_a_vp(void)
{
	const struct hv_initial_vp_context context = { .rip = 0x1234, .pat = 0x5678 };
	const struct hv_enable_vp_vtl *in;

	start();
	in = pages.in;
	answer = 0;
	CHECK_EQUAL(vsm_enable_vp(&pages, 3, &context), 0);
	CHECK_EQUAL(last_control, HV_CALL_ENABLE_VP_VTL);
	CHECK_EQUAL(in->vp, 3);
	CHECK_EQUAL(in->vtl, 1);
	CHECK(!memcmp(&in->context, &context, sizeof(context)));
}

static void finds_a_vp(void)
{
	const struct hv_get_vp_index_from_apic_id *in;
	uint32_t vp;

	start();
	in = pages.in;
	answer = 1ull << 32;
	put_le32(pages.out, 7);
	CHECK_EQUAL(vsm_vp_index(&pages, 14, &vp), 0);
	CHECK_EQUAL(vp, 7);
	CHECK_EQUAL(in->apic_ids[0], 14);
	answer = HV_STATUS_INVALID_PARAMETER;
	CHECK_EQUAL(vsm_vp_index(&pages, 14, &vp), HV_STATUS_INVALID_PARAMETER);
	CHECK_EQUAL(vp, HV_ANY_VP);
}

const struct test hypercall_tests[] = {
	{ "simple", simple },
	{ "rep_fields", rep_fields },
	{ "rep_that_errs", rep_that_errs },
	{ "rep_that_goes_nowhere", rep_that_goes_nowhere },
	{ "protect_splits", protect_splits },
	{ "protect_stops_at_an_error", protect_stops_at_an_error },
	{ "protect_parameters", protect_parameters },
	{ "reads_registers", reads_registers },
	{ "injects_a_general_protection_fault", injects_a_general_protection_fault },
	{ "enables_a_vp", enables_a_vp },
	{ "finds_a_vp", finds_a_vp },
	{ NULL, NULL },
};
