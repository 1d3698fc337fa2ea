// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages are memory of VTL0's, and which are the core's own.
 *
 * The kernel's answer walks its tree of resources. It is asked once, when the module is loaded, and
 * what it says is kept: ranges only ever join, until memory is taken out of the machine; from then
 * on the kernel is asked each time.
 *
 * Trust: both answers are the kernel's. Locks: none; any context.
 */
#include "shim.h"

#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

/* Page frames [start, end). What does not fit is asked for each time. */
struct ram_range {
	unsigned long start;
	unsigned long end;
};

#define RAM_RANGES_MAX 32

static struct ram_range ram[RAM_RANGES_MAX];
static unsigned int ram_count;
static bool ram_shrinks;

struct shim_ram shim_ram;
const char shim_mark;

static bool ram_known(unsigned long pfn)
{
	const struct ram_range *r;

	if (READ_ONCE(ram_shrinks))
		return false;
	for (r = ram; r < ram + ram_count; r++)
		if (pfn - r->start < r->end - r->start)
			return true;
	return false;
}

bool shim_page_is_memory(unsigned long pfn)
{
	return ram_known(pfn) || (pfn_valid(pfn) && page_is_ram(pfn));
}

bool shim_is_ram(void *host, struct gpa pa, uint64_t n)
{
	unsigned long pfn = pa.v >> PAGE_SHIFT;
	unsigned long last = (pa.v + n - 1) >> PAGE_SHIFT;

	if (!n || pa.v + n < pa.v)
		return false;
	for (; pfn <= last; pfn++)
		if (!shim_page_is_guest(pfn))
			return false;
	return true;
}

/* This host ends with its kernel, so the next one may overwrite it. */
bool shim_is_kexec_target(void *host, struct gpa pa, uint64_t n)
{
	unsigned long pfn = pa.v >> PAGE_SHIFT;
	unsigned long last = (pa.v + n - 1) >> PAGE_SHIFT;

	if (!n || pa.v + n < pa.v)
		return false;
	for (; pfn <= last; pfn++)
		if (!shim_page_is_memory(pfn))
			return false;
	return true;
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
	void *p = n ? vmalloc(n) : NULL;

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

/* All of a range must have its struct pages: what is on its way in is not entered. */
static bool range_valid(unsigned long start, unsigned long end)
{
	unsigned long pfn;

	for (pfn = start; pfn < end; pfn = ALIGN(pfn + 1, PAGES_PER_SECTION))
		if (!pfn_valid(pfn))
			return false;
	return start < end;
}

static int range_enter(struct resource *res, void *context)
{
	struct ram_range r = { PFN_UP(res->start), PFN_DOWN(res->end + 1) };

	if (ram_count == RAM_RANGES_MAX || !range_valid(r.start, r.end))
		return 0;
	ram[ram_count++] = r;
	if (r.end - r.start > shim_ram.pages) {
		shim_ram.start = r.start;
		shim_ram.pages = r.end - r.start;
	}
	return 0;
}

static int memory_changes(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == MEM_GOING_OFFLINE) {
		WRITE_ONCE(ram_shrinks, true);
		WRITE_ONCE(shim_ram.pages, 0);
	}
	return NOTIFY_OK;
}

static struct notifier_block memory_notifier = { .notifier_call = memory_changes };

int shim_ram_init(void)
{
	int error = register_memory_notifier(&memory_notifier);

	if (error)
		return error;
	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, U64_MAX,
			    NULL, range_enter);
	if (READ_ONCE(ram_shrinks))
		WRITE_ONCE(shim_ram.pages, 0);
	return 0;
}

void shim_ram_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
}
