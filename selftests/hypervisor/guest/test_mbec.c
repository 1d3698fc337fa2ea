// SPDX-License-Identifier: GPL-2.0-only
/* User and kernel execution told apart: only with MBEC, and with SMEP on. */
#include "vtl0.h"

#define R HV_MAP_READ
#define W HV_MAP_WRITE
#define KX HV_MAP_KERNEL_EXECUTE
#define UX HV_MAP_USER_EXECUTE

static void expect_execution(bool kernel, bool user)
{
	uint64_t alias = window(7, ARENA, PTE_PRESENT | PTE_WRITE);
	uint64_t before = shared()->intercepts;

	EXPECT(try_call(alias), kernel ? 0 : VECTOR_GP);
	EXPECT(user_run(ARENA + 32), user ? VECTOR_BP : VECTOR_GP);
	EXPECT(try_call(alias), kernel ? 0 : VECTOR_GP);
	EXPECT(user_run(ARENA + 32), user ? VECTOR_BP : VECTOR_GP);
	EXPECT(shared()->intercepts, before + 2 * !kernel + 2 * !user);
}

static void check(uint32_t access, bool smep)
{
	uint64_t cr4 = read_cr4();
	bool kernel = access & KX;

	EXPECT(try_write_cr4(smep ? cr4 | CR4_SMEP : cr4 & ~CR4_SMEP), 0);
	EXPECT(protect((void *)ARENA, 1, access), REP(1, 0));
	expect_execution(kernel, kernel || (smep && access & UX));
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
	EXPECT(try_write_cr4(cr4), 0);
}

static void test_execution(void)
{
	static const uint32_t masks[] = { R, R | W, R | UX, R | W | UX, R | KX | UX, HV_MAP_ALL };

	memcpy((void *)ARENA, code_return, 16);
	memcpy((void *)(ARENA + 32), code_user, 16);
	for (uint32_t i = 0; i < ARRAY_SIZE(masks); i++) {
		check(masks[i], true);
		check(masks[i], false);
	}
}

static void test_status(void)
{
	struct hv_register_value v;

	EXPECT(register_get(HV_REGISTER_VSM_VP_STATUS, 0, &v), 0);
	EXPECT_TRUE(v.low & HV_VSM_VP_STATUS_ACTIVE_MBEC);
}

/* Another VP has no MBEC of its own yet: what the kernel may execute counts for all. */
static void other_vp(void *argument)
{
	struct hv_register_value v;

	(void)argument;
	EXPECT(try_write_cr4(read_cr4() | CR4_SMEP), 0);
	EXPECT(register_get(HV_REGISTER_VSM_VP_STATUS, 0, &v), 0);
	EXPECT(v.low & HV_VSM_VP_STATUS_ACTIVE_MBEC, 0);
	EXPECT(user_run(ARENA + 32), VECTOR_GP);
	EXPECT(try_write_cr4(read_cr4() & ~CR4_SMEP), 0);
}

static void test_other_vp(void)
{
	EXPECT(protect((void *)ARENA, 1, R | UX), REP(1, 0));
	cpu_run(1, other_vp, NULL);
	cpu_wait(1);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
}

/* The sweep of test_protect.c again, in a form that only MBEC has. */
static void test_switches(void)
{
	uint64_t cr4 = read_cr4();

	EXPECT(try_write_cr4(cr4 | CR4_SMEP), 0);
	EXPECT(protect((void *)ARENA, 1, R | UX), REP(1, 0));
	for (uint32_t i = 0; i < 200; i++) {
		EXPECT(user_run(ARENA + 32), VECTOR_BP);
		EXPECT(user_run_copy(code_user), VECTOR_BP);
		EXPECT(vtl_call(0), 0);
	}
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
	EXPECT(try_write_cr4(cr4), 0);
}

const struct test tests_mbec[] = {
	{ "MBEC is active", test_status, 1, NEEDS_MBEC },
	{ "kernel and user execution differ, with SMEP", test_execution, 1, NEEDS_MBEC },
	{ "MBEC is each VP's own", test_other_vp, 2, NEEDS_MBEC },
	{ "many switches between kernel and user mode", test_switches, 1, NEEDS_MBEC },
	{ 0 },
};
