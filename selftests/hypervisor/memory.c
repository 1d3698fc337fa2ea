// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the hypervisor's memory map, nested tables and ELF loader on the host: random operations
 * against a plain model, KTAP, last line "N passed, N failed".
 */
#include <hyperv/hypercall.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "elf.h"
#include "memory.h"
#include "npt.h"

#define RAM_PAGES 8192u /* 32 MiB */
#define ROUNDS 200000u

static unsigned int passed, failed;
static bool good;

#define CHECK(condition) check(condition, __LINE__, #condition)

static bool check(bool ok, int line, const char *text)
{
	if (!ok && good)
		printf("# line %d: not so: %s\n", line, text);
	good &= ok;
	return ok;
}

static void test(const char *name, void (*run)(void))
{
	good = true;
	run();
	good ? passed++ : failed++;
	printf("%sok %u %s\n", good ? "" : "not ", passed + failed, name);
}

void console_put(char c)
{
	putchar(c);
}

void machine_fail(void)
{
	abort();
}

static uint32_t random32(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* --- the memory map --- */

#define MODEL 512u

static bool map_is(const struct memory_map *map, const uint32_t *model)
{
	for (uint32_t i = 0; i < MODEL; i++) {
		const struct memory_range *r = memory_find(map, i * PAGE_SIZE);

		if ((r ? (uint32_t)r->kind : 0) != model[i])
			return false;
	}
	for (uint32_t i = 1; i < map->n; i++)
		if (map->ranges[i].start < map->ranges[i - 1].end)
			return false;
	return true;
}

static void maps(void)
{
	static const enum memory_kind kinds[] = { MEMORY_RAM, MEMORY_RESERVED, MEMORY_ACPI };
	static uint32_t model[MODEL];
	struct memory_map map = { .n = 0 };

	for (uint32_t i = 0; i < 2000 && good; i++) {
		uint32_t start = random32() % MODEL, end = start + random32() % (MODEL - start + 1);
		enum memory_kind kind = kinds[random32() % 3];

		if (map.n > MEMORY_RANGES - 4)
			end = MODEL, start = 0;
		memory_add(&map, start * PAGE_SIZE, end * PAGE_SIZE, kind);
		while (start < end)
			model[start++] = kind;
		CHECK(map_is(&map, model));
	}
}

static void taken_from_the_top(void)
{
	struct memory_map map = { .n = 0 };
	uint64_t at;

	memory_add(&map, 0, 64 * MIB, MEMORY_RAM);
	memory_add(&map, 128 * MIB, 130 * MIB + PAGE_SIZE, MEMORY_RAM);
	at = memory_take(&map, 2 * MIB, 2 * MIB, 256 * MIB, MEMORY_HYPERVISOR);
	CHECK(at == 128 * MIB);
	at = memory_take(&map, 3 * PAGE_SIZE, PAGE_SIZE, 256 * MIB, MEMORY_VTL1);
	CHECK(at == 64 * MIB - 3 * PAGE_SIZE);
	CHECK(memory_is_guest(&map, at - PAGE_SIZE, 4 * PAGE_SIZE));
	CHECK(!memory_is_guest(&map, at, 4 * PAGE_SIZE));
	CHECK(!memory_is_guest(&map, 128 * MIB, 1) && memory_is_guest(&map, 130 * MIB, 1));
	at = memory_take(&map, PAGE_SIZE, PAGE_SIZE, 32 * MIB, MEMORY_HYPERVISOR);
	CHECK(at == 32 * MIB - PAGE_SIZE);
	CHECK(!memory_take(&map, 64 * MIB, MIB, 256 * MIB, MEMORY_VTL1));
	CHECK(memory_ram(&map) == 64 * MIB - 4 * PAGE_SIZE + PAGE_SIZE);
}

/* --- nested tables --- */

static struct memory_map ram;
static struct pool pool;
static uint32_t *others;

static void tables_init(struct npt *npt, uint32_t trees)
{
	uint32_t pages;
	void *memory;

	ram.n = 0;
	memory_add(&ram, 0, RAM_PAGES * PAGE_SIZE, MEMORY_RAM);
	memory_add(&ram, 1 * MIB, 2 * MIB, MEMORY_HYPERVISOR);
	pages = npt_pages(&ram, trees);
	memory = aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE);
	others = calloc(pages, sizeof(*others));
	if (!memory || !others)
		abort();
	memset(&pool, 0, sizeof(pool));
	pool_init(&pool, (uint64_t)memory, pages);
	*npt = (struct npt){ .pool = &pool, .others = others };
	npt_init(npt, &ram, trees);
}

static void tables_drop(void)
{
	free((void *)pool.base);
	free(others);
}

/* What the processor makes of an address: the entry by which a tree maps it, as large as it is. */
static uint64_t entry_of(const struct npt *npt, enum npt_tree tree, uint64_t gpa)
{
	uint64_t entry = npt->root[tree] | 1;

	for (uint32_t level = 4; level-- && entry & 1 && !(entry & BIT(7));)
		entry = ((const uint64_t *)(entry & 0x000ffffffffff000ull))[gpa >> (12 + 9 * level) & 511];
	return entry;
}

static bool maps_as(const struct npt *npt, enum npt_tree tree, uint64_t gpa, uint32_t access)
{
	uint64_t entry = entry_of(npt, tree, gpa);
	uint64_t size = entry & BIT(7) ? LARGE_SIZE : PAGE_SIZE;
	bool kernel = access & HV_MAP_KERNEL_EXECUTE, user = access & HV_MAP_USER_EXECUTE;
	bool execute = tree == NPT_KERNEL ? kernel : user && !kernel;

	if (!(access & HV_MAP_READ))
		return !(entry & 1);
	return entry & 1 && entry & BIT(2) && !(entry & BIT(1)) == !(access & HV_MAP_WRITE) &&
	       !(entry & BIT(63)) == execute &&
	       (entry & 0x000ffffffffff000ull & ~(size - 1)) == (gpa & ~(size - 1));
}

/* Whether a right was lost; negative without memory. */
static int protect(struct npt *npt, uint64_t gpa, uint32_t access)
{
	uint16_t page = gpa >> PAGE_SHIFT & 511;
	struct npt_change c;
	int ret;

	npt_begin(&c, npt, access);
	ret = npt_change(&c, gpa & LARGE_MASK, &page, 1);
	return ret ? ret : !!c.lost;
}

static bool ours(uint64_t pfn)
{
	return pfn >= MIB / PAGE_SIZE && pfn < 2 * MIB / PAGE_SIZE;
}

static void protections(uint32_t trees)
{
	static const uint8_t accesses[] = { 0, 1, 3, 9, 11, 13, 15 };
	static uint8_t model[RAM_PAGES];
	struct npt npt;
	uint32_t free_pages;
	uint32_t split;

	tables_init(&npt, trees);
	free_pages = pool.free;
	split = npt.split;
	memset(model, HV_MAP_ALL, sizeof(model));
	for (uint32_t i = 0; i < ROUNDS && good; i++) {
		/* Mostly near each other, so that tables fill and empty. */
		uint32_t pfn = (random32() % 4 * 2000 + random32() % 600) % RAM_PAGES;
		uint32_t access = random32() % 2 ? HV_MAP_ALL : accesses[random32() % 7];
		int ret = ours(pfn) ? 0 : protect(&npt, pfn * PAGE_SIZE, access);

		if (ours(pfn))
			continue;
		/* Whoever loses a right is told of it; with one tree that of user mode is none. */
		CHECK(ret >= 0 && (ret || !(model[pfn] & ~access & (trees == 1 ? 7u : 15u))));
		model[pfn] = (uint8_t)access;
		CHECK(npt_access(&npt, pfn * PAGE_SIZE) == access);
		npt_release(&npt, npt_retired(&npt));
	}
	for (uint32_t pfn = 0; pfn < RAM_PAGES; pfn++)
		for (uint32_t tree = 0; tree < trees; tree++)
			CHECK(maps_as(&npt, tree, pfn * PAGE_SIZE, ours(pfn) ? 0 : model[pfn]));
	for (uint32_t pfn = 0; pfn < RAM_PAGES; pfn++)
		if (!ours(pfn))
			CHECK(protect(&npt, pfn * PAGE_SIZE, HV_MAP_ALL) >= 0);
	npt_release(&npt, npt_retired(&npt));
	CHECK(npt.split == split && pool.free == free_pages);
	CHECK(entry_of(&npt, NPT_KERNEL, 16 * MIB) & BIT(7));
	CHECK(!(entry_of(&npt, NPT_KERNEL, MIB) & 1));
	tables_drop();
}

static void one_tree(void)
{
	protections(1);
}

static void two_trees(void)
{
	protections(2);
}

/* Pages of 2 MiB at once, some of them twice. */
static void runs(void)
{
	static uint8_t model[RAM_PAGES];
	struct npt npt;
	uint32_t free_pages;

	tables_init(&npt, 2);
	free_pages = pool.free;
	memset(model, HV_MAP_ALL, sizeof(model));
	for (uint32_t i = 0; i < 20000 && good; i++) {
		uint64_t base = 2 * MIB + random32() % 3 * LARGE_SIZE;
		uint32_t access = i % 3 ? HV_MAP_ALL : HV_MAP_READ, n = random32() % 512 + 1;
		uint16_t pages[512];
		struct npt_change c;

		for (uint32_t k = 0; k < n; k++) {
			pages[k] = random32() % 512;
			model[base / PAGE_SIZE + pages[k]] = (uint8_t)access;
		}
		npt_begin(&c, &npt, access);
		CHECK(!npt_change(&c, base, pages, n));
		npt_release(&npt, npt_retired(&npt));
		for (uint32_t k = 0; k < 512; k++)
			CHECK(npt_access(&npt, base + k * PAGE_SIZE) == model[base / PAGE_SIZE + k]);
	}
	for (uint32_t pfn = 512; pfn < 4 * 512; pfn++)
		CHECK(protect(&npt, pfn * PAGE_SIZE, HV_MAP_ALL) >= 0);
	npt_release(&npt, npt_retired(&npt));
	CHECK(pool.free == free_pages);
	tables_drop();
}

/* Every page of RAM differs from its neighbours: the pool holds that. */
static void worst_case(void)
{
	struct npt npt;

	tables_init(&npt, 2);
	for (uint32_t pfn = 0; pfn < RAM_PAGES; pfn += 2)
		if (!ours(pfn))
			CHECK(protect(&npt, pfn * PAGE_SIZE, HV_MAP_READ) >= 0);
	CHECK(pool.free);
	tables_drop();
}

static void overlays(void)
{
	const uint64_t code = 0x7000000000ull;
	struct npt npt;
	uint32_t free_pages;

	tables_init(&npt, 1);
	free_pages = pool.free;
	for (uint32_t i = 0; i < 2000 && good; i++) {
		uint64_t at = (uint64_t)(2 * MIB / PAGE_SIZE + random32() % 6000) * PAGE_SIZE;

		CHECK(npt_overlay(&npt, at, code));
		CHECK((entry_of(&npt, NPT_KERNEL, at) & 0x000ffffffffff000ull) == code);
		CHECK(!(entry_of(&npt, NPT_KERNEL, at) & (BIT(63) | BIT(1))));
		/* What it hides can lose its access meanwhile. */
		CHECK(!protect(&npt, at, i % 2 ? HV_MAP_READ : HV_MAP_ALL));
		CHECK(npt_overlay(&npt, ~0ull, code));
		CHECK(npt_access(&npt, at) == (i % 2 ? HV_MAP_READ : HV_MAP_ALL));
		CHECK(protect(&npt, at, HV_MAP_ALL) >= 0);
		npt_release(&npt, npt_retired(&npt));
	}
	CHECK(pool.free == free_pages);
	tables_drop();
}

static void defaults(void)
{
	struct npt npt;

	tables_init(&npt, 2);
	npt_default(&npt, &ram, HV_MAP_READ | HV_MAP_WRITE | HV_MAP_USER_EXECUTE);
	CHECK(npt_access(&npt, 16 * MIB) == 11 && !npt_access(&npt, MIB));
	CHECK(maps_as(&npt, NPT_KERNEL, 16 * MIB, 11) && maps_as(&npt, NPT_USER, 16 * MIB, 11));
	CHECK(npt_access(&npt, 0xfee00000) == HV_MAP_ALL);
	CHECK(!npt_access(&npt, 1ull << 40) && npt_map_device(&npt, 1ull << 40));
	CHECK(npt_access(&npt, 1ull << 40) == HV_MAP_ALL && !npt_map_device(&npt, 1ull << 48));
	tables_drop();
}

/* --- ELF files --- */

struct file {
	uint8_t bytes[0x200];
};

static void put(struct file *f, uint32_t at, uint64_t v, uint32_t n)
{
	memcpy(f->bytes + at, &v, n);
}

/* One segment: 0x40 bytes of the file at 0x100, 0x80 in memory at 0x200000. */
static struct file elf(void)
{
	struct file f = { .bytes = "\177ELF\2\1\1" };

	put(&f, 16, 2, 2);
	put(&f, 18, ELF_X86_64, 2);
	put(&f, 24, 0x200010, 8);
	put(&f, 32, 64, 8);
	put(&f, 54, 56, 2);
	put(&f, 56, 1, 2);
	put(&f, 64, 1, 4);
	put(&f, 64 + 8, 0x100, 8);
	put(&f, 64 + 16, 0x200000, 8);
	put(&f, 64 + 24, 0x200000, 8);
	put(&f, 64 + 32, 0x40, 8);
	put(&f, 64 + 40, 0x80, 8);
	memset(f.bytes + 0x100, 0xa5, 0x40);
	return f;
}

static void elf_files(void)
{
	static const struct {
		uint16_t at;
		uint8_t n;
		uint64_t v;
	} bad[] = {
		{ 0, 1, 0 },		  { 4, 1, 1 },		    { 5, 1, 2 },
		{ 16, 2, 1 },		  { 18, 2, ELF_AARCH64 },   { 32, 8, ~0ull },
		{ 32, 8, 0x1f0 },	  { 54, 2, 32 },	    { 56, 2, 0 },
		{ 56, 2, 0xffff },	  { 64 + 8, 8, 0x1d0 },	    { 64 + 8, 8, ~0ull },
		{ 64 + 32, 8, 0x81 },	  { 64 + 32, 8, ~0ull },    { 64 + 40, 8, ~0ull },
		{ 64 + 24, 8, ~0ull - 9 }, { 64 + 40, 8, 0 },	    { 24, 8, 0x1fffff },
		{ 24, 8, 0x200080 },	  { 64 + 16, 8, ~0ull },
	};
	struct file f = elf();
	struct elf_image image;
	uint8_t placed[0x80];

	CHECK(!elf_parse(f.bytes, sizeof(f.bytes), ELF_X86_64, &image));
	CHECK(image.start == 0x200000 && image.end == 0x200080 && image.entry == 0x200010);
	CHECK(!image.movable);
	/* Where it is loaded is not where it believes to be. */
	put(&f, 64 + 24, 0x300000, 8);
	put(&f, 16, 3, 2);
	CHECK(!elf_parse(f.bytes, sizeof(f.bytes), ELF_X86_64, &image));
	CHECK(image.start == 0x300000 && image.entry == 0x300010 && image.movable);
	memset(placed, 0xff, sizeof(placed));
	elf_place(&image, placed);
	CHECK(placed[0] == 0xa5 && placed[0x3f] == 0xa5 && !placed[0x40] && !placed[0x7f]);
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		f = elf();
		put(&f, bad[i].at, bad[i].v, bad[i].n);
		if (!CHECK(elf_parse(f.bytes, sizeof(f.bytes), ELF_X86_64, &image)))
			printf("# accepted: change %u\n", i);
	}
}

/* Cut and changed files: refused, or what is placed lies within what was measured. */
static void elf_changes(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t size = random32() % (sizeof(struct file) + 1);
		uint8_t *copy = malloc(size ? size : 1);
		struct file f = elf();
		struct elf_image image;

		f.bytes[random32() % 0x80] = (uint8_t)random32();
		f.bytes[random32() % 0x80] ^= (uint8_t)(1 << random32() % 8);
		memcpy(copy, f.bytes, size);
		if (!elf_parse(copy, size, ELF_X86_64, &image) &&
		    image.end - image.start < MIB) {
			uint8_t *to = malloc(image.end - image.start);

			elf_place(&image, to);
			free(to);
		}
		free(copy);
	}
}

int main(void)
{
	printf("KTAP version 1\n");
	test("memory maps", maps);
	test("memory is taken from the top", taken_from_the_top);
	test("protections, one tree", one_tree);
	test("protections, two trees", two_trees);
	test("protections of many pages at once", runs);
	test("the pool holds the worst case", worst_case);
	test("a page that shows another", overlays);
	test("another default, and devices", defaults);
	test("ELF files", elf_files);
	test("changed ELF files", elf_changes);
	printf("1..%u\n", passed + failed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
