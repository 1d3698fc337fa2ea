// SPDX-License-Identifier: GPL-2.0-only
/* Descriptor tables of a test guest, and what becomes of its exceptions. */
#include "machine.h"
#include "traps.h"

struct gate {
	uint16_t low;
	uint16_t selector;
	uint16_t flags;
	uint16_t middle;
	uint32_t high;
	uint32_t reserved;
};

struct fixup {
	int32_t from;
	int32_t to;
};

extern const uint8_t trap_entries[];
extern const uint8_t user_leave[];
extern const struct fixup fixups_start[];
extern const struct fixup fixups_end[];

static struct gate idt[256];

#define GATE_KERNEL 0x8e00u
#define GATE_ALL 0xee00u /* INT3 from user mode */

void *memcpy(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint8_t *t = to;

	while (n--)
		*t++ = (uint8_t)c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (; n--; x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void traps_gate(uint32_t vector, uint64_t to)
{
	idt[vector] = (struct gate){
		.low = (uint16_t)to,
		.selector = 8,
		.flags = vector == VECTOR_BP ? GATE_ALL : GATE_KERNEL,
		.middle = (uint16_t)(to >> 16),
		.high = (uint32_t)(to >> 32),
	};
}

struct table_pointer traps_idt(void)
{
	return (struct table_pointer){ sizeof(idt) - 1, (uint64_t)idt };
}

/* The descriptor of the task, 16 bytes, at 0x28. */
static void set_task(struct cpu *cpu)
{
	uint64_t base = (uint64_t)cpu->tss;

	cpu->gdt[5] = (sizeof(cpu->tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
		      (base >> 24 & 0xff) << 56;
	cpu->gdt[6] = base >> 32;
}

void traps_init(struct cpu *cpu)
{
	const struct table_pointer gdt = { sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt };
	const struct table_pointer pointer = traps_idt();

	for (uint32_t i = 0; i < ARRAY_SIZE(idt); i++)
		traps_gate(i, (uint64_t)trap_entries + i * 16);
	cpu->magic = CPU_MAGIC;
	cpu->gdt[1] = 0x00af9b000000ffff;
	cpu->gdt[2] = 0x00cf93000000ffff;
	cpu->gdt[3] = 0x00cff3000000ffff;
	cpu->gdt[4] = 0x00affb000000ffff;
	cpu->gdt[7] = 0x00cf93000000ffff;
	cpu->gdt[8] = 0x0000820000000000; /* a local descriptor table without entries */
	set_task(cpu);
	__asm__ volatile("lgdt %0\n"
			 "push $8\n"
			 "lea 1f(%%rip), %%rax\n"
			 "push %%rax\n"
			 "lretq\n"
			 "1: mov %1, %%ds\n"
			 "mov %1, %%es\n"
			 "mov %1, %%ss\n"
			 "lidt %2\n"
			 "ltr %w3\n"
			 :
			 : "m"(gdt), "r"(0x10), "m"(pointer), "r"(0x28)
			 : "rax", "memory");
}

static bool fix(uint64_t *rip)
{
	for (const struct fixup *f = fixups_start; f < fixups_end; f++) {
		if ((uint64_t)&f->from + (uint64_t)(int64_t)f->from != *rip)
			continue;
		*rip = (uint64_t)&f->to + (uint64_t)(int64_t)f->to;
		return true;
	}
	return false;
}

/* The address behind the call of try_call(), when that is what the stack holds. */
static bool fix_call(struct trap_frame *f)
{
	uint64_t back = *(const uint64_t *)f->rsp;

	for (const struct fixup *x = fixups_start; x < fixups_end; x++) {
		if ((uint64_t)&x->to + (uint64_t)(int64_t)x->to != back)
			continue;
		f->rip = back;
		f->rsp += 8;
		return true;
	}
	return false;
}

static void record(struct cpu *cpu, const struct trap_frame *f)
{
	cpu->fault = (struct fault){ (uint32_t)f->vector, f->code, read_cr2(), f->rip };
}

/* User code ends here: as if user_enter() returned. */
static void leave_user(struct cpu *cpu, struct trap_frame *f)
{
	record(cpu, f);
	f->rip = (uint64_t)user_leave;
	f->cs = 8;
	f->ss = 0x10;
	memcpy(&f->rsp, &cpu->tss[1], sizeof(f->rsp));
	f->rflags = 2;
}

void trap(struct trap_frame *f)
{
	struct cpu *cpu = this_cpu();

	cpu->count[f->vector]++;
	if (f->vector >= 32 || f->vector == VECTOR_NMI) {
		trap_interrupt(f);
	} else if (f->cs & 3) {
		leave_user(cpu, f);
	} else {
		record(cpu, f);
		if (!fix(&f->rip) && !fix_call(f))
			trap_unexpected(f);
	}
}
