// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the registers that hold tables: a copy of the table, or of the task's segment, is to take its
 * place.  Interrupts are off until the old one is back.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/string.h>
#include <asm/asm.h>
#include <asm/desc.h>

#include <hyperv/registers.h>

#include "attacks.h"

#define TABLE_INSTRUCTION(name)                                                                    \
	static int name(const struct desc_ptr *table)                                              \
	{                                                                                          \
		int error = 0;                                                                     \
												   \
		asm volatile("1: " #name " %1\n"                                                   \
			     "2:\n"                                                                \
			     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)                 \
			     : "+r"(error) : "m"(*table));                                         \
		return error;                                                                      \
	}

#define SELECTOR_INSTRUCTION(name)                                                                 \
	static int name(u16 selector)                                                              \
	{                                                                                          \
		int error = 0;                                                                     \
												   \
		asm volatile("1: " #name " %w1\n"                                                  \
			     "2:\n"                                                                \
			     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)                 \
			     : "+r"(error) : "r"(selector));                                       \
		return error;                                                                      \
	}

TABLE_INSTRUCTION(lidt)
TABLE_INSTRUCTION(lgdt)
SELECTOR_INSTRUCTION(ltr)
SELECTOR_INSTRUCTION(lldt)

static int idtr_run(const struct attack *attack, struct result *result)
{
	void *copy = (void *)get_zeroed_page(GFP_KERNEL);
	struct desc_ptr old, new, now;
	unsigned long flags;

	if (!copy)
		return -ENOMEM;
	result->address = HV_REGISTER_IDTR;
	local_irq_save(flags);
	store_idt(&old);
	memcpy(copy, (void *)old.address, old.size + 1);
	new = (struct desc_ptr){ old.size, (unsigned long)copy };
	result->error = lidt(&new);
	store_idt(&now);
	result->effect = now.address != old.address;
	if (result->effect)
		lidt(&old);
	local_irq_restore(flags);
	free_page((unsigned long)copy);
	return 0;
}

static int gdtr_run(const struct attack *attack, struct result *result)
{
	void *copy = (void *)get_zeroed_page(GFP_KERNEL);
	struct desc_ptr old, new, now;
	unsigned long flags;

	if (!copy)
		return -ENOMEM;
	result->address = HV_REGISTER_GDTR;
	local_irq_save(flags);
	native_store_gdt(&old);
	memcpy(copy, (void *)old.address, old.size + 1);
	new = (struct desc_ptr){ old.size, (unsigned long)copy };
	result->error = lgdt(&new);
	native_store_gdt(&now);
	result->effect = now.address != old.address;
	if (result->effect)
		lgdt(&old);
	local_irq_restore(flags);
	free_page((unsigned long)copy);
	return 0;
}

#define TSS_BUSY 2

static tss_desc *task_descriptor(void)
{
	return (tss_desc *)(get_current_gdt_rw() + GDT_ENTRY_TSS);
}

/*
 * The processor marks a task busy that is loaded, for which the kernel, too, takes the mapping of its table
 * that can be written to.
 */
static int tr_run(const struct attack *attack, struct result *result)
{
	void *task = (void *)get_zeroed_page(GFP_KERNEL);
	struct desc_ptr table, writable;
	unsigned long flags;
	tss_desc old, new;

	if (!task)
		return -ENOMEM;
	result->address = HV_REGISTER_TR;
	local_irq_save(flags);
	native_store_gdt(&table);
	writable = (struct desc_ptr){ table.size, (unsigned long)get_current_gdt_rw() };
	lgdt(&writable);
	old = *task_descriptor();
	set_tssldt_descriptor(&new, (unsigned long)task, DESC_TSS, PAGE_SIZE - 1);
	*task_descriptor() = new;
	result->error = ltr(GDT_ENTRY_TSS * 8);
	result->effect = task_descriptor()->type & TSS_BUSY;
	*task_descriptor() = old;
	if (result->effect) {
		task_descriptor()->type &= ~TSS_BUSY;
		ltr(GDT_ENTRY_TSS * 8);
	}
	lgdt(&table);
	local_irq_restore(flags);
	free_page((unsigned long)task);
	return 0;
}

/* A segment of the kernel's code, by which user mode could call it. */
static int ldtr_run(const struct attack *attack, struct result *result)
{
	ldt_desc *place = (ldt_desc *)(get_current_gdt_rw() + GDT_ENTRY_LDT + 2);
	void *table = (void *)get_zeroed_page(GFP_KERNEL);
	unsigned long flags;
	ldt_desc old, new;
	u16 before, now;

	if (!table)
		return -ENOMEM;
	result->address = HV_REGISTER_LDTR;
	local_irq_save(flags);
	old = *place;
	store_ldt(before);
	set_tssldt_descriptor(&new, (unsigned long)table, DESC_LDT, PAGE_SIZE - 1);
	*place = new;
	result->error = lldt((GDT_ENTRY_LDT + 2) * 8);
	store_ldt(now);
	result->effect = now != before;
	if (result->effect)
		lldt(before);
	*place = old;
	local_irq_restore(flags);
	free_page((unsigned long)table);
	return 0;
}

const struct attack table_attacks[] = {
	{ "idtr", idtr_run, NULL, NULL },
	{ "gdtr", gdtr_run, NULL, NULL },
	{ "tr", tr_run, NULL, NULL },
	{ "ldtr", ldtr_run, NULL, NULL },
	{ }
};
