// SPDX-License-Identifier: GPL-2.0-only
/* Which registers the levels share and which they do not: the tables of the TLFS, row by row. */
#include "vtl0.h"

/* VTL0 writes @low, VTL1 @high; then both look. 0, 0: only what is there is compared. */
struct row {
	uint32_t number;
	bool common;
	uint64_t low;
	uint64_t high;
};

static const struct row states[] = {
	{ STATE_CR2, true, 0x1234567000, 0x89abcde000 },
	{ STATE_DR0, true, 0x1111, 0xffff800000000000 },
	{ STATE_DR1, true, 0x2222, 0x2223 },
	{ STATE_DR2, true, 0x3333, 0x3334 },
	{ STATE_DR3, true, 0x4444, 0x4445 },
	{ STATE_DR6, true, 0xffff0ff1, 0xffff4ff0 },
	{ STATE_XCR0, true, 3, 1 },
	{ STATE_DR7, false, 0x00d50400, 0x000a0400 },
	{ STATE_CR8, false, 3, 5 },
	{ STATE_RFLAGS, false, 0x241000, 0x202000 },
	{ STATE_DS, false, 0x38, 0x10 },
	{ STATE_ES, false, 0x10, 0x38 },
	{ STATE_FS, false, 0x38, 0x10 },
	{ STATE_GS, false, 0x10, 0x38 },
	{ STATE_LDTR, false, 0x40, 0 },
};

/* What cannot be changed at will, but differs. */
static const uint32_t differing[] = { STATE_CR3, STATE_GDTR, STATE_IDTR };

static const struct row msrs[] = {
	{ MSR_SYSENTER_CS, false, 0x10, 0x20 },
	{ MSR_SYSENTER_ESP, false, 0x1111000, 0xffff800011110000 },
	{ MSR_SYSENTER_EIP, false, 0x2222000, 0xffff800022220000 },
	{ MSR_STAR, false, 0x0013000800000000, 0x0023001000000000 },
	{ MSR_LSTAR, false, 0x3333000, 0xffff800033330000 },
	{ MSR_CSTAR, false, 0x4444000, 0xffff800044440000 },
	{ MSR_SFMASK, false, 0x300, 0x47700 },
	{ MSR_FS_BASE, false, 0x5555000, 0xffff800055550000 },
	{ MSR_GS_BASE, false, 0x6666000, 0xffff800066660000 },
	{ MSR_KERNEL_GS_BASE, false, 0x7777000, 0xffff800077770000 },
	{ MSR_TSC_AUX, false, 7, 0x80000009 },
	{ MSR_PAT, false, 0x0007040600070406, 0x0407050600070106 },
	{ MSR_EFER, false, 0xd00, 0xd01 },
	{ HV_MSR_GUEST_OS_ID, false, 0x8100000000000002, 0x8100000000000003 },
	{ 0x200, true, 0xc0000006, 0xd0000006 }, /* an MTRR */
	{ 0x2ff, true, 0xc06, 0x806 },
	{ HV_MSR_VP_INDEX, true, 0, 0 },
};

static void check_state(const struct row *r)
{
	uint64_t old0 = state_get((enum state)r->number);
	uint64_t old1 = vtl1(COMMAND_GET, r->number, 0, 0);

	EXPECT(state_set((enum state)r->number, r->low), 0);
	EXPECT(vtl1(COMMAND_SET, r->number, r->high, 0), 0);
	if (!EXPECT(state_get((enum state)r->number), r->common ? r->high : r->low) ||
	    !EXPECT(vtl1(COMMAND_GET, r->number, 0, 0), r->high)) {
		print("# state ");
		print_number(r->number);
		print("\n");
	}
	vtl1(COMMAND_SET, r->number, old1, 0);
	state_set((enum state)r->number, old0);
}

static void test_states(void)
{
	uint64_t fs = vtl1(COMMAND_RDMSR, MSR_FS_BASE, 0, 0);
	uint64_t gs = vtl1(COMMAND_RDMSR, MSR_GS_BASE, 0, 0);

	for (uint32_t i = 0; i < ARRAY_SIZE(states); i++)
		check_state(&states[i]);
	for (uint32_t i = 0; i < ARRAY_SIZE(differing); i++)
		EXPECT_TRUE(state_get((enum state)differing[i]) !=
			    vtl1(COMMAND_GET, differing[i], 0, 0));
	vtl1(COMMAND_WRMSR, MSR_FS_BASE, fs, 0); /* the selectors have cleared them */
	vtl1(COMMAND_WRMSR, MSR_GS_BASE, gs, 0);
}

/* CR0 and CR4: a bit that matters to nobody, set in one level and not in the other. */
static void test_control(void)
{
	uint64_t cr0 = read_cr0();
	uint64_t cr4 = read_cr4();
	uint64_t other0 = vtl1(COMMAND_GET, STATE_CR0, 0, 0);
	uint64_t other4 = vtl1(COMMAND_GET, STATE_CR4, 0, 0);

	EXPECT(try_write_cr0(cr0 | CR0_AM), 0);
	EXPECT(vtl1(COMMAND_SET, STATE_CR0, other0 & ~CR0_AM, 0), 0);
	EXPECT(read_cr0(), cr0 | CR0_AM);
	EXPECT(vtl1(COMMAND_GET, STATE_CR0, 0, 0), other0 & ~CR0_AM);
	EXPECT(try_write_cr0(cr0), 0);
	EXPECT(try_write_cr4(cr4 | CR4_PCE), 0);
	EXPECT(vtl1(COMMAND_GET, STATE_CR4, 0, 0), other4);
	EXPECT(vtl1(COMMAND_SET, STATE_CR4, other4 | CR4_TSD, 0), 0);
	EXPECT(read_cr4(), cr4 | CR4_PCE);
	EXPECT(vtl1(COMMAND_SET, STATE_CR4, other4, 0), 0);
	EXPECT(try_write_cr4(cr4), 0);
	vtl1(COMMAND_SET, STATE_CR0, other0, 0);
}

static void check_msr(const struct row *r)
{
	uint64_t old0 = rdmsr(r->number);
	uint64_t old1 = vtl1(COMMAND_RDMSR, r->number, 0, 0);

	if (r->low) {
		EXPECT(try_wrmsr(r->number, r->low), 0);
		EXPECT(vtl1(COMMAND_WRMSR, r->number, r->high, 0), 0);
	}
	if (!EXPECT(rdmsr(r->number), r->common ? r->high : r->low) ||
	    !EXPECT(vtl1(COMMAND_RDMSR, r->number, 0, 0), r->high)) {
		print("# MSR ");
		print_hex(r->number);
		print("\n");
	}
	if (!r->low)
		return;
	vtl1(COMMAND_WRMSR, r->number, old1, 0);
	try_wrmsr(r->number, old0);
}

static void test_msrs(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(msrs); i++)
		check_msr(&msrs[i]);
}

/* Pages of the levels' own: the assist page, the hypercall page. */
static void test_own_pages(void)
{
	uint64_t theirs = vtl1(COMMAND_RDMSR, HV_MSR_VP_ASSIST_PAGE, 0, 0);

	EXPECT_TRUE(theirs & HV_MSR_ENABLE);
	EXPECT(rdmsr(HV_MSR_VP_ASSIST_PAGE), 0);
	EXPECT(try_wrmsr(HV_MSR_VP_ASSIST_PAGE, (uint64_t)scratch[2] | HV_MSR_ENABLE), 0);
	EXPECT(vtl1(COMMAND_RDMSR, HV_MSR_VP_ASSIST_PAGE, 0, 0), theirs);
	EXPECT(try_wrmsr(HV_MSR_VP_ASSIST_PAGE, 0), 0);
	EXPECT(try_wrmsr(HV_MSR_VP_ASSIST_PAGE, 0xffffff000 | HV_MSR_ENABLE), VECTOR_GP);
	EXPECT_TRUE(vtl1(COMMAND_RDMSR, HV_MSR_HYPERCALL, 0, 0) != rdmsr(HV_MSR_HYPERCALL));
}

static void test_extended(void)
{
	extended_pattern(scratch[0], 1);
	extended_pattern(scratch[1], 2);
	extended_load(scratch[0]);
	memset(scratch[2], 0, PAGE_SIZE);
	vtl1(COMMAND_SAVE, (uint64_t)scratch[2], 0, 0);
	EXPECT_TRUE(extended_is(scratch[2], 1));
	vtl1(COMMAND_LOAD, (uint64_t)scratch[1], 0, 0);
	memset(scratch[2], 0, PAGE_SIZE);
	extended_save(scratch[2]);
	EXPECT_TRUE(extended_is(scratch[2], 2));
}

static void test_general(void)
{
	uint64_t in[16];
	uint64_t out[16];

	for (uint32_t i = 0; i < 16; i++)
		in[i] = mix(5, i);
	in[1] = 0;
	in[6] = 5;
	in[7] = COMMAND_CHECK;
	for (uint32_t i = 0; i < 4; i++)
		state_set(STATE_DR0 + i, mix(5, PATTERN_DR0 + i));
	extended_pattern(scratch[0], 5);
	extended_load(scratch[0]);
	write_cr2(mix(5, PATTERN_CR2));
	shared()->bad = 0;
	pattern_call(in, out);
	if (!EXPECT(shared()->bad, 0))
		EXPECT(shared()->bad_index, 0);
	for (uint32_t i = 0; i < 16; i++)
		if (i != 4)
			EXPECT(out[i], mix(6, i));
	EXPECT(read_cr2(), mix(6, PATTERN_CR2));
}

const struct test tests_state[] = {
	{ "registers that are shared, registers that are private", test_states, 1, 0 },
	{ "CR0 and CR4 are private", test_control, 1, 0 },
	{ "MSRs that are shared, MSRs that are private", test_msrs, 1, 0 },
	{ "assist and hypercall pages are private", test_own_pages, 1, 0 },
	{ "x87, SSE and AVX are shared", test_extended, 1, 0 },
	{ "general registers are shared", test_general, 1, 0 },
	{ 0 },
};
