// SPDX-License-Identifier: GPL-2.0-only
/* What tests call: VTL1's commands, user code. */
#include "traps.h"
#include "vtl0.h"

static struct shared shares[CPUS_MAX];

struct shared *shared(void)
{
	return &shares[this_cpu()->index];
}

uint64_t vtl1(enum command command, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t r8 __asm__("r8") = c;
	uint64_t rdi = command;
	uint64_t rcx = 0;

	catch_start();
	__asm__ volatile(CATCH("call *%[to]")
			 : "+c"(rcx), "+D"(rdi), "+S"(a), "+d"(b), "+r"(r8)
			 : [to] "m"(hypercall_call)
			 : "rax", "memory", "cc");
	return caught() ? ~0ull : r8;
}

uint32_t vtl_call(uint64_t control)
{
	uint64_t rdi = COMMAND_NOTHING;

	catch_start();
	__asm__ volatile(CATCH("call *%[to]")
			 : "+c"(control), "+D"(rdi)
			 : [to] "m"(hypercall_call)
			 : "rax", "rdx", "rsi", "r8", "memory", "cc");
	return caught();
}

uint32_t vmmcall(uint64_t rcx, uint64_t rax)
{
	uint64_t rdi = COMMAND_NOTHING;

	catch_start();
	__asm__ volatile(CATCH("vmmcall")
			 : "+c"(rcx), "+a"(rax), "+D"(rdi)
			 :
			 : "rdx", "rsi", "r8", "memory", "cc");
	return caught();
}

void plan(enum action action, uint64_t value)
{
	shared()->plan = (struct plan){ .action = action, .value = value };
}

uint64_t protect(void *page, uint64_t count, uint32_t access)
{
	return vtl1(COMMAND_PROTECT, (uint64_t)page / PAGE_SIZE, count, access);
}

uint64_t vtl1_set_register(uint32_t name, uint8_t vtl, uint64_t low, uint64_t high)
{
	shared()->value = (struct hv_register_value){ low, high };
	return vtl1(COMMAND_SET_REGISTER, name, vtl, 0);
}

uint64_t vtl1_get_register(uint32_t name, uint8_t vtl)
{
	shared()->value = (struct hv_register_value){ 0, 0 };
	return vtl1(COMMAND_GET_REGISTER, name, vtl, 0);
}

void partition_config(uint64_t more)
{
	EXPECT(vtl1_set_register(HV_REGISTER_VSM_PARTITION_CONFIG, 0,
				 HV_VSM_PARTITION_ENABLE_PROTECTION | more |
					 HV_MAP_ALL << HV_VSM_PARTITION_DEFAULT_MASK_SHIFT, 0), 0);
}

void intercepts(uint64_t control)
{
	EXPECT(vtl1_set_register(HV_REGISTER_CR_INTERCEPT_CONTROL, 0, control, 0), 0);
}

uint32_t user_run(uint64_t at)
{
	catch_start();
	user_enter(at, USER_STACK, &this_cpu()->tss[1]);
	return caught();
}

uint32_t user_run_copy(const void *code)
{
	memcpy((void *)USER_CODE, code, CODE_SIZE);
	return user_run(USER_CODE);
}

void vtl1_attach(void)
{
	vtl1(COMMAND_ATTACH, (uint64_t)shared(), 0, 0);
}
