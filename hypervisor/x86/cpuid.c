// SPDX-License-Identifier: GPL-2.0-only
/* CPUID: the processor's own leaves less what the hypervisor keeps, and the face of Hyper-V. */
#include "vp.h"

#define LEAF1_ECX_OSXSAVE BIT(27)
#define LEAF1_ECX_HYPERVISOR BIT(31)
#define LEAF7_ECX_OSPKE BIT(4)
#define LEAF_AMD_ECX_SVM BIT(2)
#define LEAF_AMD_FEATURES 0x80000001u
#define LEAF_AMD_SVM 0x8000000au
#define CR4_OSXSAVE BIT(18)
#define CR4_PKE BIT(22)

static bool tells_frequencies(const struct vp *vp)
{
	return vp->level && partition.tsc_frequency;
}

static uint32_t privileges(const struct vp *vp)
{
	return HV_ACCESS_HYPERCALL_MSRS | HV_ACCESS_VP_INDEX | HV_ACCESS_TSC_INVARIANT |
	       (vp->level ? HV_ACCESS_SYNIC_REGS : 0) |
	       (tells_frequencies(vp) ? HV_ACCESS_FREQUENCY_MSRS : 0);
}

/* What VTL0 can use, no more: Linux takes up what is offered. */
static struct cpuid hyperv_leaf(const struct vp *vp, uint32_t leaf)
{
	switch (leaf) {
	case HV_CPUID_VENDOR_AND_MAX:
		return (struct cpuid){ HV_CPUID_MAX, HV_CPUID_VENDOR_EBX, HV_CPUID_VENDOR_ECX,
				       HV_CPUID_VENDOR_EDX };
	case HV_CPUID_INTERFACE:
		return (struct cpuid){ .eax = HV_CPUID_INTERFACE_EAX };
	case HV_CPUID_FEATURES:
		return (struct cpuid){ .eax = privileges(vp),
				       .ebx = HV_ACCESS_VSM | HV_ACCESS_VP_REGISTERS,
				       .edx = tells_frequencies(vp) ? HV_FREQUENCY_MSRS : 0 };
	case HV_CPUID_LIMITS:
		return (struct cpuid){ .eax = VPS_MAX, .ebx = VPS_MAX };
	default:
		return (struct cpuid){ 0 };
	}
}

static struct cpuid processor_leaf(const struct vmcb *vmcb, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r = cpuid(leaf, subleaf);

	switch (leaf) {
	case 1:
		r.ecx |= LEAF1_ECX_HYPERVISOR;
		r.ecx &= ~LEAF1_ECX_OSXSAVE;
		r.ecx |= vmcb->cr4 & CR4_OSXSAVE ? LEAF1_ECX_OSXSAVE : 0;
		break;
	case 7:
		r.ecx &= ~LEAF7_ECX_OSPKE;
		r.ecx |= !subleaf && vmcb->cr4 & CR4_PKE ? LEAF7_ECX_OSPKE : 0;
		break;
	case LEAF_AMD_FEATURES:
		r.ecx &= ~LEAF_AMD_ECX_SVM;
		break;
	case LEAF_AMD_SVM:
		r = (struct cpuid){ 0 };
		break;
	}
	return r;
}

void exit_cpuid(struct vp *vp)
{
	struct vmcb *vmcb = vp_vmcb(vp);
	uint32_t leaf = (uint32_t)vmcb->rax;
	struct cpuid r;

	vp_count(vp, COUNT_CPUID);
	if (leaf >> 28 == 4)
		r = hyperv_leaf(vp, leaf);
	else
		r = processor_leaf(vmcb, leaf, (uint32_t)vp->gpr[RCX]);
	vmcb->rax = r.eax;
	vp->gpr[RBX] = r.ebx;
	vp->gpr[RCX] = r.ecx;
	vp->gpr[RDX] = r.edx;
	vp_skip(vp, 2);
}
