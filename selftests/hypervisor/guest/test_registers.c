// SPDX-License-Identifier: GPL-2.0-only
/* HvCallGetVpRegisters and HvCallSetVpRegisters, and the registers of VSM. */
#include "vtl0.h"

#define VTL0 HV_INPUT_VTL_USE_TARGET
#define VTL1 (HV_INPUT_VTL_USE_TARGET | 1)

static void test_status(void)
{
	struct hv_register_value v;
	uint64_t mbec = option_mbec ? 2ull << HV_VSM_PARTITION_STATUS_MBEC_SHIFT : 0;

	EXPECT(register_get(HV_REGISTER_VSM_VP_STATUS, 0, &v), 0);
	EXPECT(v.low, 3ull << HV_VSM_VP_STATUS_ENABLED_SHIFT);
	EXPECT(vtl1_get_register(HV_REGISTER_VSM_VP_STATUS, 0), 0);
	EXPECT(shared()->value.low, 3ull << HV_VSM_VP_STATUS_ENABLED_SHIFT | 1);
	EXPECT(register_get(HV_REGISTER_VSM_PARTITION_STATUS, 0, &v), 0);
	EXPECT(v.low, 3 | 1ull << HV_VSM_PARTITION_STATUS_MAX_VTL_SHIFT | mbec);
	EXPECT(register_get(HV_REGISTER_VSM_CAPABILITIES, 0, &v), 0);
	EXPECT_TRUE(v.low & HV_VSM_CAPABILITY_DR6_SHARED);
	EXPECT_TRUE(v.low & HV_VSM_CAPABILITY_DENY_LOWER_STARTUP);
	EXPECT(!!(v.low & 2ull << HV_VSM_CAPABILITY_MBEC_SHIFT), option_mbec);
	EXPECT(register_get(HV_REGISTER_VP_INDEX, 0, &v), 0);
	EXPECT(v.low, 0);
	EXPECT(register_get(HV_REGISTER_VSM_CODE_PAGE_OFFSETS, 0, &v), 0);
	EXPECT_TRUE((v.low & 0xfff) != (v.low >> 12 & 0xfff) && !(v.low >> 24));
}

/* VTL0 may look at how VSM stands and at nothing else. */
static void test_vtl0(void)
{
	static const uint32_t closed[] = {
		HV_REGISTER_RIP, HV_REGISTER_CR0, HV_REGISTER_EFER, HV_REGISTER_LSTAR,
		HV_REGISTER_PENDING_EVENT0, HV_REGISTER_VSM_PARTITION_CONFIG,
		HV_REGISTER_VSM_SECURE_CONFIG_VTL0, HV_REGISTER_CR_INTERCEPT_CONTROL,
		HV_REGISTER_CR_INTERCEPT_CR0_MASK, HV_REGISTER_CR_INTERCEPT_CR4_MASK,
	};
	const struct hv_register_value none = { 0, 0 };
	struct hv_register_value v;

	for (uint32_t i = 0; i < ARRAY_SIZE(closed); i++) {
		EXPECT(register_get(closed[i], 0, &v), HV_STATUS_ACCESS_DENIED);
		EXPECT(register_get(closed[i], VTL1, &v), HV_STATUS_ACCESS_DENIED);
		EXPECT(register_set(closed[i], 0, none), HV_STATUS_ACCESS_DENIED);
		EXPECT(register_set(closed[i], VTL1, none), HV_STATUS_ACCESS_DENIED);
	}
	EXPECT(register_set(HV_REGISTER_VSM_VP_STATUS, 0, none), HV_STATUS_ACCESS_DENIED);
}

static void test_targets(void)
{
	struct hv_get_vp_registers *in = (void *)scratch[0];
	uint64_t control = HV_CALL_GET_VP_REGISTERS | REP(1, 0);

	*in = (struct hv_get_vp_registers){ .partition = HV_PARTITION_SELF, .vp = 0 };
	in->names[0] = HV_REGISTER_VP_INDEX;
	EXPECT(hypercall(control, (uint64_t)in, (uint64_t)scratch[1]), REP(1, 0));
	in->vp = cpus_online;
	EXPECT(STATUS(hypercall(control, (uint64_t)in, (uint64_t)scratch[1])),
	       HV_STATUS_INVALID_VP_INDEX);
	in->vp = HV_VP_SELF;
	in->vtl = HV_INPUT_VTL_USE_TARGET | 2;
	EXPECT(STATUS(vtl1(COMMAND_HYPERCALL, control, (uint64_t)in, (uint64_t)scratch[1])),
	       HV_STATUS_ACCESS_DENIED);
	in->vtl = 0x20;
	EXPECT(STATUS(hypercall(control, (uint64_t)in, (uint64_t)scratch[1])),
	       HV_STATUS_INVALID_PARAMETER);
	in->vtl = 0;
	in->reserved[0] = 1;
	EXPECT(STATUS(hypercall(control, (uint64_t)in, (uint64_t)scratch[1])),
	       HV_STATUS_INVALID_PARAMETER);
	in->reserved[0] = 0;
	in->vp = 1;
	if (cpus_online > 1)
		EXPECT(STATUS(hypercall(control, (uint64_t)in, (uint64_t)scratch[1])),
		       HV_STATUS_INVALID_VP_STATE);
}

/* VTL1 reads VTL0's registers as VTL0 itself sees them. */
static void test_read(void)
{
	static const struct {
		uint32_t name;
		uint32_t msr;
	} msrs[] = {
		{ HV_REGISTER_EFER, MSR_EFER },	  { HV_REGISTER_PAT, MSR_PAT },
		{ HV_REGISTER_STAR, MSR_STAR },	  { HV_REGISTER_LSTAR, MSR_LSTAR },
		{ HV_REGISTER_CSTAR, MSR_CSTAR }, { HV_REGISTER_SFMASK, MSR_SFMASK },
		{ HV_REGISTER_SYSENTER_CS, MSR_SYSENTER_CS },
		{ HV_REGISTER_SYSENTER_EIP, MSR_SYSENTER_EIP },
		{ HV_REGISTER_SYSENTER_ESP, MSR_SYSENTER_ESP },
		{ HV_REGISTER_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE },
		{ HV_REGISTER_APIC_BASE, MSR_APIC_BASE },
	};
	static const struct {
		uint32_t name;
		enum state state;
	} states[] = {
		{ HV_REGISTER_CR0, STATE_CR0 }, { HV_REGISTER_CR3, STATE_CR3 },
		{ HV_REGISTER_CR4, STATE_CR4 }, { HV_REGISTER_CR2, STATE_CR2 },
	};

	try_wrmsr(MSR_LSTAR, 0xffff800000001234);
	try_wrmsr(MSR_KERNEL_GS_BASE, 0xffff800000005678);
	for (uint32_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		EXPECT(vtl1_get_register(msrs[i].name, VTL0), 0);
		EXPECT(shared()->value.low, rdmsr(msrs[i].msr));
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(states); i++) {
		EXPECT(vtl1_get_register(states[i].name, VTL0), 0);
		EXPECT(shared()->value.low, state_get(states[i].state));
	}
}

static void test_segments(void)
{
	struct cpu *cpu = this_cpu();

	EXPECT(vtl1_get_register(HV_REGISTER_TR, VTL0), 0);
	EXPECT(shared()->value.low, (uint64_t)cpu->tss);
	EXPECT(shared()->value.high | 2ull << 48, /* QEMU forgets that it is busy */
	       (sizeof(cpu->tss) - 1) | 0x28ull << 32 | 0x8bull << 48);
	EXPECT(vtl1_get_register(HV_REGISTER_ES + 1, VTL0), 0);
	EXPECT(shared()->value.high, 0xffffffff | 8ull << 32 | 0xa09bull << 48);
	EXPECT(vtl1_get_register(HV_REGISTER_GDTR, VTL0), 0);
	EXPECT(shared()->value.low >> 48, sizeof(cpu->gdt) - 1);
	EXPECT(shared()->value.high, (uint64_t)cpu->gdt);
	EXPECT(vtl1_get_register(HV_REGISTER_IDTR, VTL0), 0);
	EXPECT(shared()->value.high, state_get(STATE_IDTR));
	try_wrmsr(MSR_FS_BASE, 0x7f0000001000);
	EXPECT(vtl1_get_register(HV_REGISTER_ES + 4, VTL0), 0);
	EXPECT(shared()->value.low, 0x7f0000001000);
}

static void test_write(void)
{
	uint64_t pat = rdmsr(MSR_PAT);
	uint64_t cr0 = read_cr0();
	uint64_t gs[2];

	EXPECT(vtl1_set_register(HV_REGISTER_LSTAR, VTL0, 0x7777000, 0), 0);
	EXPECT(rdmsr(MSR_LSTAR), 0x7777000);
	EXPECT(vtl1_set_register(HV_REGISTER_PAT, VTL0, 0x0407050600070106, 0), 0);
	EXPECT(rdmsr(MSR_PAT), 0x0407050600070106);
	EXPECT(vtl1_set_register(HV_REGISTER_PAT, VTL0, pat, 0), 0);
	EXPECT(vtl1_set_register(HV_REGISTER_CR0, VTL0, cr0 | CR0_AM, 0), 0);
	EXPECT(read_cr0(), cr0 | CR0_AM);
	EXPECT(vtl1_set_register(HV_REGISTER_CR0, VTL0, cr0, 0), 0);
	EXPECT(vtl1_get_register(HV_REGISTER_ES + 5, VTL0), 0);
	gs[0] = shared()->value.low;
	gs[1] = shared()->value.high;
	EXPECT(vtl1_set_register(HV_REGISTER_ES + 5, VTL0, 0x1234000, gs[1]), 0);
	EXPECT(rdmsr(MSR_GS_BASE), 0x1234000);
	EXPECT(vtl1_set_register(HV_REGISTER_ES + 5, VTL0, gs[0], gs[1]), 0);
}

/* Values with which the level could not go on. */
static void test_bad_values(void)
{
	static const struct {
		uint32_t name;
		uint64_t v;
	} bad[] = {
		{ HV_REGISTER_CR0, 0x80000010 },	{ HV_REGISTER_CR0, 0x180000011 },
		{ HV_REGISTER_CR0, 0xa0000011 },	{ HV_REGISTER_CR4, 0 },
		{ HV_REGISTER_CR4, 0x100000020 },	{ HV_REGISTER_EFER, 0x1d00 },
		{ HV_REGISTER_EFER, 0xc00 },		{ HV_REGISTER_EFER, 0xd02 },
		{ HV_REGISTER_PAT, 2 },			{ HV_REGISTER_PAT, 0x0807040600070406 },
		{ HV_REGISTER_CR3, BIT(60) },		{ HV_REGISTER_RFLAGS, BIT(17) | 2 },
		{ HV_REGISTER_RFLAGS, BIT(33) | 2 },	{ HV_REGISTER_APIC_BASE, 0xfee10900 },
		{ HV_REGISTER_PENDING_EVENT0, 1 | 2 << 16 }, { HV_REGISTER_PENDING_EVENT0, 1 | 32 << 16 },
		{ HV_REGISTER_CR_INTERCEPT_CONTROL, BIT(25) },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t vtl = bad[i].name == HV_REGISTER_CR_INTERCEPT_CONTROL ? 0 : VTL0;

		if (!EXPECT(vtl1_set_register(bad[i].name, vtl, bad[i].v, 0),
			    HV_STATUS_INVALID_REGISTER_VALUE)) {
			print_number(i);
			print("\n");
		}
	}
	EXPECT(vtl1_set_register(0x12345, VTL0, 0, 0), HV_STATUS_INVALID_PARAMETER);
	EXPECT(vtl1_get_register(0x12345, VTL0), HV_STATUS_INVALID_PARAMETER);
	EXPECT(vtl1_set_register(HV_REGISTER_VSM_VP_STATUS, 0, 0, 0), HV_STATUS_INVALID_PARAMETER);
}

static void test_secure_config(void)
{
	uint64_t config = HV_VSM_SECURE_CONFIG_TLB_LOCKED;

	EXPECT(vtl1_set_register(HV_REGISTER_VSM_SECURE_CONFIG_VTL0, 0, BIT(2), 0),
	       HV_STATUS_INVALID_REGISTER_VALUE);
	EXPECT(vtl1_set_register(HV_REGISTER_VSM_SECURE_CONFIG_VTL0, 0, HV_VSM_SECURE_CONFIG_MBEC, 0),
	       option_mbec ? 0 : HV_STATUS_INVALID_REGISTER_VALUE);
	if (option_mbec)
		config |= HV_VSM_SECURE_CONFIG_MBEC;
	EXPECT(vtl1_set_register(HV_REGISTER_VSM_SECURE_CONFIG_VTL0, 0, config, 0), 0);
	/* The lock is gone when VTL1 returns. */
	EXPECT(vtl1_get_register(HV_REGISTER_VSM_SECURE_CONFIG_VTL0, 0), 0);
	EXPECT(shared()->value.low, config & ~HV_VSM_SECURE_CONFIG_TLB_LOCKED);
}

const struct test tests_registers[] = {
	{ "how VSM stands", test_status, 1, 0 },
	{ "VTL0 sees that and nothing else", test_vtl0, 1, 0 },
	{ "whose registers", test_targets, 1, 0 },
	{ "VTL1 reads VTL0's registers", test_read, 1, 0 },
	{ "VTL1 reads VTL0's segments and tables", test_segments, 1, 0 },
	{ "VTL1 writes VTL0's registers", test_write, 1, 0 },
	{ "VTL1 cannot write what VTL0 cannot run with", test_bad_values, 1, 0 },
	{ "the secure configuration of VTL0", test_secure_config, 1, 0 },
	{ 0 },
};
