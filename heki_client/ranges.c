// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains of heki_pages: what a call says of memory.
 */
#include "client.h"

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

void client_ranges_init(struct client_ranges *ranges)
{
	*ranges = (struct client_ranges){};
}

static int chain_grow(struct client_ranges *ranges)
{
	struct heki_page *page = (struct heki_page *)get_zeroed_page(GFP_KERNEL);

	if (!page)
		return -ENOMEM;
	if (ranges->last) {
		ranges->last->next = (uintptr_t)page;
		ranges->last->next_pa = __pa(page);
	} else {
		ranges->first = page;
	}
	ranges->last = page;
	return 0;
}

static bool range_joins(const struct heki_range *last, const struct heki_range *range)
{
	return last->attributes == range->attributes && last->epa == range->pa &&
	       last->va + (last->epa - last->pa) == range->va;
}

static int range_append(struct client_ranges *ranges, const struct heki_range *range)
{
	struct heki_page *page = ranges->last;
	int error;

	if (page && range_joins(&page->ranges[page->nranges - 1], range)) {
		page->ranges[page->nranges - 1].epa = range->epa;
		return 0;
	}
	if (!page || page->nranges == HEKI_MAX_RANGES) {
		error = chain_grow(ranges);
		if (error)
			return error;
		page = ranges->last;
	}
	page->ranges[page->nranges++] = *range;
	ranges->count++;
	return 0;
}

/* No byte of interest is at physical address 0. */
phys_addr_t client_phys(unsigned long va)
{
	struct page *page;

	if (is_vmalloc_addr((void *)va) || (va >= MODULES_VADDR && va < MODULES_END)) {
		page = vmalloc_to_page((void *)va);
		return page ? page_to_phys(page) + offset_in_page(va) : 0;
	}
	/* The kernel image and the direct map. */
	return virt_addr_valid(va) ? __pa(va) : 0;
}

int client_ranges_add(struct client_ranges *ranges, const void *va, size_t size, u64 attributes)
{
	unsigned long at = (unsigned long)va, end = at + size;
	struct heki_range range = { .attributes = attributes };
	unsigned long next;
	int error = 0;

	for (; !error && at < end; at = next) {
		next = min(end, PAGE_ALIGN_DOWN(at) + PAGE_SIZE);
		range.va = at;
		range.pa = client_phys(at);
		range.epa = range.pa + (next - at);
		error = range.pa ? range_append(ranges, &range) : -EFAULT;
	}
	return error;
}

int client_ranges_call(struct client_ranges *ranges, u32 id, u64 p2)
{
	if (!ranges->first)
		return -EINVAL;
	return client_call(id, __pa(ranges->first), ranges->count, p2);
}

void client_ranges_free(struct client_ranges *ranges)
{
	struct heki_page *page = ranges->first;

	while (page) {
		struct heki_page *next = (struct heki_page *)(uintptr_t)page->next;

		free_page((unsigned long)page);
		page = next;
	}
	client_ranges_init(ranges);
}
