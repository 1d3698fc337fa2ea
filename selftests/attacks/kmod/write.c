// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways to write where the kernel's own page tables do not let it.
 */
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/asm.h>
#include <asm/pgtable.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "attacks.h"

static bool in_modules(unsigned long address)
{
	return address >= MODULES_VADDR && address < MODULES_END;
}

u64 physical(unsigned long address)
{
	if (in_modules(address) || is_vmalloc_addr((void *)address))
		return ((u64)vmalloc_to_pfn((void *)address) << PAGE_SHIFT) | offset_in_page(address);
	return __pa(address);
}

int write_byte(unsigned long at, u8 value)
{
	int error = 0;

	asm volatile("1: movb %2, %1\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		     : "+r"(error), "=m"(*(u8 *)at) : "q"(value));
	return error;
}

int write_by_vmap(unsigned long at, u8 value)
{
	struct page *page = pfn_to_page(PHYS_PFN(physical(at)));
	void *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	int error;

	if (!alias)
		return -ENOMEM;
	error = write_byte((unsigned long)alias + offset_in_page(at), value);
	vunmap(alias);
	return error;
}

static void forget(unsigned long at)
{
	asm volatile("invlpg (%0)" : : "r"(at) : "memory");
}

int write_by_page_table(unsigned long at, u8 value)
{
	unsigned int level;
	pte_t *pte = lookup_address(at, &level);
	unsigned long flags;
	pteval_t old;
	int error;

	if (!pte)
		return -ENOENT;
	local_irq_save(flags);
	old = READ_ONCE(pte->pte);
	WRITE_ONCE(pte->pte, old | _PAGE_RW | _PAGE_DIRTY);
	forget(at);
	error = write_byte(at, value);
	WRITE_ONCE(pte->pte, old);
	forget(at);
	local_irq_restore(flags);
	return error;
}

int write_by_direct_map(unsigned long at, u8 value)
{
	return write_by_page_table((unsigned long)__va(physical(at)), value);
}

/* The mapping that the kernel makes for each poke of text, made by hand. */
int write_by_poking_alias(unsigned long at, u8 value)
{
	struct mm_struct **mm = pointer("poking_mm");
	unsigned long *address = pointer("poking_addr");
	pte_t *(*walk)(pgd_t *pgd, unsigned long at, unsigned int *level) =
		pointer("lookup_address_in_pgd");
	unsigned long flags, cr3;
	unsigned int level;
	pte_t *pte;
	int error;

	if (!mm || !address || !walk)
		return -ENOENT;
	pte = walk(pgd_offset(*mm, *address), *address, &level);
	if (!pte || level != PG_LEVEL_4K)
		return -ENOENT;
	local_irq_save(flags);
	cr3 = __native_read_cr3();
	WRITE_ONCE(pte->pte, (physical(at) & PAGE_MASK) | (__PAGE_KERNEL & ~_PAGE_GLOBAL));
	native_write_cr3(__pa((*mm)->pgd));
	error = write_byte(*address + offset_in_page(at), value);
	WRITE_ONCE(pte->pte, 0);
	native_write_cr3(cr3);
	local_irq_restore(flags);
	return error;
}

int write_by_set_memory(unsigned long at, u8 value)
{
	int (*rw)(unsigned long at, int pages) = pointer("set_memory_rw");
	int (*ro)(unsigned long at, int pages) = pointer("set_memory_ro");
	int (*split)(unsigned long at, int pages) = pointer("set_memory_4k");
	int error;

	if (!rw || !ro || !split)
		return -ENOENT;
	/* The kernel refuses to make a large page of its text writable. */
	error = split(at & PAGE_MASK, 1);
	if (!error)
		error = rw(at & PAGE_MASK, 1);
	if (error)
		return error;
	error = write_byte(at, value);
	ro(at & PAGE_MASK, 1);
	return error;
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

/* No write is tried when the bit cannot be cleared: it would be a page fault of its own. */
int write_by_cr0(unsigned long at, u8 value)
{
	unsigned long flags, cr0;
	int error;

	local_irq_save(flags);
	cr0 = native_read_cr0();
	error = set_cr0(cr0 & ~X86_CR0_WP);
	if (!error) {
		error = write_byte(at, value);
		set_cr0(cr0);
	}
	local_irq_restore(flags);
	return error;
}
