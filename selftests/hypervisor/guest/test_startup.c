// SPDX-License-Identifier: GPL-2.0-only
/* VTL1 is told of each start-up and does it: of several at once, one message after the other. */
#include "vtl0.h"

#define ROUNDS 10u
#define OTHER_VECTOR (AP_VECTOR + 1)

static uint32_t before[CPUS_MAX];

static void attach(void *argument)
{
	(void)argument;
	vtl1_attach();
	plan(ACTION_START, 0);
}

/* From here on to the end of the last test here. */
static void test_on(void)
{
	memcpy((void *)(AP_PAGE + PAGE_SIZE), (void *)AP_PAGE, PAGE_SIZE);
	for (uint32_t i = 1; i < 3; i++) {
		uint64_t status = vtl1(COMMAND_ENABLE_VP, i, 0, 0);

		EXPECT_TRUE(!status || status == HV_STATUS_VTL_ALREADY_ENABLED);
		cpu_run(i, attach, NULL);
		cpu_wait(i);
	}
	partition_config(HV_VSM_PARTITION_INTERCEPT_VP_STARTUP);
}

static void note(void)
{
	for (uint32_t i = 1; i < 3; i++)
		before[i] = cpu_starts(i);
	shared()->startups = 0;
	plan(ACTION_START, 0);
}

/* Each has come once since, and works. */
static void expect_started(void)
{
	uint64_t start = read_tsc();
	uint32_t i;

	for (i = 1; i < 3; i++) {
		while (cpu_starts(i) == before[i] && read_tsc() - start < PATIENCE)
			pause();
		if (EXPECT(cpu_starts(i), before[i] + 1)) {
			cpu_run(i, attach, NULL);
			cpu_wait(i);
		}
	}
}

static void expect_told(uint32_t n, uint32_t target, uint32_t vector)
{
	EXPECT(shared()->startup_target[n], target);
	EXPECT(shared()->startup_vector[n], vector);
}

static void test_broadcast(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		note();
		apic_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
		apic_icr(0, ICR_START | ICR_ASSERT | ICR_OTHERS | AP_VECTOR);
		expect_started();
		EXPECT(shared()->startups, 2);
		EXPECT(shared()->startup_target[0] + shared()->startup_target[1], 3);
		EXPECT(shared()->startup_vector[0], AP_VECTOR);
		EXPECT(shared()->startup_vector[1], AP_VECTOR);
	}
	apic_icr(0, ICR_START | ICR_ASSERT | ICR_OTHERS | AP_VECTOR);
	EXPECT(shared()->startups, 2); /* they run: there is nothing to tell */
}

static void test_two(void)
{
	note();
	apic_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	apic_icr(1, ICR_START | ICR_ASSERT | AP_VECTOR);
	apic_icr(2, ICR_START | ICR_ASSERT | OTHER_VECTOR);
	expect_started();
	EXPECT(shared()->startups, 2);
	expect_told(0, 1, AP_VECTOR);
	expect_told(1, 2, OTHER_VECTOR);
}

static struct shared *share_of_1;

static void wait_in_vtl1(void *argument)
{
	store_release(share_of_1, shared());
	vtl1(COMMAND_WAIT, (uint64_t)argument, *(const uint32_t *)argument, 0);
}

/* VP 1 stays in VTL1 until VP 2 has started: only then it has its INIT, and is told of. */
static void test_order(void)
{
	note();
	store_release(share_of_1, NULL);
	cpu_run(1, wait_in_vtl1, (void *)cpu_starts_at(2));
	while (!load_acquire(share_of_1) || !load_acquire(share_of_1->waits))
		pause();
	apic_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	apic_icr(0, ICR_START | ICR_ASSERT | ICR_OTHERS | AP_VECTOR);
	expect_started();
	EXPECT(shared()->startups, 2);
	expect_told(0, 2, AP_VECTOR);
	expect_told(1, 1, AP_VECTOR);
}

/* VTL1 leaves its slot full: VTL0 goes on, what waits gives way to another message and comes again. */
static void test_slot_full(void)
{
	note();
	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	plan(ACTION_LEAVE, 0);
	apic_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	apic_icr(0, ICR_START | ICR_ASSERT | ICR_OTHERS | AP_VECTOR);
	delay(10000000);
	EXPECT(cpu_starts(1), before[1]);
	EXPECT(cpu_starts(2), before[2]);
	EXPECT(shared()->message.type, HV_MESSAGE_STARTUP_INTERCEPT);
	EXPECT(shared()->message.flags, HV_MESSAGE_FLAG_PENDING);
	plan(ACTION_START, 0);
	EXPECT(try_write(ARENA, 1), 0);
	expect_started();
	EXPECT(shared()->startups, 2);
}

static void start_other(void *argument)
{
	uint32_t other = (uint32_t)(uint64_t)argument;

	apic_icr(other, ICR_INIT | ICR_ASSERT);
	apic_icr(other, ICR_START | ICR_ASSERT | AP_VECTOR);
}

/* Two VPs start a third: it starts once. */
static void test_two_senders(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t starts = cpu_starts(2);

		note();
		cpu_run(1, start_other, (void *)2);
		start_other((void *)2);
		cpu_wait(1);
		EXPECT_TRUE(cpu_starts(2) - starts <= 2);
		EXPECT_TRUE(cpu_start(2));
	}
}

/* Two VPs stop each other: whatever comes of them, the third starts both again. */
static void test_each_other(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		cpu_run(1, start_other, (void *)2);
		cpu_run(2, start_other, (void *)1);
		delay(20000000);
		apic_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS); /* that ends what they do */
		delay(20000000);
		EXPECT_TRUE(cpu_start(1));
		EXPECT_TRUE(cpu_start(2));
	}
	delay(20000000);
	test_broadcast();
}

/* VTL1 has no SynIC on this VP: none is told and none starts, and nothing comes later. */
static void test_nobody_told(void)
{
	uint64_t control = vtl1(COMMAND_RDMSR, HV_MSR_SCONTROL, 0, 0);

	note();
	vtl1(COMMAND_WRMSR, HV_MSR_SCONTROL, 0, 0);
	apic_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	apic_icr(0, ICR_START | ICR_ASSERT | ICR_OTHERS | AP_VECTOR);
	delay(10000000);
	vtl1(COMMAND_WRMSR, HV_MSR_SCONTROL, control, 0);
	delay(10000000);
	EXPECT(shared()->startups, 0);
	EXPECT(cpu_starts(1), before[1]);
	EXPECT(cpu_starts(2), before[2]);
	apic_icr(0, ICR_START | ICR_ASSERT | ICR_OTHERS | AP_VECTOR);
	expect_started();
}

static void test_off(void)
{
	partition_config(0);
	note();
	apic_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	apic_icr(0, ICR_START | ICR_ASSERT | ICR_OTHERS | AP_VECTOR);
	expect_started();
	EXPECT(shared()->startups, 0);
	plan(ACTION_GP, 0);
}

const struct test tests_startup[] = {
	{ "start-up: VTL1 is told", test_on, 3, 0 },
	{ "start-up: of all but the sender", test_broadcast, 3, 0 },
	{ "start-up: of two by two IPIs", test_two, 3, 0 },
	{ "start-up: told when INIT is done", test_order, 3, 0 },
	{ "start-up: VTL1's slot is full", test_slot_full, 3, 0 },
	{ "start-up: two senders", test_two_senders, 3, 0 },
	{ "start-up: two that stop each other", test_each_other, 3, 0 },
	{ "start-up: VTL1 has no SynIC", test_nobody_told, 3, 0 },
	{ "start-up: VTL1 is not told", test_off, 3, 0 },
	{ 0 },
};
