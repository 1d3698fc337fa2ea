// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's own exceptions, stacks and page tables, on the CPUs of the machine. */
#include "console.h"
#include "asm.h"
#include "start.h"

#define PTE_PRESENT BIT(0)
#define PTE_WRITE BIT(1)
#define PTE_USED (BIT(5) | BIT(6))
#define PTE_LARGE BIT(7)
#define PTE_NX BIT(63)
#define PTE_DATA (PTE_PRESENT | PTE_WRITE | PTE_USED | PTE_NX)

#define GATE_PRESENT 0x8e00u
#define ENTRY_SIZE 16u
#define STACK_PAGES 5u /* the lowest is never mapped */
#define TABLES 2u      /* page tables: the image ends below 2 MiB times this */

extern uint8_t image_start[];
extern uint8_t text_end[];
extern uint8_t rodata_end[];
extern uint8_t image_end[];
extern uint64_t boot_pml4[];
extern uint64_t boot_pdpt[];
extern const uint8_t exception_entries[];
void nmi_entry(void);
void host_exception(uint64_t vector, uint64_t code, uint64_t rip, uint64_t address);

struct gate {
	uint16_t low;
	uint16_t selector;
	uint16_t flags;
	uint16_t middle;
	uint32_t high;
	uint32_t reserved;
};

static struct gate idt[32];
static uint64_t directory[512] __attribute__((aligned(4096)));
static uint64_t tables[TABLES][512] __attribute__((aligned(4096)));
static uint8_t stacks[VPS_MAX][STACK_PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
static bool made;

void host_exception(uint64_t vector, uint64_t code, uint64_t rip, uint64_t address)
{
	panic("exception %lu, code %lx, at %lx, CR2 %lx", vector, code, rip, address);
}

uint64_t host_stack(uint32_t vp)
{
	return (uint64_t)stacks[vp] + sizeof(stacks[vp]);
}

static void set_gate(uint32_t vector, uint64_t to)
{
	idt[vector] = (struct gate){
		.low = (uint16_t)to,
		.selector = SELECTOR_CODE,
		.flags = GATE_PRESENT,
		.middle = (uint16_t)(to >> 16),
		.high = (uint32_t)(to >> 32),
	};
}

static bool is_guard(uint64_t at)
{
	uint64_t offset = at - (uint64_t)stacks;

	return offset < sizeof(stacks) && offset % sizeof(stacks[0]) < PAGE_SIZE;
}

static uint64_t page_entry(uint64_t at)
{
	if (at >= (uint64_t)image_start && at < (uint64_t)text_end)
		return at | PTE_PRESENT | PTE_USED;
	if (at >= (uint64_t)text_end && at < (uint64_t)rodata_end)
		return at | PTE_PRESENT | PTE_USED | PTE_NX;
	return is_guard(at) ? 0 : at | PTE_DATA;
}

/* Memory one to one; only the image has pages of its own. */
static void make_tables(void)
{
	if ((uint64_t)image_end > TABLES * LARGE_SIZE)
		panic("the image is too large");
	for (uint64_t i = 0; i < 512 * TABLES; i++)
		tables[i / 512][i % 512] = page_entry(i * PAGE_SIZE);
	for (uint64_t i = 0; i < 512; i++)
		directory[i] = i < TABLES ? (uint64_t)tables[i] | PTE_PRESENT | PTE_WRITE | PTE_USED :
					    (i * LARGE_SIZE) | PTE_DATA | PTE_LARGE;
	for (uint64_t i = 1; i < 512; i++)
		boot_pdpt[i] = (i * HUGE_SIZE) | PTE_DATA | PTE_LARGE;
	boot_pdpt[0] = (uint64_t)directory | PTE_PRESENT | PTE_WRITE | PTE_USED;
}

static void make_idt(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(idt); i++)
		set_gate(i, (uint64_t)exception_entries + i * ENTRY_SIZE);
	set_gate(2, (uint64_t)nmi_entry);
}

void host_init(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };

	if (!made) {
		make_tables();
		make_idt();
		made = true;
	}
	write_cr3((uint64_t)boot_pml4);
	__asm__ volatile("lidt %0" : : "m"(pointer));
}
