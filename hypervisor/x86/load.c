// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first image of each level: Linux by its 64-bit boot protocol, or an ELF file, for VTL0; an ELF
 * file in memory of its own for VTL1, as Hyper-V's guests lay out their secure kernel.
 */
#include "console.h"
#include "elf.h"
#include "options.h"
#include "start.h"

/* The zero page of Linux. */
#define PARAMS_RSDP 0x070
#define PARAMS_E820_ENTRIES 0x1e8
#define PARAMS_HEADER 0x1f1
#define PARAMS_BOOT_FLAG 0x1fe
#define PARAMS_JUMP 0x201
#define PARAMS_MAGIC 0x202
#define PARAMS_LOADER 0x210
#define PARAMS_RAMDISK 0x218
#define PARAMS_RAMDISK_SIZE 0x21c
#define PARAMS_CMDLINE 0x228
#define PARAMS_XLOADFLAGS 0x236
#define PARAMS_CMDLINE_SIZE 0x238
#define PARAMS_INIT_SIZE 0x260
#define PARAMS_E820 0x2d0
#define E820_SIZE 20u
#define E820_MAX 128u
#define LOADER_UNKNOWN 0xff
#define XLOAD_64 BIT(0)
#define ENTRY_64 0x200u

/* Where VTL0's first structures lie: below 640 KiB, which Linux reserves while it starts. */
#define VTL0_PARAMS 0x10000ull
#define VTL0_CMDLINE 0x11000ull
#define VTL0_TABLES 0x12000ull
#define VTL0_KERNEL 0x1000000ull
#define INITRD_LIMIT 0x7fffffffull

/* Pages of VTL1's memory, from its start. */
enum {
	PAGE_GDT,
	PAGE_TSS,
	PAGE_PML4,
	PAGE_PDPT,
	PAGE_PD,
	PAGE_PT,
	PAGE_STACK = 13,
	PAGE_PARAMS,
	PAGE_CMDLINE,
};
#define VTL1_IMAGE LARGE_SIZE
#define VTL1_MORE (4 * MIB) /* for each CPU */
#define VTL1_USUAL (128 * MIB) /* in a machine that has plenty */
#define VTL1_PLENTY (768 * MIB)
#define VTL1_SHARE 8 /* of a machine that has less */
/* Firmware and the hypervisor have taken less than that from what the machine is said to have. */
#define VTL1_ROUND (VTL1_SHARE * LARGE_SIZE)

#define CODE_64 0x209b /* attributes as HV_INITIAL_VP_CONTEXT has them */
#define DATA_64 0xc093
#define DATA_VTL1 0x4093
#define PAT_RESET 0x0007040600070406ull

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t length(const char *s)
{
	uint64_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* How a level sees memory: its own as RAM, what is not its own as reserved. */
static uint32_t seen_as(enum memory_kind kind, bool vtl1)
{
	if (vtl1)
		return kind == MEMORY_VTL1 ? MEMORY_RAM : MEMORY_RESERVED;
	return kind > MEMORY_NVS ? MEMORY_RESERVED : kind;
}

void boot_params_memory(uint8_t *params, const struct memory_map *map, bool vtl1)
{
	uint8_t n = 0;

	for (uint32_t i = 0; i < map->n && n < E820_MAX; i++) {
		const struct memory_range *r = &map->ranges[i];
		uint8_t *entry = params + PARAMS_E820 + n * E820_SIZE;

		if (vtl1 && r->kind != MEMORY_VTL1 && r->kind != MEMORY_RAM)
			continue;
		put64(entry, r->start);
		put64(entry + 8, r->end - r->start);
		put32(entry + 16, seen_as(r->kind, vtl1));
		n++;
	}
	params[PARAMS_E820_ENTRIES] = n;
}

/* --- VTL0 --- */

/* One to one, 4 GiB in pages of 2 MiB. */
static void vtl0_tables(void)
{
	uint64_t *pml4 = (uint64_t *)VTL0_TABLES;
	uint64_t *pdpt = pml4 + 512;
	uint64_t *pd = pdpt + 512;

	memset(pml4, 0, 2 * PAGE_SIZE);
	pml4[0] = (uint64_t)pdpt | 3;
	for (uint64_t i = 0; i < 4; i++)
		pdpt[i] = (uint64_t)(pd + 512 * i) | 3;
	for (uint64_t i = 0; i < 4 * 512; i++)
		pd[i] = i * LARGE_SIZE | 0x83;
}

static void vtl0_context(struct hv_initial_vp_context *c, uint64_t entry)
{
	const struct hv_segment code = { .limit = ~0u, .selector = 0x10, .attributes = 0xa09b };
	const struct hv_segment data = { .limit = ~0u, .selector = 0x18, .attributes = DATA_64 };

	*c = (struct hv_initial_vp_context){ .rip = entry, .rflags = RFLAGS_FIXED };
	c->cs = code;
	c->ds = c->es = c->fs = c->gs = c->ss = data;
	c->tr.attributes = 0x8b;
	c->ldtr.attributes = 0x82;
	c->efer = EFER_NXE | EFER_LMA | EFER_LME;
	c->cr0 = CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE;
	c->cr3 = VTL0_TABLES;
	c->cr4 = CR4_PAE;
	c->pat = PAT_RESET;
}

/*
 * Modules lie where the kernel goes, so they are moved to the top of memory first. What that takes
 * stays RAM for the guest: @free is a map of its own.
 */
static uint64_t move_up(const struct boot *boot, const struct boot_module *m, struct memory_map *free)
{
	uint64_t size = m->end - m->start;
	uint64_t to = memory_take(free, align_up(size, PAGE_SIZE), PAGE_SIZE, INITRD_LIMIT,
				  MEMORY_RESERVED);

	if (to < boot->modules_end)
		panic("no room for the modules twice; " MORE_MEMORY);
	memcpy((void *)to, (const void *)m->start, size);
	return to;
}

static void check_linux(const uint8_t *image, uint64_t size)
{
	if (size < 0x1000 || get16(image + PARAMS_BOOT_FLAG) != 0xaa55 ||
	    get32(image + PARAMS_MAGIC) != 0x53726448)
		panic("the module vtl0 is neither a Linux kernel nor an ELF file");
	if (!(get16(image + PARAMS_XLOADFLAGS) & XLOAD_64))
		panic("the kernel has no 64-bit entry");
}

static uint64_t load_linux(const struct boot *boot, const struct memory_map *map, uint8_t *params)
{
	static struct memory_map free;
	uint64_t size = boot->kernel.end - boot->kernel.start;
	const uint8_t *image;
	uint64_t initrd;
	uint64_t setup;

	free = *map;
	initrd = boot->initrd.end ? move_up(boot, &boot->initrd, &free) : 0;
	image = (const uint8_t *)move_up(boot, &boot->kernel, &free);
	check_linux(image, size);
	setup = (image[PARAMS_HEADER] + 1ull) * 512;
	if (VTL0_KERNEL + get32(image + PARAMS_INIT_SIZE) > (uint64_t)image)
		panic("no room for the kernel; " MORE_MEMORY);
	memcpy(params + PARAMS_HEADER, image + PARAMS_HEADER,
	       PARAMS_MAGIC + image[PARAMS_JUMP] - PARAMS_HEADER);
	params[PARAMS_LOADER] = LOADER_UNKNOWN;
	put32(params + PARAMS_RAMDISK, (uint32_t)initrd);
	put32(params + PARAMS_RAMDISK_SIZE, (uint32_t)(boot->initrd.end - boot->initrd.start));
	memcpy((void *)VTL0_KERNEL, image + setup, size - setup);
	return VTL0_KERNEL + ENTRY_64;
}

static uint64_t load_elf(const struct elf_image *image, const struct memory_map *map)
{
	const struct memory_range *r = memory_find(map, image->start);

	if (!r || r->kind != MEMORY_RAM || image->end > r->end)
		panic("the ELF file of VTL0 is for memory that is not there");
	elf_place(image, (uint8_t *)image->start);
	return image->entry;
}

void vtl0_load(const struct boot *boot, const struct memory_map *map,
	       struct hv_initial_vp_context *context, uint64_t *boot_params)
{
	uint8_t *params = (uint8_t *)VTL0_PARAMS;
	uint64_t size = boot->kernel.end - boot->kernel.start;
	struct elf_image elf;
	bool is_elf = !elf_parse((const uint8_t *)boot->kernel.start, size, ELF_X86_64, &elf);

	memset(params, 0, PAGE_SIZE);
	vtl0_context(context, is_elf ? load_elf(&elf, map) : load_linux(boot, map, params));
	vtl0_tables();
	memcpy((void *)VTL0_CMDLINE, boot->kernel.words, length(boot->kernel.words) + 1);
	put32(params + PARAMS_CMDLINE, VTL0_CMDLINE);
	put64(params + PARAMS_RSDP, boot->rsdp);
	boot_params_memory(params, map, false);
	*boot_params = VTL0_PARAMS;
}

/* --- VTL1 --- */

uint64_t vtl1_size(const char *options, uint64_t ram, uint32_t cpus)
{
	uint64_t more = cpus * VTL1_MORE;
	uint64_t least = VTL1_MAPPED + more;
	uint64_t mib;

	ram = align_up(ram, VTL1_ROUND);
	if (!option_number(options, OPTION_VTL1_MEMORY, &mib))
		return ram < VTL1_PLENTY ? max_u64(least, ram / VTL1_SHARE) : VTL1_USUAL + more;
	if (mib < least / MIB || mib >= BIT(32) / MIB || mib * MIB % LARGE_SIZE)
		panic(OPTION_VTL1_MEMORY "%lu: an even number of MiB, %lu to 4094 for %u CPUs", mib,
		      least / MIB, cpus);
	return mib * MIB;
}

static uint8_t *vtl1_page(uint32_t page)
{
	return (uint8_t *)(partition.vtl1_start + page * PAGE_SIZE);
}

/* The first 16 MiB one to one, in pages of 4 KiB. */
static void vtl1_tables(void)
{
	uint64_t base = partition.vtl1_start;
	uint64_t *pml4 = (uint64_t *)vtl1_page(PAGE_PML4);
	uint64_t *pdpt = (uint64_t *)vtl1_page(PAGE_PDPT);
	uint64_t *pd = (uint64_t *)vtl1_page(PAGE_PD);
	uint64_t *pt = (uint64_t *)vtl1_page(PAGE_PT);

	pml4[base >> 39 & 511] = (uint64_t)pdpt | 3;
	pdpt[base >> 30 & 511] = (uint64_t)pd | 3;
	/* They do not cross 1 GiB: see where the memory is taken. */
	for (uint64_t i = 0; i < VTL1_MAPPED / LARGE_SIZE; i++)
		pd[(base >> 21 & 511) + i] = (uint64_t)(pt + 512 * i) | 3;
	for (uint64_t i = 0; i < VTL1_MAPPED / PAGE_SIZE; i++)
		pt[i] = (base + i * PAGE_SIZE) | 0x63;
}

static void vtl1_context(struct hv_initial_vp_context *c, uint64_t entry)
{
	const struct hv_segment data = { .limit = ~0u, .selector = 0x10, .attributes = DATA_VTL1 };
	uint64_t *gdt = (uint64_t *)vtl1_page(PAGE_GDT);

	gdt[1] = 0x00af9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
	*c = (struct hv_initial_vp_context){ .rip = entry, .rflags = RFLAGS_FIXED };
	c->rsp = (uint64_t)vtl1_page(PAGE_STACK + 1);
	c->cs = (struct hv_segment){ .limit = ~0u, .selector = 8, .attributes = CODE_64 };
	c->ds = c->es = c->fs = c->gs = c->ss = data;
	c->tr = (struct hv_segment){ .base = (uint64_t)vtl1_page(PAGE_TSS), .limit = 0x67,
				     .selector = 0x18, .attributes = 0x8b };
	c->ldtr.attributes = 0x82;
	c->gdtr = (struct hv_table){ .limit = 4 * 8 - 1, .base = (uint64_t)gdt };
	c->efer = EFER_NXE | EFER_LMA | EFER_LME | EFER_SCE;
	c->cr0 = 0x80010033;
	c->cr3 = (uint64_t)vtl1_page(PAGE_PML4);
	c->cr4 = 0xb0;
	c->pat = PAT_RESET;
}

/* "possible_cpus=" and a number below 100. */
static void vtl1_cmdline(char *to, uint32_t cpus)
{
	static const char word[] = "possible_cpus=";
	uint64_t n = sizeof(word) - 1;

	memcpy(to, word, n);
	if (cpus >= 10)
		to[n++] = (char)('0' + cpus / 10);
	to[n++] = (char)('0' + cpus % 10);
	to[n] = 0;
}

void vtl1_load(const struct boot *boot, const struct memory_map *map, uint32_t cpus,
	       struct hv_initial_vp_context *context, uint64_t *boot_params)
{
	uint8_t *params = vtl1_page(PAGE_PARAMS);
	struct elf_image image;
	enum elf_error wrong = elf_parse((const uint8_t *)boot->vtl1.start,
					 boot->vtl1.end - boot->vtl1.start, ELF_X86_64, &image);

	if (wrong)
		panic("VTL1's image: %s", elf_text(wrong));
	if (image.end - image.start > VTL1_MAPPED - VTL1_IMAGE)
		panic("VTL1's image is larger than what is mapped for it");
	memset((void *)partition.vtl1_start, 0, VTL1_IMAGE);
	elf_place(&image, (uint8_t *)partition.vtl1_start + VTL1_IMAGE);
	vtl1_tables();
	vtl1_context(context, partition.vtl1_start + VTL1_IMAGE + (image.entry - image.start));
	params[PARAMS_LOADER] = LOADER_UNKNOWN;
	put32(params + PARAMS_CMDLINE, (uint32_t)(uint64_t)vtl1_page(PAGE_CMDLINE));
	vtl1_cmdline((char *)vtl1_page(PAGE_CMDLINE), cpus);
	boot_params_memory(params, map, true);
	*boot_params = (uint64_t)params;
}
