// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls with random control words and inputs, from both levels, always the same ones: nothing
 * hangs, nothing breaks. What would end the test itself is left out: VTL1 may open and close only the
 * arena, and set no register of VTL0 that it runs by.
 */
#include "vtl0.h"

#define IN ((uint64_t)scratch[0])
#define OUT ((uint64_t)scratch[4])

static uint64_t counter;

static uint64_t random(void)
{
	return mix(4711, counter++);
}

static uint64_t pick(const uint64_t *from, uint32_t n)
{
	return from[random() % n];
}

static uint64_t control_word(void)
{
	static const uint64_t codes[] = {
		HV_CALL_MODIFY_VTL_PROTECTION_MASK, HV_CALL_ENABLE_PARTITION_VTL,
		HV_CALL_ENABLE_VP_VTL, HV_CALL_GET_VP_REGISTERS, HV_CALL_SET_VP_REGISTERS,
		HV_CALL_TRANSLATE_VIRTUAL_ADDRESS, HV_CALL_START_VIRTUAL_PROCESSOR,
		HV_CALL_GET_VP_INDEX_FROM_APIC_ID, 0, 0x100,
	};
	uint64_t control = pick(codes, ARRAY_SIZE(codes));

	if (random() & 3)
		control |= REP(random() % 9, random() % 3);
	if (!(random() % 8))
		control |= HV_CALL_FAST;
	if (!(random() % 16))
		control |= BIT(random() % 64);
	return (control & HV_CALL_CODE_MASK) == HV_CALL_VTL_CALL ||
			       (control & HV_CALL_CODE_MASK) == HV_CALL_VTL_RETURN ?
		       0 :
		       control;
}

static uint64_t address(uint64_t usual)
{
	static const uint64_t odd[] = { 0, 1, 4, 0x100000, 0xfee00000, ~0ull, BIT(52), 0xfffff00000 };

	if (random() % 6)
		return usual + (random() % 8 ? 0 : random() % PAGE_SIZE);
	return pick(odd, ARRAY_SIZE(odd));
}

/* Registers of VTL0 that it does without for a while. */
static uint32_t harmless(void)
{
	static const uint64_t names[] = {
		HV_REGISTER_LSTAR, HV_REGISTER_CSTAR, HV_REGISTER_SFMASK, HV_REGISTER_STAR,
		HV_REGISTER_SYSENTER_CS, HV_REGISTER_SYSENTER_EIP, HV_REGISTER_KERNEL_GS_BASE,
		HV_REGISTER_PAT, HV_REGISTER_CR2, HV_REGISTER_PENDING_EVENT0, HV_REGISTER_VP_INDEX,
		HV_REGISTER_CR_INTERCEPT_CR0_MASK, HV_REGISTER_CR_INTERCEPT_CR4_MASK,
		HV_REGISTER_VSM_VP_STATUS, HV_REGISTER_APIC_BASE, 0x12345, 0, 0xffffffff,
	};

	return (uint32_t)pick(names, ARRAY_SIZE(names));
}

static void fill_elements(uint64_t code)
{
	uint64_t *words = (uint64_t *)IN;
	uint32_t *names = (uint32_t *)(IN + sizeof(struct hv_get_vp_registers));
	struct hv_register_assoc *elements = (void *)(IN + sizeof(struct hv_set_vp_registers));

	for (uint32_t i = 0; i < 10 && code == HV_CALL_MODIFY_VTL_PROTECTION_MASK; i++)
		words[2 + i] = random() % 4 ? ARENA / PAGE_SIZE + random() % ARENA_PAGES :
					      BIT(21) + random();
	for (uint32_t i = 0; i < 10 && code == HV_CALL_GET_VP_REGISTERS; i++)
		names[i] = harmless();
	for (uint32_t i = 0; i < 10 && code == HV_CALL_SET_VP_REGISTERS; i++)
		elements[i].name = harmless();
}

static void fill(uint64_t code)
{
	static const uint64_t vps[] = { 0, 1, 2, HV_VP_SELF, HV_ANY_VP };
	static const uint64_t levels[] = { 0x10, 0x10, 0x10, 0x12, 0x20, 0, 0x11, 1 };
	uint32_t some = code == HV_CALL_SET_VP_REGISTERS ? 5 : ARRAY_SIZE(levels);
	uint64_t *words = (uint64_t *)IN;

	for (uint32_t i = 0; i < PAGE_SIZE / 8; i++)
		words[i] = random();
	if (random() % 8)
		words[0] = HV_PARTITION_SELF;
	if (random() % 4)
		words[1] = pick(vps, ARRAY_SIZE(vps)) | pick(levels, some) << 32;
	if (code == HV_CALL_MODIFY_VTL_PROTECTION_MASK)
		words[1] = random() % 17 | (random() % 8 ? 0 : random() << 32);
	fill_elements(code);
}

/* VTL1 must not start or enable VPs here, nor set what VTL0 runs by through a word that has changed. */
static bool is_tame(uint64_t control)
{
	uint64_t code = control & HV_CALL_CODE_MASK;

	return (control >> HV_CALL_REP_COUNT_SHIFT & HV_CALL_REP_MASK) <= 10 &&
	       code != HV_CALL_ENABLE_VP_VTL && code != HV_CALL_START_VIRTUAL_PROCESSOR;
}

static void fuzz(uint32_t level)
{
	uint32_t n = option_full ? 200000 : 4000;

	counter = level * BIT(32);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t control = control_word();
		uint64_t in = address(IN);
		uint64_t out = address(OUT);

		fill(control & HV_CALL_CODE_MASK);
		if (!level)
			hypercall(control, in, out);
		else if (is_tame(control) && in == IN)
			vtl1(COMMAND_HYPERCALL, control, in, out);
	}
}

static void test_vtl0(void)
{
	fuzz(0);
	EXPECT(vtl_call(0), 0);
}

static void test_vtl1(void)
{
	uint64_t pat = rdmsr(MSR_PAT);

	fuzz(1);
	vtl1_set_register(HV_REGISTER_PENDING_EVENT0, HV_INPUT_VTL_USE_TARGET, 0, 0);
	intercepts(0);
	EXPECT(try_wrmsr(MSR_PAT, pat), 0);
	EXPECT(vtl_call(0), 0);
	for (uint32_t i = 0; i < ARENA_PAGES; i += 256)
		EXPECT(protect((void *)(ARENA + i * PAGE_SIZE), 256, HV_MAP_ALL), REP(256, 0));
	EXPECT(try_write(ARENA, 1), 0);
}

const struct test tests_fuzz[] = {
	{ "random hypercalls of VTL0", test_vtl0, 1, 0 },
	{ "random hypercalls of VTL1", test_vtl1, 1, 0 },
	{ 0 },
};
