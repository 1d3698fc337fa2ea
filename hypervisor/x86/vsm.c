// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual secure mode: switching a VP from one level to the other, enabling levels, and the access
 * that VTL1 leaves to VTL0.
 */
#include "vp.h"

#define VMMCALL_LENGTH 3u

/* General registers, CR2 and DR6 are shared and in the VMCB; DR0-3 and the rest stay in the CPU. */
void vtl_switch(struct vp *vp, uint32_t level)
{
	struct vmcb *from = vp_vmcb(vp);
	struct vmcb *to = vp->vtl[level].vmcb;

	vmcb_save(from);
	to->rax = from->rax;
	to->cr2 = from->cr2;
	to->dr6 = from->dr6;
	if (vp->vtl[level].tsc_aux != vp->vtl[vp->level].tsc_aux)
		write_msr(MSR_TSC_AUX, vp->vtl[level].tsc_aux);
	vp->level = (uint8_t)level;
	vp->vmcb = to;
	vmcb_load(to);
}

void vtl_enter(struct vp *vp, enum hv_vtl_entry_reason reason)
{
	struct hv_vp_assist_page *assist = vp->assist;

	if (assist)
		assist->entry_reason = reason;
	vtl_switch(vp, 1);
}

void vtl_call(struct vp *vp)
{
	if (vp->level || !vp->vtl[1].enabled || vp_vmcb(vp)->rax) {
		vp_undefined(vp);
		return;
	}
	vp_count(vp, COUNT_VTL_CALL);
	vp_skip(vp, VMMCALL_LENGTH);
	vtl_enter(vp, HV_VTL_ENTRY_VTL_CALL);
}

static void first_entry(struct vp *vp)
{
	vp->first_entry = false;
	memcpy(vp->gpr, vp->start, sizeof(vp->gpr));
	vp_vmcb(vp)->rax = 0;
}

void vtl_return(struct vp *vp)
{
	uint64_t control = vp_vmcb(vp)->rax;
	const struct hv_vp_assist_page *assist;

	if (!vp->level || control & ~HV_VTL_RETURN_FAST) {
		vp_undefined(vp);
		return;
	}
	vp_count(vp, COUNT_VTL_RETURN);
	assist = control & HV_VTL_RETURN_FAST ? NULL : vp->assist;
	vp_skip(vp, VMMCALL_LENGTH);
	vp->secure_config &= ~HV_VSM_SECURE_CONFIG_TLB_LOCKED;
	vtl_switch(vp, 0);
	if (assist) {
		vp_vmcb(vp)->rax = assist->return_rax;
		vp->gpr[RCX] = assist->return_rcx;
	}
	if (vp->first_entry)
		first_entry(vp);
	/* VTL1 has not let its interrupt in: it comes back for it at once, whatever its RFLAGS.IF. */
	if (vp->vtl[1].vmcb->interrupt & VMCB_V_IRQ)
		vtl_enter(vp, HV_VTL_ENTRY_INTERRUPT);
}

/* --- enabling levels --- */

enum hv_status call_enable_partition_vtl(struct hypercall *h)
{
	const struct hv_enable_partition_vtl in = *(const struct hv_enable_partition_vtl *)h->in;
	enum hv_status status = HV_STATUS_SUCCESS;

	if (in.partition != HV_PARTITION_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	if (in.vtl != 1 || in.flags & ~HV_ENABLE_PARTITION_VTL_MBEC ||
	    !all_zero(in.reserved, sizeof(in.reserved)) ||
	    (in.flags & HV_ENABLE_PARTITION_VTL_MBEC && !partition.mbec_offered))
		return HV_STATUS_INVALID_PARAMETER;
	lock(&partition.lock);
	if (partition.vtl[1].enabled)
		status = HV_STATUS_VTL_ALREADY_ENABLED;
	else
		partition.mbec_enabled = in.flags & HV_ENABLE_PARTITION_VTL_MBEC;
	partition.vtl[1].enabled = true;
	unlock(&partition.lock);
	return status;
}

/* Not what VMRUN would refuse; in 64-bit mode, or in real mode as after a start-up IPI. */
static bool context_ok(const struct hv_enable_vp_vtl *in, bool real)
{
	const struct hv_initial_vp_context *c = &in->context;

	if (!all_zero(in->reserved, sizeof(in->reserved)) || c->cr0 >> 32 ||
	    !control_cr3_ok(c->cr3) || !control_cr4_ok(c->cr4) || c->efer & EFER_SVME ||
	    !control_rflags_ok(c->rflags) || !msr_pat_ok(c->pat))
		return false;
	if (!(c->cr0 & (CR0_PE | CR0_PG)))
		return real && !(c->efer & (EFER_LME | EFER_LMA));
	return (c->cr0 & (CR0_PE | CR0_PG)) == (CR0_PE | CR0_PG) && c->efer & EFER_LME &&
	       c->cr4 & CR4_PAE && c->cs.attributes & BIT(13) && !(c->cs.attributes & BIT(14));
}

static struct vp *find_vp(struct vp *self, uint32_t index)
{
	if (index == HV_VP_SELF)
		return self;
	return index < partition.vps ? &partition.vp[index] : NULL;
}

enum hv_status call_enable_vp_vtl(struct hypercall *h)
{
	struct hv_enable_vp_vtl in;
	struct vp *vp;
	enum hv_status status = HV_STATUS_SUCCESS;

	memcpy(&in, h->in, sizeof(in));
	if (in.partition != HV_PARTITION_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	vp = find_vp(h->vp, in.vp);
	if (!vp)
		return HV_STATUS_INVALID_VP_INDEX;
	if (in.vtl != 1 || !context_ok(&in, false))
		return HV_STATUS_INVALID_PARAMETER;
	lock(&partition.lock);
	if (!partition.vtl[1].enabled)
		status = HV_STATUS_INVALID_PARTITION_STATE;
	else if (vp->vtl[1].enabled)
		status = HV_STATUS_VTL_ALREADY_ENABLED;
	else if (!h->vp->level && partition.vtl1_started)
		status = HV_STATUS_ACCESS_DENIED; /* from now on VTL1 decides */
	if (!status) {
		vp_context(vp, 1, &in.context);
		partition.vtl1_started = true;
		store_release(vp->vtl[1].enabled, true);
	}
	unlock(&partition.lock);
	return status;
}

/* Only for VPs that wait for a start-up IPI, and only from the level that they start in or above. */
enum hv_status call_start_vp(struct hypercall *h)
{
	struct hv_enable_vp_vtl in;
	struct vp *vp;

	memcpy(&in, h->in, sizeof(in));
	if (in.partition != HV_PARTITION_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	vp = in.vp == HV_VP_SELF ? NULL : find_vp(h->vp, in.vp);
	if (!vp)
		return HV_STATUS_INVALID_VP_INDEX;
	if (in.vtl > h->vp->level)
		return HV_STATUS_ACCESS_DENIED;
	if (in.vtl || !context_ok(&in, true))
		return HV_STATUS_INVALID_PARAMETER;
	if (!h->vp->level && vp->vtl[1].enabled &&
	    partition.config & (HV_VSM_PARTITION_DENY_LOWER_STARTUP |
				HV_VSM_PARTITION_INTERCEPT_VP_STARTUP))
		return HV_STATUS_ACCESS_DENIED;
	return vp_start(vp, &in.context) ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_VP_STATE;
}

enum hv_status call_vp_index(struct hypercall *h)
{
	const struct hv_get_vp_index_from_apic_id *in = (const void *)h->in;
	uint32_t *out = (uint32_t *)h->out;
	uint8_t vtl = load_once(in->vtl);

	if (load_once(in->partition) != HV_PARTITION_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	if (vtl & HV_INPUT_VTL_USE_TARGET && (vtl & HV_INPUT_VTL_TARGET_MASK) > h->vp->level)
		return HV_STATUS_ACCESS_DENIED;
	for (; h->done < h->count; h->done++) {
		uint32_t id = load_once(in->apic_ids[h->done]);
		uint32_t i = 0;

		while (i < partition.vps && partition.vp[i].apic_id != id)
			i++;
		if (i == partition.vps)
			return HV_STATUS_INVALID_PARAMETER;
		out[h->done] = i;
	}
	return HV_STATUS_SUCCESS;
}

/* --- what VTL1 leaves to VTL0 --- */

bool vsm_access_ok(uint32_t access)
{
	const uint32_t more = HV_MAP_WRITE | HV_MAP_KERNEL_EXECUTE | HV_MAP_USER_EXECUTE;

	if (access & ~HV_MAP_ALL || (access & more && !(access & HV_MAP_READ)))
		return false;
	/* Execution by the kernel alone is not defined. */
	return !(access & HV_MAP_KERNEL_EXECUTE) || access & HV_MAP_USER_EXECUTE;
}

#define LARGE_PAGES (LARGE_SIZE / PAGE_SIZE)
#define RUN_PAGES 256u

/**
 * struct run - pages of a call that lie in the same 2 MiB and the same range of RAM
 * @base: the 2 MiB
 * @n: how many
 * @pages: their numbers in it
 */
struct run {
	uint64_t base;
	uint32_t n;
	uint16_t pages[RUN_PAGES];
};

/* From element h->done on; the numbers are read once. False when the first page is no RAM. */
static bool collect(const struct hypercall *h, const uint64_t *pfns, struct run *run)
{
	uint64_t pfn = load_once(pfns[h->done]);
	const struct memory_range *ram = memory_find(&partition.map, pfn << PAGE_SHIFT);
	uint64_t first;
	uint64_t pages;
	uint32_t most = (uint32_t)min_u64(h->count - h->done, RUN_PAGES);
	uint32_t n = 0;

	if (pfn >> (52 - PAGE_SHIFT) || !ram ||
	    !memory_is_guest(&partition.map, pfn << PAGE_SHIFT, PAGE_SIZE))
		return false;
	/* Whole pages of the range that are in these 2 MiB. */
	run->base = pfn << PAGE_SHIFT & LARGE_MASK;
	first = max_u64(align_up(ram->start, PAGE_SIZE), run->base) >> PAGE_SHIFT;
	pages = (min_u64(ram->end, run->base + LARGE_SIZE) >> PAGE_SHIFT) - first;
	for (pfns += h->done; pfn - first < pages; pfn = load_once(pfns[n])) {
		run->pages[n++] = pfn & (LARGE_PAGES - 1);
		if (n == most)
			break;
	}
	run->n = n;
	return n;
}

static enum hv_status protect_pages(struct hypercall *h, const uint64_t *pfns, struct npt_change *c)
{
	struct run run;

	while (h->done < h->count) {
		if (!collect(h, pfns, &run))
			return HV_STATUS_INVALID_PARAMETER;
		if (npt_change(c, run.base, run.pages, run.n))
			return HV_STATUS_INSUFFICIENT_MEMORY;
		h->done += run.n;
	}
	return HV_STATUS_SUCCESS;
}

/* The input names the level whose protections these are, for the levels below: VTL1, as by default. */
static enum hv_status protecting_level(uint8_t vtl)
{
	if (vtl & ~(HV_INPUT_VTL_USE_TARGET | HV_INPUT_VTL_TARGET_MASK))
		return HV_STATUS_INVALID_PARAMETER;
	if (!(vtl & HV_INPUT_VTL_USE_TARGET))
		return HV_STATUS_SUCCESS;
	vtl &= HV_INPUT_VTL_TARGET_MASK;
	if (vtl > 1)
		return HV_STATUS_ACCESS_DENIED;
	return vtl ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_PARAMETER;
}

enum hv_status call_modify_protection(struct hypercall *h)
{
	const struct hv_modify_vtl_protection_mask *in = (const void *)h->in;
	struct npt *npt = &partition.vtl[0].npt;
	uint32_t access = load_once(in->map_flags);
	enum hv_status status;
	struct npt_change c;
	uint32_t retired;

	if (load_once(in->partition) != HV_PARTITION_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	status = protecting_level(load_once(in->vtl));
	if (status)
		return status;
	if (!all_zero(in->reserved, sizeof(in->reserved)) || !vsm_access_ok(access))
		return HV_STATUS_INVALID_PARAMETER;
	if (!(partition.config & HV_VSM_PARTITION_ENABLE_PROTECTION))
		return HV_STATUS_ACCESS_DENIED;
	lock(&npt->lock);
	npt_begin(&c, npt, access);
	status = protect_pages(h, in->pfns, &c);
	h->vp->count[COUNT_PROTECTED] += h->done - h->start;
	retired = npt_retired(npt);
	unlock(&npt->lock);
	if (c.lost)
		vp_shootdown(h->vp);
	npt_release(npt, retired);
	return status;
}
