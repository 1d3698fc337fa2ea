// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor starts: memory, tables, CPUs, then both levels' first images, then it runs them. */
#include "console.h"
#include "options.h"
#include "start.h"

#define MULTIBOOT_LOADED 0x2badb002u
#define AP_PAGE 0x8000ull
#define LEAF_AMD_FEATURES 0x80000001u
#define LEAF_AMD_SVM 0x8000000au
#define SVM_NESTED_PAGING BIT(0)
#define SVM_NEXT_RIP BIT(3)
#define SVM_DECODE BIT(7)

void main(uint64_t info, uint32_t magic);
void ap_main(void);

extern uint8_t image_start[];
extern uint8_t image_end[];
extern const uint8_t ap_start[];
extern const uint8_t ap_start_size[]; /* its address is the size */
extern uint64_t ap_stack;

static struct boot boot;
static uint32_t ap_index;
static uint32_t ap_up;

static void check_cpu(void)
{
	struct cpuid svm = cpuid(LEAF_AMD_SVM, 0);

	if (!(cpuid(LEAF_AMD_FEATURES, 0).ecx & BIT(2)) || !(svm.edx & SVM_NESTED_PAGING))
		panic("the processor has no SVM with nested paging");
	partition.features = (svm.edx & SVM_NEXT_RIP ? FEATURE_NEXT_RIP : 0) |
			     (svm.edx & SVM_DECODE ? FEATURE_DECODE : 0) |
			     (cpuid(1, 0).ecx & BIT(21) ? FEATURE_X2APIC : 0);
}

/* From the top of memory below 4 GiB, where neither firmware nor the modules are. */
static uint64_t take(uint64_t size, uint64_t alignment, enum memory_kind kind)
{
	uint64_t at = memory_take(&partition.map, size, alignment, BIT(32), kind);

	if (at < boot.modules_end)
		panic("no room for %lu KiB beside the modules; " MORE_MEMORY, size >> 10);
	if (kind == MEMORY_HYPERVISOR)
		memset((void *)at, 0, size);
	return at;
}

static void make_tables(void)
{
	uint32_t trees = partition.mbec_offered ? NPT_TREES : 1;
	uint32_t pages = npt_pages(&partition.map, trees) + VTLS * VPS_MAX;
	uint64_t others = align_up(pages * sizeof(uint32_t), PAGE_SIZE);
	uint64_t base = take(align_up(pages * PAGE_SIZE + others, LARGE_SIZE), LARGE_SIZE,
			     MEMORY_HYPERVISOR);

	pool_init(&partition.pool, base, pages);
	for (uint32_t vtl = 0; vtl < VTLS; vtl++) {
		struct npt *npt = &partition.vtl[vtl].npt;

		npt->pool = &partition.pool;
		npt->others = (uint32_t *)(base + pages * PAGE_SIZE);
	}
	partition.io_map = (uint8_t *)take(3 * PAGE_SIZE, PAGE_SIZE, MEMORY_HYPERVISOR);
	partition.open_map = (uint8_t *)take(2 * PAGE_SIZE, PAGE_SIZE, MEMORY_HYPERVISOR);
	io_map_init(partition.io_map);
	msr_map_init(partition.open_map, false);
}

/* The part of it that is mapped at first must lie within 1 GiB: see load.c. */
static void take_vtl1(void)
{
	static struct memory_map before;
	uint64_t size = vtl1_size(boot.options, memory_ram(&partition.map), partition.vps);
	uint64_t limit = BIT(32);
	uint64_t start;
	uint64_t mapped;

	before = partition.map;
	do {
		partition.map = before;
		start = memory_take(&partition.map, size, LARGE_SIZE, limit, MEMORY_VTL1);
		mapped = start + VTL1_MAPPED;
		limit = align_down(mapped, HUGE_SIZE) + size - VTL1_MAPPED;
	} while (start && start / HUGE_SIZE != (mapped - 1) / HUGE_SIZE);
	if (start < boot.modules_end)
		panic("no room for " OPTION_VTL1_MEMORY "%lu beside the modules; " MORE_MEMORY,
		      size / MIB);
	partition.vtl1_start = start;
	partition.vtl1_end = start + size;
}

static void find_cpus(void)
{
	uint32_t ids[VPS_MAX];

	partition.vps = acpi_cpus(ids, VPS_MAX, &boot.rsdp);
	for (uint32_t i = 0; i < partition.vps; i++) {
		partition.vp[i].index = i;
		partition.vp[i].apic_id = ids[i];
	}
}

static void svm_on(void)
{
	uint64_t page = pool_get(&partition.pool);

	if (!page)
		panic("no page for a CPU");
	write_msr(MSR_VM_HSAVE_PA, page);
	/* Only silicon: an INIT that no ICR has sent becomes an exception. */
	write_msr(MSR_VM_CR, read_msr(MSR_VM_CR) | VM_CR_REDIRECT_INIT);
	__asm__ volatile("clgi");
}

void ap_main(void)
{
	struct vp *vp = &partition.vp[ap_index];

	host_init();
	svm_on();
	apic_init(vp);
	store_release(ap_up, ap_index);
	vp_run(vp);
}

/* One after the other: they share the page where they start. */
static void start_cpus(void)
{
	memcpy((void *)AP_PAGE, ap_start, (uint64_t)ap_start_size);
	for (uint32_t i = 1; i < partition.vps; i++) {
		ap_index = i;
		ap_stack = host_stack(i);
		apic_start(&partition.vp[i], AP_PAGE);
		while (load_acquire(ap_up) != i)
			spin_wait();
	}
}

static void load_levels(struct vp *vp)
{
	struct hv_initial_vp_context context;

	vtl0_load(&boot, &partition.map, &context, &vp->start[RSI]);
	vp_context(vp, 0, &context);
	vp->first_entry = true;
	store_release(vp->state, VP_RUNNING);
	if (!boot.vtl1.end) {
		memcpy(vp->gpr, vp->start, sizeof(vp->gpr));
		return;
	}
	vtl1_load(&boot, &partition.map, partition.vps, &context, &vp->gpr[RSI]);
	vp_context(vp, 1, &context);
	partition.vtl[1].enabled = true;
	partition.mbec_enabled = partition.mbec_offered;
	partition.vtl1_started = true;
	vp->vtl[1].enabled = true;
	vp->level = 1;
	vp->vmcb = vp->vtl[1].vmcb;
}

/* Of the local APIC's page each write is looked at; a write behind it is an interrupt message of any kind. */
static void close_devices(uint64_t apic)
{
	struct npt *npt = &partition.vtl[0].npt;
	struct acpi_devices devices;

	for (uint64_t at = apic; at < apic + APIC_MESSAGES; at += PAGE_SIZE)
		npt_fix(npt, at, HV_MAP_READ);
	acpi_devices(boot.rsdp, &devices);
	device_init(npt, &devices);
}

void main(uint64_t info, uint32_t magic)
{
	struct vp *vp = &partition.vp[0];

	if (magic != MULTIBOOT_LOADED)
		panic("not started by a multiboot loader");
	host_init();
	check_cpu();
	multiboot_read((const uint8_t *)info, &boot, &partition.map);
	memory_add(&partition.map, (uint64_t)image_start, (uint64_t)image_end, MEMORY_HYPERVISOR);
	partition.config = HV_VSM_PARTITION_ZERO_ON_RESET;
	partition.mbec_offered = has_option(boot.options, "mbec=emulated");
	partition.counters = has_option(boot.options, "counters");
	find_cpus();
	clock_init();
	if (boot.vtl1.end)
		take_vtl1();
	make_tables();
	for (uint32_t i = 0; i < partition.vps; i++) {
		partition.vp[i].msr_map =
			(uint8_t *)take(2 * PAGE_SIZE, PAGE_SIZE, MEMORY_HYPERVISOR);
	}
	for (uint32_t vtl = 0; vtl < VTLS; vtl++)
		npt_init(&partition.vtl[vtl].npt, &partition.map,
			 !vtl && partition.mbec_offered ? NPT_TREES : 1);
	for (uint32_t i = 0; i < partition.vps; i++)
		vp_init(&partition.vp[i]);
	svm_on();
	apic_init(vp);
	close_devices(vp->apic_base & APIC_BASE_ADDRESS);
	start_cpus();
	load_levels(vp);
	console_print("hypervisor: %u VPs, %lu MiB for VTL1 at 0x%lx, %u pages for tables, %u free",
		      partition.vps, (partition.vtl1_end - partition.vtl1_start) / MIB,
		      partition.vtl1_start, partition.pool.pages, partition.pool.free);
	vp_run(vp);
}
