/* SPDX-License-Identifier: GPL-2.0-only */
/* The test guest of VTL0: the tests, and what they are made of. */
#ifndef GUEST_VTL0_H
#define GUEST_VTL0_H

#include "shared.h"

/* --- results --- */

/* A failure is printed once with its place and both values; the test goes on. */
#define EXPECT(got, wanted) expect((uint64_t)(got), (uint64_t)(wanted), __FILE__, __LINE__, #got)
#define EXPECT_TRUE(got) expect(!!(got), 1, __FILE__, __LINE__, #got)

bool expect(uint64_t got, uint64_t wanted, const char *file, uint32_t line, const char *what);
void print(const char *text);
void print_number(uint64_t v);
void print_hex(uint64_t v);
void __attribute__((noreturn)) finish(uint32_t status);

/* What the command line says. */
extern bool option_full; /* take as long as it takes */
extern bool option_mbec; /* the hypervisor tells user and kernel execution apart */
extern uint32_t cpus_online;

#define NEEDS_MBEC 1u
#define ALWAYS 2u /* others stand on it */

struct test {
	const char *name;
	void (*run)(void);
	uint32_t cpus;
	uint32_t needs;
};

extern const struct test tests_switch[];
extern const struct test tests_state[];
extern const struct test tests_hypercall[];
extern const struct test tests_registers[];
extern const struct test tests_translate[];
extern const struct test tests_protect[];
extern const struct test tests_intercept[];
extern const struct test tests_mbec[];
extern const struct test tests_doors[];
extern const struct test tests_vps[];
extern const struct test tests_startup[];
extern const struct test tests_apic[];
extern const struct test tests_fuzz[];
extern const struct test tests_check[];
extern const struct test tests_last[];

/* --- CPUs --- */

/**
 * cpu_init() - what each CPU does when it starts in VTL0
 * @index: of the CPU
 */
void cpu_init(uint32_t index);

/* Start the other CPUs; each then waits for work. */
void cpus_start(void);

/* Where they start; a copy in the next page does as well. */
#define AP_PAGE 0x9000ull
#define AP_VECTOR (AP_PAGE >> 12)

/* Bring a CPU up by INIT and start-up; whether it came. */
bool cpu_start(uint32_t index);
/* How often it has come. */
uint32_t cpu_starts(uint32_t index);
const uint32_t *cpu_starts_at(uint32_t index);

/* Let another CPU do something; wait until it has. */
void cpu_run(uint32_t index, void (*job)(void *argument), void *argument);
void cpu_wait(uint32_t index);
bool cpu_idle(uint32_t index);
struct cpu *cpu_of(uint32_t index);

void delay(uint64_t ticks);

/* Wait until a count has come so far, or for long enough that it never will. */
bool wait_count(const uint64_t *count, uint64_t wanted);

/* --- the local APIC, xAPIC or x2APIC --- */

#define APIC_ID 0x20u
#define APIC_EOI 0xb0u
#define APIC_LDR 0xd0u
#define APIC_DFR 0xe0u
#define APIC_SVR 0xf0u
#define APIC_ICR 0x300u
#define APIC_ICR2 0x310u
#define APIC_TIMER 0x320u
#define APIC_TIMER_COUNT 0x380u
#define APIC_TIMER_NOW 0x390u
#define APIC_TIMER_DIVIDE 0x3e0u

#define ICR_SMI 0x200u
#define ICR_NMI 0x400u
#define ICR_INIT 0x500u
#define ICR_START 0x600u
#define ICR_LOGICAL 0x800u
#define ICR_ASSERT 0x4000u
#define ICR_SELF 0x40000u
#define ICR_ALL 0x80000u
#define ICR_OTHERS 0xc0000u

#define APIC_PAGE 0xfee00000ull

uint32_t apic_read(uint32_t offset);
void apic_write(uint32_t offset, uint32_t v);
void apic_icr(uint32_t destination, uint32_t low);
bool apic_x2(void);
void apic_timer(bool periodic, uint32_t count);
void apic_timer_stop(void); /* with interrupts off; what is pending comes in */

/* Write four bytes; the exception, or 0. */
uint32_t try_store(uint64_t at, uint32_t v);

/* --- calls --- */

/* VTL0's half of struct shared, of this CPU. */
struct shared *shared(void);

/**
 * vtl1() - give VTL1 a command
 * @command: which
 * @a: its arguments
 * @b: second
 * @c: third
 *
 * Return: its result; ~0 when the call failed, see caught().
 */
uint64_t vtl1(enum command command, uint64_t a, uint64_t b, uint64_t c);

/* Let VTL1 know this CPU; once VTL1 is enabled on it. */
void vtl1_attach(void);

/* A VTL call with a control word; the exception, or 0. Without the page: VMMCALL itself. */
uint32_t vtl_call(uint64_t control);
uint32_t vmmcall(uint64_t rcx, uint64_t rax);

/* What VTL1 does with the next intercepts. */
void plan(enum action action, uint64_t value);

/* Give VTL0 access to pages; the status. */
uint64_t protect(void *page, uint64_t count, uint32_t access);
/* Write a VSM register of VTL1's from VTL1; the status. */
uint64_t vtl1_set_register(uint32_t name, uint8_t vtl, uint64_t low, uint64_t high);
uint64_t vtl1_get_register(uint32_t name, uint8_t vtl);
/* What VTL1 has configured, beside protection. */
void partition_config(uint64_t more);
/* The control of intercepts, on this CPU. */
void intercepts(uint64_t control);

/**
 * pattern_call() - a VTL call with all general registers loaded
 * @in: sixteen registers, RSP is not loaded
 * @out: set to what they are afterwards
 */
void pattern_call(const uint64_t *in, uint64_t *out);
/* The same around a store to pattern_page. */
void pattern_store(const uint64_t *in, uint64_t *out);
extern uint8_t pattern_page[];

/* Run code in user mode; its exception. */
uint32_t user_run(uint64_t at);
uint32_t user_run_copy(const void *code);

/* What neither level 0 nor its devices shall see. */
struct range {
	uint64_t start;
	uint64_t end;
};

#define CLOSED_MAX 16u
extern struct range closed[CLOSED_MAX];
extern uint32_t closed_count;

/* 8 MiB of RAM, aligned to 2 MiB, in which nothing else lies; user mode has it too. */
#define ARENA 0x2000000ull
#define ARENA_PAGES 2048u
#define USER_CODE (ARENA + 0x7f0000)
#define USER_STACK (ARENA + 0x800000)

/* Pages of a test's own. */
extern uint8_t scratch[16][PAGE_SIZE];

/* A 4 KiB mapping of the guest's own: where a physical page is seen, with these bits of its entry. */
#define PTE_PRESENT BIT(0)
#define PTE_WRITE BIT(1)
#define PTE_USER BIT(2)
#define PTE_NX BIT(63)
#define PORT_MARK 0x2f8u /* the hypervisor prints its counters */
#define WINDOW 0x8000000000ull
uint64_t window(uint32_t slot, uint64_t gpa, uint64_t bits);
uint64_t *window_entry(uint32_t slot);

/* --- pieces of code that tests execute; each ends by RET or by the exception --- */
extern const uint8_t code_return[]; /* RET */
extern const uint8_t code_user[]; /* INT3 */
extern const uint8_t code_user_call[]; /* VMMCALL of a VTL call */
extern const uint8_t code_user_syscall[];
extern const uint8_t code_user_unaligned[]; /* a load, with RFLAGS.AC */
extern const uint8_t code_write_cr4[]; /* a MOV of RAX, again and again */
#define CODE_SIZE 64u

#endif /* GUEST_VTL0_H */
