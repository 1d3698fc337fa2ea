// SPDX-License-Identifier: GPL-2.0-only
/* What VTL1 is told of VTL0: each intercept, its message field by field, and what comes of it. */
#include "vtl0.h"

#define STATE_CPL0 ((uint16_t)(1u << 2 | 1u << 4)) /* PE and LMA as the execution state has them */

static const struct hv_message *message(void)
{
	return &shared()->message;
}

static const struct hv_memory_intercept *memory(void)
{
	return (const void *)message()->payload;
}

static const struct hv_msr_intercept *msr(void)
{
	return (const void *)message()->payload;
}

static const struct hv_register_intercept *reg(void)
{
	return (const void *)message()->payload;
}

static void expect_header(uint32_t type, uint32_t size, uint8_t access, uint8_t length)
{
	const struct hv_intercept_header *h = &memory()->header;

	EXPECT(message()->type, type);
	EXPECT(message()->size, size);
	EXPECT(message()->flags, 0);
	EXPECT(h->vp, this_cpu()->index);
	EXPECT(h->access, access);
	EXPECT(h->length_and_cr8 & 15, length);
	EXPECT(h->state, STATE_CPL0);
	EXPECT(h->cs.selector, 8);
	EXPECT(h->cs.base, 0);
	EXPECT(h->cs.limit, ~0u);
	EXPECT(h->cs.attributes, 0xa09b);
	EXPECT(h->rip, this_cpu()->fault.rip);
	EXPECT(h->rflags & 2, 2);
}

/* --- memory --- */

static void expect_memory(uint8_t access, uint64_t gpa)
{
	expect_header(HV_MESSAGE_GPA_INTERCEPT, sizeof(struct hv_memory_intercept), access, 0);
	EXPECT(memory()->gpa, gpa);
	if (memory()->info & HV_MEMORY_INTERCEPT_GVA_VALID)
		EXPECT(memory()->gva, gpa);
	EXPECT(memory()->reserved, 0);
	EXPECT(shared()->entry_reason, HV_VTL_ENTRY_INTERRUPT);
}

static void test_memory(void)
{
	uint64_t before = shared()->intercepts;
	uint64_t interrupts = shared()->interrupts;
	uint64_t v;

	*(uint64_t *)(ARENA + 0x18) = 0xc3;
	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	EXPECT(try_write(ARENA + 0x18, 1), VECTOR_GP);
	expect_memory(HV_INTERCEPT_WRITE, ARENA + 0x18);
	EXPECT(try_call(ARENA + 0x18), VECTOR_GP);
	expect_memory(HV_INTERCEPT_EXECUTE, ARENA + 0x18);
	EXPECT(protect((void *)ARENA, 1, 0), REP(1, 0));
	EXPECT(try_read(ARENA + 0x18, &v), VECTOR_GP);
	expect_memory(HV_INTERCEPT_READ, ARENA + 0x18);
	EXPECT(v, 0);
	EXPECT(shared()->intercepts, before + 3);
	EXPECT(shared()->interrupts, interrupts + 3);
	EXPECT(vtl1(COMMAND_READ, ARENA + 0x18, 0, 0), 0xc3);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
}

/* The access is made when VTL1 allows it, and skipped when it says so. */
static void test_allow_and_skip(void)
{
	*(uint64_t *)ARENA = 5;
	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	plan(ACTION_SKIP, 3);
	EXPECT(try_write(ARENA, 6), 0);
	EXPECT(*(uint64_t *)ARENA, 5);
	plan(ACTION_ALLOW, HV_MAP_ALL);
	EXPECT(try_write(ARENA, 7), 0);
	EXPECT(*(uint64_t *)ARENA, 7);
	plan(ACTION_GP, 0);
	EXPECT(shared()->status, 0);
}

/* RAX and RCX of VTL0 outlive an intercept by the assist page; VTL1 may change them. */
static void test_registers_after(void)
{
	uint64_t in[16];
	uint64_t out[16];

	for (uint32_t i = 0; i < 16; i++)
		in[i] = mix(9, i);
	EXPECT(protect(pattern_page, 1, HV_MAP_READ), REP(1, 0));
	plan(ACTION_SKIP, 7);
	pattern_store(in, out);
	for (uint32_t i = 0; i < 16; i++)
		if (i != 4)
			EXPECT(out[i], in[i]);
	shared()->plan.change = 3;
	shared()->plan.rax = 0x1234;
	shared()->plan.rcx = 0x5678;
	pattern_store(in, out);
	EXPECT(out[0], 0x1234);
	EXPECT(out[1], 0x5678);
	plan(ACTION_GP, 0);
	EXPECT(protect(pattern_page, 1, HV_MAP_ALL), REP(1, 0));
}

/* --- events --- */

static uint64_t event(uint32_t vector, bool has_code, uint32_t code)
{
	return HV_PENDING_EVENT | (uint64_t)vector << HV_PENDING_EVENT_VECTOR_SHIFT |
	       (has_code ? HV_PENDING_EVENT_DELIVER_CODE : 0) |
	       (uint64_t)code << HV_PENDING_EVENT_CODE_SHIFT;
}

static void test_events(void)
{
	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	plan(ACTION_EVENT, event(VECTOR_UD, false, 0));
	EXPECT(try_write(ARENA, 1), VECTOR_UD);
	plan(ACTION_EVENT, event(VECTOR_PF, true, 6));
	write_cr2(0x1234);
	EXPECT(try_write(ARENA, 1), VECTOR_PF);
	EXPECT(this_cpu()->fault.code, 6);
	EXPECT(this_cpu()->fault.cr2, 0x1234);
	plan(ACTION_EVENT, event(VECTOR_GP, true, 0x1230));
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(this_cpu()->fault.code, 0x1230);
	plan(ACTION_GP, 0);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
}

/* --- MSRs --- */

static const struct {
	uint32_t msr;
	uint64_t read;
	uint64_t write;
	uint64_t v;
} watched[] = {
	{ MSR_LSTAR, HV_CR_INTERCEPT_LSTAR_READ, HV_CR_INTERCEPT_LSTAR_WRITE, 0xffff800012345678 },
	{ MSR_STAR, HV_CR_INTERCEPT_STAR_READ, HV_CR_INTERCEPT_STAR_WRITE, 0x0013000900000000 },
	{ MSR_CSTAR, HV_CR_INTERCEPT_CSTAR_READ, HV_CR_INTERCEPT_CSTAR_WRITE, 0x1111000 },
	{ MSR_EFER, HV_CR_INTERCEPT_EFER_READ, HV_CR_INTERCEPT_EFER_WRITE, 0xd01 },
	{ MSR_SFMASK, 0, HV_CR_INTERCEPT_SFMASK_WRITE, 0x700 },
	{ MSR_SYSENTER_CS, 0, HV_CR_INTERCEPT_SYSENTER_CS_WRITE, 0x18 },
	{ MSR_SYSENTER_EIP, 0, HV_CR_INTERCEPT_SYSENTER_EIP_WRITE, 0x2222000 },
	{ MSR_SYSENTER_ESP, 0, HV_CR_INTERCEPT_SYSENTER_ESP_WRITE, 0x3333000 },
	{ MSR_TSC_AUX, 0, HV_CR_INTERCEPT_TSC_AUX_WRITE, 0x77 },
	{ MSR_APIC_BASE, HV_CR_INTERCEPT_APIC_BASE_READ, HV_CR_INTERCEPT_APIC_BASE_WRITE, 0 },
	{ MSR_MISC_ENABLE, HV_CR_INTERCEPT_MISC_ENABLE_READ, HV_CR_INTERCEPT_MISC_ENABLE_WRITE, 1 },
};

static void expect_msr(uint32_t i, bool write)
{
	expect_header(HV_MESSAGE_MSR_INTERCEPT, sizeof(struct hv_msr_intercept),
		      write ? HV_INTERCEPT_WRITE : HV_INTERCEPT_READ, 2);
	EXPECT(msr()->msr, watched[i].msr);
	EXPECT(msr()->reserved, 0);
	if (!write)
		return;
	EXPECT((uint32_t)msr()->rdx, watched[i].v >> 32);
	EXPECT((uint32_t)msr()->rax, (uint32_t)watched[i].v);
}

static void check_msr(uint32_t i)
{
	uint32_t number = watched[i].msr;
	uint64_t old = rdmsr(number);
	uint64_t before = shared()->intercepts;
	uint64_t v;

	intercepts(watched[i].write);
	EXPECT(rdmsr(number), old);
	EXPECT(shared()->intercepts, before);
	EXPECT(try_wrmsr(number, watched[i].v), VECTOR_GP);
	EXPECT(shared()->intercepts, before + 1);
	expect_msr(i, true);
	EXPECT(rdmsr(number), old);
	intercepts(watched[i].read);
	if (watched[i].read) {
		EXPECT(try_rdmsr(number, &v), VECTOR_GP);
		expect_msr(i, false);
		EXPECT(shared()->intercepts, before + 2);
	}
	intercepts(0);
	before = shared()->intercepts;
	EXPECT(try_wrmsr(number, old), 0);
	EXPECT(rdmsr(number), old);
	EXPECT(shared()->intercepts, before);
}

static void test_msrs(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(watched); i++)
		check_msr(i);
}

/* VTL1 lets the write be: it sets the register and moves RIP. */
static void test_msrs_written(void)
{
	for (uint32_t i = 0; i < 8; i++) {
		uint64_t old = rdmsr(watched[i].msr);

		intercepts(watched[i].write);
		plan(ACTION_WRITE, 0);
		EXPECT(try_wrmsr(watched[i].msr, watched[i].v), 0);
		EXPECT(shared()->status, 0);
		EXPECT(rdmsr(watched[i].msr), watched[i].v);
		intercepts(0);
		EXPECT(try_wrmsr(watched[i].msr, old), 0);
	}
	plan(ACTION_GP, 0);
}

/* --- control registers --- */

static void expect_register(uint32_t name, uint64_t low, uint64_t high, uint8_t length)
{
	expect_header(HV_MESSAGE_REGISTER_INTERCEPT, sizeof(struct hv_register_intercept),
		      HV_INTERCEPT_WRITE, length);
	EXPECT(reg()->name, name);
	EXPECT(reg()->flags, 0);
	EXPECT(reg()->value_low, low);
	EXPECT(reg()->value_high, high);
}

static void mask(uint32_t name, uint64_t v)
{
	EXPECT(vtl1_set_register(name, 0, v, 0), 0);
}

static void test_cr0(void)
{
	uint64_t cr0 = read_cr0();
	uint64_t before = shared()->intercepts;

	mask(HV_REGISTER_CR_INTERCEPT_CR0_MASK, CR0_WP);
	intercepts(HV_CR_INTERCEPT_CR0_WRITE);
	EXPECT(try_write_cr0(cr0 | CR0_AM), 0); /* not in the mask */
	EXPECT(read_cr0(), cr0 | CR0_AM);
	EXPECT(try_write_cr0(cr0), 0);
	EXPECT(shared()->intercepts, before);
	EXPECT(try_write_cr0(cr0 & ~CR0_WP), VECTOR_GP);
	expect_register(HV_REGISTER_CR0, cr0 & ~CR0_WP, 0, 3);
	EXPECT(read_cr0(), cr0);
	plan(ACTION_WRITE, 0);
	EXPECT(try_write_cr0(cr0 & ~CR0_WP), 0);
	EXPECT(read_cr0(), cr0 & ~CR0_WP);
	plan(ACTION_GP, 0);
	intercepts(0);
	EXPECT(try_write_cr0(cr0), 0);
	EXPECT(shared()->intercepts, before + 2);
}

static void test_cr4(void)
{
	uint64_t cr4 = read_cr4();
	uint64_t before = shared()->intercepts;

	mask(HV_REGISTER_CR_INTERCEPT_CR4_MASK, CR4_TSD);
	intercepts(HV_CR_INTERCEPT_CR4_WRITE);
	EXPECT(try_write_cr4(cr4 | CR4_PCE), 0);
	EXPECT(read_cr4(), cr4 | CR4_PCE);
	EXPECT(shared()->intercepts, before);
	EXPECT(try_write_cr4(cr4 | CR4_TSD), VECTOR_GP);
	expect_register(HV_REGISTER_CR4, cr4 | CR4_TSD, 0, 3);
	EXPECT(try_write_cr4(cr4 | BIT(30)), VECTOR_GP); /* reserved, and not VTL1's business */
	EXPECT(shared()->intercepts, before + 1);
	EXPECT(read_cr4(), cr4 | CR4_PCE);
	plan(ACTION_WRITE, 0);
	EXPECT(try_write_cr4(cr4 | CR4_TSD), 0);
	EXPECT(read_cr4(), cr4 | CR4_TSD);
	plan(ACTION_GP, 0);
	intercepts(0);
	EXPECT(try_write_cr4(cr4), 0);
}

/* CLTS and LMSW write CR0 too. */
static void test_cr0_parts(void)
{
	uint64_t cr0 = read_cr0();
	uint16_t word = (uint16_t)((cr0 | CR0_TS) & 15);

	mask(HV_REGISTER_CR_INTERCEPT_CR0_MASK, CR0_TS);
	EXPECT(try_write_cr0(cr0 | CR0_TS), 0);
	intercepts(HV_CR_INTERCEPT_CR0_WRITE);
	catch_start();
	__asm__ volatile(CATCH("clts") : : : "memory");
	EXPECT(caught(), VECTOR_GP);
	expect_register(HV_REGISTER_CR0, cr0 & ~CR0_TS, 0, 2);
	EXPECT(read_cr0(), cr0 | CR0_TS);
	catch_start();
	__asm__ volatile(CATCH("lmsw %w0") : : "r"(1) : "memory");
	EXPECT(caught(), VECTOR_GP);
	expect_register(HV_REGISTER_CR0, (cr0 & ~15ull) | 1, 0, 3);
	word = 1;
	catch_start();
	__asm__ volatile(CATCH("lmsw (%0)") : : "r"(&word) : "memory");
	EXPECT(caught(), VECTOR_GP);
	EXPECT(reg()->value_low, (cr0 & ~15ull) | 1);
	/* With other bits in the mask they are done, and LMSW does not clear PE. */
	mask(HV_REGISTER_CR_INTERCEPT_CR0_MASK, CR0_WP);
	__asm__ volatile("clts" : : : "memory");
	EXPECT(read_cr0(), cr0);
	__asm__ volatile("lmsw %w0" : : "r"(0) : "memory");
	EXPECT(read_cr0(), cr0 & ~14ull);
	intercepts(0);
	EXPECT(try_write_cr0(cr0), 0);
}

/* --- tables --- */

static uint32_t load_table(bool idt, const struct table_pointer *p)
{
	catch_start();
	if (idt)
		__asm__ volatile(CATCH("lidt %0") : : "m"(*p) : "memory");
	else
		__asm__ volatile(CATCH("lgdt %0") : : "m"(*p) : "memory");
	return caught();
}

static void test_tables(void)
{
	struct table_pointer now[2];
	struct table_pointer other = { 0x7f, 0x123456789ab };

	__asm__ volatile("sgdt %0; sidt %1" : "=m"(now[0]), "=m"(now[1]));
	intercepts(HV_CR_INTERCEPT_GDTR_WRITE | HV_CR_INTERCEPT_IDTR_WRITE);
	for (uint32_t idt = 0; idt < 2; idt++) {
		EXPECT(load_table(idt, &other), VECTOR_GP);
		EXPECT(reg()->name, idt ? HV_REGISTER_IDTR : HV_REGISTER_GDTR);
		EXPECT(reg()->value_low, 0x7full << 48);
		EXPECT(reg()->value_high, 0x123456789ab);
		EXPECT(state_get(idt ? STATE_IDTR : STATE_GDTR), now[idt].base);
		plan(ACTION_WRITE, 0);
		EXPECT(load_table(idt, &now[idt]), 0);
		EXPECT(shared()->status, 0);
		EXPECT(state_get(idt ? STATE_IDTR : STATE_GDTR), now[idt].base);
		plan(ACTION_GP, 0);
	}
	intercepts(0);
	EXPECT(load_table(0, &now[0]), 0);
	EXPECT(load_table(1, &now[1]), 0);
}

static void test_selectors(void)
{
	const uint16_t in_memory = 0x40;

	intercepts(HV_CR_INTERCEPT_LDTR_WRITE | HV_CR_INTERCEPT_TR_WRITE);
	catch_start();
	__asm__ volatile(CATCH("lldt %w0") : : "r"(0x40) : "memory");
	EXPECT(caught(), VECTOR_GP);
	expect_register(HV_REGISTER_LDTR, 0, 0x40ull << 32, 3);
	EXPECT(state_get(STATE_LDTR), 0);
	catch_start();
	__asm__ volatile(CATCH("lldt %0") : : "m"(in_memory) : "memory");
	EXPECT(caught(), VECTOR_GP);
	EXPECT(reg()->value_high, 0x40ull << 32);
	catch_start();
	__asm__ volatile(CATCH("ltr %w0") : : "r"(0x28) : "memory");
	EXPECT(caught(), VECTOR_GP);
	expect_register(HV_REGISTER_TR, 0, 0x28ull << 32, 3);
	EXPECT(state_get(STATE_TR), 0x28);
	intercepts(0);
	EXPECT(state_set(STATE_LDTR, 0x40), 0);
	EXPECT(state_set(STATE_LDTR, 0), 0);
}

static void test_xcr0(void)
{
	uint64_t old = state_get(STATE_XCR0);

	intercepts(HV_CR_INTERCEPT_XCR0_WRITE);
	if (!state_set(STATE_XCR0, 1)) {
		print("# XSETBV does not exit on this processor\n"); /* QEMU's */
		intercepts(0);
		EXPECT(state_set(STATE_XCR0, old), 0);
		return;
	}
	expect_register(HV_REGISTER_XFEM, 1, 0, 3);
	EXPECT(state_get(STATE_XCR0), old);
	intercepts(0);
	EXPECT(state_set(STATE_XCR0, old), 0);
}

/* --- messages --- */

/* The slot is full: the second message waits, the first says so, and the end of message brings it. */
static void test_second_message(void)
{
	uint64_t entries;

	EXPECT(protect((void *)ARENA, 2, HV_MAP_READ), REP(2, 0));
	plan(ACTION_KEEP, 0);
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(message()->flags, 0);
	plan(ACTION_GP, 0);
	entries = shared()->intercepts;
	EXPECT(try_write(ARENA + PAGE_SIZE, 1), VECTOR_GP);
	EXPECT(shared()->intercepts, entries + 1);
	EXPECT(message()->flags, HV_MESSAGE_FLAG_PENDING);
	EXPECT(memory()->gpa, ARENA);
	EXPECT(shared()->after.type, HV_MESSAGE_GPA_INTERCEPT);
	EXPECT(((const struct hv_memory_intercept *)shared()->after.payload)->gpa, ARENA + PAGE_SIZE);
	EXPECT(shared()->after.flags, 0);
	/* And it goes on as before. */
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(message()->flags, 0);
	EXPECT(memory()->gpa, ARENA);
	EXPECT(protect((void *)ARENA, 2, HV_MAP_ALL), REP(2, 0));
}

/* VTL1 does not let its interrupt in: it is entered again at once, whatever its RFLAGS.IF. */
static void test_interrupt_waits(void)
{
	uint64_t empty = shared()->empty;
	uint64_t interrupts;

	vtl1(COMMAND_SET, STATE_CR8, 4, 0);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	vtl1(COMMAND_INTERRUPTS, 1, 0, 0);
	interrupts = shared()->interrupts;
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(shared()->empty, empty + 1);
	EXPECT(shared()->interrupts, interrupts + 1);
	EXPECT(vtl1(COMMAND_GET, STATE_CR8, 0, 0), 4);
	vtl1(COMMAND_SET, STATE_CR8, 0, 0);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
}

/* Without a place for the message nobody is told, and the access fails all the same. */
static void test_masked(void)
{
	uint64_t before = shared()->intercepts;
	uint64_t simp = vtl1(COMMAND_RDMSR, HV_MSR_SIMP, 0, 0);

	EXPECT(protect((void *)ARENA, 1, HV_MAP_READ), REP(1, 0));
	EXPECT(vtl1(COMMAND_WRMSR, HV_MSR_SINT0, HV_SINT_MASKED, 0), 0);
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(vtl1(COMMAND_WRMSR, HV_MSR_SINT0, VECTOR_SINT | HV_SINT_AUTO_EOI, 0), 0);
	EXPECT(vtl1(COMMAND_WRMSR, HV_MSR_SCONTROL, 0, 0), 0);
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(vtl1(COMMAND_WRMSR, HV_MSR_SCONTROL, 1, 0), 0);
	EXPECT(vtl1(COMMAND_WRMSR, HV_MSR_SIMP, 0, 0), 0);
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(vtl1(COMMAND_WRMSR, HV_MSR_SIMP, simp, 0), 0);
	EXPECT(shared()->intercepts, before);
	EXPECT(try_write(ARENA, 1), VECTOR_GP);
	EXPECT(shared()->intercepts, before + 1);
	EXPECT(protect((void *)ARENA, 1, HV_MAP_ALL), REP(1, 0));
}

const struct test tests_intercept[] = {
	{ "memory intercepts", test_memory, 1, 0 },
	{ "an access is allowed or skipped", test_allow_and_skip, 1, 0 },
	{ "general registers outlive an intercept", test_registers_after, 1, 0 },
	{ "pending event 0", test_events, 1, 0 },
	{ "MSR intercepts", test_msrs, 1, 0 },
	{ "an intercepted MSR is written by VTL1", test_msrs_written, 1, 0 },
	{ "CR0 with a mask", test_cr0, 1, 0 },
	{ "CR4 with a mask", test_cr4, 1, 0 },
	{ "CLTS and LMSW", test_cr0_parts, 1, 0 },
	{ "GDTR and IDTR", test_tables, 1, 0 },
	{ "LDTR and TR", test_selectors, 1, 0 },
	{ "XSETBV", test_xcr0, 1, 0 },
	{ "a second message waits for the end of the first", test_second_message, 1, 0 },
	{ "an interrupt that is not let in comes back", test_interrupt_waits, 1, 0 },
	{ "intercepts without a message", test_masked, 1, 0 },
	{ 0 },
};
