// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many VTL calls on all CPUs, under a timer, with intercepts between them: each level finds in every
 * shared register what the other has left there, and in every private one what is its own.
 */
#include "vtl0.h"

static const uint32_t private_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_LSTAR, MSR_CSTAR, MSR_SYSENTER_ESP,
	MSR_SYSENTER_EIP,
};

static uint8_t images[CPUS_MAX][EXTENDED_SIZE] __attribute__((aligned(4096)));
static uint64_t lost[CPUS_MAX];

static void compare(uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		lost[this_cpu()->index]++;
}

static uint64_t private_value(uint32_t i)
{
	return mix(this_cpu()->index + 500, i) & 0x00007fffffffffff;
}

static void load_pattern(uint64_t *in, uint64_t seed)
{
	uint8_t *image = images[this_cpu()->index];

	for (uint32_t i = 0; i < 16; i++)
		in[i] = mix(seed, i);
	for (uint32_t i = 0; i < 4; i++)
		state_set(STATE_DR0 + i, mix(seed, PATTERN_DR0 + i));
	write_cr2(mix(seed, PATTERN_CR2));
	extended_pattern(image, seed);
	extended_load(image);
}

static void check_pattern(const uint64_t *out, uint64_t seed)
{
	uint8_t *image = images[this_cpu()->index];

	for (uint32_t i = 0; i < 16; i++)
		if (i != 4)
			compare(out[i], mix(seed, i));
	for (uint32_t i = 0; i < 4; i++)
		compare(state_get(STATE_DR0 + i), mix(seed, PATTERN_DR0 + i));
	compare(read_cr2(), mix(seed, PATTERN_CR2));
	extended_save(image);
	compare(extended_is(image, seed), true);
	for (uint32_t i = 0; i < ARRAY_SIZE(private_msrs); i++)
		compare(rdmsr(private_msrs[i]), private_value(i));
}

static void one_call(uint64_t seed)
{
	uint64_t in[16];
	uint64_t out[16];

	load_pattern(in, seed);
	in[1] = 0;
	in[6] = seed;
	in[7] = COMMAND_CHECK;
	pattern_call(in, out);
	check_pattern(out, seed + 1);
}

/* VTL1 looks at nothing here, but uses its own registers meanwhile. */
static void one_intercept(uint64_t seed)
{
	uint64_t in[16];
	uint64_t out[16];

	load_pattern(in, seed);
	pattern_store(in, out);
	check_pattern(out, seed);
}

static void run_calls(void *argument)
{
	uint64_t n = (uint64_t)argument;
	uint64_t base = (uint64_t)this_cpu()->index << 40;
	uint64_t timer = this_cpu()->count[VECTOR_TIMER];

	for (uint32_t i = 0; i < ARRAY_SIZE(private_msrs); i++)
		try_wrmsr(private_msrs[i], private_value(i));
	plan(ACTION_SKIP, 7);
	shared()->bad = 0;
	apic_timer(true, 300000);
	interrupts_on();
	for (uint64_t i = 0; i < n; i++) {
		one_call(base + 2 * i);
		if (i % 4 == 3)
			one_intercept(base + 2 * i + 1);
	}
	wait_count(&this_cpu()->count[VECTOR_TIMER], timer + 1);
	interrupts_off();
	apic_timer_stop();
	plan(ACTION_GP, 0);
}

static void test_check(void)
{
	uint64_t n = option_full ? 100000 : 5000;
	uint64_t timer = this_cpu()->count[VECTOR_TIMER];
	uint64_t intercepted = shared()->intercepts;

	EXPECT(protect(pattern_page, 1, HV_MAP_READ), REP(1, 0));
	memset(lost, 0, sizeof(lost));
	for (uint32_t i = 1; i < cpus_online; i++)
		cpu_run(i, run_calls, (void *)n);
	run_calls((void *)n);
	for (uint32_t i = 1; i < cpus_online; i++)
		cpu_wait(i);
	EXPECT(protect(pattern_page, 1, HV_MAP_ALL), REP(1, 0));
	for (uint32_t i = 0; i < cpus_online; i++)
		EXPECT(lost[i], 0);
	if (!EXPECT(shared()->bad, 0))
		EXPECT(shared()->bad_index, 0);
	EXPECT(shared()->intercepts, intercepted + n / 4);
	EXPECT_TRUE(this_cpu()->count[VECTOR_TIMER] > timer);
}

const struct test tests_check[] = {
	{ "no register is lost in many calls on all CPUs", test_check, 1, 0 },
	{ 0 },
};
