// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VTL1's address space.  Its own memory lies where it lies physically, the image by its sections;
 * of VTL0's memory there is one page a VP, in its window, and only while it is copied.
 *
 * Trust boundary: addresses of VTL0's are looked up in its RAM before a page is mapped. Locks:
 * none. The tables are complete before other VPs run; a window belongs to its VP, interrupts are
 * off while it is open, and no other VP uses its translation.
 */
#include "cpu.h"
#include "image.h"
#include "memory.h"
#include "pagetable.h"
#include "vp.h"

/* A window a VP, each between two pages that are never mapped. */
#define WINDOWS 0xffff800000000000ull

static const struct machine *machine;
static struct pages pages;
static struct pagetable table = { .pages = &pages };

static int map_sections(void)
{
	return pagetable_map(&table, pa_of(image_text), pa_of(image_rodata), PTE_TEXT) ||
	       pagetable_map(&table, pa_of(image_rodata), pa_of(image_data), PTE_RODATA) ||
	       pagetable_map(&table, pa_of(image_data), pa_of(image_end), PTE_DATA) ? -1 : 0;
}

int memory_init(const struct machine *m)
{
	machine = m;
	pages.next = pa_of(image_end);
	pages.end.v = m->base.v + MACHINE_MAPPED;
	if (map_sections())
		return -1;
	return pagetable_map(&table, pa_of(image_end), (struct pa){ m->base.v + m->size },
			     PTE_DATA);
}

struct pa memory_root(void)
{
	return pa_of(table.root);
}

void memory_loaded(void)
{
	pages.end.v = machine->base.v + machine->size;
}

void *memory_take(uint64_t n)
{
	return pages_take(&pages, n);
}

uint8_t *memory_stack(uint64_t n)
{
	uint8_t *guard = memory_take(n + 1);

	if (!guard || pagetable_map(&table, pa_of(guard), pa_of(guard + HEKI_PAGE_SIZE), 0))
		return NULL;
	return guard + ((n + 1) << HEKI_PAGE_SHIFT);
}

uint8_t *memory_rest(uint64_t *n)
{
	uint8_t *rest = pa_ptr(pages.next);

	*n = (pages.end.v - pages.next.v) >> HEKI_PAGE_SHIFT;
	pages.next = pages.end;
	return rest;
}

uint64_t *memory_window(uint32_t index, uint8_t **window)
{
	struct va va = { WINDOWS + ((2ull * index + 1) << HEKI_PAGE_SHIFT) };

	*window = (uint8_t *)(uintptr_t)va.v;
	return pagetable_entry(&table, va);
}

static void window_open(struct vp *vp, struct gpa page, uint64_t flags)
{
	__atomic_store_n(vp->window_entry, page.v | flags, __ATOMIC_RELEASE);
}

static void window_close(struct vp *vp)
{
	__atomic_store_n(vp->window_entry, 0, __ATOMIC_RELEASE);
	forget_page(vp->window);
}

/* Bytes of [@at, @at + @n) in the page of @at. */
static size_t in_page(struct gpa at, size_t n)
{
	return min_u64(n, HEKI_PAGE_SIZE - (at.v & HEKI_PAGE_MASK));
}

int copy_from_vtl0(struct vp *vp, void *to, struct gpa from, size_t n)
{
	size_t some;
	int rc = 0;

	if (!machine_is_vtl0(machine, from, n))
		return -1;
	for (; n && !rc; n -= some) {
		some = in_page(from, n);
		window_open(vp, gpa(page_down(from.v)), PTE_RODATA);
		rc = copy_bytes(to, vp->window + (from.v & HEKI_PAGE_MASK), some);
		window_close(vp);
		to = (uint8_t *)to + some;
		from.v += some;
	}
	return rc;
}

int copy_to_vtl0(struct vp *vp, struct gpa to, const void *from, size_t n)
{
	size_t some;
	int rc = 0;

	if (!machine_is_vtl0(machine, to, n))
		return -1;
	for (; n && !rc; n -= some) {
		some = in_page(to, n);
		window_open(vp, gpa(page_down(to.v)), PTE_DATA);
		rc = copy_bytes(vp->window + (to.v & HEKI_PAGE_MASK), from, some);
		window_close(vp);
		from = (const uint8_t *)from + some;
		to.v += some;
	}
	return rc;
}
