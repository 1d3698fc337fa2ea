// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hypervisor for arm64 costs a guest at EL1: instructions of an exit and of what is asked for,
 * counted by a virtual counter that advances by instructions (QEMU's -icount shift=0).
 */
#include <stdint.h>

#include "encoding.h"

#define UART 0x09000000ul
#define VIRTIO 0x0a000000ul
#define AREA 0x48800000ul
#define BLOCK 0x200000ul
#define PAGE 0x1000ul
#define ROUNDS 1000u
#define PAGES 256u /* of one entry */
#define BLOCKS 32u

#define RIGHT_READ 1ul

/* As the assembly of the test guest wants it. */
uint64_t attempt(uint64_t (*f)(uint64_t), uint64_t argument);
uint64_t smc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);
uint64_t call_exit(uint64_t code);
uint64_t call_protect(uint64_t start, uint64_t size, uint64_t rights);
uint64_t read_word(uint64_t at);
uint64_t write_word(uint64_t at);
void guest_main(void);
void second_main(void);
void take_interrupt(void);

static uint64_t failures;

static void put(char c)
{
	*(volatile uint32_t *)UART = (uint8_t)c;
}

static void print(const char *s)
{
	for (; *s; s++)
		put(*s);
}

static void print_number(uint64_t n)
{
	char digits[20];
	uint32_t i = 0;

	do {
		digits[i++] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	while (i)
		put(digits[--i]);
}

static uint64_t now(void)
{
	uint64_t count;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count) : : "memory");
	return count;
}

static uint64_t per_tick(void)
{
	uint64_t frequency;

	__asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
	return 1000000000 / frequency;
}

static __attribute__((noinline)) uint64_t nothing(uint64_t i)
{
	__asm__ volatile("" : : "r"(i));
	return 0;
}

/* The shortest call: a range of no bytes is refused. */
static uint64_t hvc(uint64_t i)
{
	(void)i;
	return call_protect(AREA, 0, RIGHT_READ) != 1;
}

static uint64_t firmware(uint64_t i)
{
	(void)i;
	return smc(PSCI_VERSION, 0, 0, 0) != PSCI_1_1;
}

static uint64_t protect_page(uint64_t i)
{
	return call_protect(AREA + (i + 1) * PAGE, PAGE, RIGHT_READ);
}

/* An entry of 2 MiB is split for it. */
static uint64_t protect_first(uint64_t i)
{
	return call_protect(AREA + i * BLOCK, PAGE, RIGHT_READ);
}

static uint64_t closed_device(uint64_t i)
{
	(void)i;
	return read_word(VIRTIO);
}

/* With the way back from the guest's vectors. */
static uint64_t denied_write(uint64_t i)
{
	(void)i;
	return !attempt(write_word, AREA);
}

/* Instructions of N calls, as they are. */
static uint64_t spend(uint64_t (*f)(uint64_t), uint32_t n)
{
	uint64_t start = now();

	for (uint32_t i = 0; i < n; i++)
		failures += f(i);
	return (now() - start) * per_tick();
}

static void measure(const char *name, uint64_t (*f)(uint64_t), uint32_t n)
{
	uint64_t tenths = (spend(f, n) - spend(nothing, n)) * 10 / n;

	print("bench ");
	print(name);
	print(" instructions ");
	print_number(tenths / 10);
	put('.');
	print_number(tenths % 10);
	put('\n');
}

void second_main(void)
{
	call_exit(2);
}

void take_interrupt(void)
{
	call_exit(3);
}

void guest_main(void)
{
	measure("hvc_exit", hvc, ROUNDS);
	measure("smc_exit", firmware, ROUNDS);
	measure("protect_page_of_2_mib", protect_first, BLOCKS);
	measure("protect_page", protect_page, PAGES);
	measure("closed_device_read", closed_device, ROUNDS);
	measure("denied_write", denied_write, ROUNDS);
	call_exit(failures ? 1 : 0);
}
