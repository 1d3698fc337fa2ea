// SPDX-License-Identifier: GPL-2.0-only
/*
 * VTL1 in a virtual trust level of its own, called through Hyper-V's interface (TLFS, "Virtual Secure
 * Mode").
 *
 * VTL1 was started with the machine, on one CPU. When the client attaches, the level is enabled on
 * all CPUs that are there and VTL1 is started on those that are online; a later one is seen to before
 * it runs. The first call on a CPU starts VTL1 there, and is served.
 *
 * A CPU on which the level could not be enabled makes no call: it would be an invalid instruction. It is
 * not let online, so no text is patched from there past VTL1.
 *
 * Trust boundary: what the hypervisor says is believed; VTL1 trusts nothing of what is done here.
 * Locks: cpus_read_lock while CPUs are brought up. Calls take none.
 */
#include "internal.h"

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

#include <heki/image.h>
#include <hyperv/cpu.h>
#include <hyperv/hypercall.h>
#include <hyperv/registers.h>

#define FEATURES_EAX (HV_ACCESS_HYPERCALL_MSRS | HV_ACCESS_VP_INDEX)
#define FEATURES_EBX (HV_ACCESS_VSM | HV_ACCESS_VP_REGISTERS)

/* Of the levels that are enabled, VTL1's bit. */
#define VP_STATUS_VTL1 (2ull << HV_VSM_VP_STATUS_ENABLED_SHIFT)

/* Where a VTL call begins in the hypercall page. */
#define CODE_CALL_MASK 0xfffull

/* The kernel's hypercall page, and in it the sequence of a VTL call. */
static const u8 *hypercall_page __ro_after_init;
static const u8 *vtl_call __ro_after_init;

/* CPUs on which the level is enabled. */
static struct cpumask enabled;

static enum cpuhp_state prepare_state, start_state;

/**
 * struct pages - what VTL1 and the hypervisor read and write while CPUs are brought up
 * @mask:   of CPUs; input of a hypercall
 * @tokens: a byte for each CPU; output of a hypercall
 */
struct pages {
	u8 mask[PAGE_SIZE];
	u8 tokens[PAGE_SIZE];
};

static struct pages *pages_get(void)
{
	return (struct pages *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
						get_order(sizeof(struct pages)));
}

static void pages_put(struct pages *pages)
{
	free_pages((unsigned long)pages, get_order(sizeof(*pages)));
}

/*
 * Call into the hypercall page. Hypercall and VTL call take their parameters in some of these
 * registers and may change all of them; VTL1 gives every other one back as it was.
 */
static u64 page_call(const u8 *target, struct heki_vtlcall_regs *regs)
{
	register u64 r8 asm("r8") = regs->r8;
	u64 rax = (u64)target;

	asm volatile(CALL_NOSPEC
		     : [thunk_target] "+a"(rax), "+D"(regs->rdi), "+S"(regs->rsi),
		       "+d"(regs->rdx), "+c"(regs->rcx), "+r"(r8), ASM_CALL_CONSTRAINT
		     :
		     : "r9", "r10", "r11", "memory", "cc");
	regs->r8 = r8;
	return rax;
}

/* One of the VSM registers of this CPU, 0 when it cannot be read. */
static u64 register_read(struct pages *pages, u32 name)
{
	struct hv_get_vp_registers *in = (void *)pages->mask;
	const struct hv_register_value *out = (const void *)pages->tokens;
	struct heki_vtlcall_regs regs = {
		.rcx = HV_CALL_GET_VP_REGISTERS | 1ull << HV_CALL_REP_COUNT_SHIFT,
		.rdx = __pa(in),
		.r8 = __pa(out),
	};
	unsigned long flags;
	u64 result;

	*in = (struct hv_get_vp_registers){ .partition = HV_PARTITION_SELF, .vp = HV_VP_SELF };
	in->names[0] = name;
	local_irq_save(flags);
	result = page_call(hypercall_page, &regs);
	local_irq_restore(flags);
	return result & HV_RESULT_STATUS_MASK ? 0 : out->low;
}

static bool vsm_offered(void)
{
	return boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
	       cpuid_eax(HV_CPUID_VENDOR_AND_MAX) >= HV_CPUID_LIMITS &&
	       cpuid_eax(HV_CPUID_INTERFACE) == HV_CPUID_INTERFACE_EAX &&
	       (cpuid_eax(HV_CPUID_FEATURES) & FEATURES_EAX) == FEATURES_EAX &&
	       (cpuid_ebx(HV_CPUID_FEATURES) & FEATURES_EBX) == FEATURES_EBX;
}

/* The hypercall page is the kernel's; one that does not know Hyper-V has none. */
static int page_find(struct pages *pages)
{
	const u8 **page = (const u8 **)client_symbol("hv_hypercall_pg");
	u64 offsets;

	if (!page || !*page) {
		pr_notice("the hypervisor has trust levels, but this kernel is built without CONFIG_HYPERV\n");
		return -ENODEV;
	}
	hypercall_page = *page;
	offsets = register_read(pages, HV_REGISTER_VSM_CODE_PAGE_OFFSETS);
	if (!offsets)
		return -ENODEV;
	vtl_call = hypercall_page + (offsets & CODE_CALL_MASK);
	/* An indirect call that does not meet ENDBR would be a fault. */
	if (cpu_feature_enabled(X86_FEATURE_IBT) && !is_endbr(*(const u32 *)vtl_call)) {
		pr_err("the hypervisor's page cannot be called with IBT on, boot with ibt=off\n");
		return -ENODEV;
	}
	return 0;
}

static int has_vtl1(void *pages)
{
	return !!(register_read(pages, HV_REGISTER_VSM_VP_STATUS) & VP_STATUS_VTL1);
}

/* The CPU that VTL1 runs on already. */
static int first_find(struct pages *pages)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		if (smp_call_on_cpu(cpu, has_vtl1, pages, false) > 0) {
			cpumask_set_cpu(cpu, &enabled);
			return cpu;
		}
	}
	pr_notice("the hypervisor has trust levels, but VTL1 is not enabled\n");
	return -ENODEV;
}

static void hyperv_call(struct heki_vtlcall_regs *regs)
{
	unsigned long flags;
	unsigned int cpu;
	bool here;

	local_irq_save(flags);
	cpu = smp_processor_id();
	here = cpumask_test_cpu(cpu, &enabled);
	if (here)
		page_call(vtl_call, regs);
	local_irq_restore(flags);
	if (here)
		return;
	regs->r8 = (u64)-ENXIO;
	client_report("vtl1", "-", -ENXIO, "a call from a CPU without VTL1");
}

static int call(u32 id, u64 p0, u64 p1)
{
	struct heki_vtlcall_regs regs = { .rdi = id, .rsi = p0, .rdx = p1 };

	hyperv_call(&regs);
	return (int)regs.r8;
}

static u64 pfn(const void *page)
{
	return __pa(page) >> PAGE_SHIFT;
}

/* The bytes of a cpumask are those of VTL1's mask. */
static void mask_fill(struct pages *pages, const struct cpumask *cpus)
{
	memset(pages->mask, 0, sizeof(pages->mask));
	memcpy(pages->mask, cpumask_bits(cpus), min_t(size_t, cpumask_size(), PAGE_SIZE));
}

static int enable_present(void *pages)
{
	int error;

	if (call(HEKI_CALL_QUERY, 0, 0) != HEKI_ABI_VERSION) {
		pr_notice("the VTL1 that is there knows nothing of HEKI\n");
		return -ENODEV;
	}
	mask_fill(pages, cpu_present_mask);
	error = call(HEKI_CALL_ENABLE_APS_VTL, pfn(pages), 0);
	if (!error)
		cpumask_copy(&enabled, cpu_present_mask);
	return error;
}

static int start_here(void *unused)
{
	return call(HEKI_IMAGE_START, 0, 0);
}

static int start_online(void)
{
	unsigned int cpu;
	int error;

	for_each_online_cpu(cpu) {
		error = smp_call_on_cpu(cpu, start_here, NULL, false);
		if (error) {
			pr_err("VTL1 does not start on CPU %u: error %d\n", cpu, error);
			return error;
		}
	}
	return 0;
}

/* VTL1 gives a token for each CPU that it is up on. */
static int tokens_check(struct pages *pages)
{
	unsigned int cpu;
	int error;

	mask_fill(pages, cpu_online_mask);
	memset(pages->tokens, 0, sizeof(pages->tokens));
	error = call(HEKI_CALL_BOOT_APS, pfn(pages->mask), pfn(pages->tokens));
	for_each_online_cpu(cpu) {
		if (cpu < PAGE_SIZE && pages->tokens[cpu] == HEKI_BOOT_TOKEN)
			continue;
		pr_err("VTL1 is not up on CPU %u\n", cpu);
		return error ? error : -EIO;
	}
	return error;
}

static int bring_up(struct pages *pages)
{
	int cpu = first_find(pages), error;

	if (cpu < 0)
		return cpu;
	error = smp_call_on_cpu(cpu, enable_present, pages, false);
	if (!error)
		error = start_online();
	if (!error)
		error = tokens_check(pages);
	return error;
}

/* On another CPU, before @cpu starts. */
static int cpu_prepare(unsigned int cpu)
{
	struct pages *pages;
	int error;

	if (cpumask_test_cpu(cpu, &enabled))
		return 0;
	pages = pages_get();
	if (!pages)
		return -ENOMEM;
	mask_fill(pages, cpumask_of(cpu));
	error = call(HEKI_CALL_ENABLE_APS_VTL, pfn(pages->mask), 0);
	pages_put(pages);
	if (!error)
		cpumask_set_cpu(cpu, &enabled);
	else
		client_report("vtl1", "-", error, "a CPU is kept offline: no VTL1 for it");
	return error;
}

/* On @cpu, before its registers are locked. */
static int cpu_start(unsigned int cpu)
{
	int error = call(HEKI_IMAGE_START, 0, 0);

	if (error)
		client_report("vtl1", "-", error, "a CPU is taken offline: VTL1 did not start");
	return error;
}

static void hyperv_detach(void)
{
	if (start_state)
		cpuhp_remove_state_nocalls(start_state);
	if (prepare_state)
		cpuhp_remove_state_nocalls(prepare_state);
	start_state = CPUHP_OFFLINE;
	prepare_state = CPUHP_OFFLINE;
}

/* No CPU comes or goes between those that are online and the callbacks for all others. */
static int callbacks_add(void)
{
	int state;

	state = __cpuhp_setup_state_cpuslocked(CPUHP_BP_PREPARE_DYN, "heki/client:vtl1", false,
					       cpu_prepare, NULL, false);
	if (state < 0)
		return state;
	prepare_state = state;
	state = __cpuhp_setup_state_cpuslocked(CPUHP_AP_ONLINE_DYN, "heki/client:start", false,
					       cpu_start, NULL, false);
	if (state < 0)
		return state;
	start_state = state;
	return 0;
}

static int hyperv_attach(void)
{
	struct pages *pages;
	int error;

	if (!vsm_offered())
		return -ENODEV;
	pages = pages_get();
	if (!pages)
		return -ENOMEM;
	error = page_find(pages);
	if (error)
		goto out;
	cpus_read_lock();
	error = bring_up(pages);
	if (!error)
		error = callbacks_add();
	cpus_read_unlock();
	if (error)
		hyperv_detach();
out:
	pages_put(pages);
	return error;
}

const struct client_transport client_hyperv = {
	.name = "hyperv",
	.attach = hyperv_attach,
	.detach = hyperv_detach,
	.call = hyperv_call,
};
