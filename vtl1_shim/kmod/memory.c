// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest physical memory, as the kernel that is both VTL0 and the host sees it: through its direct
 * map.
 *
 * Trust: none of this keeps VTL0 out. The checks are those that a VTL1 with memory of its own makes,
 * so that a verdict is the same here and there.
 */
#include "shim.h"

#include <linux/ioport.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/pgtable.h>
#include <asm/processor-flags.h>

/*
 * Memory of the core carries this mark in page->private. The pages are ours, so nobody else uses
 * the field; for VTL0 they are as good as not there.
 */
static const char shim_mark;

static bool page_is_ours(unsigned long pfn)
{
	return page_private(pfn_to_page(pfn)) == (unsigned long)&shim_mark;
}

static bool page_is_memory(unsigned long pfn)
{
	return pfn_valid(pfn) && page_is_ram(pfn);
}

static bool page_is_guest(unsigned long pfn)
{
	return page_is_memory(pfn) && !page_is_ours(pfn);
}

static bool all_pages(struct gpa pa, uint64_t n, bool (*is)(unsigned long pfn))
{
	uint64_t pfn, end;

	if (!n || pa.v + n < pa.v)
		return false;
	end = (pa.v + n - 1) >> PAGE_SHIFT;
	for (pfn = pa.v >> PAGE_SHIFT; pfn <= end; pfn++)
		if (!is(pfn))
			return false;
	return true;
}

bool shim_is_ram(void *host, struct gpa pa, uint64_t n)
{
	return all_pages(pa, n, page_is_guest);
}

/* This host ends with its kernel, so the next one may overwrite it. */
bool shim_is_kexec_target(void *host, struct gpa pa, uint64_t n)
{
	return all_pages(pa, n, page_is_memory);
}

int shim_read(void *host, struct gpa pa, void *to, size_t n)
{
	if (!shim_is_ram(host, pa, n))
		return -1;
	/* A page can be missing from the direct map all the same. */
	return copy_from_kernel_nofault(to, __va(pa.v), n) ? -1 : 0;
}

static unsigned long get_cr0(void)
{
	unsigned long value;

	asm volatile("mov %%cr0, %0" : "=r"(value) : : "memory");
	return value;
}

static void set_cr0(unsigned long value)
{
	asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static unsigned long get_cr4(void)
{
	unsigned long value;

	asm volatile("mov %%cr4, %0" : "=r"(value) : : "memory");
	return value;
}

static void set_cr4(unsigned long value)
{
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/*
 * Write through a read-only mapping.
 *
 * Writing text is what VTL1 does with its own right, and here the host has no right of its own.
 * CR0.WP is off for the few bytes of a patch, on this CPU alone, interrupts off. No mapping is made
 * for it: that would cost a PTE, a flush and an mm switch for five bytes, and the function must
 * work where the kernel's own text poke is taken over and holds its locks.
 *
 * The kernel's own functions for CR0 and CR4 put the pinned bits back, hence the instructions. The
 * CPU refuses to clear WP while CR4.CET is set. Both registers get their very values back, and
 * nothing in between can fault: the caller has read the same bytes.
 */
static void write_through(void *to, const void *from, size_t n)
{
	unsigned long flags, cr0, cr4;

	local_irq_save(flags);
	cr0 = get_cr0();
	cr4 = get_cr4();
	if (cr4 & X86_CR4_CET)
		set_cr4(cr4 & ~X86_CR4_CET);
	set_cr0(cr0 & ~X86_CR0_WP);
	__builtin_memcpy(to, from, n);
	set_cr0(cr0);
	if (cr4 & X86_CR4_CET)
		set_cr4(cr4);
	local_irq_restore(flags);
}

/* Not pte_write(): that counts the form of a shadow stack page as writable. */
static bool mapped_writable(const void *p)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)p, &level);

	return pte && pte_flags(*pte) & _PAGE_RW;
}

/* Within one page, which has been read. */
static void write_part(void *to, const void *from, size_t n)
{
	if (mapped_writable(to))
		memcpy(to, from, n);
	else
		write_through(to, from, n);
}

int shim_write(void *host, struct gpa pa, const void *from, size_t n)
{
	const u8 *p = from;
	u8 *to = __va(pa.v);
	size_t part;
	u8 probe;

	if (!shim_is_ram(host, pa, n))
		return -1;
	for (part = 0; part < n; part += PAGE_SIZE)
		if (copy_from_kernel_nofault(&probe, to + part, 1))
			return -1;
	if (copy_from_kernel_nofault(&probe, to + n - 1, 1))
		return -1;
	for (; n; n -= part, p += part, to += part) {
		part = min_t(size_t, n, PAGE_SIZE - offset_in_page(to));
		write_part(to, p, part);
	}
	return 0;
}

/*
 * Audit: the core's ledger records what VTL0 may do, and AUDIT compares contents with it. Nothing
 * can be enforced against the kernel that this host is a part of.
 */
int shim_protect(void *host, struct gpa pa, uint64_t pages, uint32_t attributes)
{
	return shim_is_ram(host, pa, pages << PAGE_SHIFT) ? 0 : -1;
}

static void mark_pages(void *p, size_t n, unsigned long mark)
{
	size_t at;

	for (at = 0; at < n; at += PAGE_SIZE)
		set_page_private(vmalloc_to_page(p + at), mark);
}

/* Whole pages always, so that each can carry the mark. */
void *shim_alloc(void *host, size_t n)
{
	void *p = n ? vzalloc(n) : NULL;

	if (p)
		mark_pages(p, n, (unsigned long)&shim_mark);
	return p;
}

void shim_free(void *host, void *p, size_t n)
{
	if (!p)
		return;
	mark_pages(p, n, 0);
	vfree(p);
}
