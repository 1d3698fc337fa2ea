// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree, through libfdt.
 *
 * Trust boundary: the tree comes from the machine (on QEMU: from whoever started it), not from a
 * guest, which gets a copy.
 */
#include <libfdt.h>

#include "device_tree.h"
#include "options.h"

#define TREE_MAX (2 * MIB) /* as Linux's boot protocol has it */

static uint8_t work[TREE_MAX] __attribute__((aligned(4096)));

/* Devices of QEMU's machine virt.  Without an option a device is open or hidden for good. */
static const struct {
	const char *compatible;
	const char *option;
	uint32_t regions; /* how many entries of reg count */
	bool open;
} devices[] = {
	/* Only distributor and redistributors: an ITS writes to memory wherever it is told. */
	{ "arm,gic-v3", NULL, 2, true },
	{ "arm,pl011", NULL, 1, true },
	{ "arm,gic-v3-its", NULL, 1, false },
	{ "qemu,fw-cfg-mmio", OPTION_ALLOW "fw_cfg", 1, false },
	{ "virtio,mmio", OPTION_ALLOW "virtio", 1, false },
	{ "pci-host-ecam-generic", OPTION_ALLOW "pci", 1, false },
	{ "cfi-flash", OPTION_ALLOW "flash", 2, false },
	{ "arm,pl031", OPTION_ALLOW "rtc", 1, false },
	{ "arm,pl061", OPTION_ALLOW "gpio", 1, false },
};

static int good(int ret, const char *what)
{
	if (ret < 0)
		stop(EXIT_TREE, "device tree: %s: %s", what, fdt_strerror(ret));
	return ret;
}

static uint64_t cells(const fdt32_t *p, uint32_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 32 | fdt32_to_cpu(*p++);
	return v;
}

/* Entry @i of a property of addresses and sizes of two cells each, which virt has at its root. */
static bool region_at(int node, const char *property, uint32_t i, struct region *r)
{
	int size;
	const fdt32_t *p = fdt_getprop(work, node, property, &size);

	if (!p || size < (int)(16 * (i + 1)))
		return false;
	r->start = cells(p + 4 * i, 2);
	r->size = cells(p + 4 * i + 2, 2);
	return true;
}

static void add(struct region *list, uint32_t *n, struct region r)
{
	if (*n == REGIONS_MAX)
		stop(EXIT_TREE, "device tree: more than %u regions of devices", REGIONS_MAX);
	list[(*n)++] = (struct region){ align_down(r.start, PAGE_SIZE),
					align_up(r.start + r.size, PAGE_SIZE) -
						align_down(r.start, PAGE_SIZE) };
}

static bool is_open(const struct machine *m, uint32_t device)
{
	return devices[device].open ||
	       (devices[device].option && has_option(m->options, devices[device].option));
}

static void enter(struct machine *m, bool open, struct region r)
{
	if (open)
		add(m->device, &m->n_devices, r);
	else
		add(m->hidden, &m->n_hidden, r);
}

/* The windows of a PCI host: entries of three cells, two for the address, two for the size. */
static void read_windows(struct machine *m, int node, bool open)
{
	int size;
	const fdt32_t *p = fdt_getprop(work, node, "ranges", &size);

	for (int i = 0; p && i + 28 <= size; i += 28, p += 7)
		enter(m, open, (struct region){ cells(p + 3, 2), cells(p + 5, 2) });
}

/* Pages of virtio devices hold eight of them: what is there already is not entered again. */
static bool entered(const struct machine *m, bool open, struct region r)
{
	uint32_t n = open ? m->n_devices : m->n_hidden;
	const struct region *last = open ? &m->device[n - 1] : &m->hidden[n - 1];

	return n && r.start >= last->start && r.start + r.size <= last->start + last->size;
}

static void read_devices(struct machine *m)
{
	for (uint32_t d = 0; d < ARRAY_SIZE(devices); d++) {
		const char *name = devices[d].compatible;
		bool open = is_open(m, d);
		struct region r;
		int node = -1;

		while ((node = fdt_node_offset_by_compatible(work, node, name)) >= 0) {
			for (uint32_t i = 0; i < devices[d].regions; i++)
				if (region_at(node, "reg", i, &r) && !entered(m, open, r))
					enter(m, open, r);
			read_windows(m, node, open);
		}
	}
}

static void read_memory(struct machine *m)
{
	struct region r;
	int node = -1;

	while (true) {
		node = fdt_node_offset_by_prop_value(work, node, "device_type", "memory", 7);
		if (node < 0)
			break;
		for (uint32_t i = 0; region_at(node, "reg", i, &r); i++)
			memory_add(&m->ram, r.start, r.start + r.size, MEMORY_RAM);
	}
	if (!memory_is_guest(&m->ram, RAM_START, HYPERVISOR_END - RAM_START))
		stop(EXIT_TREE, "device tree: no 32 MiB of RAM at 0x%lx", (uint64_t)RAM_START);
	memory_add(&m->ram, HYPERVISOR_START, HYPERVISOR_END, MEMORY_HYPERVISOR);
}

static void read_cpus(struct machine *m)
{
	int cpus = good(fdt_path_offset(work, "/cpus"), "/cpus");
	int node;
	int size;

	fdt_for_each_subnode(node, work, cpus) {
		const fdt32_t *reg = fdt_getprop(work, node, "reg", &size);
		const char *type = fdt_getprop(work, node, "device_type", NULL);

		if (!type || memcmp(type, "cpu", 4) || !reg || size % 4)
			continue;
		if (m->n_cpus == CPUS_MAX)
			stop(EXIT_TREE, "device tree: more than %u CPUs", CPUS_MAX);
		m->cpus[m->n_cpus++] = cells(reg, (uint32_t)size / 4);
	}
}

static void copy(char *to, const char *from, uint64_t n)
{
	if (n >= OPTIONS_MAX)
		stop(EXIT_TREE, "device tree: more than %u characters of options", OPTIONS_MAX);
	memcpy(to, from, n);
	to[n] = 0;
}

static bool ends_options(const char *words, uint64_t at)
{
	return words[at] == '-' && words[at + 1] == '-' && (!at || words[at - 1] == ' ') &&
	       (!words[at + 2] || words[at + 2] == ' ');
}

static void read_words(struct machine *m, const char *words)
{
	uint64_t n = strlen(words);

	for (uint64_t i = 0; i + 1 < n; i++) {
		if (!ends_options(words, i))
			continue;
		copy(m->options, words, i);
		i += words[i + 2] == ' ' ? 3 : 2;
		copy(m->words, words + i, n - i);
		return;
	}
	copy(m->words, words, n);
}

static uint64_t number(int node, const char *property)
{
	int size;
	const fdt32_t *p = fdt_getprop(work, node, property, &size);

	return p && (size == 4 || size == 8) ? cells(p, (uint32_t)size / 4) : 0;
}

static void read_chosen(struct machine *m)
{
	int node = good(fdt_path_offset(work, "/chosen"), "/chosen");
	int size;
	const char *words = fdt_getprop(work, node, "bootargs", &size);
	uint64_t end = number(node, "linux,initrd-end");

	if (words && size > 0 && !words[size - 1])
		read_words(m, words);
	m->initrd = number(node, "linux,initrd-start");
	m->initrd_size = end > m->initrd ? end - m->initrd : 0;
}

void device_tree_read(struct machine *m, uint64_t tree)
{
	const void *from = (const void *)(tree ? tree : RAM_START);

	good(fdt_check_header(from), "header");
	if (fdt_totalsize(from) > TREE_MAX)
		stop(EXIT_TREE, "device tree: more than %lu bytes", (uint64_t)TREE_MAX);
	good(fdt_open_into(from, work, sizeof(work)), "size");
	read_memory(m);
	read_cpus(m);
	read_chosen(m);
	read_devices(m);
}

/* --- the guest's --- */

/* Its first node says all of the guest's memory: what the others say is not the guest's. */
static int one_memory(void)
{
	int first = fdt_node_offset_by_prop_value(work, -1, "device_type", "memory", 7);
	int node = good(first, "/memory");

	while (true) {
		node = fdt_node_offset_by_prop_value(work, node, "device_type", "memory", 7);
		if (node < 0)
			return first;
		good(fdt_setprop_string(work, node, "status", "disabled"), "/memory");
	}
}

static void put_memory(const struct machine *m, const struct guest_config *c)
{
	static struct memory_map seen;
	static fdt64_t reg[2 * MEMORY_RANGES];
	uint32_t n = 0;
	int node;

	seen = m->ram;
	/* What lies before and behind the guest's memory is not in it. */
	memory_add(&seen, 0, c->load, MEMORY_RESERVED);
	memory_add(&seen, c->load + c->memory, UINT64_MAX, MEMORY_RESERVED);
	for (uint32_t i = 0; i < seen.n; i++) {
		if (seen.ranges[i].kind != MEMORY_RAM)
			continue;
		reg[n++] = cpu_to_fdt64(seen.ranges[i].start);
		reg[n++] = cpu_to_fdt64(seen.ranges[i].end - seen.ranges[i].start);
	}
	node = one_memory();
	good(fdt_setprop(work, node, "reg", reg, (int)(n * sizeof(reg[0]))), "/memory");
}

static void put_chosen(const struct machine *m, const struct guest_config *c)
{
	int node = good(fdt_path_offset(work, "/chosen"), "/chosen");

	good(fdt_setprop_string(work, node, "bootargs", m->words), "bootargs");
	fdt_delprop(work, node, "linux,initrd-start");
	fdt_delprop(work, node, "linux,initrd-end");
	if (!c->initrd_size)
		return;
	good(fdt_setprop_u64(work, node, "linux,initrd-start", c->initrd), "initrd");
	good(fdt_setprop_u64(work, node, "linux,initrd-end", c->initrd + c->initrd_size), "initrd");
}

static void disable(const char *compatible)
{
	int node = fdt_node_offset_by_compatible(work, -1, compatible);

	for (; node >= 0; node = fdt_node_offset_by_compatible(work, node, compatible))
		good(fdt_setprop_string(work, node, "status", "disabled"), compatible);
}

/* Linux and others keep away from it even where their memory is all around. */
static void reserve(void)
{
	good(fdt_add_mem_rsv(work, HYPERVISOR_START, HYPERVISOR_END - HYPERVISOR_START), "reserve");
}

uint64_t device_tree_write(const struct machine *m, const struct guest_config *c)
{
	put_memory(m, c);
	put_chosen(m, c);
	for (uint32_t d = 0; d < ARRAY_SIZE(devices); d++)
		if (!is_open(m, d))
			disable(devices[d].compatible);
	if (c->load < HYPERVISOR_END)
		reserve();
	good(fdt_pack(work), "size");
	if (fdt_totalsize(work) > TREE_ROOM)
		stop(EXIT_TREE, "device tree: more than %lu bytes for the guest", (uint64_t)TREE_ROOM);
	memcpy((void *)RAM_START, work, fdt_totalsize(work));
	machine_clean(RAM_START, TREE_ROOM);
	return RAM_START;
}
