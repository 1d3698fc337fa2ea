// SPDX-License-Identifier: GPL-2.0-only
/* HvCallTranslateVirtualAddress: by VTL0's own tables, and what VTL1 has left of the page. */
#include "vtl0.h"

#define READ HV_TRANSLATE_READ
#define WRITE HV_TRANSLATE_WRITE
#define EXECUTE HV_TRANSLATE_EXECUTE
#define USER HV_TRANSLATE_USER
#define KERNEL HV_TRANSLATE_SUPERVISOR
#define EXEMPT HV_TRANSLATE_PRIVILEGE_EXEMPT
#define SMAP HV_TRANSLATE_ENFORCE_SMAP
#define LEVEL0 ((uint64_t)HV_INPUT_VTL_USE_TARGET << HV_TRANSLATE_VTL_SHIFT)
#define ALL (PTE_PRESENT | PTE_WRITE | PTE_USER)

static uint64_t call(uint32_t level, uint64_t flags, uint64_t gva)
{
	struct hv_translate_virtual_address *in = (void *)scratch[0];
	const uint64_t control = HV_CALL_TRANSLATE_VIRTUAL_ADDRESS;

	*in = (struct hv_translate_virtual_address){ HV_PARTITION_SELF, HV_VP_SELF, 0, flags,
						     gva / PAGE_SIZE };
	memset(scratch[1], 0xaa, 16);
	if (level)
		return vtl1(COMMAND_HYPERCALL, control, (uint64_t)in, (uint64_t)scratch[1]);
	return hypercall(control, (uint64_t)in, (uint64_t)scratch[1]);
}

static const struct hv_translate_result_output *out = (void *)scratch[1];

static const struct {
	uint64_t bits; /* of the entry */
	uint64_t flags;
	uint32_t result;
} rights[] = {
	{ ALL, READ | KERNEL, HV_TRANSLATED },
	{ ALL, READ | WRITE | EXECUTE | USER, HV_TRANSLATED },
	{ 0, READ | KERNEL, HV_TRANSLATE_NOT_PRESENT },
	{ 0, READ | EXEMPT, HV_TRANSLATE_NOT_PRESENT },
	{ PTE_PRESENT, READ | KERNEL, HV_TRANSLATED },
	{ PTE_PRESENT, READ | USER, HV_TRANSLATE_PRIVILEGE },
	{ PTE_PRESENT, READ | WRITE | KERNEL, HV_TRANSLATE_PRIVILEGE },
	{ PTE_PRESENT, READ | WRITE | EXEMPT, HV_TRANSLATED },
	{ PTE_PRESENT | PTE_USER, READ | WRITE | USER, HV_TRANSLATE_PRIVILEGE },
	{ ALL | PTE_NX, READ | EXECUTE | KERNEL, HV_TRANSLATE_PRIVILEGE },
	{ ALL | PTE_NX, READ | EXECUTE | EXEMPT, HV_TRANSLATED },
	{ ALL | PTE_NX, READ | WRITE | USER, HV_TRANSLATED },
	{ ALL, READ | KERNEL | SMAP, HV_TRANSLATED }, /* CR4.SMAP is off */
};

static void test_rights(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(rights); i++) {
		uint64_t gva = window(5, ARENA, rights[i].bits);

		for (uint32_t level = 0; level < 2; level++) {
			uint64_t wanted = rights[i].result ? 0 : ARENA / PAGE_SIZE;

			EXPECT(call(level, rights[i].flags | (level ? LEVEL0 : 0), gva), 0);
			if (!EXPECT(out->result & 0xff, rights[i].result)) {
				print_number(i);
				print("\n");
			}
			EXPECT(out->gpa_page, wanted);
		}
	}
}

static void test_modes(void)
{
	uint64_t gva = window(5, ARENA, ALL);

	window(5, ARENA, PTE_PRESENT);
	EXPECT(try_write_cr0(read_cr0() & ~CR0_WP), 0);
	EXPECT(call(1, READ | WRITE | KERNEL | LEVEL0, gva), 0);
	EXPECT(out->result & 0xff, HV_TRANSLATED);
	EXPECT(try_write_cr0(read_cr0() | CR0_WP), 0);
}

/* Where nothing is: beyond RAM, in a device, in what is the hypervisor's; a table that is there. */
static void test_unmapped(void)
{
	static const uint64_t nowhere[] = { 0xfffff00000, 0xfee00000, 0x100000 };

	for (uint32_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		uint64_t gva = window(5, nowhere[i], ALL);

		EXPECT(call(0, READ | KERNEL, gva), 0);
		EXPECT(out->result & 0xff, HV_TRANSLATE_UNMAPPED);
	}
	EXPECT(call(0, READ | KERNEL, 0x123456789000), 0);
	EXPECT(out->result & 0xff, HV_TRANSLATE_NOT_PRESENT);
	EXPECT(call(0, READ | KERNEL, 0x8000000000000000), 0);
	EXPECT(out->result & 0xff, HV_TRANSLATE_NOT_PRESENT);
	EXPECT(call(0, READ | KERNEL, 0x1234567), 0); /* by a large page */
	EXPECT(out->result & 0xff, HV_TRANSLATED);
	EXPECT(out->gpa_page, 0x1234);
}

static void test_protected(void)
{
	uint64_t gva = window(5, ARENA, ALL);

	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	EXPECT(call(1, READ | KERNEL | LEVEL0, gva), 0);
	EXPECT(out->result & 0xff, HV_TRANSLATED);
	EXPECT(call(1, READ | WRITE | KERNEL | LEVEL0, gva), 0);
	EXPECT(out->result & 0xff, HV_TRANSLATE_NO_WRITE);
	EXPECT(protect((void *)ARENA, 1, 0), REP(1, 0));
	EXPECT(call(0, READ | KERNEL, gva), 0);
	EXPECT(out->result & 0xff, HV_TRANSLATE_NO_READ);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
	/* A table that VTL0 may not read. */
	EXPECT(protect(window_entry(0), 1, 0), REP(1, 0));
	EXPECT(call(1, READ | KERNEL | LEVEL0, gva), 0);
	EXPECT_TRUE((out->result & 0xff) != HV_TRANSLATED);
	EXPECT(protect(window_entry(0), 1, HV_MAP_ALL), REP(1, 0));
}

static void test_own(void)
{
	EXPECT(call(1, READ | KERNEL, shared()->start), 0); /* VTL1's own tables */
	EXPECT(out->result & 0xff, HV_TRANSLATED);
	EXPECT(out->gpa_page, shared()->start / PAGE_SIZE);
	EXPECT(call(0, READ | 0x11ull << HV_TRANSLATE_VTL_SHIFT, ARENA), HV_STATUS_ACCESS_DENIED);
	EXPECT(call(1, READ | 0x12ull << HV_TRANSLATE_VTL_SHIFT, ARENA), HV_STATUS_ACCESS_DENIED);
	EXPECT(call(0, READ | HV_TRANSLATE_SET_BITS, ARENA), HV_STATUS_INVALID_PARAMETER);
	EXPECT(call(0, READ | BIT(20), ARENA), HV_STATUS_INVALID_PARAMETER);
	EXPECT(call(0, READ | BIT(55), ARENA), HV_STATUS_INVALID_PARAMETER);
}

const struct test tests_translate[] = {
	{ "translation checks the rights of entries", test_rights, 1, 0 },
	{ "translation knows CR0.WP", test_modes, 1, 0 },
	{ "translation ends where nothing is", test_unmapped, 1, 0 },
	{ "translation knows what VTL1 has closed", test_protected, 1, 0 },
	{ "whose translation", test_own, 1, 0 },
	{ 0 },
};
