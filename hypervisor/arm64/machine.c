// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console, a PL011 that the guest uses as well, the TLBs and caches, and the machine's end.
 *
 * Trust boundary: at the end other CPUs still run the guest, which would like to say what the end was.
 * Locks: none at the end, since the CPU that ends may hold any.
 */
#include "vcpu.h"

#define UART 0x09000000ull
#define UART_DR 0x00u
#define UART_FR 0x18u
#define FR_TXFF BIT(5)
#define UART_CR 0x30u
#define CR_ON (BIT(0) | BIT(8) | BIT(9)) /* the UART, its transmitter, its receiver */

/* A character at 115200 baud takes 87 us; of a transmitter that is off none ever leaves. */
#define PUT_TRIES 20000u

/* More pages than that are flushed by flushing all. */
#define FLUSH_PAGES 64u

/* As long as a line takes on a slow line, and more. */
#define CONSOLE_TRIES 50000000u

static enum exit_code failing = EXIT_PANIC;
uint64_t machine_ender;

void machine_park(void)
{
	while (true)
		wait_interrupt();
}

static bool ends_elsewhere(void)
{
	uint64_t by = load_acquire(machine_ender);

	return by && by != read_sysreg("mpidr_el1");
}

void console_put(char c)
{
	if (ends_elsewhere())
		return;
	for (uint32_t i = 0; mmio_read(UART + UART_FR) & FR_TXFF && i < PUT_TRIES; i++)
		spin_wait();
	mmio_write(UART + UART_DR, (uint8_t)c);
}

void machine_ends(void)
{
	uint64_t none = 0;

	__atomic_compare_exchange_n(&machine_ender, &none, read_sysreg("mpidr_el1"), false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	if (ends_elsewhere())
		machine_park();
	/* The guest's way to the console, then what goes there on its behalf. */
	if (partition.stage2.root)
		stage2_close(&partition.stage2, UART);
	console_wait(CONSOLE_TRIES);
}

void machine_exit(uint32_t code)
{
	machine_ends();
	/* The guest may have turned it off. */
	mmio_write(UART + UART_CR, CR_ON);
	/* On a line of its own, wherever the guest has stopped. */
	console_last("\r\nhypervisor: exit %u", code);
	firmware(PSCI_SYSTEM_OFF, 0, 0, 0);
	machine_park();
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
