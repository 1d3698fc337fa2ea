// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the kernel that nobody may change once it is final.
 *
 * Whole 4 KiB pages, never larger blocks: behind _etext and __end_rodata the kernel gives pages
 * back to the allocator. The ends are rounded up, since the page that is partly used stays, and
 * holds code of interrupt entry on some kernels.
 */
#include "internal.h"

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sort.h>
#include <asm/realmode.h>
#include <asm/vdso.h>

#define TEXT_ATTRIBUTES CLIENT_TEXT_ATTRIBUTES
#define RODATA_ATTRIBUTES (HEKI_ATTR_READ | HEKI_ATTR_IMMUTABLE)

struct extent {
	unsigned long start;
	unsigned long end;
};

/*
 * The vDSO images lie in rodata, and every process executes them in place. Where kernel and user
 * execution have one right, they need it.
 */
static const char *const vdso_symbols[] = { "vdso_image_64", "vdso_image_x32", "vdso_image_32" };

#define VDSO_IMAGES ARRAY_SIZE(vdso_symbols)

static int extent_compare(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static size_t vdso_find(struct extent *found, const struct extent *rodata)
{
	size_t i, n = 0;

	for (i = 0; i < VDSO_IMAGES; i++) {
		const struct vdso_image *image = (void *)client_symbol(vdso_symbols[i]);
		unsigned long start = image ? (unsigned long)image->data : 0;

		/* An image outside of rodata would not be read-only to begin with. */
		if (!image || start < rodata->start || start + image->size > rodata->end)
			continue;
		found[n].start = start;
		found[n++].end = start + PAGE_ALIGN(image->size);
	}
	sort(found, n, sizeof(found[0]), extent_compare, NULL);
	return n;
}

static int extent_add(struct client_ranges *ranges, unsigned long start, unsigned long end,
		      u64 attributes)
{
	return client_ranges_add(ranges, (void *)start, end - start, attributes);
}

static int rodata_add(struct client_ranges *ranges, const struct extent *rodata)
{
	struct extent vdso[VDSO_IMAGES];
	size_t i, n = vdso_find(vdso, rodata);
	unsigned long at = rodata->start;
	int error = 0;

	for (i = 0; !error && i < n; i++) {
		error = extent_add(ranges, at, vdso[i].start, RODATA_ATTRIBUTES);
		if (!error)
			error = extent_add(ranges, vdso[i].start, vdso[i].end, TEXT_ATTRIBUTES);
		at = vdso[i].end;
	}
	return error ? error : extent_add(ranges, at, rodata->end, RODATA_ATTRIBUTES);
}

/*
 * Where a CPU begins that is started again: VTL1 lets it begin in code that nobody can write to, and
 * nowhere else. What that code reads and writes behind it (stack, page table, where to go) is data.
 */
static int realmode_add(struct client_ranges *ranges)
{
	struct real_mode_header **at = (void *)client_symbol("real_mode_header");
	const struct real_mode_header *header = at ? *at : NULL;
	unsigned long text;
	int error;

	if (!header)
		return 0;
	text = (unsigned long)__va(header->text_start);
	error = extent_add(ranges, (unsigned long)header, text, RODATA_ATTRIBUTES);
	if (error)
		return error;
	return extent_add(ranges, text, PAGE_ALIGN((unsigned long)__va(header->ro_end)),
			  TEXT_ATTRIBUTES);
}

static int kernel_ranges(struct client_ranges *ranges)
{
	unsigned long text, etext, idt;
	struct extent rodata;
	const struct client_want want[] = {
		{ "_text", &text },
		{ "_etext", &etext },
		{ "__start_rodata", &rodata.start },
		{ "__end_rodata", &rodata.end },
		{ "idt_table", &idt },
	};
	int error;

	error = client_symbols(want, ARRAY_SIZE(want));
	if (error)
		return error;
	rodata.end = PAGE_ALIGN(rodata.end);
	error = extent_add(ranges, text, PAGE_ALIGN(etext), TEXT_ATTRIBUTES);
	if (!error)
		error = rodata_add(ranges, &rodata);
	if (!error)
		error = extent_add(ranges, idt, idt + PAGE_SIZE, RODATA_ATTRIBUTES);
	return error ? error : realmode_add(ranges);
}

/* No text is patched meanwhile: before by the kernel, afterwards by VTL1, where it enforces. */
static int ranges_protect(struct client_ranges *ranges)
{
	struct mutex *text_lock = (struct mutex *)client_symbol("text_mutex");
	int error;

	if (!text_lock)
		return -ENOENT;
	mutex_lock(text_lock);
	error = client_ranges_call(ranges, HEKI_CALL_PROTECT_MEMORY, 0);
	if (error >= 0)
		client.text_protected = client_enforced();
	mutex_unlock(text_lock);
	return error < 0 ? error : 0;
}

int client_protect_kernel(void)
{
	struct client_ranges ranges;
	int error;

	client_ranges_init(&ranges);
	error = kernel_ranges(&ranges);
	/* The client stays until the machine ends only where VTL1 enforces. */
	if (!error && client_enforced())
		error = client_hooks_protect(&ranges);
	if (!error)
		error = client_exec_protect(&ranges);
	if (!error)
		error = ranges_protect(&ranges);
	client_ranges_free(&ranges);
	return error;
}
