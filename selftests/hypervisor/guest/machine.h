/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both test guests know of the processor: registers, ports, and instructions whose exception is
 * caught. The stack of a CPU is aligned to its size, and what the CPU owns lies at its lower end.
 */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#include "../instructions.h"

#define PAGE_SIZE 4096ull
#define LARGE_SIZE 0x200000ull
#define STACK_SIZE 16384ull
#define CPUS_MAX 4u

#define VECTOR_DB 1u
#define VECTOR_NMI 2u
#define VECTOR_BP 3u
#define VECTOR_UD 6u
#define VECTOR_GP 13u
#define VECTOR_PF 14u
#define VECTOR_AC 17u
#define VECTOR_TIMER 0x40u
#define VECTOR_SINT 0xf3u

#define CR0_MP BIT(1)
#define CR0_TS BIT(3)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR4_PCE BIT(8)
#define CR4_TSD BIT(2)
#define CR4_PAE BIT(5)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define RFLAGS_IF BIT(9)

#define MSR_APIC_BASE 0x1bu
#define MSR_TSC 0x10u
#define MSR_MISC_ENABLE 0x1a0u
#define MSR_SYSENTER_CS 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u
#define MSR_PAT 0x277u
#define MSR_X2APIC 0x800u
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_SFMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX 0xc0000103u
#define MSR_SYSCFG 0xc0010010u
#define MSR_VM_CR 0xc0010114u
#define MSR_VM_HSAVE_PA 0xc0010117u

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_NXE BIT(11)
#define EFER_SVME BIT(12)

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* In the order in which trap_entry pushes them. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, code, rip, cs, rflags, rsp, ss;
};

/* The exception that the last caught instruction took; vector 0 stands for none. */
struct fault {
	uint32_t vector;
	uint64_t code;
	uint64_t cr2;
	uint64_t rip;
};

/* What is at the lower end of a CPU's stack, for both levels. */
struct cpu {
	uint64_t magic;
	uint32_t index;
	struct fault fault;
	uint64_t count[256]; /* interrupts, by vector */
	uint64_t gdt[10];
	uint32_t tss[26]; /* [1] and [2]: the stack that exceptions of user code come to */
};

#define CPU_MAGIC 0x7570632d74736574ull

static inline struct cpu *this_cpu(void)
{
	uint64_t at;

	__asm__ volatile("mov %%rsp, %0" : "=r"(at));
	return (struct cpu *)(at & ~(STACK_SIZE - 1));
}

/* An instruction whose exception ends it; caught() tells which one it was. */
#define CATCH(insn) \
	"1: " insn "\n2:\n.pushsection .fixups, \"a\"\n.balign 4\n.long 1b - ., 2b - .\n.popsection\n"

static inline void catch_start(void)
{
	this_cpu()->fault.vector = 0;
}

static inline uint32_t caught(void)
{
	return ((volatile struct cpu *)this_cpu())->fault.vector;
}

static inline uint32_t try_read(uint64_t at, uint64_t *v)
{
	uint64_t got = 0;

	catch_start();
	__asm__ volatile(CATCH("mov (%1), %0") : "+r"(got) : "r"(at) : "memory");
	*v = got;
	return caught();
}

/* An instruction of 3 bytes. */
static inline uint32_t try_write(uint64_t at, uint64_t v)
{
	catch_start();
	__asm__ volatile(CATCH("mov %0, (%1)") : : "S"(v), "D"(at) : "memory");
	return caught();
}

/* A fetch that fails is caught at the call: trap() looks for the return address. */
static inline uint32_t try_call(uint64_t at)
{
	catch_start();
	__asm__ volatile(CATCH("call *%0") : "+r"(at) : : "rax", "rcx", "rdx", "memory", "cc");
	return caught();
}

static inline uint32_t try_rdmsr(uint32_t msr, uint64_t *v)
{
	uint32_t low = 0;
	uint32_t high = 0;

	catch_start();
	__asm__ volatile(CATCH("rdmsr") : "+a"(low), "+d"(high) : "c"(msr) : "memory");
	*v = (uint64_t)high << 32 | low;
	return caught();
}

static inline uint32_t try_wrmsr(uint32_t msr, uint64_t v)
{
	catch_start();
	__asm__ volatile(CATCH("wrmsr") : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
	return caught();
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint64_t v;

	try_rdmsr(msr, &v);
	return v;
}

static inline uint32_t try_write_cr0(uint64_t v)
{
	catch_start();
	__asm__ volatile(CATCH("mov %0, %%cr0") : : "a"(v) : "memory");
	return caught();
}

static inline uint32_t try_write_cr4(uint64_t v)
{
	catch_start();
	__asm__ volatile(CATCH("mov %0, %%cr4") : : "a"(v) : "memory");
	return caught();
}

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/**
 * traps_init() - give the CPU its descriptor tables
 * @cpu: at the lower end of its stack
 *
 * Selectors: 0x08 code, 0x10 data, 0x18 data of user mode, 0x20 its code, 0x28 the task, 0x38 data.
 */
void traps_init(struct cpu *cpu);

/* Patterns: a number that stands for @seed and @i. */
static inline uint64_t mix(uint64_t seed, uint64_t i)
{
	uint64_t v = (seed + 1) * 0x9e3779b97f4a7c15ull + i * 0xd1b54a32d192ed03ull;

	v ^= v >> 29;
	v *= 0xbf58476d1ce4e5b9ull;
	return v ^ v >> 32;
}

#endif /* GUEST_MACHINE_H */
