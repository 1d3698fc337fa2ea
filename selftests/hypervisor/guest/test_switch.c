// SPDX-License-Identifier: GPL-2.0-only
/* VTL calls and returns: what they carry, and those that are no good. */
#include "vtl0.h"

#define MAGIC_RAX 0x1122334455667788ull
#define MAGIC_RCX 0x99aabbccddeeff00ull
#define MHZ 1000000ull

static void test_face(void)
{
	struct cpuid r = cpuid(HV_CPUID_VENDOR_AND_MAX, 0);

	EXPECT_TRUE(cpuid(1, 0).ecx & BIT(31));
	EXPECT_TRUE(r.eax >= HV_CPUID_LIMITS);
	EXPECT(r.ebx, HV_CPUID_VENDOR_EBX);
	EXPECT(r.ecx, HV_CPUID_VENDOR_ECX);
	EXPECT(r.edx, HV_CPUID_VENDOR_EDX);
	EXPECT(cpuid(HV_CPUID_INTERFACE, 0).eax, HV_CPUID_INTERFACE_EAX);
	r = cpuid(HV_CPUID_FEATURES, 0);
	EXPECT_TRUE(r.eax & HV_ACCESS_HYPERCALL_MSRS);
	EXPECT_TRUE(r.eax & HV_ACCESS_VP_INDEX);
	EXPECT(r.ebx & (HV_ACCESS_VSM | HV_ACCESS_VP_REGISTERS),
	       HV_ACCESS_VSM | HV_ACCESS_VP_REGISTERS);
	EXPECT(r.edx & BIT(4), 0); /* no input in XMM registers */
	EXPECT_TRUE(cpuid(HV_CPUID_LIMITS, 0).eax >= cpus_online);
	vtl1(COMMAND_CPUID, HV_CPUID_FEATURES, 0, 0);
	EXPECT_TRUE(shared()->value.low & HV_ACCESS_SYNIC_REGS);
	EXPECT_TRUE(shared()->value.low & HV_ACCESS_FREQUENCY_MSRS);
	EXPECT(r.eax & HV_ACCESS_FREQUENCY_MSRS, 0);
	EXPECT(r.edx & HV_FREQUENCY_MSRS, 0);
}

/* How fast the clocks run is for VTL1; which machine this is, the test does not know. */
static void test_frequencies(void)
{
	uint64_t hz = vtl1(COMMAND_RDMSR, HV_MSR_TSC_FREQUENCY, 0, 0);
	uint64_t v;

	EXPECT_TRUE(hz > 100 * MHZ && hz < 10000 * MHZ);
	EXPECT(vtl1(COMMAND_RDMSR, HV_MSR_TSC_FREQUENCY, 0, 0), hz);
	hz = vtl1(COMMAND_RDMSR, HV_MSR_APIC_FREQUENCY, 0, 0);
	EXPECT_TRUE(hz > MHZ && hz < 10000 * MHZ);
	for (uint32_t msr = HV_MSR_TSC_FREQUENCY; msr <= HV_MSR_APIC_FREQUENCY; msr++) {
		EXPECT(vtl1(COMMAND_WRMSR, msr, 1, 0), VECTOR_GP);
		EXPECT(try_rdmsr(msr, &v), VECTOR_GP);
		EXPECT(try_wrmsr(msr, 1), VECTOR_GP);
	}
}

static void test_msrs(void)
{
	uint64_t v;

	EXPECT(rdmsr(HV_MSR_VP_INDEX), 0);
	EXPECT(try_wrmsr(HV_MSR_VP_INDEX, 1), VECTOR_GP);
	EXPECT(try_rdmsr(HV_MSR_SIMP, &v), VECTOR_GP); /* VTL0 has no SynIC */
	EXPECT(try_wrmsr(HV_MSR_EOM, 0), VECTOR_GP);
	EXPECT(try_rdmsr(0x40000fff, &v), VECTOR_GP);
	EXPECT(try_wrmsr(0x40000fff, 0), VECTOR_GP);
	EXPECT(vtl1(COMMAND_RDMSR, HV_MSR_SVERSION, 0, 0), 1);
	EXPECT(vtl1(COMMAND_WRMSR, HV_MSR_SINT0 + 1, 5, 0), VECTOR_GP); /* a vector below 16 */
	EXPECT(vtl1(COMMAND_WRMSR, HV_MSR_SIMP, 0xfffffffff000 | HV_MSR_ENABLE, 0), VECTOR_GP);
	EXPECT(vtl1(COMMAND_RDMSR, HV_MSR_SINT0 + 1, 0, 0), HV_SINT_MASKED);
}

/* The hypercall page goes where it is put, shows the page below it when it goes, and is read-only. */
static void test_hypercall_page(void)
{
	uint64_t there = rdmsr(HV_MSR_HYPERCALL);
	uint64_t *old = (uint64_t *)hypercall_page;
	uint64_t code = *old;

	EXPECT(there, (uint64_t)hypercall_page | HV_MSR_ENABLE);
	EXPECT(try_write((uint64_t)hypercall_page, 1), VECTOR_GP);
	*(uint64_t *)scratch[0] = 0x1234;
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, (uint64_t)scratch[0] | HV_MSR_ENABLE), 0);
	EXPECT(*(uint64_t *)scratch[0], code);
	EXPECT(*old, 0);
	EXPECT(vmmcall(0x3fff, 0), 0);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, 0), 0);
	EXPECT(*(uint64_t *)scratch[0], 0x1234);
	EXPECT(vmmcall(0x3fff, 0), VECTOR_UD);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, 0xffffff000 | HV_MSR_ENABLE), VECTOR_GP);
	EXPECT(try_wrmsr(HV_MSR_GUEST_OS_ID, 0), 0);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, there), VECTOR_GP); /* not without an identity */
	EXPECT(hypercall_init(), 0);
	EXPECT(rdmsr(HV_MSR_HYPERCALL), there);
}

static void test_call(void)
{
	uint64_t before = shared()->entries;

	EXPECT(vtl_call(0), 0);
	EXPECT(shared()->entries, before + 1);
	EXPECT(shared()->entry_reason, HV_VTL_ENTRY_VTL_CALL);
	EXPECT(vmmcall(HV_CALL_VTL_CALL, 0), 0); /* without the page's help */
	EXPECT(shared()->entries, before + 2);
}

static void fill(uint64_t *in)
{
	for (uint32_t i = 0; i < 16; i++)
		in[i] = mix(1, i);
	in[1] = 0;
	in[7] = COMMAND_NOTHING;
}

static void expect_kept(const uint64_t *in, const uint64_t *out)
{
	for (uint32_t i = 2; i < 16; i++)
		if (i != 4 && i != 8)
			EXPECT(out[i], in[i]);
}

static void test_return_slow(void)
{
	uint64_t in[16];
	uint64_t out[16];

	fill(in);
	shared()->plan = (struct plan){ .change = 3, .rax = MAGIC_RAX, .rcx = MAGIC_RCX };
	pattern_call(in, out);
	plan(ACTION_GP, 0);
	EXPECT(out[0], MAGIC_RAX);
	EXPECT(out[1], MAGIC_RCX);
	expect_kept(in, out);
}

static void test_return_fast(void)
{
	uint64_t in[16];
	uint64_t out[16];

	fill(in);
	shared()->plan = (struct plan){ .fast = 1, .change = 3, .rax = MAGIC_RAX, .rcx = MAGIC_RCX };
	pattern_call(in, out);
	plan(ACTION_GP, 0);
	EXPECT_TRUE(out[0] != MAGIC_RAX);
	EXPECT_TRUE(out[1] != MAGIC_RCX);
	expect_kept(in, out);
}

static void test_bad_calls(void)
{
	uint64_t before = shared()->entries;

	EXPECT(vtl_call(1), VECTOR_UD);
	EXPECT(vtl_call(BIT(63)), VECTOR_UD);
	EXPECT(vmmcall(HV_CALL_VTL_CALL, 2), VECTOR_UD);
	EXPECT(user_run_copy(code_user_call), VECTOR_UD);
	EXPECT(vmmcall(HV_CALL_VTL_RETURN, 0), VECTOR_UD);
	EXPECT(vmmcall(HV_CALL_VTL_RETURN, HV_VTL_RETURN_FAST), VECTOR_UD);
	EXPECT(try_call(hypercall_return), VECTOR_UD);
	EXPECT(shared()->entries, before);
}

static void test_bad_returns(void)
{
	EXPECT(vtl1(COMMAND_RETURN, 2, 0, 0), VECTOR_UD);
	EXPECT(vtl1(COMMAND_RETURN, BIT(63) | 1, 0, 0), VECTOR_UD);
	/* There is no level above. */
	EXPECT(vtl1(COMMAND_HYPERCALL, HV_CALL_VTL_CALL, 0, 0), ~0ull);
	EXPECT(shared()->fault, VECTOR_UD);
}

const struct test tests_switch[] = {
	{ "the face of Hyper-V in CPUID", test_face, 1, 0 },
	{ "synthetic MSRs and who has them", test_msrs, 1, 0 },
	{ "frequencies are told to VTL1", test_frequencies, 1, 0 },
	{ "the hypercall page moves and goes", test_hypercall_page, 1, 0 },
	{ "a VTL call enters VTL1", test_call, 1, 0 },
	{ "a slow return takes RAX and RCX from the assist page", test_return_slow, 1, 0 },
	{ "a fast return leaves them", test_return_fast, 1, 0 },
	{ "bad VTL calls are undefined", test_bad_calls, 1, 0 },
	{ "bad VTL returns are undefined", test_bad_returns, 1, 0 },
	{ 0 },
};
