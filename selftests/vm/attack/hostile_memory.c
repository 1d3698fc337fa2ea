// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that calls are made with, and addresses that do no harm.
 */
#include "hostile.h"

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <asm/asm.h>
#include <asm/e820/api.h>
#include <asm/page_types.h>

#define PLACES 16
#define SAMPLES 256
#define ARENA_ORDER get_order(HOSTILE_RAM)

struct actor actors[HOSTILE_CPUS];
struct arena shared;

/* From a first address to a last one. */
static struct {
	u64 first;
	u64 last;
} places[PLACES];
static unsigned int places_count;
static u64 samples[SAMPLES];
static unsigned int samples_count;
static u64 ring_pa, ring_size;

u64 random_next(struct actor *a)
{
	a->random ^= a->random >> 12;
	a->random ^= a->random << 25;
	a->random ^= a->random >> 27;
	return a->random * 0x2545f4914f6cdd1dull;
}

u64 random_below(struct actor *a, u64 n)
{
	return (random_next(a) >> 16) % n;
}

static int arena_get(struct arena *arena)
{
	arena->bytes = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, ARENA_ORDER);
	if (!arena->bytes)
		return -ENOMEM;
	arena->pa = __pa(arena->bytes);
	return 0;
}

/* Memory that VTL1 keeps is not given to the kernel: it would meet a fault there. */
static bool arena_put(struct arena *arena)
{
	u64 at;
	bool ours = true;

	for (at = 0; arena->bytes && at < HOSTILE_RAM; at += PAGE_SIZE)
		ours &= !memory_clear(arena->bytes + at, PAGE_SIZE);
	if (ours)
		free_pages((unsigned long)arena->bytes, ARENA_ORDER);
	return ours;
}

int memory_init(void)
{
	unsigned int i;
	int ret = arena_get(&shared);

	for (i = 0; i < HOSTILE_CPUS && !ret; i++) {
		actors[i].cpu = i;
		ret = arena_get(&actors[i].own);
		actors[i].page = (void *)get_zeroed_page(GFP_KERNEL);
		if (!actors[i].page)
			ret = -ENOMEM;
	}
	if (ret)
		memory_exit();
	return ret;
}

bool memory_exit(void)
{
	bool ours = arena_put(&shared);
	unsigned int i;

	for (i = 0; i < HOSTILE_CPUS; i++) {
		ours &= arena_put(&actors[i].own);
		free_page((unsigned long)actors[i].page);
	}
	return ours;
}

int memory_renew(struct actor *a)
{
	struct arena arena = { };

	if (arena_get(&arena))
		return -ENOMEM;
	a->own = arena;
	return 0;
}

int memory_write(void *to, const void *from, size_t n)
{
	int ret = 0;

	asm volatile("1: rep movsb\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[ret])
		     : [ret] "+r"(ret), "+D"(to), "+S"(from), "+c"(n)
		     :
		     : "memory");
	if (ret)
		count(COUNT_stopped);
	return ret;
}

int memory_clear(void *to, size_t n)
{
	int ret = 0;

	asm volatile("1: rep stosb\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[ret])
		     : [ret] "+r"(ret), "+D"(to), "+c"(n)
		     : "a"(0)
		     : "memory");
	if (ret)
		count(COUNT_stopped);
	return ret;
}

/* FIRST-LAST, as in /proc/iomem, with commas. */
bool memory_places(const char *list)
{
	int used;

	for (places_count = 0; places_count < PLACES; places_count++, list += used + (list[used] == ',')) {
		used = 0;
		if (sscanf(list, "%llx-%llx%n", &places[places_count].first, &places[places_count].last,
			   &used) != 2)
			break;
	}
	return places_count;
}

u64 memory_place(unsigned int index)
{
	return places_count ? places[index % places_count].first : ~0ull;
}

static u64 any_place(struct actor *a)
{
	unsigned int i = random_below(a, places_count);

	return places[i].first + random_below(a, places[i].last - places[i].first + 1);
}

static unsigned int sample(struct actor *a, const struct heki_list_reply *reply, unsigned int seen)
{
	const struct heki_list_frame *f = (const void *)(reply + 1);
	unsigned int i;

	for (i = 0; i < reply->count; i++, f++) {
		if (f->owner == HEKI_OWNER_RING) {
			ring_pa = min(ring_pa, f->pa);
			ring_size += PAGE_SIZE;
		}
		if (f->attributes & HEKI_ATTR_WRITE ||
		    (f->owner != HEKI_OWNER_KERNEL && f->owner != HEKI_OWNER_TRAMPOLINE))
			continue;
		if (seen < SAMPLES)
			samples[samples_count++] = f->pa;
		else if (random_below(a, seen) < SAMPLES)
			samples[random_below(a, SAMPLES)] = f->pa;
		seen++;
	}
	return seen;
}

int memory_sample(void)
{
	struct actor *a = &actors[0];
	const struct heki_list_reply *reply = (const void *)a->page;
	struct call c = { HEKI_CALL_LIST, { __pa(a->page), HEKI_LIST_FRAMES, 0 } };
	unsigned int seen = 0;

	samples_count = 0;
	ring_pa = ~0ull;
	ring_size = 0;
	do {
		if (call_make(a, &c, 0))
			return -EIO;
		seen = sample(a, reply, seen);
		c.p[2] = reply->next_cursor;
	} while (c.p[2]);
	return samples_count ? 0 : -ENOENT;
}

void memory_ring(u64 *pa, u64 *size)
{
	*pa = ring_size ? ring_pa : 0;
	*size = ring_size;
}

u64 memory_protected(struct actor *a)
{
	return samples_count ? samples[random_below(a, samples_count)] : memory_place(0);
}

struct arena *memory_arena(struct actor *a)
{
	return random_below(a, 4) ? &a->own : &shared;
}

/* Devices, and where nothing is. */
static u64 odd_address(struct actor *a)
{
	static const u64 some[] = {
		0, 0x1000, 0xa0000, 0xb8000, 0xf0000, 0xfec00000, 0xfed00000, 0xfee00000, 0xfffff000,
		1ull << 40, 1ull << 51, (1ull << 52) - PAGE_SIZE, 1ull << 52, 1ull << 63, ~0xfffull, ~0ull,
	};
	u64 pa = some[random_below(a, ARRAY_SIZE(some))];

	if (!random_below(a, 4))
		pa = random_next(a) >> random_below(a, 32);
	return pa;
}

u64 memory_any(struct actor *a)
{
	u64 offset = random_below(a, 4) ? 0 : random_below(a, PAGE_SIZE), pa;
	struct arena *arena = memory_arena(a);

	switch (random_below(a, 8)) {
	case 0:
		return memory_protected(a) + offset;
	case 1:
		return round_down(any_place(a), PAGE_SIZE) + offset;
	case 2:
		pa = odd_address(a);
		if (!page_is_ram(PHYS_PFN(pa)))
			return pa;
		fallthrough;
	default:
		return arena->pa + (random_below(a, ARENA_PAGES_END >> PAGE_SHIFT) << PAGE_SHIFT) + offset;
	}
}
