// SPDX-License-Identifier: GPL-2.0-only
/* HvCallModifyVtlProtectionMask: what each mask lets through, on large pages and small, at once. */
#include "vtl0.h"

#define R HV_MAP_READ
#define W HV_MAP_WRITE
#define KX HV_MAP_KERNEL_EXECUTE
#define UX HV_MAP_USER_EXECUTE
#define LARGE_PAGES 512u
#define SECRET 0x5ec7e75ec7e75ec7ull

static bool is_good(uint32_t access)
{
	return !access || access == R || access == (R | W) || access == (R | UX) ||
	       access == (R | W | UX) || access == (R | KX | UX) || access == HV_MAP_ALL;
}

static void test_config(void)
{
	uint64_t on = HV_VSM_PARTITION_ENABLE_PROTECTION;
	uint64_t all = on | HV_MAP_ALL << HV_VSM_PARTITION_DEFAULT_MASK_SHIFT;
	const uint32_t name = HV_REGISTER_VSM_PARTITION_CONFIG;

	EXPECT(vtl1_get_register(name, 0), 0);
	EXPECT(shared()->value.low, HV_VSM_PARTITION_ZERO_ON_RESET);
	EXPECT(STATUS(protect((void *)ARENA, 1, R)), HV_STATUS_ACCESS_DENIED);
	EXPECT(vtl1_set_register(name, 0, BIT(20), 0), HV_STATUS_INVALID_REGISTER_VALUE);
	EXPECT(vtl1_set_register(name, 0, on | W << 1, 0), HV_STATUS_INVALID_REGISTER_VALUE);
	EXPECT(vtl1_set_register(name, 0, all, 0), 0);
	EXPECT(vtl1_set_register(name, 0, all, 0), 0);
	EXPECT(vtl1_set_register(name, 0, 0, 0), HV_STATUS_INVALID_REGISTER_VALUE);
	EXPECT(vtl1_set_register(name, 0, on | R << 1, 0), HV_STATUS_INVALID_REGISTER_VALUE);
	EXPECT(vtl1_get_register(name, 0), 0);
	EXPECT(shared()->value.low, all);
}

static void test_input(void)
{
	struct hv_modify_vtl_protection_mask *in = (void *)scratch[0];
	const uint64_t control = HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP(1, 0);
	static const struct {
		uint8_t vtl;
		uint8_t reserved;
		uint64_t status;
	} cases[] = {
		{ 0, 0, 0 },	 { 0x11, 0, 0 },
		{ 0x10, 0, HV_STATUS_INVALID_PARAMETER },
		{ 0x12, 0, HV_STATUS_ACCESS_DENIED },
		{ 0x20, 0, HV_STATUS_INVALID_PARAMETER },
		{ 0, 1, HV_STATUS_INVALID_PARAMETER },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++) {
		*in = (struct hv_modify_vtl_protection_mask){
			HV_PARTITION_SELF, HV_MAP_ALL, cases[i].vtl, { 0, 0, cases[i].reserved }
		};
		in->pfns[0] = ARENA / PAGE_SIZE;
		EXPECT(STATUS(vtl1(COMMAND_HYPERCALL, control, (uint64_t)in, 0)), cases[i].status);
	}
	for (uint32_t access = 0; access < 32; access++)
		EXPECT(STATUS(protect((void *)ARENA, 1, access)),
		       is_good(access) ? 0 : HV_STATUS_INVALID_PARAMETER);
	EXPECT(STATUS(protect((void *)ARENA, 1, BIT(31) | R)), HV_STATUS_INVALID_PARAMETER);
	EXPECT(STATUS(protect((void *)ARENA, 1, HV_MAP_ALL)), 0);
}

/* Only RAM; a list is done up to the page that is none. */
static void test_ram(void)
{
	static const uint64_t bad[] = { 0xfee00, 0xb8, 0x100, BIT(40), BIT(52), ~0ull, 0xfffff };
	struct hv_modify_vtl_protection_mask *in = (void *)scratch[0];
	uint64_t control = HV_CALL_MODIFY_VTL_PROTECTION_MASK;

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		*in = (struct hv_modify_vtl_protection_mask){ HV_PARTITION_SELF, R, 0, { 0 } };
		in->pfns[0] = ARENA / PAGE_SIZE;
		in->pfns[1] = ARENA / PAGE_SIZE + 1;
		in->pfns[2] = bad[i];
		in->pfns[3] = ARENA / PAGE_SIZE + 2;
		EXPECT(vtl1(COMMAND_HYPERCALL, control | REP(4, 0), (uint64_t)in, 0),
		       HV_STATUS_INVALID_PARAMETER | REP(2, 0));
		EXPECT(vtl1(COMMAND_HYPERCALL, control | REP(2, 1), (uint64_t)in, 0), REP(2, 0));
	}
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(try_write(ARENA + PAGE_SIZE, 1), VECTOR_GP);
	EXPECT(try_write(ARENA + 2 * PAGE_SIZE, 1), 0);
	EXPECT(protect((void *)ARENA, 3, HV_MAP_ALL), REP(3, 0));
}

/* What the kernel and user mode may execute, with and without MBEC. */
static bool may_execute(uint32_t access, bool user)
{
	if (access & KX)
		return true;
	return user && option_mbec && access & UX;
}

static void expect_access(uint64_t at, uint32_t access)
{
	uint64_t before = shared()->intercepts;
	uint64_t refused = 0;
	uint64_t v;

	EXPECT(try_read(at + 64, &v), access & R ? 0 : VECTOR_GP);
	EXPECT(v, access & R ? SECRET : 0);
	EXPECT(try_write(at + 64, SECRET), access & W ? 0 : VECTOR_GP);
	EXPECT(try_call(at), may_execute(access, false) ? 0 : VECTOR_GP);
	EXPECT(user_run(at + 32), may_execute(access, true) ? VECTOR_BP : VECTOR_GP);
	refused += !(access & R) + !(access & W);
	refused += !may_execute(access, false) + !may_execute(access, true);
	EXPECT(shared()->intercepts, before + refused);
}

static void prepare(uint64_t at)
{
	memcpy((void *)at, code_return, 16);
	memcpy((void *)(at + 32), code_user, 16);
	*(uint64_t *)(at + 64) = SECRET;
}

static void test_masks(void)
{
	uint64_t at = ARENA + 5 * PAGE_SIZE;

	EXPECT(try_write_cr4(read_cr4() & ~CR4_SMEP), 0);
	prepare(at);
	prepare(at + PAGE_SIZE);
	for (uint32_t access = 0; access <= HV_MAP_ALL; access++) {
		if (!is_good(access) || (option_mbec && (access & (KX | UX)) == UX))
			continue; /* with MBEC see test_mbec.c */
		EXPECT(protect((void *)at, 1, access), REP(1, 0));
		expect_access(at, access);
		expect_access(at + PAGE_SIZE, HV_MAP_ALL);
		EXPECT(vtl1(COMMAND_READ, at + 64, 0, 0), SECRET);
		EXPECT(vtl1(COMMAND_WRITE, at + 64, SECRET, 0), 0);
		EXPECT(vtl1(COMMAND_EXECUTE, at, 0, 0), 0);
		EXPECT(protect((void *)at, 1, HV_MAP_ALL), REP(1, 0));
	}
}

/* VTL0's own tables: a walk through what may not be read or written does not get through. */
static void test_walk(void)
{
	uint64_t *table = window_entry(0);
	uint64_t at = window(3, ARENA, PTE_PRESENT | PTE_WRITE);
	const struct hv_memory_intercept *m = (void *)shared()->message.payload;
	uint64_t v;

	*(uint64_t *)ARENA = SECRET;
	EXPECT(try_read(at, &v), 0);
	EXPECT(protect(table, 1, 0), REP(1, 0));
	EXPECT(try_read(at, &v), VECTOR_GP);
	EXPECT(v, 0);
	EXPECT(m->gpa & ~(PAGE_SIZE - 1), (uint64_t)table);
	EXPECT(protect(table, 1, HV_MAP_ALL), REP(1, 0));
	EXPECT(try_read(at, &v), 0);
	EXPECT(v, SECRET);
}

/* --- large pages --- */

static uint8_t model[ARENA_PAGES];

static void expect_model(uint32_t page)
{
	uint64_t at = ARENA + page * PAGE_SIZE;

	EXPECT(try_write(at, page), model[page] & W ? 0 : VECTOR_GP);
	EXPECT(try_call(at + 128), model[page] & KX ? 0 : VECTOR_GP);
}

static void set_all(uint32_t access)
{
	for (uint32_t i = 0; i < ARENA_PAGES; i += LARGE_PAGES)
		EXPECT(DONE(protect((void *)(ARENA + i * PAGE_SIZE), LARGE_PAGES, access)),
		       HV_MODIFY_VTL_PROTECTION_MASK_MAX);
	for (uint32_t i = LARGE_PAGES - 2; i < ARENA_PAGES; i += LARGE_PAGES)
		EXPECT(protect((void *)(ARENA + i * PAGE_SIZE), 2, access), REP(2, 0));
	memset(model, (int)access, sizeof(model));
}

/* The runner compares what the pool has at two marks: see counters in Documentation/hypervisor.md. */
static void test_sweep(void)
{
	uint32_t step = option_full ? 1 : 61;

	for (uint32_t i = 0; i < ARENA_PAGES; i++)
		*(uint8_t *)(ARENA + i * PAGE_SIZE + 128) = 0xc3; /* RET */
	out8(PORT_MARK, 1);
	for (uint32_t round = 0; round < 4; round++) {
		set_all(round & 1 ? R | W : R | KX | UX);
		for (uint32_t i = round; i < ARENA_PAGES; i += step)
			expect_model(i);
		set_all(HV_MAP_ALL);
		for (uint32_t i = round; i < ARENA_PAGES; i += step)
			expect_model(i);
	}
	out8(PORT_MARK, 2);
}

static void test_random(void)
{
	static const uint8_t choice[] = { R, R | W, R | KX | UX, HV_MAP_ALL };
	uint32_t rounds = option_full ? 20000 : 300;

	out8(PORT_MARK, 1);
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t random = mix(77, i);
		uint32_t page = random % (ARENA_PAGES - 8);
		uint32_t n = 1 + (random >> 16) % 8;
		uint8_t access = choice[random >> 32 & 3];

		EXPECT(protect((void *)(ARENA + page * PAGE_SIZE), n, access), REP(n, 0));
		memset(&model[page], access, n);
		expect_model(page);
		expect_model(page + n - 1);
		expect_model((random >> 40) % ARENA_PAGES);
	}
	set_all(HV_MAP_ALL);
	out8(PORT_MARK, 2);
}

/* --- another CPU that writes, reads or executes all the time --- */

enum { USE_WRITE, USE_READ, USE_EXECUTE };

static struct {
	uint32_t how;
	uint32_t stop;
	uint32_t failed;
	uint64_t count;
} user;

static uint32_t use(uint64_t n)
{
	uint64_t v;

	if (user.how == USE_WRITE)
		return try_write(ARENA, n);
	if (user.how == USE_READ)
		return try_read(ARENA, &v);
	return try_call(ARENA + 128);
}

static void use_all_the_time(void *argument)
{
	(void)argument;
	for (uint64_t n = 1; !load_acquire(user.stop); n++) {
		if (use(n)) {
			store_release(user.failed, 1);
			continue;
		}
		store_release(user.count, user.count + 1);
		store_release(user.failed, 0);
	}
}

static bool wait_until(uint32_t failed)
{
	uint64_t start = read_tsc();

	while (load_acquire(user.failed) != failed)
		if (read_tsc() - start > PATIENCE)
			return false;
	return true;
}

static void revoke(uint32_t how, uint32_t access)
{
	uint32_t rounds = option_full ? 3000 : 60;

	user.how = how;
	user.stop = 0;
	user.failed = 1;
	cpu_run(1, use_all_the_time, NULL);
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t seen;
		uint64_t memory;

		if (!EXPECT_TRUE(wait_until(0)))
			break;
		EXPECT(vtl1(COMMAND_REVOKE, ARENA / PAGE_SIZE, 0, access), REP(1, 0));
		seen = load_acquire(user.count);
		memory = *(volatile uint64_t *)ARENA;
		delay(mix(i, 1) % 200000);
		EXPECT(*(volatile uint64_t *)ARENA, memory);
		EXPECT_TRUE(load_acquire(user.count) - seen <= 1); /* one that was done, uncounted */
		EXPECT_TRUE(wait_until(1));
		EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
	}
	store_release(user.stop, 1);
	cpu_wait(1);
	protect((void *)ARENA, 1, HV_MAP_ALL);
}

static void test_revoke_write(void)
{
	revoke(USE_WRITE, R);
}

static void test_revoke_execute(void)
{
	*(uint8_t *)(ARENA + 128) = 0xc3;
	revoke(USE_EXECUTE, R | W);
}

/* Reading: this CPU cannot look either, so it only counts. */
static void test_revoke_read(void)
{
	uint32_t rounds = option_full ? 3000 : 60;

	user.how = USE_READ;
	user.stop = 0;
	user.failed = 1;
	cpu_run(1, use_all_the_time, NULL);
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t seen;

		if (!EXPECT_TRUE(wait_until(0)))
			break;
		EXPECT(protect((void *)ARENA, 1, 0), REP(1, 0));
		seen = load_acquire(user.count);
		delay(mix(i, 2) % 200000);
		EXPECT_TRUE(load_acquire(user.count) - seen <= 1);
		EXPECT_TRUE(wait_until(1));
		EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
	}
	store_release(user.stop, 1);
	cpu_wait(1);
}

/* The page below the hypercall page keeps what VTL1 has said of it until it is seen again. */
static void test_overlay(void)
{
	uint64_t there = rdmsr(HV_MSR_HYPERCALL);
	uint64_t v;

	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, ARENA | HV_MSR_ENABLE), 0);
	hypercall_call = ARENA + (hypercall_call & (PAGE_SIZE - 1));
	EXPECT(protect((void *)ARENA, 1, 0), REP(1, 0));
	EXPECT(try_read(ARENA, &v), 0);
	EXPECT(try_write(ARENA, v), VECTOR_GP);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, there), 0);
	hypercall_call = (uint64_t)hypercall_page + (hypercall_call & (PAGE_SIZE - 1));
	EXPECT(try_read(ARENA, &v), VECTOR_GP);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
	EXPECT(try_read(ARENA, &v), 0);
}

const struct test tests_protect[] = {
	{ "protection is enabled once", test_config, 1, ALWAYS },
	{ "masks and levels that are none", test_input, 1, 0 },
	{ "only RAM can be protected", test_ram, 1, 0 },
	{ "what each mask lets through", test_masks, 1, 0 },
	{ "walks of page tables obey too", test_walk, 1, 0 },
	{ "the hypercall page hides a protected page", test_overlay, 1, 0 },
	{ "large pages split and join", test_sweep, 1, 0 },
	{ "any page any mask", test_random, 1, 0 },
	{ "no write lands after writing is revoked", test_revoke_write, 2, 0 },
	{ "no fetch succeeds after execution is revoked", test_revoke_execute, 2, 0 },
	{ "no read succeeds after reading is revoked", test_revoke_read, 2, 0 },
	{ 0 },
};
