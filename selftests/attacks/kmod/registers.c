// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on registers that say what the processor lets the kernel do, and where it enters it.  A bit
 * is changed, looked at and put back with interrupts off.
 */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include <hyperv/registers.h>

#include "attacks.h"

/**
 * struct changed - bits of a register
 * @number: of a model-specific register
 * @bits:   to change
 */
struct changed {
	u32 number;
	u64 bits;
};

static int msr_run(const struct attack *attack, struct result *result)
{
	const struct changed *changed = attack->data;
	unsigned long flags;
	u64 old, now;

	result->address = changed->number;
	if (rdmsrl_safe(changed->number, &old))
		return -ENODEV;
	local_irq_save(flags);
	result->error = wrmsrl_safe(changed->number, old ^ changed->bits);
	rdmsrl_safe(changed->number, &now);
	result->effect = now != old;
	if (result->effect)
		wrmsrl_safe(changed->number, old);
	local_irq_restore(flags);
	if (result->error)
		result->error = -EFAULT;
	return 0;
}

/*
 * Without NXE the tables' NX bits are reserved: no memory may be touched until it is back, but what
 * the processor remembers.
 */
static int efer_run(const struct attack *attack, struct result *result)
{
	u32 low, high, now;
	unsigned long flags;
	int error = 0;

	result->address = MSR_EFER;
	local_irq_save(flags);
	rdmsr(MSR_EFER, low, high);
	asm volatile("1: wrmsr\n\t"
		     "rdmsr\n\t"
		     "mov %%eax, %1\n\t"
		     "mov %4, %%eax\n\t"
		     "wrmsr\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		     : "+r"(error), "=&r"(now)
		     : "c"(MSR_EFER), "a"(low & ~EFER_NX), "r"(low), "d"(high));
	local_irq_restore(flags);
	result->error = error;
	result->effect = !error && !(now & EFER_NX);
	return 0;
}

static int set_cr0(unsigned long value)
{
	int error = 0;

	asm volatile("1: mov %1, %%cr0\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		     : "+r"(error) : "r"(value) : "memory");
	return error;
}

static int set_cr4(unsigned long value)
{
	int error = 0;

	asm volatile("1: mov %1, %%cr4\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		     : "+r"(error) : "r"(value) : "memory");
	return error;
}

static int cr0_run(const struct attack *attack, struct result *result)
{
	const struct changed *changed = attack->data;
	unsigned long flags, old;

	result->address = HV_REGISTER_CR0;
	local_irq_save(flags);
	old = native_read_cr0();
	result->error = set_cr0(old ^ changed->bits);
	result->effect = native_read_cr0() != old;
	if (result->effect)
		set_cr0(old);
	local_irq_restore(flags);
	return 0;
}

static int cr4_run(const struct attack *attack, struct result *result)
{
	const struct changed *changed = attack->data;
	unsigned long flags, old;

	result->address = HV_REGISTER_CR4;
	if (!(native_read_cr4() & changed->bits))
		return -ENODEV;
	local_irq_save(flags);
	old = native_read_cr4();
	result->error = set_cr4(old ^ changed->bits);
	result->effect = native_read_cr4() != old;
	if (result->effect)
		set_cr4(old);
	local_irq_restore(flags);
	return 0;
}

#define BITS(number, bits) (&(const struct changed){ number, bits })
#define MSR(case, number, bits) { case, msr_run, NULL, BITS(number, bits) }
#define CR0(case, bits) { case, cr0_run, NULL, BITS(0, bits) }
#define CR4(case, bits) { case, cr4_run, NULL, BITS(0, bits) }

const struct attack register_attacks[] = {
	CR0("cr0-wp", X86_CR0_WP),
	CR4("cr4-smep", X86_CR4_SMEP),
	CR4("cr4-smap", X86_CR4_SMAP),
	CR4("cr4-umip", X86_CR4_UMIP),
	{ "efer-nxe", efer_run, NULL, NULL },
	MSR("efer-sce", MSR_EFER, EFER_SCE),
	MSR("lstar", MSR_LSTAR, 0x1000),
	MSR("star", MSR_STAR, 1ull << 35),
	MSR("cstar", MSR_CSTAR, 0x1000),
	MSR("sfmask", MSR_SYSCALL_MASK, X86_EFLAGS_IF),
	MSR("sysenter-cs", MSR_IA32_SYSENTER_CS, 8),
	MSR("sysenter-eip", MSR_IA32_SYSENTER_EIP, 0x1000),
	MSR("sysenter-esp", MSR_IA32_SYSENTER_ESP, 0x1000),
	MSR("apic-base", MSR_IA32_APICBASE, 0x10000000),
	MSR("hw-feedback-ptr", MSR_IA32_HW_FEEDBACK_PTR, 0x1001),
	{ }
};
