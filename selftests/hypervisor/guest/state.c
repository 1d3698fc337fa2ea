// SPDX-License-Identifier: GPL-2.0-only
/* Registers by number, so that tests can go through them in a table. */
#include "shared.h"

/* IOPL, AC and ID: what compiled code does not change. */
#define RFLAGS_KEPT 0x243000ull

#define GET(insn) __asm__ volatile(insn : "=r"(v))
#define SET(insn) __asm__ volatile(CATCH(insn) : : "r"(v) : "memory")

static uint64_t get_segment(enum state state)
{
	uint64_t v = 0;

	switch (state) {
	case STATE_CS:
		GET("mov %%cs, %0");
		break;
	case STATE_DS:
		GET("mov %%ds, %0");
		break;
	case STATE_ES:
		GET("mov %%es, %0");
		break;
	case STATE_FS:
		GET("mov %%fs, %0");
		break;
	case STATE_GS:
		GET("mov %%gs, %0");
		break;
	case STATE_SS:
		GET("mov %%ss, %0");
		break;
	case STATE_TR:
		GET("str %0");
		break;
	default:
		GET("sldt %0");
	}
	return v & 0xffff;
}

static uint64_t get_table(enum state state)
{
	struct table_pointer p;

	if (state == STATE_GDTR)
		__asm__ volatile("sgdt %0" : "=m"(p));
	else
		__asm__ volatile("sidt %0" : "=m"(p));
	return p.base;
}

static uint64_t get_xcr0(void)
{
	uint32_t low = 0;
	uint32_t high = 0;

	catch_start();
	__asm__ volatile(CATCH("xgetbv") : "+a"(low), "+d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

uint64_t state_get(enum state state)
{
	uint64_t v = 0;

	switch (state) {
	case STATE_CR0:
		return read_cr0();
	case STATE_CR2:
		return read_cr2();
	case STATE_CR3:
		return read_cr3();
	case STATE_CR4:
		return read_cr4();
	case STATE_DR0:
		GET("mov %%dr0, %0");
		return v;
	case STATE_DR1:
		GET("mov %%dr1, %0");
		return v;
	case STATE_DR2:
		GET("mov %%dr2, %0");
		return v;
	case STATE_DR3:
		GET("mov %%dr3, %0");
		return v;
	case STATE_DR6:
		GET("mov %%dr6, %0");
		return v;
	case STATE_DR7:
		GET("mov %%dr7, %0");
		return v;
	case STATE_XCR0:
		return get_xcr0();
	case STATE_CR8:
		GET("mov %%cr8, %0");
		return v;
	case STATE_RFLAGS:
		GET("pushf; pop %0");
		return v & RFLAGS_KEPT;
	case STATE_GDTR:
	case STATE_IDTR:
		return get_table(state);
	default:
		return get_segment(state);
	}
}

static void set_segment(enum state state, uint64_t v)
{
	switch (state) {
	case STATE_DS:
		SET("mov %0, %%ds");
		break;
	case STATE_ES:
		SET("mov %0, %%es");
		break;
	case STATE_FS:
		SET("mov %0, %%fs");
		break;
	case STATE_GS:
		SET("mov %0, %%gs");
		break;
	default:
		SET("lldt %w0");
	}
}

static void set_debug(enum state state, uint64_t v)
{
	switch (state) {
	case STATE_DR0:
		SET("mov %0, %%dr0");
		break;
	case STATE_DR1:
		SET("mov %0, %%dr1");
		break;
	case STATE_DR2:
		SET("mov %0, %%dr2");
		break;
	case STATE_DR3:
		SET("mov %0, %%dr3");
		break;
	case STATE_DR6:
		SET("mov %0, %%dr6");
		break;
	default:
		SET("mov %0, %%dr7");
	}
}

uint32_t state_set(enum state state, uint64_t v)
{
	catch_start();
	switch (state) {
	case STATE_CR0:
		return try_write_cr0(v);
	case STATE_CR2:
		write_cr2(v);
		return 0;
	case STATE_CR3:
		SET("mov %0, %%cr3");
		break;
	case STATE_CR4:
		return try_write_cr4(v);
	case STATE_XCR0:
		__asm__ volatile(CATCH("xsetbv") : : "a"((uint32_t)v), "d"(v >> 32), "c"(0));
		break;
	case STATE_CR8:
		SET("mov %0, %%cr8");
		break;
	case STATE_RFLAGS:
		__asm__ volatile("push %0; popf" : : "r"(v) : "memory", "cc");
		break;
	case STATE_DR0 ... STATE_DR7:
		set_debug(state, v);
		break;
	default:
		set_segment(state, v);
	}
	return caught();
}

/* --- x87, SSE, AVX --- */

#define AVX_OFFSET 576u
#define SSE_OFFSET 160u
#define X87_OFFSET 32u
#define HEADER_OFFSET 512u

static uint32_t extended_mask;

void extended_init(void)
{
	uint32_t known = cpuid(0xd, 0).eax;

	extended_mask = known & EXTENDED_MASK;
	try_write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXSAVE);
	try_write_cr0((read_cr0() | CR0_MP) & ~(CR0_TS | BIT(2)));
	state_set(STATE_XCR0, extended_mask);
}

void extended_save(void *to)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(to), "a"(extended_mask), "d"(0) : "memory");
}

/*
 * The x87 registers one by one: where QEMU's CPUs have a thread each (up to 10.0 at least), an
 * instruction that loads the x87 status word, on any CPU, may undo what the first CPU does to its state
 * at that moment as it enters or leaves a guest, which then runs in the hypervisor's own state.
 */
static void x87_load(const uint8_t *image)
{
	__asm__ volatile("fninit");
	for (uint32_t i = 8; i--;)
		__asm__ volatile("fldt (%0)" : : "r"(image + X87_OFFSET + i * 16) : "memory");
}

void extended_load(const void *from)
{
	x87_load(from);
	__asm__ volatile("xrstor64 (%0)" : : "r"(from), "a"(extended_mask & ~1u), "d"(0) : "memory");
}

/* Eight x87 registers of 10 bytes, sixteen of 16 bytes, their sixteen upper halves. */
static uint64_t *part(uint8_t *image, uint32_t i)
{
	if (i < 8)
		return (uint64_t *)(image + X87_OFFSET + i * 16);
	if (i < 40)
		return (uint64_t *)(image + SSE_OFFSET) + (i - 8);
	return (uint64_t *)(image + AVX_OFFSET) + (i - 40);
}

static uint32_t parts(void)
{
	return extended_mask & 4 ? 72 : 40;
}

void extended_pattern(void *image, uint64_t seed)
{
	uint8_t *bytes = image;

	memset(image, 0, AVX_OFFSET);
	*(uint16_t *)bytes = 0x37f; /* x87 control word */
	*(uint8_t *)(bytes + 4) = 0xff; /* no x87 register is empty */
	*(uint32_t *)(bytes + 24) = 0x1f80;
	*(uint64_t *)(bytes + HEADER_OFFSET) = extended_mask;
	for (uint32_t i = 0; i < parts(); i++) {
		*part(bytes, i) = mix(seed, 100 + i);
		if (i < 8) /* a normal number */
			*part(bytes, i) |= BIT(63);
		if (i < 8)
			part(bytes, i)[1] = 0x3fff;
	}
}

bool extended_is(const void *image, uint64_t seed)
{
	for (uint32_t i = 0; i < parts(); i++) {
		uint64_t v = *part((uint8_t *)image, i);

		if (v != (mix(seed, 100 + i) | (i < 8 ? BIT(63) : 0)))
			return false;
	}
	return true;
}
