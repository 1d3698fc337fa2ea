// SPDX-License-Identifier: GPL-2.0-only
/* The form of hypercalls and their own checks, from both levels. */
#include "vtl0.h"

#define HYPERVISOR 0x100000ull /* its image */
#define NO_RAM 0xfffff00000ull

struct call {
	uint16_t code;
	bool rep;
	bool out;
	bool vtl1_only;
};

static const struct call calls[] = {
	{ HV_CALL_MODIFY_VTL_PROTECTION_MASK, true, false, true },
	{ HV_CALL_ENABLE_PARTITION_VTL, false, false, false },
	{ HV_CALL_ENABLE_VP_VTL, false, false, false },
	{ HV_CALL_GET_VP_REGISTERS, true, true, false },
	{ HV_CALL_SET_VP_REGISTERS, true, false, false },
	{ HV_CALL_TRANSLATE_VIRTUAL_ADDRESS, false, true, false },
	{ HV_CALL_START_VIRTUAL_PROCESSOR, false, false, false },
	{ HV_CALL_GET_VP_INDEX_FROM_APIC_ID, true, true, false },
};

/* By @level, so that each check is made twice. */
static uint64_t by(uint32_t level, uint64_t control, uint64_t in, uint64_t out)
{
	if (level)
		return vtl1(COMMAND_HYPERCALL, control, in, out);
	return hypercall(control, in, out);
}

#define IN ((uint64_t)scratch[0])
#define OUT ((uint64_t)scratch[1])

static uint64_t control(const struct call *c)
{
	return c->code | (c->rep ? REP(1, 0) : 0);
}

/* An input that names no partition, so that nothing happens when a check is missing. */
static void no_partition(void)
{
	memset(scratch[0], 0, PAGE_SIZE);
	memset(scratch[1], 0xaa, PAGE_SIZE);
	*(uint64_t *)scratch[0] = 0x1234;
}

static void check_control(uint32_t level, const struct call *c)
{
	static const uint64_t reserved[] = {
		BIT(17), BIT(26), BIT(27), BIT(30), BIT(31), BIT(44), BIT(47), BIT(60), BIT(63),
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(reserved); i++)
		EXPECT(by(level, control(c) | reserved[i], IN, OUT), HV_STATUS_INVALID_HYPERCALL_INPUT);
	if (!c->rep) {
		EXPECT(by(level, c->code | REP(1, 0), IN, OUT), HV_STATUS_INVALID_HYPERCALL_INPUT);
		EXPECT(by(level, c->code | REP(0, 1), IN, OUT), HV_STATUS_INVALID_HYPERCALL_INPUT);
		return;
	}
	EXPECT(by(level, c->code, IN, OUT), HV_STATUS_INVALID_HYPERCALL_INPUT);
	EXPECT(STATUS(by(level, c->code | REP(1, 1), IN, OUT)), HV_STATUS_INVALID_HYPERCALL_INPUT);
	EXPECT(STATUS(by(level, c->code | REP(1, 2), IN, OUT)), HV_STATUS_INVALID_HYPERCALL_INPUT);
}

static void check_fast(uint32_t level, const struct call *c)
{
	/* The only one of 16 bytes without output. */
	uint64_t wanted = c->code == HV_CALL_ENABLE_PARTITION_VTL ? HV_STATUS_INVALID_PARTITION_ID :
								    HV_STATUS_INVALID_HYPERCALL_INPUT;

	EXPECT(by(level, control(c) | HV_CALL_FAST, 0x1234, 1), wanted);
}

static void check_address(uint32_t level, const struct call *c)
{
	static const struct {
		uint64_t gpa;
		uint64_t status;
	} bad[] = {
		{ HYPERVISOR, HV_STATUS_INVALID_PARAMETER },
		{ NO_RAM, HV_STATUS_INVALID_PARAMETER },
		{ ~7ull & ~0xfffull, HV_STATUS_INVALID_PARAMETER },
		{ 0xfee00000, HV_STATUS_INVALID_PARAMETER },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT(by(level, control(c), bad[i].gpa, OUT), bad[i].status);
		if (c->out)
			EXPECT(by(level, control(c), IN, bad[i].gpa), bad[i].status);
	}
	for (uint64_t i = 1; i < 8; i += 3)
		EXPECT(by(level, control(c), IN + i, OUT), HV_STATUS_INVALID_ALIGNMENT);
	EXPECT(by(level, control(c), IN + PAGE_SIZE - 8, OUT), HV_STATUS_INVALID_ALIGNMENT);
	if (!c->out)
		return;
	EXPECT(by(level, control(c), IN, OUT + 4), HV_STATUS_INVALID_ALIGNMENT);
	if (c->code != HV_CALL_GET_VP_INDEX_FROM_APIC_ID) /* whose output is 4 bytes */
		EXPECT(by(level, control(c), IN, OUT + PAGE_SIZE - 8), HV_STATUS_INVALID_ALIGNMENT);
}

static void check_call(uint32_t level, const struct call *c)
{
	no_partition();
	check_control(level, c);
	if (c->vtl1_only && !level) {
		EXPECT(STATUS(by(level, control(c), IN, OUT)), HV_STATUS_ACCESS_DENIED);
		return;
	}
	check_fast(level, c);
	check_address(level, c);
	EXPECT(by(level, control(c), IN, OUT), HV_STATUS_INVALID_PARTITION_ID);
	for (uint32_t i = 0; i < PAGE_SIZE; i++)
		if (!EXPECT(scratch[1][i], 0xaa))
			break;
}

static void test_form(void)
{
	for (uint32_t level = 0; level < 2; level++)
		for (uint32_t i = 0; i < ARRAY_SIZE(calls); i++)
			check_call(level, &calls[i]);
}

/* A list of elements must fit into what is left of its page. */
static void test_lists(void)
{
	struct hv_get_vp_registers *in = (void *)scratch[0];

	for (uint32_t level = 0; level < 2; level++) {
		no_partition();
		EXPECT(STATUS(by(level, HV_CALL_GET_VP_REGISTERS | REP(257, 0), IN, OUT)),
		       HV_STATUS_INVALID_ALIGNMENT);
		EXPECT(STATUS(by(level, HV_CALL_GET_VP_REGISTERS | REP(256, 0), IN, OUT)),
		       HV_STATUS_INVALID_PARTITION_ID);
		EXPECT(STATUS(by(level, HV_CALL_SET_VP_REGISTERS | REP(128, 0), IN, OUT)),
		       HV_STATUS_INVALID_ALIGNMENT);
		EXPECT(STATUS(by(level, HV_CALL_GET_VP_INDEX_FROM_APIC_ID | REP(0xfff, 0), IN, OUT)),
		       HV_STATUS_INVALID_ALIGNMENT);
	}
	EXPECT(STATUS(by(1, HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP(511, 0), IN, 0)),
	       HV_STATUS_INVALID_ALIGNMENT);
	/* From the third element on; the second has no such register, and is not reached. */
	*in = (struct hv_get_vp_registers){ .partition = HV_PARTITION_SELF, .vp = HV_VP_SELF };
	in->names[0] = in->names[2] = in->names[3] = HV_REGISTER_VP_INDEX;
	in->names[1] = 0x7777;
	EXPECT(by(1, HV_CALL_GET_VP_REGISTERS | REP(4, 2), IN, OUT), REP(4, 0));
	EXPECT(((uint64_t *)OUT)[2], 0xaaaaaaaaaaaaaaaa);
	EXPECT(((uint64_t *)OUT)[4], 0);
	EXPECT(by(1, HV_CALL_GET_VP_REGISTERS | REP(4, 0), IN, OUT),
	       HV_STATUS_INVALID_PARAMETER | REP(1, 0));
	EXPECT(((uint64_t *)OUT)[0], 0);
}

static void test_codes(void)
{
	for (uint32_t level = 0; level < 2; level++)
		for (uint32_t code = 0; code < 0x200; code++) {
			bool known = code == HV_CALL_VTL_CALL || code == HV_CALL_VTL_RETURN;

			for (uint32_t i = 0; i < ARRAY_SIZE(calls); i++)
				known |= calls[i].code == code;
			if (!known)
				EXPECT(by(level, code, IN, OUT), HV_STATUS_INVALID_HYPERCALL_CODE);
		}
	EXPECT(hypercall(0xffff, IN, OUT), HV_STATUS_INVALID_HYPERCALL_CODE);
}

/* Output goes nowhere that VTL0 may not write: VTL1's memory is closed to it by a later test. */
static void test_user_call(void)
{
	EXPECT(user_run_copy(code_user_call), VECTOR_UD);
}

static void test_enable_partition(void)
{
	struct hv_enable_partition_vtl *in = (void *)scratch[0];

	for (uint32_t level = 0; level < 2; level++) {
		*in = (struct hv_enable_partition_vtl){ .partition = HV_PARTITION_SELF, .vtl = 1 };
		EXPECT(by(level, HV_CALL_ENABLE_PARTITION_VTL, IN, 0), HV_STATUS_VTL_ALREADY_ENABLED);
		EXPECT(by(level, HV_CALL_ENABLE_PARTITION_VTL | HV_CALL_FAST, HV_PARTITION_SELF, 1),
		       HV_STATUS_VTL_ALREADY_ENABLED);
		in->vtl = 2;
		EXPECT(by(level, HV_CALL_ENABLE_PARTITION_VTL, IN, 0), HV_STATUS_INVALID_PARAMETER);
		in->vtl = 0;
		EXPECT(by(level, HV_CALL_ENABLE_PARTITION_VTL, IN, 0), HV_STATUS_INVALID_PARAMETER);
		in->vtl = 1;
		in->flags = 0x80;
		EXPECT(by(level, HV_CALL_ENABLE_PARTITION_VTL, IN, 0), HV_STATUS_INVALID_PARAMETER);
		in->flags = 0;
		in->reserved[5] = 1;
		EXPECT(by(level, HV_CALL_ENABLE_PARTITION_VTL, IN, 0), HV_STATUS_INVALID_PARAMETER);
	}
}

static void good_context(struct hv_enable_vp_vtl *in, uint32_t vp, uint8_t vtl)
{
	memset(in, 0, sizeof(*in));
	in->partition = HV_PARTITION_SELF;
	in->vp = vp;
	in->vtl = vtl;
	in->context.rflags = 2;
	in->context.cs = (struct hv_segment){ .limit = ~0u, .selector = 8, .attributes = 0xa09b };
	in->context.ss = (struct hv_segment){ .limit = ~0u, .selector = 16, .attributes = 0xc093 };
	in->context.efer = 0xd00;
	in->context.cr0 = 0x80000011;
	in->context.cr4 = 0x20;
	in->context.cr3 = read_cr3();
	in->context.pat = INITIAL_PAT;
}

static void test_enable_vp(void)
{
	struct hv_enable_vp_vtl *in = (void *)scratch[0];

	for (uint32_t level = 0; level < 2; level++) {
		good_context(in, 0, 1);
		EXPECT(by(level, HV_CALL_ENABLE_VP_VTL, IN, 0), HV_STATUS_VTL_ALREADY_ENABLED);
		good_context(in, cpus_online, 1);
		EXPECT(by(level, HV_CALL_ENABLE_VP_VTL, IN, 0), HV_STATUS_INVALID_VP_INDEX);
		good_context(in, HV_ANY_VP, 1);
		EXPECT(by(level, HV_CALL_ENABLE_VP_VTL, IN, 0), HV_STATUS_INVALID_VP_INDEX);
		good_context(in, 0, 2);
		EXPECT(by(level, HV_CALL_ENABLE_VP_VTL, IN, 0), HV_STATUS_INVALID_PARAMETER);
		good_context(in, 0, 0);
		EXPECT(by(level, HV_CALL_ENABLE_VP_VTL, IN, 0), HV_STATUS_INVALID_PARAMETER);
		good_context(in, 0, 1);
		in->reserved[1] = 1;
		EXPECT(by(level, HV_CALL_ENABLE_VP_VTL, IN, 0), HV_STATUS_INVALID_PARAMETER);
	}
}

/* Contexts by which nothing can run, for a VP whose VTL1 is still off. */
static void test_bad_contexts(void)
{
	struct hv_enable_vp_vtl *in = (void *)scratch[0];
	struct hv_initial_vp_context *c = &in->context;
	uint64_t *const field[] = { &c->cr0, &c->cr0, &c->cr4, &c->cr4, &c->efer,
				    &c->efer, &c->rflags, &c->rflags, &c->pat, &c->cr3 };
	const uint64_t flip[] = { 1, BIT(33), CR4_PAE, BIT(40), EFER_LME,
				  EFER_SVME, 2, BIT(17), 2, BIT(60) };

	for (uint32_t i = 0; i < ARRAY_SIZE(field); i++) {
		good_context(in, 1, 1);
		*field[i] ^= flip[i];
		if (!EXPECT(by(1, HV_CALL_ENABLE_VP_VTL, IN, 0), HV_STATUS_INVALID_PARAMETER)) {
			print_number(i);
			print("\n");
		}
	}
	good_context(in, 1, 1);
	EXPECT(by(0, HV_CALL_ENABLE_VP_VTL, IN, 0), HV_STATUS_ACCESS_DENIED);
}

static void test_start_vp(void)
{
	struct hv_enable_vp_vtl *in = (void *)scratch[0];

	for (uint32_t level = 0; level < 2; level++) {
		good_context(in, 0, 0);
		EXPECT(by(level, HV_CALL_START_VIRTUAL_PROCESSOR, IN, 0), HV_STATUS_INVALID_VP_STATE);
		good_context(in, cpus_online, 0);
		EXPECT(by(level, HV_CALL_START_VIRTUAL_PROCESSOR, IN, 0), HV_STATUS_INVALID_VP_INDEX);
		good_context(in, 0, 2);
		EXPECT_TRUE(by(level, HV_CALL_START_VIRTUAL_PROCESSOR, IN, 0));
	}
	good_context(in, 0, 1);
	EXPECT(by(0, HV_CALL_START_VIRTUAL_PROCESSOR, IN, 0), HV_STATUS_ACCESS_DENIED);
}

static void test_vp_index(void)
{
	struct hv_get_vp_index_from_apic_id *in = (void *)scratch[0];
	uint32_t *out = (uint32_t *)scratch[1];

	for (uint32_t level = 0; level < 2; level++) {
		*in = (struct hv_get_vp_index_from_apic_id){ .partition = HV_PARTITION_SELF };
		for (uint32_t i = 0; i <= cpus_online; i++)
			in->apic_ids[i] = i;
		EXPECT(by(level, HV_CALL_GET_VP_INDEX_FROM_APIC_ID | REP(cpus_online, 0), IN, OUT),
		       REP(cpus_online, 0));
		for (uint32_t i = 0; i < cpus_online; i++)
			EXPECT(out[i], i);
		EXPECT(by(level, HV_CALL_GET_VP_INDEX_FROM_APIC_ID | REP(cpus_online + 1, 0), IN, OUT),
		       HV_STATUS_INVALID_PARAMETER | REP(cpus_online, 0));
	}
	in->vtl = HV_INPUT_VTL_USE_TARGET | 1;
	EXPECT(STATUS(by(0, HV_CALL_GET_VP_INDEX_FROM_APIC_ID | REP(1, 0), IN, OUT)),
	       HV_STATUS_ACCESS_DENIED);
	EXPECT(by(1, HV_CALL_GET_VP_INDEX_FROM_APIC_ID | REP(1, 0), IN, OUT), REP(1, 0));
	in->vtl = HV_INPUT_VTL_USE_TARGET | 2;
	EXPECT_TRUE(STATUS(by(1, HV_CALL_GET_VP_INDEX_FROM_APIC_ID | REP(1, 0), IN, OUT)));
}

const struct test tests_hypercall[] = {
	{ "the form of every hypercall is checked", test_form, 1, 0 },
	{ "lists fit into a page, and go on where they stopped", test_lists, 1, 0 },
	{ "unknown hypercalls", test_codes, 1, 0 },
	{ "no hypercalls from user mode", test_user_call, 1, 0 },
	{ "HvCallEnablePartitionVtl", test_enable_partition, 1, 0 },
	{ "HvCallEnableVpVtl", test_enable_vp, 1, 0 },
	{ "HvCallEnableVpVtl refuses what cannot run", test_bad_contexts, 2, 0 },
	{ "HvCallStartVirtualProcessor", test_start_vp, 1, 0 },
	{ "HvCallGetVpIndexFromApicId", test_vp_index, 1, 0 },
	{ 0 },
};
