// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test guest of VTL0: it runs the tests in their order and tells on COM1 how they went, KTAP,
 * last line "N passed, N failed".
 */
#include "traps.h"
#include "vtl0.h"

#define COM1 0x3f8u
#define LINE_STATUS 5u
#define LINE_EMPTY 0x20u
#define PORT_STATUS 0xe9u
#define PORT_PIC1 0x21u
#define PORT_PIC2 0xa1u
#define PORT_EXIT 0xf4u
#define PARAMS_CMDLINE 0x228u
#define PARAMS_ENTRIES 0x1e8u
#define PARAMS_MAP 0x2d0u
#define RESERVED 2u
#define MIB 0x100000ull
#define REFUSALS_WHILE (1ull << 33) /* see hypervisor/x86/refused.c */
#define CLOSED_END 0xfe00000ull /* of 256 MiB: behind it lie the firmware's tables */
#define FAILURES_PRINTED 8u
#define PAGE_USER 7ull
#define PAGE_USER_LARGE 0x87ull
#define PAGE_LARGE 0x83ull

bool option_full;
bool option_mbec;
static bool option_no_way_on;
static bool option_refusals;
struct range closed[CLOSED_MAX];
uint32_t closed_count;
static const char *only;
static uint32_t failures;
static struct lock { uint32_t held; } print_lock;

uint8_t stacks[CPUS_MAX][STACK_SIZE] __attribute__((aligned(16384)));
uint8_t scratch[16][PAGE_SIZE] __attribute__((aligned(4096)));
uint8_t pattern_page[PAGE_SIZE] __attribute__((aligned(4096)));
static uint64_t pml4[512] __attribute__((aligned(4096)));
static uint64_t pdpt[2][512] __attribute__((aligned(4096)));
static uint64_t directories[5][512] __attribute__((aligned(4096)));
static uint64_t window_table[512] __attribute__((aligned(4096)));

void vtl0_main(const uint8_t *params);

/* --- output --- */

static void put(char c)
{
	while (!(in8(COM1 + LINE_STATUS) & LINE_EMPTY))
		pause();
	out8(COM1, (uint8_t)c);
}

void print(const char *text)
{
	while (*text)
		put(*text++);
}

void print_number(uint64_t v)
{
	if (v > 9)
		print_number(v / 10);
	put((char)('0' + v % 10));
}

void print_hex(uint64_t v)
{
	print("0x");
	for (int32_t shift = 60; shift >= 0; shift -= 4)
		if (!shift || v >> shift)
			put("0123456789abcdef"[v >> shift & 15]);
}

void finish(uint32_t status)
{
	out8(PORT_STATUS, (uint8_t)status);
	while (true)
		out32(PORT_EXIT, status + 1);
}

static void lock_print(void)
{
	while (__atomic_exchange_n(&print_lock.held, 1, __ATOMIC_ACQUIRE))
		pause();
}

bool expect(uint64_t got, uint64_t wanted, const char *file, uint32_t line, const char *what)
{
	if (got == wanted)
		return true;
	lock_print();
	if (failures++ < FAILURES_PRINTED) {
		print("# ");
		print(file);
		print(":");
		print_number(line);
		print(": ");
		print(what);
		print(" is ");
		print_hex(got);
		print(", not ");
		print_hex(wanted);
		print("\n");
	}
	store_release(print_lock.held, 0);
	return false;
}

void trap_unexpected(const struct trap_frame *f)
{
	print("# exception ");
	print_number(f->vector);
	print(" at ");
	print_hex(f->rip);
	print(", code ");
	print_hex(f->code);
	print(", CR2 ");
	print_hex(read_cr2());
	print("\n0 passed, 1 failed\n");
	finish(1);
}

/* --- memory --- */

static bool is_arena(uint64_t at)
{
	return at >= ARENA && at < ARENA + ARENA_PAGES * PAGE_SIZE;
}

/* One to one, of which user mode has the arena, and a window of 2 MiB in small pages. */
static void make_tables(void)
{
	pml4[0] = (uint64_t)pdpt[0] | PAGE_USER;
	pml4[1] = (uint64_t)pdpt[1] | PAGE_USER;
	pdpt[1][0] = (uint64_t)directories[4] | PAGE_USER;
	directories[4][0] = (uint64_t)window_table | PAGE_USER;
	for (uint64_t i = 0; i < 4; i++)
		pdpt[0][i] = (uint64_t)directories[i] | PAGE_USER;
	for (uint64_t i = 0; i < 4 * 512; i++)
		directories[i / 512][i % 512] =
			i * LARGE_SIZE | (is_arena(i * LARGE_SIZE) ? PAGE_USER_LARGE : PAGE_LARGE);
	write_cr3((uint64_t)pml4);
}

uint64_t *window_entry(uint32_t slot)
{
	return &window_table[slot];
}

uint64_t window(uint32_t slot, uint64_t gpa, uint64_t bits)
{
	window_table[slot] = gpa | bits;
	flush_tlb();
	return WINDOW + slot * PAGE_SIZE;
}

/* What VTL0 is told to keep off, less the firmware's: the hypervisor's memory and VTL1's. */
static void find_closed(const uint8_t *params)
{
	for (uint32_t i = 0; i < params[PARAMS_ENTRIES]; i++) {
		struct {
			uint64_t start;
			uint64_t size;
			uint32_t kind;
		} __attribute__((packed)) r;

		memcpy(&r, params + PARAMS_MAP + i * sizeof(r), sizeof(r));
		if (r.kind != RESERVED || r.start < MIB || r.start + r.size > CLOSED_END ||
		    closed_count == CLOSED_MAX)
			continue;
		closed[closed_count++] = (struct range){ r.start, r.start + r.size };
	}
}

/* --- options and tests --- */

static bool same(const char *word, const char *name)
{
	while (*name && *word == *name) {
		word++;
		name++;
	}
	return !*name;
}

/* Whether a name has a word of the command line in it. */
static bool contains(const char *name, const char *word)
{
	for (; *name; name++) {
		uint32_t n = 0;

		while (word[n] && word[n] != ' ' && word[n] == name[n])
			n++;
		if (!word[n] || word[n] == ' ')
			return true;
	}
	return false;
}

static void read_options(const uint8_t *params)
{
	uint32_t at;
	const char *word;

	memcpy(&at, params + PARAMS_CMDLINE, sizeof(at));
	for (word = (const char *)(uint64_t)at; *word; word++) {
		option_full |= same(word, "full");
		option_mbec |= same(word, "mbec");
		option_no_way_on |= same(word, "no-way-on");
		option_refusals |= same(word, "refusals");
		if (same(word, "only="))
			only = word + 5;
		while (word[1] && *word != ' ')
			word++;
	}
}

static bool wanted(const struct test *t)
{
	if (t->cpus > cpus_online || (t->needs & NEEDS_MBEC && !option_mbec))
		return false;
	return !only || t->needs & ALWAYS || contains(t->name, only);
}

static bool run(const struct test *t, uint32_t number)
{
	failures = 0;
	t->run();
	print(failures ? "not ok " : "ok ");
	print_number(number);
	print(" ");
	print(t->name);
	print("\n");
	return !failures;
}

static void run_all(void)
{
	static const struct test *const suites[] = {
		tests_switch, tests_state, tests_hypercall, tests_registers, tests_protect,
		tests_translate, tests_intercept, tests_mbec, tests_doors,
		tests_vps, tests_startup, tests_apic, tests_fuzz, tests_check, tests_last,
	};
	uint32_t passed = 0;
	uint32_t failed = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(suites); i++)
		for (const struct test *t = suites[i]; t->name; t++) {
			if (!wanted(t))
				continue;
			if (run(t, passed + failed + 1))
				passed++;
			else
				failed++;
		}
	print("1..");
	print_number(passed + failed);
	print("\n");
	print_number(passed);
	print(" passed, ");
	print_number(failed);
	print(" failed\n");
	finish(failed || !passed);
}

/*
 * An end: #GP leads to the instruction that has raised it, so VTL0 comes no further. QEMU says that it
 * cannot be run there, and the hypervisor resets the machine when that is said twice.
 */
static void no_way_on(void)
{
	traps_gate(VECTOR_GP, (uint64_t)code_write_cr4);
	__asm__ volatile("jmp *%0" : : "r"(code_write_cr4), "a"(read_cr4() | BIT(30)));
}

/* What is refused and how often; run.sh knows which lines are to come of it. */
static void refusals(void)
{
	const uint64_t input = (uint64_t)scratch[0];
	uint64_t start;
	uint64_t v;

	out8(PORT_MARK, 1);
	hypercall(HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP(1, 0), input, 0);
	hypercall(0x7fff, input, 0);
	out32(0x518, 0x12345678);
	in8(0xb2);
	out8(0x7e, 0x20);
	try_wrmsr(MSR_VM_HSAVE_PA, 0x5000);
	try_wrmsr(MSR_TSC, 1ull << 60);
	try_read(closed[0].start, &v);
	hypercall(HV_CALL_GET_VP_REGISTERS | REP(1, 0), input, closed[0].start);
	out8(PORT_MARK, 2);
	for (uint32_t i = 0; i < 100; i++)
		hypercall(0x7fff, input, 0);
	out8(PORT_MARK, 3);
	start = read_tsc();
	while (read_tsc() - start < REFUSALS_WHILE)
		pause();
	in8(0xb2);
	out8(PORT_MARK, 4);
	print("0 passed, 0 failed\n");
	finish(0);
}

void vtl0_main(const uint8_t *params)
{
	print("KTAP version 1\n");
	read_options(params);
	find_closed(params);
	make_tables();
	out8(PORT_PIC1, 0xff); /* only the local APIC interrupts */
	out8(PORT_PIC2, 0xff);
	cpu_init(0);
	if (hypercall_init()) {
		print("# no hypercall page\n0 passed, 1 failed\n");
		finish(1);
	}
	vtl1_attach();
	if (option_no_way_on)
		no_way_on();
	if (option_refusals)
		refusals();
	cpus_start();
	run_all();
}
