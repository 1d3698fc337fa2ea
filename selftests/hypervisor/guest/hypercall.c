// SPDX-License-Identifier: GPL-2.0-only
/* The hypercall interface, as either level uses it. */
#include "shared.h"

#define GUEST_OS_ID 0x8100000000000001ull /* open source, a test */

uint8_t hypercall_page[PAGE_SIZE] __attribute__((aligned(4096)));
uint64_t hypercall_call;
uint64_t hypercall_return;

/* Inputs and outputs of the CPUs, a page each. */
static uint8_t pages[CPUS_MAX][2][PAGE_SIZE] __attribute__((aligned(4096)));

uint64_t hypercall(uint64_t control, uint64_t in, uint64_t out)
{
	register uint64_t r8 __asm__("r8") = out;
	uint64_t rax = ~0ull;

	catch_start();
	__asm__ volatile(CATCH("call *%4")
			 : "+a"(rax), "+c"(control), "+d"(in), "+r"(r8)
			 : "r"(hypercall_page)
			 : "memory", "cc", "r9", "r10", "r11");
	return caught() ? ~0ull : rax;
}

uint64_t register_get(uint32_t name, uint8_t vtl, struct hv_register_value *v)
{
	uint8_t *page = pages[this_cpu()->index][0];
	struct hv_get_vp_registers *in = (void *)page;
	struct hv_register_value *out = (void *)pages[this_cpu()->index][1];
	uint64_t result;

	*in = (struct hv_get_vp_registers){ HV_PARTITION_SELF, HV_VP_SELF, vtl, { 0 } };
	in->names[0] = name;
	result = hypercall(HV_CALL_GET_VP_REGISTERS | REP(1, 0), (uint64_t)in, (uint64_t)out);
	*v = *out;
	return STATUS(result);
}

uint64_t register_set(uint32_t name, uint8_t vtl, struct hv_register_value v)
{
	struct hv_set_vp_registers *in = (void *)pages[this_cpu()->index][0];

	*in = (struct hv_set_vp_registers){ HV_PARTITION_SELF, HV_VP_SELF, vtl, { 0 } };
	in->elements[0] = (struct hv_register_assoc){ .name = name, .value = v };
	return STATUS(hypercall(HV_CALL_SET_VP_REGISTERS | REP(1, 0), (uint64_t)in, 0));
}

uint32_t hypercall_init(void)
{
	struct hv_register_value offsets;
	uint32_t fault = try_wrmsr(HV_MSR_GUEST_OS_ID, GUEST_OS_ID);

	if (!fault)
		fault = try_wrmsr(HV_MSR_HYPERCALL, (uint64_t)hypercall_page | HV_MSR_ENABLE);
	if (fault || register_get(HV_REGISTER_VSM_CODE_PAGE_OFFSETS, 0, &offsets))
		return fault ? fault : caught();
	hypercall_call = (uint64_t)hypercall_page + (offsets.low & 0xfff);
	hypercall_return = (uint64_t)hypercall_page + (offsets.low >> 12 & 0xfff);
	return 0;
}
