// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loader and the options.  The machine's memory is address space in which only the guest's file
 * can be read and only the guest's memory be written: all else ends the test.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "device_tree.h"
#include "elf.h"
#include "load.h"
#include "machine.h"

#define SPACE (128 * MIB + 16 * MIB)
#define GUEST_SIZE (1 * MIB)
#define FILE_END (CONFIG_LOAD + 8 * MIB)
#define FILE_MAX 4096u
#define ROUNDS 100000u

static struct memory_map ram;
static uint8_t *space;
static uint8_t *room;

static void space_init(void)
{
	space = mmap(NULL, SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (space == MAP_FAILED)
		abort();
	room = (uint8_t *)((uintptr_t)space - RAM_START);
	mprotect(room + CONFIG_LOAD, 2 * GUEST_SIZE, PROT_READ | PROT_WRITE);
	mprotect(room + FILE_END - FILE_MAX, FILE_MAX, PROT_READ | PROT_WRITE);
	memory_add(&ram, RAM_START, RAM_START + SPACE, MEMORY_RAM);
	memory_add(&ram, HYPERVISOR_START, HYPERVISOR_END, MEMORY_HYPERVISOR);
}

struct file {
	uint8_t bytes[512];
	uint32_t size;
};

static void put(struct file *f, uint32_t at, uint64_t v, uint32_t n)
{
	memcpy(f->bytes + at, &v, n);
}

/* One segment, 0x40 bytes at 0x100 of the file, 0x3000 in memory, entry at its byte 16. */
static struct file elf(void)
{
	struct file f = { .bytes = "\177ELF\2\1\1", .size = sizeof(f.bytes) };

	put(&f, 16, 2, 2);
	put(&f, 18, ELF_AARCH64, 2);
	put(&f, 24, CONFIG_LOAD + 0x1010, 8);
	put(&f, 32, 64, 8);
	put(&f, 54, 56, 2);
	put(&f, 56, 1, 2);
	put(&f, 64, 1, 4);
	put(&f, 64 + 8, 0x100, 8);
	put(&f, 64 + 16, CONFIG_LOAD + 0x1000, 8);
	put(&f, 64 + 24, CONFIG_LOAD + 0x1000, 8);
	put(&f, 64 + 32, 0x40, 8);
	put(&f, 64 + 40, 0x3000, 8);
	memset(f.bytes + 0x100, 0xa5, 0x40);
	return f;
}

static struct file image(void)
{
	struct file f = { .size = sizeof(f.bytes) };

	put(&f, 8, 0x1000, 8);
	put(&f, 16, 0x8000, 8);
	put(&f, 24, 0xa, 8);
	memcpy(f.bytes + 56, "ARM\x64", 4);
	memset(f.bytes + 64, 0x5a, 64);
	return f;
}

static struct guest_config config(const struct file *f)
{
	return (struct guest_config){
		.load = CONFIG_LOAD,
		.memory = GUEST_SIZE,
		.file = FILE_END - f->size,
		.file_size = f->size,
	};
}

/* The file lies right before memory that is not there. */
static struct load_error load(const struct file *f, const struct guest_config *c, struct load_result *r)
{
	struct load_error error;

	mprotect(room + FILE_END - FILE_MAX, FILE_MAX, PROT_READ | PROT_WRITE);
	memcpy(room + FILE_END - f->size, f->bytes, f->size);
	mprotect(room + FILE_END - FILE_MAX, FILE_MAX, PROT_READ);
	mprotect(room + CONFIG_LOAD + GUEST_SIZE, GUEST_SIZE, PROT_NONE);
	error = guest_load(c, &ram, room, r);
	if (!error.code != !error.text)
		abort();
	return error;
}

static void good_files(void)
{
	const uint8_t *at = room + CONFIG_LOAD;
	struct file f = elf();
	struct guest_config c = config(&f);
	struct load_result r;

	memset(room + CONFIG_LOAD, 0xff, GUEST_SIZE);
	CHECK(!load(&f, &c, &r).code);
	CHECK(r.entry == CONFIG_LOAD + 0x1010 && r.start == CONFIG_LOAD + 0x1000);
	CHECK(at[0xfff] == 0xff && at[0x1000] == 0xa5 && at[0x103f] == 0xa5);
	CHECK(!at[0x1040] && !at[0x3fff] && at[0x4000] == 0xff); /* what the file does not fill is clear */
	/* Position-independent, for address 0: it goes where the guest's memory starts. */
	put(&f, 16, 3, 2);
	put(&f, 24, 0x10, 8);
	put(&f, 64 + 16, 0, 8);
	put(&f, 64 + 24, 0, 8);
	CHECK(!load(&f, &c, &r).code && r.entry == CONFIG_LOAD + 0x10 && at[0] == 0xa5);
	f = image();
	CHECK(!load(&f, &c, &r).code && r.entry == CONFIG_LOAD + 0x1000 && at[0x1040] == 0x5a);
	CHECK(r.end == CONFIG_LOAD + 0x9000);
	memset(&f, 0x77, sizeof(f.bytes));
	CHECK(!load(&f, &c, &r).code && r.entry == CONFIG_LOAD && at[511] == 0x77);
	c.entry = CONFIG_LOAD + 0x20;
	CHECK(!load(&f, &c, &r).code && r.entry == CONFIG_LOAD + 0x20);
}

struct change {
	uint32_t at;
	uint32_t n;
	uint64_t v;
	uint32_t code;
};

static void try(struct file (*make)(void), const struct change *bad, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct file f = make();
		struct guest_config c = config(&f);
		struct load_result r;
		uint32_t code;

		c.kind = make == elf ? GUEST_ELF : GUEST_IMAGE;
		put(&f, bad[i].at, bad[i].v, bad[i].n);
		code = load(&f, &c, &r).code;
		if (!CHECK(code == bad[i].code))
			printf("# change %u: %u\n", i, code);
	}
}

static void bad_elf_files(void)
{
	static const struct change bad[] = {
		{ 0, 1, 0, EXIT_FILE },
		{ 4, 1, 1, EXIT_FILE },
		{ 5, 1, 2, EXIT_FILE },
		{ 16, 2, 1, EXIT_FILE },
		{ 18, 2, ELF_X86_64, EXIT_MACHINE },
		{ 54, 2, 32, EXIT_FILE },
		{ 56, 2, 0, EXIT_FILE },
		{ 56, 2, 0xffff, EXIT_TRUNCATED },
		{ 32, 8, ~0ull, EXIT_TRUNCATED },
		{ 64 + 8, 8, 0x1d0, EXIT_TRUNCATED },
		{ 64 + 8, 8, ~0ull, EXIT_TRUNCATED },
		{ 64 + 32, 8, 0x3001, EXIT_FILE },
		{ 64 + 40, 8, ~0ull, EXIT_OUTSIDE },
		{ 64 + 40, 8, GUEST_SIZE, EXIT_OUTSIDE },
		{ 64 + 24, 8, HYPERVISOR_START, EXIT_OVERLAP },
		{ 64 + 24, 8, HYPERVISOR_START - 0x1000, EXIT_OVERLAP },
		{ 64 + 24, 8, HYPERVISOR_END - 1, EXIT_OVERLAP },
		{ 64 + 24, 8, CONFIG_LOAD - 1, EXIT_OUTSIDE },
		{ 64 + 24, 8, 0, EXIT_OUTSIDE },
		{ 24, 8, 0, EXIT_FILE },
		{ 24, 8, CONFIG_LOAD + 0x1011, EXIT_OUTSIDE },
	};

	try(elf, bad, ARRAY_SIZE(bad));
}

static void bad_images(void)
{
	static const struct change bad[] = {
		{ 56, 1, 0, EXIT_FILE },
		{ 24, 8, 0xb, EXIT_MACHINE },
		{ 16, 8, 0, EXIT_FILE },
		{ 16, 8, 511, EXIT_FILE },
		{ 16, 8, GUEST_SIZE, EXIT_OUTSIDE },
		{ 16, 8, ~0ull, EXIT_OUTSIDE },
		{ 8, 8, ~0ull, EXIT_OUTSIDE },
		{ 8, 8, GUEST_SIZE - 0x7fff, EXIT_OUTSIDE },
	};

	try(image, bad, ARRAY_SIZE(bad));
}

static uint32_t with(struct guest_config c, const struct file *f)
{
	struct load_result r;

	return load(f, &c, &r).code;
}

static void bad_places(void)
{
	struct file f = elf();
	const struct guest_config good = config(&f);
	struct guest_config c = good;

	c.load = HYPERVISOR_START + PAGE_SIZE;
	CHECK(with(c, &f) == EXIT_OVERLAP);
	c.load = RAM_START - PAGE_SIZE;
	CHECK(with(c, &f) == EXIT_OUTSIDE);
	c.load = RAM_START + SPACE;
	CHECK(with(c, &f) == EXIT_OUTSIDE);
	c = good;
	c.memory = SPACE;
	CHECK(with(c, &f) == EXIT_OUTSIDE);
	c = good;
	c.file = RAM_START + SPACE - 16;
	CHECK(with(c, &f) == EXIT_OUTSIDE);
	c.file = HYPERVISOR_START;
	CHECK(with(c, &f) == EXIT_OUTSIDE);
	c = good;
	c.file_size = 0;
	c.kind = GUEST_ELF;
	CHECK(with(c, &f) == EXIT_CONFIG);
	c.file_size = 63;
	CHECK(with(c, &f) == EXIT_TRUNCATED);
	c.kind = GUEST_IMAGE;
	CHECK(with(c, &f) == EXIT_TRUNCATED);
	c.kind = GUEST_FLAT;
	c.file_size = 0;
	CHECK(with(c, &f) == EXIT_CONFIG);
	c = good;
	c.entry = CONFIG_LOAD + GUEST_SIZE;
	CHECK(with(c, &f) == EXIT_OUTSIDE);
	c = good;
	c.initrd = CONFIG_LOAD + 0x3000;
	c.initrd_size = 16;
	CHECK(with(c, &f) == EXIT_OVERLAP);
	c.initrd = CONFIG_LOAD + GUEST_SIZE - 8;
	CHECK(with(c, &f) == EXIT_OUTSIDE);
	/* An initrd, a flat file where the device tree goes. */
	c.load = RAM_START;
	c.memory = CONFIG_LOAD + GUEST_SIZE - RAM_START;
	c.initrd = RAM_START + TREE_ROOM - 1;
	CHECK(with(c, &f) == EXIT_OVERLAP);
	c.initrd = RAM_START + TREE_ROOM;
	CHECK(!with(c, &f));
	memset(f.bytes, 0, sizeof(f.bytes));
	c = good;
	c.load = RAM_START;
	CHECK(with(c, &f) == EXIT_OVERLAP);
}

/* Cut and changed files: refused, or all that is written lies in the guest's memory. */
static void fuzzed(struct file (*make)(void))
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct file f = make();
		struct guest_config c;
		struct load_result r;

		for (uint32_t n = random32() % 4; n; n--)
			f.bytes[random32() % 0x80] = (uint8_t)random32();
		f.bytes[random32() % 0x80] ^= (uint8_t)(1 << random32() % 8);
		if (!(random32() % 4)) {
			uint32_t size = 1 + random32() % sizeof(f.bytes);

			memmove(f.bytes, f.bytes, size);
			f.size = size;
		}
		c = config(&f);
		c.kind = random32() % 4;
		if (!load(&f, &c, &r).code)
			CHECK(r.start >= c.load && r.end <= c.load + c.memory && !(r.entry & 3));
	}
}

static void fuzzed_elf_files(void)
{
	fuzzed(elf);
}

static void fuzzed_images(void)
{
	fuzzed(image);
}

static void options(void)
{
	static const char *const good[] = {
		"", "load=0x48000000", "memory=128 counters dump", "entry=0x48000010 kind=elf",
		"file=0x50000000 file-size=12", "initrd=0x4f000000 initrd-size=4096 faults=stop",
		"allow=virtio allow=pci", "file-size=123456789",
	};
	static const char *const bad[] = {
		"unknown", "load", "load=", "load=0x", "load=0x48000001", "load=0xg", "memory=0",
		"memory=99999999", "memory=1 memory=1", "entry=0x48000001", "kind=", "kind=exe",
		"load=0x8000000000", "load=0x7ffffff000", "initrd=0x1000", "initrd-size=1", "allow=",
		"allow=all", "file-size=0x10000000000", "load=0x1000000000000000", "counter", "counters=1",
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!CHECK(!config_refuses(good[i])))
			printf("# refused: %s\n", good[i]);
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!CHECK(config_refuses(bad[i]) == EXIT_CONFIG))
			printf("# accepted: %s\n", bad[i]);
}

void test_config(void)
{
	test("options", options);
}

void test_loader(void)
{
	space_init();
	test("loader: ELF, movable ELF, Image, flat", good_files);
	test("loader: bad ELF files, each with its code", bad_elf_files);
	test("loader: bad Images, each with its code", bad_images);
	test("loader: bad places", bad_places);
	test("loader: fuzzed ELF files", fuzzed_elf_files);
	test("loader: fuzzed Images", fuzzed_images);
}
