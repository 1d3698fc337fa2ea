// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call that the client has made, and VTL1 accepted: VALIDATE_MODULE of a stock module. It is kept with
 * the memory that it names, and made again, with that in memory of this module and mostly with a change:
 * this goes as far into VTL1 as a module does that the kernel loads.
 *
 * The client tells of its calls by a tracepoint.
 */
#include "hostile.h"

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/vmalloc.h>

#define RANGES_MOST 64

/* Their physical addresses count from the start of ARENA_MEMORY. */
static struct heki_range ranges[RANGES_MOST];
static unsigned int ranges_count;
static u8 *bytes;
static size_t used;
static bool wanted, there;
static struct tracepoint *found;

/* Whole pages, so that each lies in its page as it did. */
static bool keep(const struct heki_range *r)
{
	u64 start = round_down(r->pa, PAGE_SIZE), n = round_up(r->epa, PAGE_SIZE) - start;

	if (ranges_count == RANGES_MOST || n > HOSTILE_RAM - ARENA_MEMORY - used)
		return false;
	memcpy(bytes + used, __va(start), n);
	ranges[ranges_count] = *r;
	ranges[ranges_count].pa = used + offset_in_page(r->pa);
	ranges[ranges_count++].epa = used + (r->epa - start);
	used += n;
	return true;
}

static void keep_chain(u64 at)
{
	const struct heki_page *page;
	u64 i;

	used = 0;
	ranges_count = 0;
	for (; at; at = page->next_pa) {
		page = __va(at);
		for (i = 0; i < page->nranges; i++)
			if (!keep(&page->ranges[i]))
				return;
	}
	/* After what is kept; threads of both CPUs read it. */
	smp_store_release(&there, true);
}

/* As trace_heki_call; its memory is still there. */
static void on_call(void *unused, const char *call, const u64 *p, int result)
{
	if (result <= 0 || strcmp(call, "VALIDATE_MODULE") || !xchg(&wanted, false))
		return;
	keep_chain(p[0]);
}

static int on_tracepoints(struct notifier_block *block, unsigned long event, void *data)
{
	struct tp_module *from = data;
	int i;

	for (i = 0; event == MODULE_STATE_COMING && i < from->mod->num_tracepoints; i++) {
		struct tracepoint *t = tracepoint_ptr_deref(&from->mod->tracepoints_ptrs[i]);

		if (!strcmp(t->name, "heki_call"))
			found = t;
	}
	return NOTIFY_OK;
}

static struct notifier_block finder = { .notifier_call = on_tracepoints };

int capture_start(void)
{
	int ret;

	if (!bytes)
		bytes = vmalloc(HOSTILE_RAM - ARENA_MEMORY);
	if (!bytes)
		return -ENOMEM;
	ret = register_tracepoint_module_notifier(&finder);
	unregister_tracepoint_module_notifier(&finder);
	if (ret)
		return ret;
	if (!found)
		return -ENOENT;
	there = false;
	wanted = true;
	return tracepoint_probe_register(found, on_call, NULL);
}

void capture_stop(void)
{
	if (found)
		tracepoint_probe_unregister(found, on_call, NULL);
	found = NULL;
	tracepoint_synchronize_unregister();
}

void capture_drop(void)
{
	capture_stop();
	vfree(bytes);
}

bool capture_there(void)
{
	/* Before what is kept, see keep_chain(). */
	return smp_load_acquire(&there);
}

static void change(struct actor *a, struct heki_page *page)
{
	struct heki_range *r = &page->ranges[random_below(a, page->nranges)];
	u64 at, *field = (u64 *)r + random_below(a, 4);
	u8 byte;

	switch (random_below(a, 6)) {
	case 0: /* a byte of the file or of memory */
	case 1:
		at = ARENA_MEMORY + random_below(a, used);
		byte = a->own.bytes[at] ^ (1 << random_below(a, 8));
		memory_write(a->own.bytes + at, &byte, 1);
		break;
	case 2:
		r->va += (random_below(a, 3) - 1) * PAGE_SIZE;
		break;
	case 3:
		if (r->epa - r->pa > PAGE_SIZE)
			r->epa -= PAGE_SIZE;
		break;
	case 4:
		r->attributes = random_below(a, 10);
		break;
	default: /* physical addresses stay where they do no harm */
		if (field == &r->va || field == &r->attributes)
			*field ^= 1ull << random_below(a, 64);
		else
			r->pa = memory_protected(a), r->epa = r->pa + PAGE_SIZE;
	}
}

/* Give it back at once, or in the middle of that turn to something else. */
static void give_back(struct actor *a, u32 token)
{
	struct call c = { HEKI_CALL_FREE_MODULE_INIT, { token } };

	if (random_next(a) & 1)
		call_make(a, &c, random_below(a, 3));
	c.id = HEKI_CALL_UNLOAD_MODULE;
	call_make(a, &c, random_below(a, 3));
}

void capture_send(struct actor *a)
{
	struct call c = { HEKI_CALL_VALIDATE_MODULE, { a->own.pa + random_below(a, 64) * PAGE_SIZE } };
	struct heki_page *page = a->page;
	unsigned int i;
	int result;

	if (!capture_there())
		return;
	tokens_drop(a);
	if (memory_write(a->own.bytes + ARENA_MEMORY, bytes, used))
		return;
	memset(page, 0, sizeof(*page));
	page->nranges = ranges_count;
	memcpy(page->ranges, ranges, ranges_count * sizeof(*ranges));
	for (i = 0; i < ranges_count; i++) {
		page->ranges[i].pa += a->own.pa + ARENA_MEMORY;
		page->ranges[i].epa += a->own.pa + ARENA_MEMORY;
	}
	for (i = random_below(a, 4); i > 1; i--)
		change(a, page);
	c.p[1] = page->nranges;
	memory_write(a->own.bytes + (c.p[0] - a->own.pa), page, sizeof(*page));
	result = call_make(a, &c, random_below(a, 3) ? 0 : 1 + random_below(a, 8));
	if (result > 0)
		give_back(a, result);
}
