// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing memory that this kernel has mapped read-only.
 *
 * Writing text is what VTL1 does with its own right, and here the host has no right of its own. So
 * each CPU has a window: one page of kernel address space, whose page-table entry is made when the
 * module is loaded, empty but while it is written through. Setting it costs neither a lock nor an
 * mm switch, so that a write works where the kernel's own text poke is taken over and holds its
 * locks; CR0.WP, which a hypervisor may watch, stays as it is.
 *
 * A window is used by its CPU alone, with interrupts off from its first use to the flush: another
 * CPU may come to hold its translation by speculation, but never uses it, and an entry that is not
 * present is not cached. Whoever runs what is written synchronises the CPUs, as after a text poke
 * of the kernel's own.
 *
 * Trust: the window is no secret; who can write kernel memory needs none. Locks: none; any context
 * but NMI.
 */
#include "shim.h"

#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>
#include <asm/pgtable.h>

/* Of a CPU. */
struct window {
	u8 *page;
	pte_t *entry;
};

static struct window *windows;
static void *mapped; /* all of their pages */
static pteval_t window_flags; /* of an entry */
static struct page *filler; /* mapped in all windows until they are emptied; then by none */

int shim_window_write(unsigned long pfn, size_t offset, const void *from, size_t n)
{
	const struct window *w;
	unsigned long flags;

	local_irq_save(flags);
	w = &windows[raw_smp_processor_id()];
	set_pte(w->entry, __pte(PFN_PHYS(pfn) | window_flags));
	memcpy(w->page + offset, from, n);
	set_pte(w->entry, __pte(0));
	asm volatile("invlpg (%0)" : : "r"(w->page) : "memory");
	local_irq_restore(flags);
	return 0;
}

/* Find the entry of each window and empty it; windows have never been used before. */
static int windows_empty(void)
{
	unsigned int cpu, level;
	struct window *w;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		w = &windows[cpu];
		w->page = mapped + cpu * PAGE_SIZE;
		w->entry = lookup_address((unsigned long)w->page, &level);
		if (!w->entry || level != PG_LEVEL_4K)
			return -ENXIO;
		window_flags = pte_flags(*w->entry);
		set_pte(w->entry, __pte(0));
	}
	return 0;
}

/* vmap() is what makes the page tables; it wants a page for each entry. */
static void *windows_map(void)
{
	struct page **pages = kmalloc_array(nr_cpu_ids, sizeof(*pages), GFP_KERNEL);
	unsigned int cpu;
	void *at;

	if (!pages)
		return NULL;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		pages[cpu] = filler;
	at = vmap(pages, nr_cpu_ids, VM_MAP, PAGE_KERNEL);
	kfree(pages);
	return at;
}

int shim_window_init(void)
{
	int error = -ENOMEM;

	filler = alloc_page(GFP_KERNEL | __GFP_ZERO);
	windows = kcalloc(nr_cpu_ids, sizeof(*windows), GFP_KERNEL);
	if (!filler || !windows)
		goto out;
	mapped = windows_map();
	if (!mapped)
		goto out;
	error = windows_empty();
	if (!error)
		return 0;
out:
	shim_window_exit();
	return error;
}

void shim_window_exit(void)
{
	if (mapped)
		vunmap(mapped);
	kfree(windows);
	if (filler)
		__free_page(filler);
}
