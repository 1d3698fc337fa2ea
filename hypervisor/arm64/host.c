// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hypervisor's own page tables, stacks and exceptions.  Nothing is both writable and executable;
 * only memory that is there is mapped; below each stack a page is not.
 */
#include "cpu.h"
#include "machine.h"

#define ENTRIES 512u
#define LEVELS 3u
#define TABLES 64u
#define UART_BLOCK 0x09000000ull

#define NORMAL (S1_ATTR_NORMAL | S1_SH_INNER | S1_AP_RES1 | S1_AF)
#define TEXT (NORMAL | S1_READ_ONLY)
#define RODATA (NORMAL | S1_READ_ONLY | S1_XN)
#define DATA (NORMAL | S1_XN)
#define DEVICE (S1_AP_RES1 | S1_AF | S1_XN)
#define ADDRESS S2_ADDRESS

extern uint8_t image_start[];
extern uint8_t text_end[];
extern uint8_t rodata_end[];
extern uint8_t image_end[];

void host_tables(uint64_t tree);
_Noreturn void host_exception(uint64_t vector, uint64_t esr, uint64_t pc, uint64_t address);

uint64_t host_root[ENTRIES] __attribute__((aligned(4096)));
uint8_t host_stacks[CPUS_MAX][STACK_SIZE] __attribute__((aligned(4096)));
uint8_t emergency_stack[EMERGENCY_SIZE] __attribute__((aligned(4096)));

static uint64_t tables[TABLES][ENTRIES] __attribute__((aligned(4096)));
static uint32_t used;

void host_exception(uint64_t vector, uint64_t esr, uint64_t pc, uint64_t address)
{
	panic("exception %lu, ESR 0x%lx, at 0x%lx, FAR 0x%lx", vector, esr, pc, address);
}

/* The table that an entry points to, made when there is none. */
static uint64_t *descend(uint64_t *entry)
{
	if (!(*entry & S1_VALID)) {
		if (used == TABLES)
			panic("more than %u tables for the hypervisor's own memory", TABLES);
		*entry = (uint64_t)tables[used++] | S1_TABLE;
	}
	return (uint64_t *)(*entry & ADDRESS);
}

static bool is_table(uint64_t entry, uint32_t level)
{
	return level < LEVELS && (entry & S1_TABLE) == S1_TABLE;
}

/* An entry as large as fits, unless there is one; how many bytes it is for. */
static uint64_t map_one(uint64_t at, uint64_t rest, uint64_t bits)
{
	uint64_t *table = host_root;

	for (uint32_t level = 1;; level++) {
		uint32_t shift = PAGE_SHIFT + 9 * (LEVELS - level);
		uint64_t *entry = &table[at >> shift & (ENTRIES - 1)];
		uint64_t size = 1ull << shift;
		uint64_t left = size - (at & (size - 1));

		if (!is_table(*entry, level)) {
			if (*entry & S1_VALID)
				return min_u64(left, rest);
			if (left == size && rest >= size) {
				*entry = at | bits | (level == LEVELS ? S1_PAGE : S1_BLOCK);
				return size;
			}
		}
		table = descend(entry);
	}
}

static void map(uint64_t start, uint64_t end, uint64_t bits)
{
	while (start < end)
		start += map_one(start, end - start, bits);
}

/* Called with the MMU off. @tree is the device tree's address, 0 when it is at the start of RAM. */
void host_tables(uint64_t tree)
{
	uint64_t stacks = (uint64_t)host_stacks;

	tree = tree ? tree : RAM_START;
	map((uint64_t)image_start, (uint64_t)text_end, TEXT);
	map((uint64_t)text_end, (uint64_t)rodata_end, RODATA);
	map((uint64_t)rodata_end, stacks, DATA);
	for (uint32_t i = 0; i < CPUS_MAX; i++)
		map(stacks + i * STACK_SIZE + PAGE_SIZE, stacks + (i + 1) * STACK_SIZE, DATA);
	map(stacks + sizeof(host_stacks), HYPERVISOR_END, DATA);
	map(align_down(tree, LARGE_SIZE), align_up(tree + LARGE_SIZE, LARGE_SIZE), DATA);
	map(UART_BLOCK, UART_BLOCK + PAGE_SIZE, DEVICE);
}

/* Guard pages stay unmapped: the hypervisor's memory is not among the RAM. */
void host_map_ram(const struct memory_map *ram)
{
	for (uint32_t i = 0; i < ram->n; i++)
		if (ram->ranges[i].kind == MEMORY_RAM)
			map(ram->ranges[i].start, ram->ranges[i].end, DATA);
	__asm__ volatile("dsb ishst; isb" : : : "memory");
}
