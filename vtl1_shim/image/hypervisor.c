// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Taking up with the hypervisor, in the order that Hyper-V's other VTL1 kernels keep.
 *
 * Trust boundary: the hypervisor is trusted. Locks: none; each VP sets up its own.
 */
#include <hyperv/cpu.h>

#include "cpu.h"
#include "hypervisor.h"
#include "image.h"
#include "traps.h"
#include "vsm.h"

#define CPUID_HYPERVISOR_LEAF 1
#define CPUID1_ECX_HYPERVISOR (1u << 31)

#define FEATURES_EAX (HV_ACCESS_SYNIC_REGS | HV_ACCESS_HYPERCALL_MSRS | HV_ACCESS_VP_INDEX)
#define FEATURES_EBX (HV_ACCESS_VSM | HV_ACCESS_VP_REGISTERS)

#define GUEST_OS_ID (1ull << 63 | 1) /* open source, no registered system, version 1 */
#define SCONTROL_ENABLE 1

/* In the partition's status: VTL1 was enabled with MBEC, to use it for VTL0. */
#define MBEC_FOR_VTL1 (1ull << (HV_VSM_PARTITION_STATUS_MBEC_SHIFT + 1))

#define CODE_OFFSET_MASK 0xfffu
#define CODE_RETURN_SHIFT 12

static bool mbec; /* as for the partition, so for each VP */

bool hypervisor_mbec(void)
{
	return __atomic_load_n(&mbec, __ATOMIC_RELAXED);
}

const char *hypervisor_check(void)
{
	struct cpuid features = cpuid(HV_CPUID_FEATURES);

	if (!(cpuid(CPUID_HYPERVISOR_LEAF).ecx & CPUID1_ECX_HYPERVISOR) ||
	    cpuid(HV_CPUID_VENDOR_AND_MAX).eax < HV_CPUID_LIMITS ||
	    cpuid(HV_CPUID_INTERFACE).eax != HV_CPUID_INTERFACE_EAX)
		return "no Hyper-V interface";
	if ((features.eax & FEATURES_EAX) != FEATURES_EAX ||
	    (features.ebx & FEATURES_EBX) != FEATURES_EBX)
		return "the hypervisor offers no virtual secure mode";
	return NULL;
}

uint32_t hypervisor_vp_index(void)
{
	return (uint32_t)rdmsr(HV_MSR_VP_INDEX);
}

static void set_page(uint32_t msr, const void *page)
{
	wrmsr(msr, pa_of(page).v | HV_MSR_ENABLE);
}

/* The stub is known from here on, so that a VTL return is possible. */
static const char *find_return(struct vp *vp)
{
	uint64_t offsets;

	if (vsm_get_register(&vp->hypercall, HV_REGISTER_VSM_CODE_PAGE_OFFSETS, &offsets))
		return "no code page offsets";
	vp->return_stub = pa_of(image_hypercall_page).v +
			  (offsets >> CODE_RETURN_SHIFT & CODE_OFFSET_MASK);
	return NULL;
}

const char *hypervisor_open(struct vp *vp)
{
	set_page(HV_MSR_VP_ASSIST_PAGE, vp->assist);
	wrmsr(HV_MSR_GUEST_OS_ID, GUEST_OS_ID);
	set_page(HV_MSR_HYPERCALL, image_hypercall_page);
	if (!(rdmsr(HV_MSR_HYPERCALL) & HV_MSR_ENABLE))
		return "no hypercall page";
	set_page(HV_MSR_SIMP, vp->messages);
	wrmsr(HV_MSR_SINT0, TRAPS_SINT0 | HV_SINT_AUTO_EOI);
	wrmsr(HV_MSR_SCONTROL, SCONTROL_ENABLE);
	return find_return(vp);
}

static int set_own(struct vp *vp, enum hv_register name, uint64_t value)
{
	return vsm_set_register(&vp->hypercall, VSM_OWN, name, value);
}

/* Not every hypervisor can tell of a VP's start, and none says so beforehand. */
static int configure_partition(struct vp *vp, uint64_t offered)
{
	uint64_t config = HV_VSM_PARTITION_ENABLE_PROTECTION | HV_VSM_PARTITION_DEFAULT_MASK |
			  HV_VSM_PARTITION_ZERO_ON_RESET;

	if (offered & HV_VSM_CAPABILITY_DENY_LOWER_STARTUP)
		config |= HV_VSM_PARTITION_DENY_LOWER_STARTUP;
	if (!set_own(vp, HV_REGISTER_VSM_PARTITION_CONFIG,
		     config | HV_VSM_PARTITION_INTERCEPT_VP_STARTUP))
		return 0;
	return set_own(vp, HV_REGISTER_VSM_PARTITION_CONFIG, config);
}

const char *hypervisor_guard_partition(struct vp *vp, const struct machine *m)
{
	uint64_t offered;

	if (vsm_get_register(&vp->hypercall, HV_REGISTER_VSM_CAPABILITIES, &offered))
		return "no VSM capabilities";
	if (configure_partition(vp, offered))
		return "no VTL protection";
	if (vsm_protect(&vp->hypercall, gpa(m->base.v), m->size >> HEKI_PAGE_SHIFT, 0))
		return "its own memory cannot be taken from VTL0";
	return NULL;
}

const char *hypervisor_guard_vp(struct vp *vp)
{
	uint64_t config = HV_VSM_SECURE_CONFIG_TLB_LOCKED;
	uint64_t status;

	if (vsm_get_register(&vp->hypercall, HV_REGISTER_VSM_PARTITION_STATUS, &status))
		return "no VSM status";
	if (status & MBEC_FOR_VTL1) {
		config |= HV_VSM_SECURE_CONFIG_MBEC;
		__atomic_store_n(&mbec, true, __ATOMIC_RELAXED);
	}
	if (set_own(vp, HV_REGISTER_VSM_SECURE_CONFIG_VTL0, config))
		return "VTL0 cannot be configured";
	return NULL;
}
