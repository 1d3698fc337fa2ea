// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor starts: what the machine is, the guest, its memory; then it runs the guest. */
#include "load.h"
#include "vcpu.h"

_Noreturn void main(uint64_t tree);
_Noreturn void ap_main(uint64_t index);

extern uint8_t image_end[];

struct partition partition;

static void check_cpu(void)
{
	uint64_t mmfr0 = read_sysreg("id_aa64mmfr0_el1");

	if (!(mmfr0 & 0xf))
		panic("the processor has only 32 bits of physical address");
	if (id_field(mmfr0, 28) == 0xf)
		panic("the processor has no pages of 4 KiB");
}

/* What is left of the hypervisor's memory holds a table for each 2 MiB of 13 GiB. */
static void make_pool(void)
{
	uint64_t start = align_up((uint64_t)image_end, PAGE_SIZE);
	bool xnx = id_field(read_sysreg("id_aa64mmfr1_el1"), MMFR1_XNX_SHIFT);

	pool_init(&partition.pool, start, (uint32_t)((HYPERVISOR_END - start) >> PAGE_SHIFT));
	if (stage2_init(&partition.stage2, &partition.pool, xnx))
		panic("no page for the guest's tables");
}

static void open_memory(uint64_t start, uint64_t size, enum stage2_kind kind, uint32_t rights)
{
	enum stage2_error error = stage2_map(&partition.stage2, start, size, kind, rights);

	if (error)
		panic("mapping 0x%lx, %lu bytes: error %u", start, size, (uint32_t)error);
}

static void open_ram(uint64_t start, uint64_t end, uint32_t rights)
{
	const struct memory_map *map = &partition.machine.ram;

	for (uint32_t i = 0; i < map->n; i++) {
		uint64_t from = max_u64(map->ranges[i].start, start);
		uint64_t to = min_u64(map->ranges[i].end, end);

		if (map->ranges[i].kind == MEMORY_RAM && from < to)
			open_memory(from, to - from, STAGE2_NORMAL, rights);
	}
}

/*
 * Its own memory, and what lies below it; the devices; nothing else.  The device tree does not name
 * what lies below: that is for boot loaders that count from the start of RAM, as U-Boot does.
 */
static void map_guest(void)
{
	const struct machine *m = &partition.machine;
	const struct guest_config *c = &partition.config;

	open_ram(RAM_START, HYPERVISOR_START, STAGE2_READ | STAGE2_WRITE);
	open_ram(HYPERVISOR_END, c->load, STAGE2_RIGHTS);
	open_ram(c->load, c->load + c->memory, STAGE2_RIGHTS);
	for (uint32_t i = 0; i < m->n_devices; i++) {
		const struct region *r = &m->device[i];

		/* PCI has a window behind what the tables can map. */
		if (r->start < STAGE2_LIMIT && r->size <= STAGE2_LIMIT - r->start)
			open_memory(r->start, r->size, STAGE2_DEVICE, STAGE2_READ | STAGE2_WRITE);
	}
}

static void load(struct vcpu *v)
{
	struct guest_config *c = &partition.config;
	struct load_result loaded;
	struct load_error error;

	if (!c->initrd_size) {
		c->initrd = partition.machine.initrd;
		c->initrd_size = partition.machine.initrd_size;
	}
	error = guest_load(c, &partition.machine.ram, NULL, &loaded);
	if (error.code)
		stop(error.code, "%s", error.text);
	v->x[0] = device_tree_write(&partition.machine, c);
	v->pc = loaded.entry;
	/* It starts without caches. */
	machine_clean(loaded.start, loaded.end - loaded.start);
	console_print("hypervisor: guest at 0x%lx, %lu MiB, entry 0x%lx, %u CPUs, EL1%s", c->load,
		      c->memory / MIB, v->pc, partition.machine.n_cpus,
		      partition.stage2.xnx ? ", execution per level" : "");
}

/* As its own boot loader would leave it: where it looks for a stack there is one. */
static uint64_t first_stack(void)
{
	const struct guest_config *c = &partition.config;

	return align_down(c->load + c->memory - PAGE_SIZE, PAGE_SIZE);
}

static void set_stack(uint64_t at)
{
	write_sysreg("sp_el1", at);
}

void ap_main(uint64_t index)
{
	struct vcpu *v = &partition.vcpu[index];

	vcpu_init(v);
	lock(&partition.power);
	v->pc = v->entry;
	v->x[0] = v->context;
	v->power = VCPU_ON;
	unlock(&partition.power);
	vcpu_run(v);
}

void main(uint64_t tree)
{
	struct machine *m = &partition.machine;
	struct vcpu *v = &partition.vcpu[0];

	check_cpu();
	device_tree_read(m, tree);
	guest_config_read(&partition.config, m->options);
	host_map_ram(&m->ram);
	make_pool();
	for (uint32_t i = 0; i < m->n_cpus; i++) {
		partition.vcpu[i].index = i;
		partition.vcpu[i].affinity = m->cpus[i];
	}
	vcpu_init(v);
	load(v);
	map_guest();
	set_stack(first_stack());
	if (partition.config.dump)
		stage2_dump(&partition.stage2);
	v->power = VCPU_ON;
	vcpu_run(v);
}
