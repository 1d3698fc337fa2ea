// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest without an operating system, at EL1 with its MMU off: it tries what a guest may and may not,
 * and prints KTAP.
 */
#include <stdbool.h>
#include <stdint.h>

#include "encoding.h"

#define UART 0x09000000ul
#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#define VIRTIO 0x0a000000ul
#define NOWHERE 0x3f000000ul
#define TREE 0x40000000ul
#define HYPERVISOR 0x40200000ul
#define AREA 0x48800000ul /* of 2 MiB, of one entry when it starts */
#define AREA_2 0x48a00000ul /* and more of them */
#define BLOCK 0x200000ul
#define BLOCKS 40ul
#define PAGE 0x1000ul

#define RIGHT_READ 1ul
#define RIGHT_WRITE 2ul
#define RIGHT_KERNEL 4ul
#define RIGHT_USER 8ul
#define RIGHT_ALL 15ul
#define ERROR_RANGE 1ul
#define ERROR_ACCESS 2ul

#define RETURN 0xd65f03c0u
#define SVC 0xd4000001u
#define EC_SVC 0x15u

uint64_t attempt(uint64_t (*f)(uint64_t), uint64_t argument);
uint64_t attempt_user(uint64_t pc, uint64_t argument);
uint64_t smc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);
uint64_t smc_other(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);
uint64_t call_put(uint64_t c);
uint64_t call_exit(uint64_t code);
uint64_t call_protect(uint64_t start, uint64_t size, uint64_t rights);
uint64_t call_unknown(uint64_t argument);
uint64_t read_word(uint64_t at);
uint64_t write_word(uint64_t at);
uint64_t execute(uint64_t at);
uint64_t context_number(uint64_t number);
uint64_t copy_memory(uint64_t from);
uint64_t second_control(uint64_t argument);
uint64_t implementation_register(uint64_t argument);
uint64_t float_add(uint64_t bits);
void user_write(void);
void second_start(void);
void guest_main(void);
void second_main(void);
void take_interrupt(void);

extern volatile uint64_t value; /* of the last attempt that came back */
extern volatile uint64_t fault_address;
extern uint8_t second_stack[];

static uint32_t passed, failed;
static bool good;
static volatile uint32_t interrupts;

#define CHECK(condition) check(condition, __LINE__)

static volatile uint32_t *word(uint64_t at)
{
	return (volatile uint32_t *)at;
}

static void put(char c)
{
	*word(UART) = (uint8_t)c;
}

static void print(const char *s)
{
	for (; *s; s++)
		put(*s);
}

static void print_number(uint32_t n)
{
	char digits[10];
	uint32_t i = 0;

	do {
		digits[i++] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	while (i)
		put(digits[--i]);
}

static void check(bool ok, uint32_t line)
{
	if (!ok && good) {
		print("# not so: line ");
		print_number(line);
		print("\n");
	}
	good &= ok;
}

static void test(const char *name, void (*run)(void))
{
	good = true;
	run();
	good ? passed++ : failed++;
	print(good ? "ok " : "not ok ");
	print_number(passed + failed);
	print(" ");
	print(name);
	print("\n");
}

static uint32_t class_of(uint64_t esr)
{
	return (uint32_t)(esr >> ESR_EC_SHIFT & 0x3f);
}

/* An abort taken from EL1, or from EL0: its class and the code of its status. */
static bool is_abort(uint64_t esr, uint32_t class, uint32_t status)
{
	return class_of(esr) == class && (esr & ISS_FSC) == status;
}

/* --- calls --- */

static bool has_context_numbers(void)
{
	uint64_t pfr0;
	uint64_t pfr1;

	__asm__("mrs %0, id_aa64pfr0_el1" : "=r"(pfr0));
	__asm__("mrs %0, id_aa64pfr1_el1" : "=r"(pfr1));
	return (pfr0 >> PFR0_CSV2_SHIFT & 0xf) > 1 || (pfr1 >> PFR1_CSV2_FRAC_SHIFT & 0xf) > 1;
}

static void extensions(void)
{
	uint64_t isar2;
	uint64_t mmfr3;
	bool copies;
	bool controls;

	__asm__("mrs %0, s3_0_c0_c6_2" : "=r"(isar2));
	__asm__("mrs %0, s3_0_c0_c7_3" : "=r"(mmfr3));
	copies = isar2 >> ISAR2_MOPS_SHIFT & 0xf;
	controls = mmfr3 >> MMFR3_TCRX_SHIFT & 0xf;
	*word(AREA) = 0x1234;
	*word(AREA + 64) = 0;
	CHECK(attempt(context_number, 0x1234) == (has_context_numbers() ? 0 : ESR_IL));
	CHECK(!has_context_numbers() || value == 0x1234);
	CHECK(attempt(copy_memory, AREA) == (copies ? 0 : ESR_IL));
	CHECK(!copies || *word(AREA + 64) == 0x1234);
	CHECK(attempt(second_control, 0) == (controls ? 0 : ESR_IL));
}

static void calls(void)
{
	for (const char *s = "guest: by the hypervisor\n"; *s; s++)
		call_put((uint64_t)*s);
	CHECK(class_of(attempt(call_unknown, 0)) == EC_UNKNOWN && attempt(call_unknown, 0));
	CHECK(attempt(implementation_register, 0) == ESR_IL);
	CHECK(float_add(0x3ff0000000000000) == 0x4000000000000000);
}

static bool psci(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3, int64_t want)
{
	return (int32_t)smc(function, a1, a2, a3) == want;
}

static void firmware(void)
{
	CHECK(psci(PSCI_VERSION, 0, 0, 0, PSCI_1_1));
	CHECK(psci(PSCI_FEATURES, PSCI_CPU_ON | SMCCC_64, 0, 0, PSCI_SUCCESS));
	CHECK(psci(PSCI_FEATURES, PSCI_SYSTEM_OFF, 0, 0, PSCI_SUCCESS));
	CHECK(psci(PSCI_FEATURES, 0x84000012, 0, 0, PSCI_NOT_SUPPORTED));
	CHECK(psci(0xdeadbeef, 0, 0, 0, PSCI_NOT_SUPPORTED));
	CHECK((int32_t)smc_other(PSCI_VERSION, 0, 0, 0) == PSCI_NOT_SUPPORTED);
	CHECK(psci(SMCCC_VERSION, 0, 0, 0, SMCCC_1_1));
	CHECK(psci(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0, PSCI_NO_MIGRATION));
	CHECK(psci(PSCI_CPU_SUSPEND, SMCCC_64, 0, 0, PSCI_INVALID_PARAMETERS));
	CHECK(psci(PSCI_CPU_ON | SMCCC_64, 77, (uint64_t)second_start, 0, PSCI_INVALID_PARAMETERS));
	CHECK(psci(PSCI_CPU_ON | SMCCC_64, 0, (uint64_t)second_start, 0, PSCI_ALREADY_ON));
	CHECK(psci(PSCI_AFFINITY_INFO, 0, 0, 0, PSCI_AFFINITY_ON));
	CHECK(psci(PSCI_AFFINITY_INFO, 77, 0, 0, PSCI_INVALID_PARAMETERS));
	CHECK(psci(PSCI_AFFINITY_INFO, 0, 1, 0, PSCI_INVALID_PARAMETERS));
	/* The last CPU stays. */
	CHECK(psci(PSCI_CPU_OFF, 0, 0, 0, PSCI_DENIED));
}

/* --- the timer --- */

void take_interrupt(void)
{
	uint64_t id;

	__asm__ volatile("mrs %0, s3_0_c12_c12_0" : "=r"(id));
	if (id == 27)
		interrupts++;
	__asm__ volatile("msr cntv_ctl_el0, xzr; isb");
	__asm__ volatile("msr s3_0_c12_c12_1, %0; isb" : : "r"(id));
}

static void timer(void)
{
	*word(GICD) = 0x13;
	*word(GICR + 0x14) &= ~2u;
	while (*word(GICR + 0x14) & 4)
		;
	*word(GICR + 0x10080) = ~0u;
	*word(GICR + 0x10100) = 1u << 27;
	__asm__ volatile("msr s3_0_c12_c12_5, %0; isb" : : "r"(7ul));
	__asm__ volatile("msr s3_0_c4_c6_0, %0" : : "r"(0xfful));
	__asm__ volatile("msr s3_0_c12_c12_7, %0; isb" : : "r"(1ul));
	for (uint32_t i = 1; i <= 3; i++) {
		__asm__ volatile("msr cntv_tval_el0, %0" : : "r"(100000ul));
		__asm__ volatile("msr cntv_ctl_el0, %0; isb" : : "r"(1ul));
		while (interrupts != i)
			__asm__ volatile("wfi; msr daifclr, #2; isb; msr daifset, #2" : : : "memory");
	}
	CHECK(interrupts == 3);
}

/* --- memory that is not the guest's --- */

static void hidden_devices(void)
{
	/* As of a device that is not there: zero, all 64 bits of the register. */
	CHECK(!attempt(read_word, VIRTIO) && value == 0);
	CHECK(!attempt(write_word, VIRTIO) && !attempt(read_word, VIRTIO) && value == 0);
	CHECK(!attempt(read_word, 0x09020000) && value == 0);
	CHECK(!attempt(read_word, 0x4010000000) && value == 0);
}

static void no_memory(void)
{
	static const uint64_t at[] = { NOWHERE, HYPERVISOR, HYPERVISOR + 0x1dff000, 0x7000000000 };

	for (uint32_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		CHECK(is_abort(attempt(read_word, at[i]), EC_DABT_CUR, FSC_EXTERNAL));
		CHECK(fault_address == at[i]);
		CHECK(is_abort(attempt(write_word, at[i]), EC_DABT_CUR, FSC_EXTERNAL));
		CHECK(is_abort(attempt(execute, at[i]), EC_IABT_CUR, FSC_EXTERNAL));
	}
	/* Its device tree is data. */
	CHECK(!attempt(read_word, TREE) && value == 0xedfe0dd0);
	CHECK(is_abort(attempt(execute, TREE), EC_IABT_CUR, FSC_PERMISSION | 3));
}

/* --- rights --- */

static void locked_page(void)
{
	uint64_t page = AREA + 3 * PAGE;
	uint64_t esr;

	*word(page + 8) = 0x11;
	CHECK(!call_protect(page, PAGE, RIGHT_READ | RIGHT_KERNEL | RIGHT_USER));
	esr = attempt(write_word, page + 8);
	CHECK(is_abort(esr, EC_DABT_CUR, FSC_PERMISSION | 3) && esr & ISS_WNR);
	CHECK(fault_address == page + 8);
	CHECK(!attempt(read_word, page + 8) && value == 0x11);
	CHECK(!attempt(write_word, page - 4) && !attempt(write_word, page + PAGE));
	/* At EL0 a permission fault would be the kernel's own to mend: an external abort. */
	CHECK(is_abort(attempt_user((uint64_t)user_write, page + 8), EC_DABT_LOW, FSC_EXTERNAL));
	CHECK(class_of(attempt_user((uint64_t)user_write, page - 8)) == EC_SVC);
	/* What is taken does not come back. */
	CHECK(!call_protect(page, PAGE, RIGHT_ALL));
	CHECK(attempt(write_word, page + 8));
}

static void bad_calls(void)
{
	static const struct {
		uint64_t start;
		uint64_t size;
		uint64_t rights;
		uint64_t error;
	} bad[] = {
		{ HYPERVISOR, PAGE, RIGHT_READ, ERROR_RANGE },
		{ TREE, PAGE, RIGHT_READ, ERROR_RANGE },
		{ UART, PAGE, RIGHT_READ, ERROR_RANGE },
		{ AREA + 1, PAGE, RIGHT_READ, ERROR_RANGE },
		{ AREA, 1, RIGHT_READ, ERROR_RANGE },
		{ AREA, 0, RIGHT_READ, ERROR_RANGE },
		{ AREA, ~0ul & ~(PAGE - 1), RIGHT_READ, ERROR_RANGE },
		{ 0x50000000 - PAGE, 2 * PAGE, RIGHT_READ, ERROR_RANGE },
		{ AREA, PAGE, 16, ERROR_RANGE },
		{ AREA, PAGE, 1ul << 32 | RIGHT_READ, ERROR_RANGE },
		{ AREA, PAGE, 0, ERROR_ACCESS },
		{ AREA, PAGE, RIGHT_WRITE, ERROR_ACCESS },
	};

	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(call_protect(bad[i].start, bad[i].size, bad[i].rights) == bad[i].error);
	CHECK(!attempt(write_word, AREA));
}

static void write_code(uint64_t at, uint32_t code)
{
	*word(at) = code;
	__asm__ volatile("dsb ish; ic iallu; dsb ish; isb" : : : "memory");
}

static void execution(void)
{
	uint64_t page = AREA + 0x10 * PAGE;
	bool xnx;

	for (uint64_t at = page; at < page + 3 * PAGE; at += PAGE) {
		write_code(at, RETURN);
		write_code(at + 4, SVC);
	}
	CHECK(!attempt(execute, page) && class_of(attempt_user(page + 4, 0)) == EC_SVC);
	CHECK(!call_protect(page, PAGE, RIGHT_READ | RIGHT_WRITE));
	CHECK(is_abort(attempt(execute, page), EC_IABT_CUR, FSC_PERMISSION | 3));
	CHECK(is_abort(attempt_user(page + 4, 0), EC_IABT_LOW, FSC_EXTERNAL));
	xnx = !call_protect(page + PAGE, PAGE, RIGHT_READ | RIGHT_KERNEL);
	if (!xnx) {
		/* Refused and nothing changed, on a processor that cannot tell them apart. */
		CHECK(call_protect(page + PAGE, PAGE, RIGHT_READ | RIGHT_USER) == ERROR_ACCESS);
		CHECK(!attempt(execute, page + PAGE));
		return;
	}
	print("guest: execution per level\n");
	CHECK(!attempt(execute, page + PAGE));
	CHECK(is_abort(attempt_user(page + PAGE + 4, 0), EC_IABT_LOW, FSC_EXTERNAL));
	CHECK(!call_protect(page + 2 * PAGE, PAGE, RIGHT_READ | RIGHT_USER));
	CHECK(is_abort(attempt(execute, page + 2 * PAGE), EC_IABT_CUR, FSC_PERMISSION | 3));
	CHECK(class_of(attempt_user(page + 2 * PAGE + 4, 0)) == EC_SVC);
}

/* --- a second CPU --- */

enum order {
	WRITE = 1,
	OFF,
};

static volatile uint32_t order, up, rounds;
static volatile uint64_t second_esr;

static uint64_t write_on(uint64_t at)
{
	while (order == WRITE) {
		for (uint64_t i = 0; i < BLOCKS; i++)
			(*word(at + i * BLOCK))++;
		rounds++;
	}
	return 0;
}

void second_main(void)
{
	up++;
	second_esr = attempt(write_on, AREA_2);
	rounds = 0;
	while (order != OFF)
		;
	smc(PSCI_CPU_OFF, 0, 0, 0);
	second_esr = ~0ul;
}

static int32_t second_on(void)
{
	return (int32_t)smc(PSCI_CPU_ON | SMCCC_64, 1, (uint64_t)second_start, (uint64_t)second_stack);
}

static void wait_off(void)
{
	order = OFF;
	while (smc(PSCI_AFFINITY_INFO, 1, 0, 0) != PSCI_AFFINITY_OFF)
		;
}

static void second_cpu(void)
{
	CHECK(psci(PSCI_CPU_ON | SMCCC_64, 1, HYPERVISOR, 0, PSCI_INVALID_ADDRESS));
	CHECK(psci(PSCI_CPU_ON | SMCCC_64, 1, TREE, 0, PSCI_INVALID_ADDRESS));
	CHECK(psci(PSCI_CPU_ON | SMCCC_64, 1, AREA + 2, 0, PSCI_INVALID_ADDRESS));
	CHECK(psci(PSCI_AFFINITY_INFO, 1, 0, 0, PSCI_AFFINITY_OFF));
	for (uint32_t i = 1; i <= 20; i++) {
		order = 0;
		CHECK(second_on() == PSCI_SUCCESS);
		while (up != i)
			;
		CHECK(second_on() == PSCI_ALREADY_ON);
		wait_off();
	}
	CHECK(!second_esr);
}

/*
 * Pages beside those that another CPU writes are locked, which splits the entries that map them: the
 * CPU does not notice. Then one of its own is, and not one write comes later.
 */
static void under_way(void)
{
	uint32_t before;
	uint32_t last;

	order = WRITE;
	CHECK(second_on() == PSCI_SUCCESS);
	while (up != 21 || rounds < 1000)
		;
	for (uint64_t i = 0; i < 4 * BLOCKS; i++) {
		uint64_t page = 1 + i / BLOCKS;

		CHECK(!call_protect(AREA_2 + i % BLOCKS * BLOCK + page * PAGE, PAGE, RIGHT_READ));
		before = rounds;
		while (rounds == before && !second_esr)
			;
	}
	CHECK(!second_esr);
	CHECK(!call_protect(AREA_2, PAGE, RIGHT_READ));
	last = *word(AREA_2);
	while (!second_esr)
		;
	CHECK(is_abort(second_esr, EC_DABT_CUR, FSC_PERMISSION | 3));
	CHECK(*word(AREA_2) == last);
	second_esr = 0;
	wait_off();
}

void guest_main(void)
{
	test("calls of the hypervisor, undefined instructions", calls);
	test("what the processor announces is there, no more", extensions);
	if (psci(PSCI_AFFINITY_INFO, 1, 0, 0, PSCI_AFFINITY_OFF)) {
		test("a second CPU comes and goes", second_cpu);
		test("entries are split under a CPU, a lock holds for it", under_way);
	}
	test("PSCI", firmware);
	test("the virtual timer's interrupt", timer);
	test("devices that are not open", hidden_devices);
	test("memory that is not there, the hypervisor's", no_memory);
	test("a locked page", locked_page);
	test("protect calls that are refused", bad_calls);
	test("execution", execution);
	print_number(passed);
	print(" passed, ");
	print_number(failed);
	print(" failed\n");
	call_exit(failed || !passed);
}
