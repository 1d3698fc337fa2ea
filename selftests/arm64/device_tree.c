// SPDX-License-Identifier: GPL-2.0-only
/* The machine's device tree, and the guest's, which lies at the start of RAM on the host as well. */
#include <libfdt.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "check.h"
#include "device_tree.h"

static struct machine machine;
static uint8_t tree[16384];

static const struct guest_config config = { .load = CONFIG_LOAD, .memory = CONFIG_MEMORY };

static void put_memory(uint64_t start, uint64_t size)
{
	const fdt64_t reg[] = { cpu_to_fdt64(start), cpu_to_fdt64(size) };
	char name[32];

	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)start);
	CHECK(!fdt_begin_node(tree, name) && !fdt_property_string(tree, "device_type", "memory"));
	CHECK(!fdt_property(tree, "reg", reg, sizeof(reg)) && !fdt_end_node(tree));
}

/* @memories of 256 MiB each. */
static void make(uint32_t cpus, uint32_t memories)
{
	CHECK(!fdt_create(tree, sizeof(tree)) && !fdt_finish_reservemap(tree));
	CHECK(!fdt_begin_node(tree, ""));
	CHECK(!fdt_begin_node(tree, "chosen") && !fdt_end_node(tree));
	for (uint32_t i = 0; i < memories; i++)
		put_memory(RAM_START + i * 256 * MIB, 256 * MIB);
	CHECK(!fdt_begin_node(tree, "cpus"));
	for (uint32_t i = 0; i < cpus; i++) {
		char name[16];

		snprintf(name, sizeof(name), "cpu@%x", i);
		CHECK(!fdt_begin_node(tree, name) && !fdt_property_string(tree, "device_type", "cpu"));
		CHECK(!fdt_property_u32(tree, "reg", i) && !fdt_end_node(tree));
	}
	CHECK(!fdt_end_node(tree) && !fdt_end_node(tree) && !fdt_finish(tree));
}

static void read(void)
{
	machine = (struct machine){ .n_cpus = 0 };
	device_tree_read(&machine, (uint64_t)tree);
}

static void cpus(void)
{
	make(CPUS_MAX, 1);
	CHECK(!refuses(read) && machine.n_cpus == CPUS_MAX && machine.cpus[CPUS_MAX - 1] == CPUS_MAX - 1);
	make(CPUS_MAX + 1, 1);
	CHECK(refuses(read) == EXIT_TREE);
}

static bool node_is(const void *guest, const char *path, uint64_t start, uint64_t size, bool on)
{
	int node = fdt_path_offset(guest, path);
	const char *status = node < 0 ? NULL : fdt_getprop(guest, node, "status", NULL);
	const fdt64_t *reg = node < 0 ? NULL : fdt_getprop(guest, node, "reg", NULL);

	return reg && fdt64_ld(reg) == start && fdt64_ld(reg + 1) == size &&
	       !(status && !strcmp(status, "disabled")) == on;
}

/* The first of several nodes names the guest's memory, the others are none. */
static void memory(void)
{
	void *room = mmap((void *)RAM_START, TREE_ROOM, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (room != (void *)RAM_START)
		abort();
	make(1, 3);
	CHECK(!refuses(read));
	CHECK(device_tree_write(&machine, &config) == RAM_START && !fdt_check_header(room));
	CHECK(node_is(room, "/memory@40000000", CONFIG_LOAD, CONFIG_MEMORY, true));
	CHECK(node_is(room, "/memory@50000000", 0x50000000, 256 * MIB, false));
	CHECK(node_is(room, "/memory@60000000", 0x60000000, 256 * MIB, false));
	munmap(room, TREE_ROOM);
}

void test_device_tree(void)
{
	test("device tree: CPUs, too many", cpus);
	test("device tree: several nodes of memory", memory);
}
