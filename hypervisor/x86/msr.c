// SPDX-License-Identifier: GPL-2.0-only
/*
 * Model-specific registers: those that the hypervisor keeps, those of Hyper-V, and those that VTL1
 * wants to be told of. All others are the guest's own and do not come here.
 */
#include "vp.h"

#define MAP_RANGE 0x800u /* bytes of the map for 0x2000 registers */
#define VM_CR_DISABLED BIT(4)

/* Where a register has its two bits, read and write; -1 for one that the map does not hold. */
static int32_t map_bit(uint32_t msr)
{
	static const uint32_t bases[] = { 0, 0xc0000000, 0xc0010000 };

	for (uint32_t i = 0; i < ARRAY_SIZE(bases); i++)
		if (msr - bases[i] < 0x2000)
			return (int32_t)(i * MAP_RANGE * 8 + (msr - bases[i]) * 2);
	return -1;
}

void msr_map_set(uint8_t *map, uint32_t msr, bool read, bool write)
{
	int32_t bit = map_bit(msr);
	uint32_t bits = (uint32_t)read | (uint32_t)write << 1;

	map[bit / 8] &= (uint8_t) ~(3u << bit % 8);
	map[bit / 8] |= (uint8_t)(bits << bit % 8);
}

/* Registers through which any level could reach around the nested tables, and private ones. */
static const struct {
	uint32_t first;
	uint32_t last;
	bool read;
} kept[] = {
	{ MSR_TSC, MSR_TSC, false }, /* the hypervisor's clock, by which lines are told */
	{ MSR_TSC_ADJUST, MSR_TSC_ADJUST, false },
	{ MSR_EFER, MSR_EFER, true },
	{ MSR_PAT, MSR_PAT, true },
	{ MSR_APIC_BASE, MSR_APIC_BASE, false },
	{ MSR_TSC_AUX, MSR_TSC_AUX, false }, /* so that switching levels need not read it */
	{ 0xc0010010, 0xc0010010, false }, /* SYSCFG */
	{ 0xc0010016, 0xc001001a, false }, /* IORR, TOP_MEM */
	{ 0xc001001d, 0xc001001d, false }, /* TOM2 */
	{ 0xc0010058, 0xc0010058, false }, /* where PCI configuration is in memory */
	{ 0xc0010111, 0xc0010113, true }, /* SMM */
	{ MSR_VM_CR, 0xc0010118, true },
};

void msr_map_init(uint8_t *map, bool vtl0)
{
	memset(map, 0, 2 * PAGE_SIZE);
	for (uint32_t i = 0; i < ARRAY_SIZE(kept); i++)
		for (uint32_t msr = kept[i].first; msr <= kept[i].last; msr++)
			msr_map_set(map, msr, kept[i].read, true);
	if (!vtl0)
		for (uint32_t msr = MSR_X2APIC; msr < MSR_X2APIC + 0x100; msr++)
			msr_map_set(map, msr, true, true);
}

static bool read_hyperv(struct vp *vp, uint32_t msr, uint64_t *v)
{
	const struct partition_vtl *p = &partition.vtl[vp->level];

	switch (msr) {
	case HV_MSR_GUEST_OS_ID:
		*v = p->guest_os_id;
		return true;
	case HV_MSR_HYPERCALL:
		*v = p->hypercall;
		return true;
	case HV_MSR_VP_INDEX:
		*v = vp->index;
		return true;
	case HV_MSR_TSC_FREQUENCY:
		*v = partition.tsc_frequency;
		return vp->level && *v;
	case HV_MSR_APIC_FREQUENCY:
		*v = partition.apic_frequency;
		return vp->level && *v;
	case HV_MSR_VP_ASSIST_PAGE:
		*v = vp->vtl[vp->level].vp_assist;
		return true;
	case HV_MSR_TSC_INVARIANT_CONTROL:
		*v = 1;
		return true;
	default:
		return vp->level && synic_read(vp, msr, v);
	}
}

/* That of VTL1 is written to at each entry: it is looked up once, nobody takes it from VTL1. */
static bool write_assist(struct vp *vp, uint64_t v)
{
	void *page = NULL;

	if (v & HV_MSR_ENABLE) {
		page = guest_memory(vp->level, v & HV_MSR_PFN_MASK, PAGE_SIZE,
				    HV_MAP_READ | HV_MAP_WRITE);
		if (!page)
			return false;
	}
	if (vp->level)
		vp->assist = page;
	vp->vtl[vp->level].vp_assist = v;
	return true;
}

static bool write_hyperv(struct vp *vp, uint32_t msr, uint64_t v)
{
	struct partition_vtl *p = &partition.vtl[vp->level];

	switch (msr) {
	case HV_MSR_GUEST_OS_ID:
		p->guest_os_id = v;
		return v || hypercall_page(vp, p->hypercall & ~HV_MSR_ENABLE);
	case HV_MSR_HYPERCALL:
		return hypercall_page(vp, v);
	case HV_MSR_VP_ASSIST_PAGE:
		return write_assist(vp, v);
	case HV_MSR_TSC_INVARIANT_CONTROL:
		return !(v & ~1ull);
	default:
		return vp->level && synic_write(vp, msr, v);
	}
}

static bool read_register(struct vp *vp, uint32_t msr, uint64_t *v)
{
	switch (msr) {
	case MSR_EFER:
		*v = vp_vmcb(vp)->efer & ~EFER_SVME;
		return true;
	case MSR_PAT:
		*v = vp_vmcb(vp)->pat;
		return true;
	case MSR_VM_CR:
		*v = VM_CR_DISABLED;
		return true;
	case MSR_APIC_BASE:
	case MSR_STAR ... MSR_SFMASK:
	case MSR_MISC_ENABLE:
		*v = read_msr(msr); /* VTL1 wanted to be told and is not there */
		return true;
	default:
		return read_hyperv(vp, msr, v);
	}
}

/* As the processor would check it; with paging on the mode stays. */
bool msr_write_efer(struct vmcb *vmcb, uint64_t v)
{
	const uint64_t writable = EFER_SCE | EFER_LME | EFER_NXE | EFER_FFXSR | EFER_TCE;
	uint64_t old = vmcb->efer;

	if (v & ~(writable | EFER_LMA))
		return false;
	if (vmcb->cr0 & CR0_PG && (v ^ old) & EFER_LME)
		return false;
	vmcb->efer = (v & writable) | (old & (EFER_LMA | EFER_SVME));
	return true;
}

bool msr_pat_ok(uint64_t v)
{
	for (uint32_t i = 0; i < 64; i += 8)
		if ((v >> i & 0xff) > 7 || (v >> i & 6) == 2)
			return false;
	return true;
}

/* Each level has its own; QEMU's VMRUN does not load it. */
static bool write_pat(struct vmcb *vmcb, uint64_t v)
{
	if (!msr_pat_ok(v))
		return false;
	vmcb->pat = v;
	return true;
}

static bool write_register(struct vp *vp, uint32_t msr, uint64_t v)
{
	switch (msr) {
	case MSR_EFER:
		return msr_write_efer(vp_vmcb(vp), v);
	case MSR_PAT:
		return write_pat(vp_vmcb(vp), v);
	case MSR_APIC_BASE:
		return !vp->level && apic_write_base(vp, v);
	case MSR_TSC_AUX:
		if (v >> 32)
			return false;
		vp->vtl[vp->level].tsc_aux = v;
		write_msr(msr, v);
		return true;
	case MSR_X2APIC_ICR:
		if (vp->level)
			return false;
		if (!apic_write_icr(vp, v, true))
			write_msr(msr, v);
		return true;
	case MSR_X2APIC_LVT ... MSR_X2APIC_LVT_END:
		if (vp->level)
			return false;
		if (apic_vector_ok(vp, (uint32_t)v))
			write_msr(msr, v);
		return true;
	default:
		return write_hyperv(vp, msr, v);
	}
}

/* Which registers VTL1 can be told of, by bits for reading and writing in its control register. */
static const struct {
	uint32_t msr;
	uint64_t read;
	uint64_t write;
} watched[] = {
	{ MSR_MISC_ENABLE, HV_CR_INTERCEPT_MISC_ENABLE_READ, HV_CR_INTERCEPT_MISC_ENABLE_WRITE },
	{ MSR_LSTAR, HV_CR_INTERCEPT_LSTAR_READ, HV_CR_INTERCEPT_LSTAR_WRITE },
	{ MSR_STAR, HV_CR_INTERCEPT_STAR_READ, HV_CR_INTERCEPT_STAR_WRITE },
	{ MSR_CSTAR, HV_CR_INTERCEPT_CSTAR_READ, HV_CR_INTERCEPT_CSTAR_WRITE },
	{ MSR_APIC_BASE, HV_CR_INTERCEPT_APIC_BASE_READ, HV_CR_INTERCEPT_APIC_BASE_WRITE },
	{ MSR_EFER, HV_CR_INTERCEPT_EFER_READ, HV_CR_INTERCEPT_EFER_WRITE },
	{ MSR_SYSENTER_CS, 0, HV_CR_INTERCEPT_SYSENTER_CS_WRITE },
	{ MSR_SYSENTER_EIP, 0, HV_CR_INTERCEPT_SYSENTER_EIP_WRITE },
	{ MSR_SYSENTER_ESP, 0, HV_CR_INTERCEPT_SYSENTER_ESP_WRITE },
	{ MSR_SFMASK, 0, HV_CR_INTERCEPT_SFMASK_WRITE },
	{ MSR_TSC_AUX, 0, HV_CR_INTERCEPT_TSC_AUX_WRITE },
};

void msr_watch(struct vp *vp)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(watched); i++) {
		uint32_t msr = watched[i].msr;

		msr_map_set(vp->msr_map, msr,
			    msr == MSR_EFER || vp->cr_control & watched[i].read,
			    msr == MSR_EFER || msr == MSR_APIC_BASE || msr == MSR_TSC_AUX ||
				    vp->cr_control & watched[i].write);
	}
}

static bool is_watched(const struct vp *vp, uint32_t msr, bool write)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(watched); i++)
		if (watched[i].msr == msr)
			return vp->cr_control & (write ? watched[i].write : watched[i].read);
	return false;
}

void exit_msr(struct vp *vp)
{
	struct vmcb *vmcb = vp_vmcb(vp);
	uint32_t msr = (uint32_t)vp->gpr[RCX];
	bool write = vmcb->exit_info1 & 1;
	uint64_t v = vp->gpr[RDX] << 32 | (uint32_t)vmcb->rax;
	bool good;

	vp_count(vp, COUNT_MSR);
	if (!vp->level && is_watched(vp, msr, write) && intercept_msr(vp, msr, write))
		return;
	good = write ? write_register(vp, msr, v) : read_register(vp, msr, &v);
	if (!good) {
		vp_refuse(vp, write ? "write of MSR" : "read of MSR", msr, write ? v : 0);
		return;
	}
	if (!write) {
		vmcb->rax = (uint32_t)v;
		vp->gpr[RDX] = v >> 32;
	}
	vp_skip(vp, 2);
}
