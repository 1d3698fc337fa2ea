// SPDX-License-Identifier: GPL-2.0-only
/* What VTL0 must not reach: memory, ports, registers, instructions. */
#include "vtl0.h"

#define FW_CFG_SELECTOR 0x510u
#define FW_CFG_DATA 0x511u
#define FW_CFG_DMA_HIGH 0x514u
#define FW_CFG_DMA_LOW 0x518u
#define FW_CFG_READ 0x02u
#define FW_CFG_SELECT 0x08u
#define PORT_KEYBOARD_DATA 0x60u
#define PORT_KEYBOARD 0x64u
#define PORT_CONTROL_A 0x92u
#define PORT_SMI 0xb2u
#define PORT_COM2 0x2f8u

static uint32_t swap(uint32_t v)
{
	return __builtin_bswap32(v);
}

/* No page of it can be read, written or executed; nothing of it is seen. */
static void expect_closed(uint64_t start, uint64_t end, uint64_t step)
{
	for (uint64_t at = start; at < end; at += step) {
		uint64_t v;

		if (!EXPECT(try_read(at, &v), VECTOR_GP) || !EXPECT(v, 0) ||
		    !EXPECT(try_write(at, 0x1234), VECTOR_GP) || !EXPECT(try_call(at), VECTOR_GP))
			break;
	}
}

static bool is_vtl1(const struct range *r)
{
	return r->start >= shared()->start && r->end <= shared()->end;
}

static void test_hypervisor_memory(void)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < closed_count; i++) {
		if (is_vtl1(&closed[i]))
			continue;
		found++;
		expect_closed(closed[i].start, closed[i].end, 7 * PAGE_SIZE);
		expect_closed(closed[i].end - PAGE_SIZE, closed[i].end, PAGE_SIZE);
		EXPECT(hypercall(HV_CALL_ENABLE_PARTITION_VTL, closed[i].start, 0),
		       HV_STATUS_INVALID_PARAMETER);
	}
	EXPECT_TRUE(found >= 2); /* its image and its tables */
}

static void test_vtl1_memory(void)
{
	uint64_t first = shared()->start / PAGE_SIZE;
	uint64_t n = shared()->end / PAGE_SIZE - first;

	EXPECT_TRUE(n);
	for (uint64_t i = 0; i < n; i += HV_MODIFY_VTL_PROTECTION_MASK_MAX) {
		uint64_t rest = n - i < HV_MODIFY_VTL_PROTECTION_MASK_MAX ?
					n - i :
					HV_MODIFY_VTL_PROTECTION_MASK_MAX;

		EXPECT(vtl1(COMMAND_PROTECT, first + i, rest, 0), REP(rest, 0));
	}
	expect_closed(shared()->start, shared()->end, option_full ? PAGE_SIZE : 13 * PAGE_SIZE);
	EXPECT(hypercall(HV_CALL_ENABLE_PARTITION_VTL, shared()->start, 0),
	       HV_STATUS_INVALID_PARAMETER);
	EXPECT(STATUS(hypercall(HV_CALL_GET_VP_REGISTERS | REP(1, 0), (uint64_t)scratch[0],
				shared()->start)),
	       HV_STATUS_INVALID_PARAMETER);
	EXPECT(try_wrmsr(HV_MSR_VP_ASSIST_PAGE, shared()->start | HV_MSR_ENABLE), VECTOR_GP);
}

/*
 * The hypercall page cannot be put over what VTL0 may not see or change, to see it later or to have
 * other code run there.
 */
static void test_overlay(void)
{
	uint64_t there = rdmsr(HV_MSR_HYPERCALL);
	uint64_t code = (uint64_t)scratch[1];
	uint64_t v;

	EXPECT(protect(scratch[1], 1, HV_MAP_READ | HV_MAP_KERNEL_EXECUTE | HV_MAP_USER_EXECUTE),
	       REP(1, 0));
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, code | HV_MSR_ENABLE), VECTOR_GP);
	EXPECT(rdmsr(HV_MSR_HYPERCALL), there);
	EXPECT(protect(scratch[1], 1, HV_MAP_ALL), REP(1, 0));
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, code | HV_MSR_ENABLE), 0);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, there), 0);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, shared()->start | HV_MSR_ENABLE), VECTOR_GP);
	try_wrmsr(HV_MSR_HYPERCALL, 0);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, there), 0);
	EXPECT(try_read(shared()->start, &v), VECTOR_GP);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, 0x100000 | HV_MSR_ENABLE), VECTOR_GP);
	EXPECT(try_wrmsr(HV_MSR_HYPERCALL, there), 0);
	EXPECT(vtl_call(0), 0);
}

static void test_fw_cfg(void)
{
	uint32_t *access = (uint32_t *)scratch[0];
	uint8_t *to = scratch[1];

	memset(to, 0x55, 16);
	access[0] = swap(FW_CFG_READ | FW_CFG_SELECT); /* item 0: a signature */
	access[1] = swap(4);
	access[2] = 0;
	access[3] = swap((uint32_t)(uint64_t)to);
	EXPECT(in8(FW_CFG_DATA), 0xff);
	EXPECT(in16(FW_CFG_SELECTOR), 0xffff);
	EXPECT(in32(FW_CFG_DMA_HIGH), ~0u);
	EXPECT(in32(FW_CFG_DMA_LOW), ~0u);
	out32(FW_CFG_DMA_HIGH, 0);
	out32(FW_CFG_DMA_LOW, swap((uint32_t)(uint64_t)access));
	delay(1000000);
	EXPECT(to[0], 0x55);
	EXPECT(access[0], swap(FW_CFG_READ | FW_CFG_SELECT));
}

#define STRING_IN(insn) __asm__ volatile(CATCH(insn) : "+D"(at), "+c"(n) : "d"(port) : "memory")

/* @n elements of @size bytes from a port to @at; how many were left, ~0 after a fault. */
static uint64_t string_in(uint16_t port, uint32_t size, uint64_t at, uint64_t n)
{
	catch_start();
	if (size == 1)
		STRING_IN("rep insb");
	else if (size == 2)
		STRING_IN("rep insw");
	else
		STRING_IN("rep insl");
	return caught() ? ~0ull : n;
}

/* The same downwards, two bytes each; the other way, a byte each. */
static uint64_t string_down(uint16_t port, uint64_t at, uint64_t n)
{
	catch_start();
	__asm__ volatile("std\n" CATCH("rep insw") "cld" : "+D"(at), "+c"(n) : "d"(port) : "memory");
	return caught() ? ~0ull : n;
}

static uint64_t string_out(uint16_t port, uint64_t at, uint64_t n)
{
	catch_start();
	__asm__ volatile(CATCH("rep outsb") : "+S"(at), "+c"(n) : "d"(port) : "memory");
	return caught() ? ~0ull : n;
}

/* Ones come in, over the end of a page too, and no byte more; what goes out is lost. */
static void test_strings(void)
{
	uint8_t *at = (uint8_t *)scratch[0];
	const uint64_t n = PAGE_SIZE + 100;

	memset(at, 0x55, sizeof(scratch[0]) * 2);
	EXPECT(string_in(FW_CFG_DATA, 1, (uint64_t)at + 50, n), 0);
	EXPECT(at[49], 0x55);
	for (uint64_t i = 0; i < n; i++)
		if (at[50 + i] != 0xff)
			EXPECT(at[50 + i], 0xff);
	EXPECT(at[50 + n], 0x55);
	EXPECT(string_out(FW_CFG_DATA, (uint64_t)at, n), 0);
	EXPECT(string_out(PORT_COM2, (uint64_t)at, 1), 0);
	EXPECT(string_in(FW_CFG_DATA, 1, (uint64_t)at, 0), 0);
	EXPECT(at[0], 0x55);
	EXPECT(string_in(FW_CFG_DATA, 1, 1ull << 45, 1), ~0ull);
	EXPECT(caught(), VECTOR_PF);
}

/* Whether of two pages that do not lie beside each other exactly these bytes became ones. */
static void expect_ones(uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < 2 * PAGE_SIZE; i++) {
		uint8_t want = i >= first && i < first + n ? 0xff : 0x55;

		if (!EXPECT(scratch[i / PAGE_SIZE * 2][i % PAGE_SIZE], want))
			break;
	}
	memset(scratch, 0x55, 3 * PAGE_SIZE);
}

/* An element whose bytes lie in two pages; with the second one missing or closed none is filled. */
static void test_crossing(void)
{
	const uint64_t bits = PTE_PRESENT | PTE_WRITE;
	uint64_t at = window(0, (uint64_t)scratch[0], bits);

	window(1, (uint64_t)scratch[2], bits);
	memset(scratch, 0x55, 3 * PAGE_SIZE);
	for (uint32_t size = 2; size <= 4; size += 2)
		for (uint32_t before = 1; before < size; before++) {
			EXPECT(string_in(FW_CFG_DATA, size, at + PAGE_SIZE - before, 1), 0);
			expect_ones(PAGE_SIZE - before, size);
			EXPECT(string_in(FW_CFG_DATA, size, at + 5 * size - before, 2000 / size), 0);
			expect_ones(5 * size - before, 2000);
			EXPECT(string_in(FW_CFG_DATA, size, at + 4000 - before, 1000 / size), 0);
			expect_ones(4000 - before, 1000);
		}
	EXPECT(string_down(FW_CFG_DATA, at + PAGE_SIZE + 3, 4), 0);
	expect_ones(PAGE_SIZE - 3, 8);
	window(1, (uint64_t)scratch[2], 0);
	EXPECT(string_in(FW_CFG_DATA, 4, at + PAGE_SIZE - 1, 1), ~0ull);
	EXPECT(caught(), VECTOR_PF);
	EXPECT(this_cpu()->fault.cr2, at + PAGE_SIZE);
	expect_ones(0, 0);
	window(1, (uint64_t)scratch[2], bits);
	EXPECT(protect(scratch[2], 1, HV_MAP_READ), REP(1, 0));
	EXPECT(string_in(FW_CFG_DATA, 4, at + PAGE_SIZE - 1, 1), ~0ull);
	EXPECT(caught(), VECTOR_GP);
	EXPECT(protect(scratch[2], 1, HV_MAP_ALL), REP(1, 0));
	expect_ones(0, 0);
	window(0, 0, 0);
	window(1, 0, 0);
}

static void test_ports(void)
{
	out8(PORT_SMI, 0xf1);
	EXPECT(in8(PORT_SMI), 0xff);
	for (uint16_t i = 0; i < 8; i++)
		EXPECT(in8(PORT_COM2 + i), 0xff);
	EXPECT(in16(PORT_COM2 - 1), 0xffff); /* a part of it is closed */
	EXPECT(in32(FW_CFG_SELECTOR - 3), ~0u);
	test_strings();
	test_crossing();
}

uint32_t try_store(uint64_t at, uint32_t v)
{
	catch_start();
	__asm__ volatile(CATCH("movl %0, (%1)") : : "r"(v), "r"(at) : "memory");
	return caught();
}

static uint32_t load(uint64_t at)
{
	return *(const volatile uint32_t *)at;
}

/* Two words that are one without the line A20. */
#define A20_LOW 0x6000000ull
#define A20_HIGH (A20_LOW + BIT(20))

static void expect_a20(void)
{
	EXPECT(try_store(A20_LOW, 0x1111), 0);
	EXPECT(try_store(A20_HIGH, 0x2222), 0);
	EXPECT(load(A20_LOW), 0x1111);
}

static void test_a20(void)
{
	out8(PORT_CONTROL_A, in8(PORT_CONTROL_A) & ~BIT(1));
	expect_a20();
	out8(PORT_KEYBOARD, 0xdd);
	expect_a20();
	out8(PORT_KEYBOARD, 0xd1);
	out8(PORT_KEYBOARD_DATA, 0xdd);
	expect_a20();
}

#define HPET 0xfed00000ull
#define HPET_ENABLE (HPET + 0x10)
#define HPET_COUNTER (HPET + 0xf0)
#define HPET_TIMER (HPET + 0x100)
#define HPET_COMPARE (HPET_TIMER + 8)
#define HPET_ROUTE (HPET_TIMER + 0x10)
#define HPET_TO_ADDRESS BIT(14)
#define HPET_INTERRUPTS BIT(2)

/* A timer of it writes to no address; for the rest it is VTL0's. */
static void test_hpet(void)
{
	volatile uint32_t *canary = (volatile uint32_t *)scratch[0];

	*canary = 0x55555555;
	EXPECT(try_store(HPET_ROUTE, 0xdeadbeef), 0);
	EXPECT(try_store(HPET_ROUTE + 4, (uint32_t)(uint64_t)canary), 0);
	EXPECT(try_store(HPET_TIMER, HPET_TO_ADDRESS | HPET_INTERRUPTS), 0);
	EXPECT(try_store(HPET_ENABLE, 1), 0);
	EXPECT(try_store(HPET_COMPARE, load(HPET_COUNTER) + 100000), 0);
	delay(100000000);
	EXPECT(*canary, 0x55555555);
	EXPECT(load(HPET_TIMER) & HPET_TO_ADDRESS, 0);
	EXPECT(load(HPET_ENABLE), 1);
	EXPECT(try_store(HPET_ENABLE, 0), 0);
	EXPECT(load(HPET_ENABLE), 0);
	EXPECT(try_store(HPET_COMPARE, 0x12345678), 0);
	EXPECT(load(HPET_COMPARE), 0x12345678);
	EXPECT(try_write(HPET_COMPARE, 0x9abcdef0), 0); /* 8 bytes */
	EXPECT(load(HPET_COMPARE), 0x9abcdef0);
	EXPECT(try_write(HPET_TIMER, HPET_TO_ADDRESS), 0);
	EXPECT(load(HPET_TIMER) & HPET_TO_ADDRESS, 0);
	EXPECT(try_write(HPET_TIMER - 4, HPET_TO_ADDRESS << 32), VECTOR_GP);
	EXPECT(try_store(HPET_TIMER + 2, 0), VECTOR_GP);
	EXPECT(try_store(HPET + 0x400, 0), VECTOR_GP);
}

#define IOAPIC 0xfec00000ull
#define IOAPIC_WINDOW (IOAPIC + 0x10)
#define IOAPIC_LAST (0x10u + 2 * 23)
#define ENTRY_MASKED BIT(16)

/* No entry brings an INIT or an SMI. */
static void test_ioapic(void)
{
	EXPECT(try_store(IOAPIC, IOAPIC_LAST), 0);
	EXPECT(load(IOAPIC), IOAPIC_LAST);
	EXPECT(try_store(IOAPIC_WINDOW, ENTRY_MASKED | 0x41), 0);
	EXPECT(load(IOAPIC_WINDOW), ENTRY_MASKED | 0x41);
	EXPECT(try_store(IOAPIC_WINDOW, ENTRY_MASKED | ICR_SMI), 0);
	EXPECT(try_store(IOAPIC_WINDOW, ENTRY_MASKED | ICR_INIT | 0x42), 0);
	EXPECT(load(IOAPIC_WINDOW), ENTRY_MASKED | 0x41);
	EXPECT(try_store(IOAPIC_WINDOW + 0x100, ENTRY_MASKED | ICR_SMI), VECTOR_GP);
	EXPECT(try_store(IOAPIC_WINDOW + 4, ENTRY_MASKED | ICR_SMI), VECTOR_GP);
	EXPECT(try_write(IOAPIC_WINDOW, ENTRY_MASKED | ICR_SMI), VECTOR_GP);
	EXPECT(load(IOAPIC_WINDOW), ENTRY_MASKED | 0x41);
	EXPECT(try_store(IOAPIC, IOAPIC_LAST + 1), 0);
	EXPECT(try_store(IOAPIC_WINDOW, 1u << 24 | ICR_SMI), 0);
	EXPECT(load(IOAPIC_WINDOW) >> 24, 1);
	EXPECT(try_store(IOAPIC_WINDOW, 0), 0);
}

/* Behind the APIC's page a write is an interrupt message. */
static void test_messages(void)
{
	EXPECT(try_store(APIC_PAGE + PAGE_SIZE, ICR_SMI), VECTOR_GP);
	EXPECT(try_store(APIC_PAGE + 0xff000, ICR_SMI), VECTOR_GP);
	EXPECT(try_store(APIC_PAGE + 0xffffc, ICR_INIT), VECTOR_GP);
	EXPECT(try_store(APIC_PAGE + 0x42010, ICR_NMI), VECTOR_GP);
}

static void test_msrs(void)
{
	static const uint32_t closed_msrs[] = {
		MSR_VM_HSAVE_PA, MSR_VM_CR, 0xc0010115, 0xc0010116, 0xc0010118, MSR_SYSCFG,
		0xc0010016, 0xc0010017, 0xc001001a, 0xc001001d, 0xc0010058, 0xc0010111, 0xc0010113,
	};
	uint64_t v;

	for (uint32_t i = 0; i < ARRAY_SIZE(closed_msrs); i++)
		EXPECT(try_wrmsr(closed_msrs[i], 0), VECTOR_GP);
	EXPECT(try_rdmsr(MSR_VM_HSAVE_PA, &v), VECTOR_GP);
	EXPECT(v, 0);
	EXPECT(try_rdmsr(MSR_VM_CR, &v), 0);
	EXPECT(v & BIT(4), BIT(4)); /* SVM is disabled */
	EXPECT(try_wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME), VECTOR_GP);
	EXPECT(rdmsr(MSR_EFER) & EFER_SVME, 0);
	EXPECT(vtl1(COMMAND_WRMSR, MSR_VM_HSAVE_PA, 0, 0), VECTOR_GP);
	EXPECT(vtl1(COMMAND_WRMSR, MSR_SYSCFG, 0, 0), VECTOR_GP);
	EXPECT(vtl1(COMMAND_RDMSR, MSR_X2APIC + 2, 0, 0), 0); /* VTL0's APIC is not VTL1's */
	EXPECT(shared()->fault, VECTOR_GP);
}

static void test_apic_base(void)
{
	uint64_t now = rdmsr(MSR_APIC_BASE);

	EXPECT(try_wrmsr(MSR_APIC_BASE, (now & ~0xfffff000ull) | 0xfed00000), VECTOR_GP);
	EXPECT(try_wrmsr(MSR_APIC_BASE, now & ~BIT(11)), VECTOR_GP);
	EXPECT(try_wrmsr(MSR_APIC_BASE, now | BIT(52)), VECTOR_GP);
	EXPECT(try_wrmsr(MSR_APIC_BASE, now), 0);
	EXPECT(rdmsr(MSR_APIC_BASE), now);
}

#define SVM(insn) \
	do { \
		catch_start(); \
		__asm__ volatile(CATCH(insn) : : "a"(ARENA), "c"(0) : "memory"); \
		EXPECT(caught(), VECTOR_UD); \
	} while (0)

static void test_instructions(void)
{
	EXPECT(cpuid(0x80000001, 0).ecx & BIT(2), 0);
	EXPECT(cpuid(0x8000000a, 0).eax, 0);
	EXPECT(cpuid(0x8000000a, 0).edx, 0);
	SVM("vmrun");
	SVM("vmload");
	SVM("vmsave");
	SVM("stgi");
	SVM("clgi");
	SVM("invlpga");
	SVM("skinit");
}

/* QEMU says of a reserved bit of CR4 that the level cannot be run; it is a fault like any other. */
static void test_reserved(void)
{
	uint64_t cr4 = read_cr4();

	for (uint32_t i = 0; i < 3; i++) {
		EXPECT(try_write_cr4(cr4 | BIT(30)), VECTOR_GP);
		EXPECT(try_write_cr4(cr4 | BIT(40)), VECTOR_GP);
	}
	EXPECT(read_cr4(), cr4);
	cr4 = vtl1(COMMAND_GET, STATE_CR4, 0, 0);
	EXPECT(vtl1(COMMAND_SET, STATE_CR4, cr4 | BIT(30), 0), VECTOR_GP);
	EXPECT(vtl1(COMMAND_GET, STATE_CR4, 0, 0), cr4);
}

/* #AC is intercepted and handed on. QEMU raises none. */
static void test_alignment(void)
{
	uint64_t cr0 = read_cr0();
	uint32_t vector;

	EXPECT(try_write_cr0(cr0 | CR0_AM), 0);
	vector = user_run_copy(code_user_unaligned);
	EXPECT(try_write_cr0(cr0), 0);
	if (vector == VECTOR_BP) {
		print("# this processor does not check alignment\n");
		return;
	}
	EXPECT(vector, VECTOR_AC);
	EXPECT(this_cpu()->fault.code, 0);
}

const struct test tests_doors[] = {
	{ "the hypervisor's memory is closed", test_hypervisor_memory, 1, 0 },
	{ "VTL1's memory is closed", test_vtl1_memory, 1, 0 },
	{ "the hypercall page opens nothing", test_overlay, 1, 0 },
	{ "the firmware's configuration is closed", test_fw_cfg, 1, 0 },
	{ "ports are closed", test_ports, 1, 0 },
	{ "memory stays where it is", test_a20, 1, 0 },
	{ "timers write to no memory", test_hpet, 1, 0 },
	{ "the I/O APIC brings no INIT and no SMI", test_ioapic, 1, 0 },
	{ "there are no interrupt messages", test_messages, 1, 0 },
	{ "MSRs are closed", test_msrs, 1, 0 },
	{ "the APIC cannot move", test_apic_base, 1, 0 },
	{ "there is no SVM", test_instructions, 1, 0 },
	{ "CR4's reserved bits", test_reserved, 1, 0 },
	{ "an alignment check", test_alignment, 1, 0 },
	{ 0 },
};
