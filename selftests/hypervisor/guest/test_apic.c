// SPDX-License-Identifier: GPL-2.0-only
/* IPIs that the hypervisor handles, interrupts beside VTL1; in xAPIC mode, then in x2APIC mode. */
#include "vtl0.h"

#define TICKS 20000000ull
#define X2APIC BIT(10)
#define LVT_MASKED BIT(16)

static uint64_t nmis(uint32_t cpu)
{
	return load_acquire(cpu_of(cpu)->count[VECTOR_NMI]);
}

/* What an IPI brings to both CPUs. */
static void expect_nmi(uint32_t destination, uint32_t low, uint32_t self, uint32_t other)
{
	uint64_t before[2] = { nmis(0), nmis(1) };

	apic_icr(destination, ICR_NMI | ICR_ASSERT | low);
	wait_count(&cpu_of(0)->count[VECTOR_NMI], before[0] + self);
	wait_count(&cpu_of(1)->count[VECTOR_NMI], before[1] + other);
	delay(TICKS / 10);
	if (!EXPECT(nmis(0), before[0] + self) || !EXPECT(nmis(1), before[1] + other)) {
		print_hex(low);
		print("\n");
	}
}

static void check_nmi(void)
{
	bool x2 = apic_x2();

	expect_nmi(1, 0, 0, 1);
	expect_nmi(0, 0, 1, 0);
	expect_nmi(x2 ? ~0u : 0xff, 0, 1, 1);
	expect_nmi(5, 0, 0, 0);
	expect_nmi(0, ICR_ALL, 1, 1);
	expect_nmi(0, ICR_OTHERS, 0, 1);
	if (x2) { /* the logical ID is the number's low bits in cluster 0 */
		expect_nmi(2, ICR_LOGICAL, 0, 1);
		expect_nmi(3, ICR_LOGICAL, 1, 1);
		expect_nmi(0x10002, ICR_LOGICAL, 0, 0);
	}
}

static void set_logical(void *argument)
{
	apic_write(APIC_DFR, (uint32_t)(uint64_t)argument);
	apic_write(APIC_LDR, (this_cpu()->index ? 0x12u : 0x21u) << 24);
}

static void test_nmi(void)
{
	check_nmi();
	if (apic_x2())
		return;
	set_logical((void *)0xffffffff); /* flat: CPU 0 is 0x21, CPU 1 is 0x12 */
	cpu_run(1, set_logical, (void *)0xffffffff);
	cpu_wait(1);
	expect_nmi(0x10, ICR_LOGICAL, 0, 1);
	expect_nmi(0x01, ICR_LOGICAL, 1, 0);
	expect_nmi(0x22, ICR_LOGICAL, 1, 1);
	expect_nmi(0x40, ICR_LOGICAL, 0, 0);
	set_logical((void *)0x0fffffff); /* clusters 2 and 1 */
	cpu_run(1, set_logical, (void *)0x0fffffff);
	cpu_wait(1);
	expect_nmi(0x12, ICR_LOGICAL, 0, 1);
	expect_nmi(0x21, ICR_LOGICAL, 1, 0);
	expect_nmi(0x11, ICR_LOGICAL, 0, 0);
	set_logical((void *)0xffffffff);
	cpu_run(1, set_logical, (void *)0xffffffff);
	cpu_wait(1);
}

/* NMIs for a VP in VTL1 come to VTL0 when it is back; of several at least one. */
static void in_vtl1(void *argument)
{
	*(uint64_t *)argument = vtl1(COMMAND_SPIN, 3 * TICKS, 0, 0);
	*(uint64_t *)argument = 1;
}

static void test_nmi_in_vtl1(void)
{
	uint64_t before = nmis(1);
	uint64_t done = 0;

	cpu_run(1, in_vtl1, &done);
	delay(TICKS);
	for (uint32_t i = 0; i < 3; i++)
		apic_icr(1, ICR_NMI | ICR_ASSERT);
	cpu_wait(1);
	wait_count(&cpu_of(1)->count[VECTOR_NMI], before + 1);
	EXPECT(done, 1);
	EXPECT_TRUE(nmis(1) > before && nmis(1) <= before + 3);
}

static void nothing(void *argument)
{
	*(uint32_t *)argument = 1;
}

static void test_smi(void)
{
	uint32_t ran = 0;
	uint64_t before[2] = { nmis(0), nmis(1) };

	apic_icr(1, ICR_SMI | ICR_ASSERT);
	apic_icr(0, ICR_SMI | ICR_ASSERT | ICR_ALL);
	delay(TICKS / 10);
	cpu_run(1, nothing, &ran);
	cpu_wait(1);
	EXPECT(ran, 1);
	EXPECT(nmis(0), before[0]);
	EXPECT(nmis(1), before[1]);
}

/* The local vectors cannot be made to bring an INIT or an SMI: what they were stays. */
static void test_vectors(void)
{
	static const uint32_t offsets[] = { 0x320, 0x330, 0x340, 0x350, 0x360, 0x370 };

	for (uint32_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		uint32_t old = apic_read(offsets[i]);

		apic_write(offsets[i], LVT_MASKED | 0x51);
		EXPECT(apic_read(offsets[i]), LVT_MASKED | 0x51);
		apic_write(offsets[i], LVT_MASKED | ICR_INIT | 0x52);
		EXPECT(apic_read(offsets[i]), LVT_MASKED | 0x51);
		apic_write(offsets[i], ICR_SMI | 0x53);
		EXPECT(apic_read(offsets[i]), LVT_MASKED | 0x51);
		apic_write(offsets[i], old);
		EXPECT(apic_read(offsets[i]), old);
	}
}

/* QEMU has each register at four addresses, and messages at that of none. */
static void test_aliases(void)
{
	static const uint32_t offsets[] = { 0, 4, 12, 0x304, 0x308, 0x30c, 0x324, 0x374, 0x37c };

	for (uint32_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		EXPECT(try_store(APIC_PAGE + offsets[i], ICR_SMI | ICR_ASSERT), VECTOR_GP);
		EXPECT(try_store(APIC_PAGE + offsets[i], ICR_INIT | ICR_ASSERT | ICR_SELF), VECTOR_GP);
	}
}

/* A CPU that has another number cannot be reached: it would go on with what VTL1 has taken away. */
static void test_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	apic_write(APIC_ID, 0x77);
	apic_write(APIC_ID, 0x77u << 24);
	EXPECT(apic_read(APIC_ID), id);
}

/* An ordinary IPI passes. */
static void wait_for_ipi(void *argument)
{
	uint64_t start = read_tsc();

	interrupts_on();
	while (!load_acquire(this_cpu()->count[0x50]) && read_tsc() - start < PATIENCE)
		pause();
	interrupts_off();
	*(uint64_t *)argument = this_cpu()->count[0x50];
	this_cpu()->count[0x50] = 0;
}

static void test_ipi(void)
{
	uint64_t got = 0;

	cpu_run(1, wait_for_ipi, &got);
	delay(TICKS / 10);
	apic_icr(1, ICR_ASSERT | 0x50);
	cpu_wait(1);
	EXPECT(got, 1);
}

/* The timer ends while VTL1 runs with interrupts on: VTL1 does not see it, VTL0 does. */
static void test_timer(void)
{
	uint64_t foreign = shared()->foreign;
	struct cpu *cpu = this_cpu();

	for (uint32_t i = 0; i < 5; i++) {
		uint64_t before = cpu->count[VECTOR_TIMER];

		interrupts_on();
		apic_timer(false, 100000);
		EXPECT(vtl1(COMMAND_SPIN, TICKS, 0, 0), 0);
		wait_count(&cpu->count[VECTOR_TIMER], before + 1);
		interrupts_off();
		EXPECT(load_acquire(cpu->count[VECTOR_TIMER]), before + 1);
	}
	EXPECT(shared()->foreign, foreign);
}

/* Its delivery comes upon a page that VTL1 has closed: it comes again when VTL1 has opened it. */
static void test_cut_short(void)
{
	uint64_t gate = state_get(STATE_IDTR) + VECTOR_TIMER * 16;
	const uint64_t *count = &this_cpu()->count[VECTOR_TIMER];
	uint64_t before = *count;
	uint64_t intercepted = shared()->intercepts;

	plan(ACTION_ALLOW, HV_MAP_ALL);
	EXPECT(protect((void *)gate, 1, 0), REP(1, 0));
	interrupts_on();
	apic_timer(false, 10000);
	EXPECT_TRUE(wait_count(count, before + 1));
	interrupts_off();
	EXPECT(*count, before + 1);
	EXPECT(shared()->intercepts, intercepted + 1);
	plan(ACTION_GP, 0);
}

static void test_timer_load(void)
{
	struct cpu *cpu = this_cpu();
	uint64_t before = cpu->count[VECTOR_TIMER];

	apic_timer(true, 200000);
	interrupts_on();
	for (uint32_t i = 0; i < 2000; i++)
		if (!EXPECT(vtl_call(0), 0))
			break;
	EXPECT_TRUE(wait_count(&cpu->count[VECTOR_TIMER], before + 2));
	interrupts_off();
	apic_timer_stop();
}

/* --- x2APIC --- */

static void to_x2apic(void *argument)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	(void)argument;
	EXPECT(try_wrmsr(MSR_APIC_BASE, base | X2APIC), 0);
	EXPECT(rdmsr(MSR_APIC_BASE), base | X2APIC);
	EXPECT(try_wrmsr(MSR_APIC_BASE, base), VECTOR_GP); /* there is no way back */
	EXPECT(apic_read(APIC_ID), this_cpu()->index);
}

static void test_x2apic(void)
{
	if (!(cpuid(1, 0).ecx & BIT(21))) {
		print("# this processor has no x2APIC\n");
		EXPECT(try_wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | X2APIC), VECTOR_GP);
		return;
	}
	if (cpus_online > 1) {
		cpu_run(1, to_x2apic, NULL);
		cpu_wait(1);
	}
	to_x2apic(NULL);
	test_timer();
	test_timer_load();
	test_vectors();
	if (cpus_online < 2)
		return;
	check_nmi();
	test_nmi_in_vtl1();
	test_smi();
	test_ipi();
	EXPECT_TRUE(cpu_start(1));
	EXPECT_TRUE(cpu_start(1));
	test_ipi();
}

const struct test tests_apic[] = {
	{ "an interrupt of VTL0 waits while VTL1 runs", test_timer, 1, 0 },
	{ "an interrupt whose delivery VTL1 has cut short", test_cut_short, 1, 0 },
	{ "VTL calls under a timer", test_timer_load, 1, 0 },
	{ "local vectors bring no INIT and no SMI", test_vectors, 1, 0 },
	{ "registers of the APIC are not beside themselves", test_aliases, 1, 0 },
	{ "the APIC's number stays", test_id, 1, 0 },
	{ "NMIs by IPI", test_nmi, 2, 0 },
	{ "NMIs wait while VTL1 runs", test_nmi_in_vtl1, 2, 0 },
	{ "SMIs are dropped", test_smi, 2, 0 },
	{ "other IPIs pass", test_ipi, 2, 0 },
	{ 0 },
};

/* At the end: what comes later runs in this mode. */
const struct test tests_last[] = {
	{ "the same in x2APIC mode", test_x2apic, 1, 0 },
	{ 0 },
};
