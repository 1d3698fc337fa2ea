// SPDX-License-Identifier: GPL-2.0-only
/* VTL1 on another VP; a VP that starts, stops and starts again. */
#include "vtl0.h"

extern const uint8_t ap_long[];

/* What a job on the other CPU has seen. */
static struct {
	uint64_t a;
	uint64_t b;
	uint64_t c;
} seen;

static void without_vtl1(void *argument)
{
	(void)argument;
	seen.a = vtl_call(0);
	seen.b = try_write(ARENA, 1);
	seen.c = vmmcall(HV_CALL_VTL_RETURN, 1);
}

static void test_without(void)
{
	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	cpu_run(1, without_vtl1, NULL);
	cpu_wait(1);
	EXPECT(seen.a, VECTOR_UD);
	EXPECT(seen.b, VECTOR_GP); /* though nobody is told */
	EXPECT(seen.c, VECTOR_UD);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
}

/* --- the initial context --- */

static void first_call(void *argument)
{
	struct shared *mine = shared();

	(void)argument;
	for (uint32_t i = 0; i < 3; i++)
		seen.a = state_set(STATE_DR0 + i, 0x1000 + i);
	vtl1_attach();
	EXPECT(caught(), 0);
	EXPECT(vtl1(COMMAND_RDMSR, HV_MSR_VP_INDEX, 0, 0), 1);
	EXPECT(vtl1(COMMAND_RDMSR, MSR_FS_BASE, 0, 0), INITIAL_FS_BASE);
	EXPECT(vtl1(COMMAND_RDMSR, MSR_GS_BASE, 0, 0), INITIAL_GS_BASE);
	EXPECT(vtl1(COMMAND_RDMSR, MSR_PAT, 0, 0), INITIAL_PAT);
	EXPECT(vtl1(COMMAND_GET, STATE_LDTR, 0, 0), 0x40);
	EXPECT(vtl1(COMMAND_GET, STATE_DR0 + 1, 0, 0), 0x1001); /* shared from the first */
	EXPECT(vtl1(COMMAND_GET_REGISTER, HV_REGISTER_LDTR, 0, 0), 0);
	EXPECT(mine->value.low, INITIAL_LDT_BASE);
	EXPECT(vtl1(COMMAND_GET, STATE_DR7, 0, 0), 0x400);
	seen.a = vtl1(COMMAND_GET, STATE_CR0, 0, 0);
	seen.b = vtl1(COMMAND_GET, STATE_CR3, 0, 0);
	seen.c = vtl1(COMMAND_RDMSR, MSR_EFER, 0, 0);
}

static void test_enable(void)
{
	EXPECT(vtl1(COMMAND_ENABLE_VP, 1, 0, 0), 0);
	EXPECT(vtl1(COMMAND_ENABLE_VP, 1, 0, 0), HV_STATUS_VTL_ALREADY_ENABLED);
	cpu_run(1, first_call, NULL);
	cpu_wait(1);
	EXPECT(seen.a, vtl1(COMMAND_GET, STATE_CR0, 0, 0));
	EXPECT(seen.b, vtl1(COMMAND_GET, STATE_CR3, 0, 0));
	EXPECT(seen.c, vtl1(COMMAND_RDMSR, MSR_EFER, 0, 0));
}

/* The intercepts of one VP are not those of another. */
static void own_intercepts(void *argument)
{
	uint64_t before = shared()->intercepts;

	(void)argument;
	plan(ACTION_GP, 0);
	EXPECT(try_wrmsr(MSR_LSTAR, 0x1234000), 0);
	EXPECT(shared()->intercepts, before);
	intercepts(HV_CR_INTERCEPT_SFMASK_WRITE);
	EXPECT(try_wrmsr(MSR_SFMASK, 0x300), VECTOR_GP);
	EXPECT(shared()->intercepts, before + 1);
	EXPECT(((const struct hv_msr_intercept *)shared()->message.payload)->header.vp, 1);
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(shared()->intercepts, before + 2);
}

static void test_own_intercepts(void)
{
	uint64_t before = shared()->intercepts;

	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	intercepts(HV_CR_INTERCEPT_LSTAR_WRITE);
	cpu_run(1, own_intercepts, NULL);
	cpu_wait(1);
	EXPECT(shared()->intercepts, before);
	intercepts(0);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
}

/* --- starting --- */

static void restarted(void *argument)
{
	(void)argument;
	seen.a = try_wrmsr(MSR_SFMASK, 0x300); /* was intercepted before INIT */
	seen.b = vtl1(COMMAND_RDMSR, HV_MSR_VP_INDEX, 0, 0);
	seen.c = rdmsr(MSR_PAT);
}

static void expect_restarted(void)
{
	cpu_run(1, restarted, NULL);
	cpu_wait(1);
	EXPECT(seen.a, 0);
	EXPECT(seen.b, 1);
}

static void test_restart(void)
{
	for (uint32_t i = 0; i < 5; i++) {
		if (!EXPECT_TRUE(cpu_start(1)))
			return;
		expect_restarted();
	}
}

static void test_second_startup(void)
{
	uint32_t before = cpu_starts(1);

	for (uint32_t i = 0; i < 3; i++)
		apic_icr(1, ICR_START | ICR_ASSERT | AP_VECTOR);
	delay(10000000);
	EXPECT(cpu_starts(1), before);
	expect_restarted();
}

static void fill_context(struct hv_enable_vp_vtl *in)
{
	struct hv_initial_vp_context *c = &in->context;
	struct cpu *cpu = this_cpu();

	memset(in, 0, sizeof(*in));
	in->partition = HV_PARTITION_SELF;
	in->vp = 1;
	c->rip = (uint64_t)ap_long;
	c->rflags = 2;
	c->cs = (struct hv_segment){ .limit = ~0u, .selector = 8, .attributes = 0xa09b };
	c->ss = (struct hv_segment){ .limit = ~0u, .selector = 16, .attributes = 0xc093 };
	c->ds = c->es = c->fs = c->gs = c->ss;
	c->tr = (struct hv_segment){ .limit = 103, .selector = 0x28, .attributes = 0x8b };
	c->ldtr.attributes = 0x82;
	c->gdtr = (struct hv_table){ .limit = sizeof(cpu->gdt) - 1, .base = (uint64_t)cpu->gdt };
	c->efer = 0xd00;
	c->cr0 = 0x80010033;
	c->cr3 = read_cr3();
	c->cr4 = CR4_PAE;
	c->pat = 0x0407050600070106;
}

static void start_by_call(uint32_t level)
{
	struct hv_enable_vp_vtl *in = (void *)scratch[0];
	uint32_t before = cpu_starts(1);
	uint64_t start = read_tsc();
	uint64_t status;

	apic_icr(1, ICR_INIT | ICR_ASSERT);
	fill_context(in);
	do { /* it may be on its way to where it can be started */
		status = level ? vtl1(COMMAND_HYPERCALL, HV_CALL_START_VIRTUAL_PROCESSOR, (uint64_t)in, 0) :
				 hypercall(HV_CALL_START_VIRTUAL_PROCESSOR, (uint64_t)in, 0);
	} while (status == HV_STATUS_INVALID_VP_STATE && read_tsc() - start < PATIENCE);
	EXPECT(status, 0);
	while (cpu_starts(1) == before && read_tsc() - start < PATIENCE)
		pause();
	EXPECT(cpu_starts(1), before + 1);
	expect_restarted();
	EXPECT(seen.c, 0x0407050600070106);
	EXPECT(hypercall(HV_CALL_START_VIRTUAL_PROCESSOR, (uint64_t)in, 0), HV_STATUS_INVALID_VP_STATE);
}

static void test_start_call(void)
{
	start_by_call(0);
	start_by_call(1);
}

/* --- VTL1 denies it --- */

static void test_denied(void)
{
	struct hv_enable_vp_vtl *in = (void *)scratch[0];
	uint32_t before = cpu_starts(1);

	partition_config(HV_VSM_PARTITION_DENY_LOWER_STARTUP);
	apic_icr(1, ICR_INIT | ICR_ASSERT);
	apic_icr(1, ICR_START | ICR_ASSERT | AP_VECTOR);
	delay(10000000);
	EXPECT(cpu_starts(1), before);
	expect_restarted(); /* it runs as before */
	fill_context(in);
	EXPECT(hypercall(HV_CALL_START_VIRTUAL_PROCESSOR, (uint64_t)in, 0), HV_STATUS_ACCESS_DENIED);
	EXPECT(vtl1(COMMAND_HYPERCALL, HV_CALL_START_VIRTUAL_PROCESSOR, (uint64_t)in, 0),
	       HV_STATUS_INVALID_VP_STATE);
	partition_config(0);
	EXPECT_TRUE(cpu_start(1));
	expect_restarted();
}

/* INIT while the VP is in VTL1: it ends VTL0 when VTL1 has returned, not before. */
static void long_call(void *argument)
{
	(void)argument;
	vtl1(COMMAND_SPIN, 100000000, 0, 0);
	seen.a = 1;
	while (true)
		pause();
}

static void test_init_in_vtl1(void)
{
	seen.a = 0;
	cpu_run(1, long_call, NULL);
	delay(10000000);
	EXPECT_TRUE(cpu_start(1));
	cpu_wait(1);
	expect_restarted();
}

const struct test tests_vps[] = {
	{ "a VP without VTL1", test_without, 2, 0 },
	{ "VTL1 starts on another VP with its initial context", test_enable, 2, ALWAYS },
	{ "intercepts are each VP's own", test_own_intercepts, 2, 0 },
	{ "INIT and start-up bring a VP up again", test_restart, 2, 0 },
	{ "a start-up IPI to a running VP does nothing", test_second_startup, 2, 0 },
	{ "HvCallStartVirtualProcessor starts a VP", test_start_call, 2, 0 },
	{ "VTL1 denies starting VPs", test_denied, 2, 0 },
	{ "INIT waits for VTL1", test_init_in_vtl1, 2, 0 },
	{ 0 },
};
