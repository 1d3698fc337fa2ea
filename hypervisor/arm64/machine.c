// SPDX-License-Identifier: GPL-2.0-only
/* The console, a PL011 that the guest uses as well, the TLBs and caches, and the machine's end. */
#include "cpu.h"
#include "machine.h"
#include "stage2.h"

#define UART 0x09000000ull
#define UART_DR 0x00u
#define UART_FR 0x18u
#define FR_TXFF BIT(5)

/* More pages than that are flushed by flushing all. */
#define FLUSH_PAGES 64u

static enum exit_code failing = EXIT_PANIC;

void console_put(char c)
{
	while (mmio_read(UART + UART_FR) & FR_TXFF)
		spin_wait();
	mmio_write(UART + UART_DR, (uint8_t)c);
}

void machine_exit(uint32_t code)
{
	/* On a line of its own, wherever the guest has stopped. */
	console_last("\r\nhypervisor: exit %u", code);
	firmware(PSCI_SYSTEM_OFF, 0, 0, 0);
	while (true)
		wait_interrupt();
}

void machine_fails_as(enum exit_code code)
{
	failing = code;
}

void machine_fail(void)
{
	machine_exit(failing);
}

void machine_clean(uint64_t start, uint64_t size)
{
	uint64_t line = 4ull << (read_sysreg("ctr_el0") >> 16 & 0xf);

	for (uint64_t at = align_down(start, line); at < start + size; at += line)
		__asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish; ic ialluis; dsb ish; isb" : : : "memory");
}

void stage2_publish(void)
{
	__asm__ volatile("dsb ishst; isb" : : : "memory");
}

static void invalidate(uint64_t address)
{
	__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(address >> PAGE_SHIFT) : "memory");
}

/* What both stages gave together is kept by virtual address, of which nothing is known here. */
static void finish(void)
{
	__asm__ volatile("dsb ish; tlbi vmalle1is; dsb ish; isb" : : : "memory");
}

void stage2_flush_entry(uint64_t address)
{
	__asm__ volatile("dsb ishst" : : : "memory");
	invalidate(address);
	finish();
}

void stage2_flush(uint64_t start, uint64_t size)
{
	__asm__ volatile("dsb ishst" : : : "memory");
	if (size > FLUSH_PAGES * PAGE_SIZE) {
		__asm__ volatile("tlbi vmalls12e1is; dsb ish; isb" : : : "memory");
		return;
	}
	for (uint64_t at = start; at < start + size; at += PAGE_SIZE)
		invalidate(at);
	finish();
}
