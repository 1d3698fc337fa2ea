// SPDX-License-Identifier: GPL-2.0-only
/*
 * HvCallGetVpRegisters and HvCallSetVpRegisters: a table says where each register is and who may
 * touch it.
 *
 * VTL1 may read and write its own registers and those of VTL0 on the same VP. VTL0 may read how VSM
 * stands and no more: its own registers by this way would go around what VTL1 intercepts.
 */
#include "vp.h"

enum kind {
	PLAIN,	 /* 64 bits of the VMCB */
	SEGMENT,
	TABLE,
	GENERAL,
	CONTROL, /* 64 bits of the VMCB that are checked */
	SPECIAL,
};

struct reg {
	uint32_t name;
	uint8_t kind;
	uint16_t offset;
};

#define TRANSLATE_RESERVED 0x00fffffffffffc00ull
#define AT(member) offsetof(struct vmcb, member)

static const struct reg regs[] = {
	{ HV_REGISTER_RIP, PLAIN, AT(rip) },
	{ HV_REGISTER_RFLAGS, CONTROL, AT(rflags) },
	{ HV_REGISTER_CR0, CONTROL, AT(cr0) },
	{ HV_REGISTER_CR2, PLAIN, AT(cr2) },
	{ HV_REGISTER_CR3, CONTROL, AT(cr3) },
	{ HV_REGISTER_CR4, CONTROL, AT(cr4) },
	{ HV_REGISTER_ES, SEGMENT, AT(es) },
	{ HV_REGISTER_ES + 1, SEGMENT, AT(cs) },
	{ HV_REGISTER_ES + 2, SEGMENT, AT(ss) },
	{ HV_REGISTER_ES + 3, SEGMENT, AT(ds) },
	{ HV_REGISTER_ES + 4, SEGMENT, AT(fs) },
	{ HV_REGISTER_ES + 5, SEGMENT, AT(gs) },
	{ HV_REGISTER_LDTR, SEGMENT, AT(ldtr) },
	{ HV_REGISTER_TR, SEGMENT, AT(tr) },
	{ HV_REGISTER_IDTR, TABLE, AT(idtr) },
	{ HV_REGISTER_GDTR, TABLE, AT(gdtr) },
	{ HV_REGISTER_EFER, CONTROL, AT(efer) },
	{ HV_REGISTER_KERNEL_GS_BASE, PLAIN, AT(kernel_gs_base) },
	{ HV_REGISTER_APIC_BASE, SPECIAL, 0 },
	{ HV_REGISTER_PAT, CONTROL, AT(pat) },
	{ HV_REGISTER_SYSENTER_CS, PLAIN, AT(sysenter_cs) },
	{ HV_REGISTER_SYSENTER_EIP, PLAIN, AT(sysenter_eip) },
	{ HV_REGISTER_SYSENTER_ESP, PLAIN, AT(sysenter_esp) },
	{ HV_REGISTER_STAR, PLAIN, AT(star) },
	{ HV_REGISTER_LSTAR, PLAIN, AT(lstar) },
	{ HV_REGISTER_CSTAR, PLAIN, AT(cstar) },
	{ HV_REGISTER_SFMASK, PLAIN, AT(sfmask) },
};

static struct reg find(uint32_t name)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(regs); i++)
		if (regs[i].name == name)
			return regs[i];
	return (struct reg){ name, name - HV_REGISTER_RAX < GPRS ? GENERAL : SPECIAL,
			     (uint16_t)(name - HV_REGISTER_RAX) };
}

static uint64_t *field(struct vmcb *vmcb, const struct reg *r)
{
	return (uint64_t *)((uint8_t *)vmcb + r->offset);
}

/* --- reading --- */

static struct hv_register_value get_segment(const struct vmcb_segment *s)
{
	uint64_t attributes = (s->attributes & 0xffu) | (s->attributes & 0xf00u) << 4;

	return (struct hv_register_value){
		.low = s->base,
		.high = s->limit | (uint64_t)s->selector << 32 | attributes << 48,
	};
}

static struct hv_register_value get_table(const struct vmcb_segment *s)
{
	return (struct hv_register_value){ .low = (uint64_t)s->limit << 48, .high = s->base };
}

static uint64_t vp_status(const struct vp *vp)
{
	bool mbec = !vp->level && vp->secure_config & HV_VSM_SECURE_CONFIG_MBEC;

	return vp->level | (mbec ? HV_VSM_VP_STATUS_ACTIVE_MBEC : 0) |
	       (1ull | (uint64_t)vp->vtl[1].enabled << 1) << HV_VSM_VP_STATUS_ENABLED_SHIFT;
}

static uint64_t partition_status(void)
{
	return 1ull | (uint64_t)partition.vtl[1].enabled << 1 |
	       1ull << HV_VSM_PARTITION_STATUS_MAX_VTL_SHIFT |
	       (uint64_t)partition.mbec_enabled << (HV_VSM_PARTITION_STATUS_MBEC_SHIFT + 1);
}

static uint64_t capabilities(void)
{
	return HV_VSM_CAPABILITY_DR6_SHARED | HV_VSM_CAPABILITY_DENY_LOWER_STARTUP |
	       (uint64_t)partition.mbec_offered << (HV_VSM_CAPABILITY_MBEC_SHIFT + 1);
}

/* What both levels may know. */
static bool get_common(const struct vp *vp, uint32_t name, uint64_t *v)
{
	switch (name) {
	case HV_REGISTER_VP_INDEX:
		*v = vp->index;
		return true;
	case HV_REGISTER_VSM_CODE_PAGE_OFFSETS:
		*v = HYPERCALL_CALL_OFFSET | HYPERCALL_RETURN_OFFSET << 12;
		return true;
	case HV_REGISTER_VSM_VP_STATUS:
		*v = vp_status(vp);
		return true;
	case HV_REGISTER_VSM_PARTITION_STATUS:
		*v = partition_status();
		return true;
	case HV_REGISTER_VSM_CAPABILITIES:
		*v = capabilities();
		return true;
	default:
		return false;
	}
}

static bool get_special(const struct vp *vp, uint32_t vtl, uint32_t name, uint64_t *v)
{
	switch (name) {
	case HV_REGISTER_PENDING_EVENT0:
		*v = vp->vtl[vtl].vmcb->event & VMCB_EVENT_VALID ? HV_PENDING_EVENT : 0;
		return true;
	case HV_REGISTER_APIC_BASE:
		*v = vp->apic_base;
		return !vtl;
	case HV_REGISTER_VP_ASSIST_PAGE:
		*v = vp->vtl[vtl].vp_assist;
		return true;
	case HV_REGISTER_VSM_PARTITION_CONFIG:
		*v = partition.config;
		return vtl;
	case HV_REGISTER_VSM_SECURE_CONFIG_VTL0:
		*v = vp->secure_config;
		return vtl;
	case HV_REGISTER_CR_INTERCEPT_CONTROL:
		*v = vp->cr_control;
		return vtl;
	case HV_REGISTER_CR_INTERCEPT_CR0_MASK:
		*v = vp->cr0_mask;
		return vtl;
	case HV_REGISTER_CR_INTERCEPT_CR4_MASK:
		*v = vp->cr4_mask;
		return vtl;
	case HV_REGISTER_CR_INTERCEPT_MISC_ENABLE_MASK:
		*v = vp->misc_mask;
		return vtl;
	default:
		return false;
	}
}

static enum hv_status get(struct vp *vp, uint32_t vtl, uint32_t name, struct hv_register_value *v)
{
	struct vmcb *vmcb = vp->vtl[vtl].vmcb;
	struct reg r = find(name);

	*v = (struct hv_register_value){ 0 };
	if (get_common(vp, name, &v->low))
		return HV_STATUS_SUCCESS;
	if (!vp->level)
		return HV_STATUS_ACCESS_DENIED;
	switch (r.kind) {
	case SEGMENT:
		*v = get_segment((const struct vmcb_segment *)field(vmcb, &r));
		return HV_STATUS_SUCCESS;
	case TABLE:
		*v = get_table((const struct vmcb_segment *)field(vmcb, &r));
		return HV_STATUS_SUCCESS;
	case GENERAL:
		v->low = r.offset == RSP ? vmcb->rsp : vp_get(vp, r.offset);
		return HV_STATUS_SUCCESS;
	case SPECIAL:
		return get_special(vp, vtl, name, &v->low) ? HV_STATUS_SUCCESS :
							     HV_STATUS_INVALID_PARAMETER;
	default:
		v->low = *field(vmcb, &r);
		v->low &= name == HV_REGISTER_EFER ? ~EFER_SVME : ~0ull;
		return HV_STATUS_SUCCESS;
	}
}

/* --- writing --- */

static void set_segment(struct vmcb_segment *s, const struct hv_register_value *v)
{
	uint16_t attributes = (uint16_t)(v->high >> 48);

	s->base = v->low;
	s->limit = (uint32_t)v->high;
	s->selector = (uint16_t)(v->high >> 32);
	s->attributes = (uint16_t)((attributes & 0xff) | (attributes >> 4 & 0xf00));
}

static void set_table(struct vmcb_segment *s, const struct hv_register_value *v)
{
	s->limit = (uint16_t)(v->low >> 48);
	s->base = v->high;
}

static bool set_control(struct vmcb *vmcb, const struct reg *r, uint64_t v)
{
	bool good;

	switch (r->name) {
	case HV_REGISTER_CR0:
		return control_write_cr0(vmcb, v);
	case HV_REGISTER_CR4:
		return control_write_cr4(vmcb, v);
	case HV_REGISTER_EFER:
		return msr_write_efer(vmcb, v);
	case HV_REGISTER_CR3:
		good = control_cr3_ok(v);
		break;
	case HV_REGISTER_RFLAGS:
		good = control_rflags_ok(v);
		break;
	default:
		good = msr_pat_ok(v);
	}
	if (good)
		*field(vmcb, r) = v;
	return good;
}

static bool set_event(struct vmcb *vmcb, const struct hv_register_value *v)
{
	uint64_t type = (v->low & HV_PENDING_EVENT_TYPE_MASK) >> HV_PENDING_EVENT_TYPE_SHIFT;
	uint8_t vector = (uint8_t)(v->low >> HV_PENDING_EVENT_VECTOR_SHIFT);
	bool has_code = v->low & HV_PENDING_EVENT_DELIVER_CODE;

	if (!(v->low & HV_PENDING_EVENT)) {
		vmcb->event = 0;
		return true;
	}
	if (type || vector > 31 || vector == 2)
		return false;
	vmcb->event = VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION | vector;
	if (has_code)
		vmcb->event |= VMCB_EVENT_CODE_VALID |
			       VMCB_EVENT_CODE(v->low >> HV_PENDING_EVENT_CODE_SHIFT);
	return true;
}

/* What has been enabled stays so. */
static bool set_partition_config(struct vp *vp, uint64_t v)
{
	const uint64_t known = HV_VSM_PARTITION_ENABLE_PROTECTION | HV_VSM_PARTITION_DEFAULT_MASK |
			       HV_VSM_PARTITION_ZERO_ON_RESET | HV_VSM_PARTITION_DENY_LOWER_STARTUP |
			       HV_VSM_PARTITION_INTERCEPT_VP_STARTUP;
	const uint64_t once = HV_VSM_PARTITION_ENABLE_PROTECTION | HV_VSM_PARTITION_DEFAULT_MASK;
	uint32_t mask = (v & HV_VSM_PARTITION_DEFAULT_MASK) >> HV_VSM_PARTITION_DEFAULT_MASK_SHIFT;
	struct npt *npt = &partition.vtl[0].npt;
	bool enabled = partition.config & HV_VSM_PARTITION_ENABLE_PROTECTION;
	bool good;

	if (v & ~known || (enabled && (v ^ partition.config) & once))
		return false;
	if (!enabled && v & HV_VSM_PARTITION_ENABLE_PROTECTION) {
		if (!vsm_access_ok(mask) || !(mask & HV_MAP_READ))
			return false;
		lock(&npt->lock);
		good = mask == npt->access || npt_default(npt, &partition.map, mask);
		unlock(&npt->lock);
		vp_shootdown(vp);
		if (!good)
			return false;
	}
	partition.config = v;
	return true;
}

static bool set_secure_config(struct vp *vp, uint64_t v)
{
	if (v & ~(HV_VSM_SECURE_CONFIG_MBEC | HV_VSM_SECURE_CONFIG_TLB_LOCKED))
		return false;
	if (v & HV_VSM_SECURE_CONFIG_MBEC && !partition.mbec_enabled)
		return false;
	if (vp->secure_config & ~v & HV_VSM_SECURE_CONFIG_MBEC)
		return false;
	vp->secure_config = v;
	return true;
}

static bool set_intercepts(struct vp *vp, uint32_t name, uint64_t v)
{
	const uint64_t known = (HV_CR_INTERCEPT_TSC_AUX_WRITE << 1) - 1;

	if (name == HV_REGISTER_CR_INTERCEPT_CONTROL && v & ~known)
		return false;
	if (name == HV_REGISTER_CR_INTERCEPT_CONTROL)
		vp->cr_control = v;
	else if (name == HV_REGISTER_CR_INTERCEPT_CR0_MASK)
		vp->cr0_mask = v;
	else if (name == HV_REGISTER_CR_INTERCEPT_CR4_MASK)
		vp->cr4_mask = v;
	else
		vp->misc_mask = v;
	vp_intercepts(vp);
	return true;
}

static enum hv_status set_special(struct vp *vp, uint32_t vtl, uint32_t name,
				  const struct hv_register_value *v)
{
	bool good;

	switch (name) {
	case HV_REGISTER_PENDING_EVENT0:
		good = set_event(vp->vtl[vtl].vmcb, v);
		break;
	case HV_REGISTER_APIC_BASE:
		good = !vtl && apic_write_base(vp, v->low);
		break;
	case HV_REGISTER_VSM_PARTITION_CONFIG:
		good = vtl && set_partition_config(vp, v->low);
		break;
	case HV_REGISTER_VSM_SECURE_CONFIG_VTL0:
		good = vtl && set_secure_config(vp, v->low);
		break;
	case HV_REGISTER_CR_INTERCEPT_CONTROL ... HV_REGISTER_CR_INTERCEPT_MISC_ENABLE_MASK:
		good = vtl && set_intercepts(vp, name, v->low);
		break;
	default:
		return HV_STATUS_INVALID_PARAMETER;
	}
	return good ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_REGISTER_VALUE;
}

static enum hv_status set(struct vp *vp, uint32_t vtl, uint32_t name,
			  const struct hv_register_value *v)
{
	struct vmcb *vmcb = vp->vtl[vtl].vmcb;
	bool good = true;
	struct reg r = find(name);

	if (!vp->level)
		return HV_STATUS_ACCESS_DENIED;
	switch (r.kind) {
	case SEGMENT:
		set_segment((struct vmcb_segment *)field(vmcb, &r), v);
		break;
	case TABLE:
		set_table((struct vmcb_segment *)field(vmcb, &r), v);
		break;
	case GENERAL:
		if (r.offset == RSP)
			vmcb->rsp = v->low;
		else
			vp_put(vp, r.offset, v->low);
		break;
	case CONTROL:
		good = set_control(vmcb, &r, v->low);
		break;
	case SPECIAL:
		return set_special(vp, vtl, name, v);
	default:
		*field(vmcb, &r) = v->low;
	}
	return good ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_REGISTER_VALUE;
}

/* --- the calls --- */

static enum hv_status target(struct vp *vp, uint64_t id, uint32_t index, uint8_t input, uint32_t *vtl)
{
	if (id != HV_PARTITION_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	if (index != HV_VP_SELF && index >= partition.vps)
		return HV_STATUS_INVALID_VP_INDEX;
	if (index != HV_VP_SELF && index != vp->index)
		return HV_STATUS_INVALID_VP_STATE; /* it runs */
	if (input & ~(HV_INPUT_VTL_USE_TARGET | HV_INPUT_VTL_TARGET_MASK))
		return HV_STATUS_INVALID_PARAMETER;
	*vtl = input & HV_INPUT_VTL_USE_TARGET ? input & HV_INPUT_VTL_TARGET_MASK : vp->level;
	return *vtl > vp->level ? HV_STATUS_ACCESS_DENIED : HV_STATUS_SUCCESS;
}

_Static_assert(offsetof(struct hv_get_vp_registers, names) ==
		       offsetof(struct hv_set_vp_registers, elements),
	       "both calls begin alike");

/* The level that a call is about; what the processor keeps of it comes into the control block. */
static enum hv_status begin(const struct hypercall *h, uint32_t *vtl)
{
	const struct hv_get_vp_registers *in = (const void *)h->in;
	enum hv_status status = target(h->vp, load_once(in->partition), load_once(in->vp),
				       load_once(in->vtl), vtl);

	if (!status && !all_zero(in->reserved, sizeof(in->reserved)))
		status = HV_STATUS_INVALID_PARAMETER;
	vmcb_save(vp_vmcb(h->vp));
	return status;
}

enum hv_status call_get_registers(struct hypercall *h)
{
	const struct hv_get_vp_registers *in = (const void *)h->in;
	struct hv_register_value *out = (void *)h->out;
	struct hv_register_value v;
	uint32_t vtl;
	enum hv_status status = begin(h, &vtl);

	while (!status && h->done < h->count) {
		status = get(h->vp, vtl, load_once(in->names[h->done]), &v);
		if (!status)
			out[h->done++] = v;
	}
	return status;
}

enum hv_status call_set_registers(struct hypercall *h)
{
	const struct hv_set_vp_registers *in = (const void *)h->in;
	struct vp *vp = h->vp;
	struct hv_register_assoc one;
	uint32_t vtl;
	enum hv_status status = begin(h, &vtl);

	while (!status && h->done < h->count) {
		memcpy(&one, &in->elements[h->done], sizeof(one));
		status = set(vp, vtl, one.name, &one.value);
		h->done += !status;
	}
	vmcb_load(vp_vmcb(vp));
	vp->flush = true;
	return status;
}

enum hv_status call_translate(struct hypercall *h)
{
	static const uint8_t results[] = {
		[WALK_OK] = HV_TRANSLATED,
		[WALK_NOT_PRESENT] = HV_TRANSLATE_NOT_PRESENT,
		[WALK_PRIVILEGE] = HV_TRANSLATE_PRIVILEGE,
		[WALK_UNMAPPED] = HV_TRANSLATE_UNMAPPED,
	};
	struct hv_translate_virtual_address in;
	struct hv_translate_result_output *out = (void *)h->out;
	enum hv_status status;
	uint64_t result;
	uint64_t gpa = 0;
	uint32_t access;
	uint32_t vtl;

	memcpy(&in, h->in, sizeof(in));
	status = target(h->vp, in.partition, in.vp, (uint8_t)(in.flags >> HV_TRANSLATE_VTL_SHIFT), &vtl);
	if (status)
		return status;
	if (in.reserved || in.flags & (HV_TRANSLATE_SET_BITS | TRANSLATE_RESERVED))
		return HV_STATUS_INVALID_PARAMETER;
	result = results[walk(h->vp->vtl[vtl].vmcb, vtl, in.gva_page << PAGE_SHIFT, in.flags, &gpa)];
	access = npt_access(&partition.vtl[vtl].npt, gpa);
	if (!result && !memory_is_guest(&partition.map, gpa, 1))
		result = HV_TRANSLATE_UNMAPPED;
	else if (!result && in.flags & HV_TRANSLATE_READ && !(access & HV_MAP_READ))
		result = HV_TRANSLATE_NO_READ;
	else if (!result && in.flags & HV_TRANSLATE_WRITE && !(access & HV_MAP_WRITE))
		result = HV_TRANSLATE_NO_WRITE;
	out->result = result;
	out->gpa_page = result ? 0 : gpa >> PAGE_SHIFT;
	return HV_STATUS_SUCCESS;
}
