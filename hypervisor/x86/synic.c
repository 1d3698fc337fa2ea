// SPDX-License-Identifier: GPL-2.0-only
/*
 * The synthetic interrupt controller of VTL1: message slot 0, by which it learns of intercepts.
 *
 * VTL1 has no local APIC of its own, so every interrupt that it takes ends by itself.
 */
#include "vp.h"

#define INTERCEPT_SINT 0u
#define PRIORITY_HIGHEST 15u

#define STATE_PE_SHIFT 2
#define STATE_LMA_SHIFT 4

#define SINT_VALID (HV_SINT_VECTOR_MASK | HV_SINT_MASKED | HV_SINT_AUTO_EOI | HV_SINT_POLLING)
#define VECTOR_LOWEST 16u

static struct hv_message *message_slot(struct vp *vp)
{
	const struct vp_vtl *v = &vp->vtl[1];

	if (!(v->scontrol & 1) || !(v->simp & HV_MSR_ENABLE) ||
	    v->sint[INTERCEPT_SINT] & HV_SINT_MASKED)
		return NULL;
	return guest_memory(1, v->simp & HV_MSR_PFN_MASK, sizeof(struct hv_message),
			    HV_MAP_READ | HV_MAP_WRITE);
}

static void raise(struct vp *vp, uint64_t vector)
{
	struct vmcb *vmcb = vp->vtl[1].vmcb;

	vmcb->interrupt = (vmcb->interrupt & VMCB_V_TPR_MASK) | VMCB_V_INTR_MASKING | VMCB_V_IRQ | VMCB_V_IGNORE_TPR |
				     VMCB_V_PRIORITY(PRIORITY_HIGHEST) | VMCB_V_VECTOR(vector);
}

/* Put the message that waits into the slot, when that is empty; else VTL1 is told that one waits. */
static void post(struct vp *vp)
{
	uint64_t sint = vp->vtl[1].sint[INTERCEPT_SINT];
	struct hv_message *slot = message_slot(vp);

	if (!slot || !vp->message_waits)
		return;
	if (slot->type != HV_MESSAGE_NONE) {
		slot->flags |= HV_MESSAGE_FLAG_PENDING;
		return;
	}
	memcpy(slot, &vp->message, sizeof(*slot));
	vp->message_waits = false;
	if (vp->message.type == HV_MESSAGE_STARTUP_INTERCEPT)
		vp->startups &= ~BIT(((struct hv_startup_intercept *)vp->message.payload)->target);
	if (vp->startups)
		vp_request(vp, REQUEST_STARTUP);
	if (!(sint & HV_SINT_POLLING))
		raise(vp, sint & HV_SINT_VECTOR_MASK);
}

static bool deliver(struct vp *vp, uint32_t type, const void *payload, uint8_t size)
{
	if (vp->level || !vp->vtl[1].enabled || !message_slot(vp))
		return false;
	vp_count(vp, COUNT_INTERCEPT);
	memset(&vp->message, 0, sizeof(vp->message));
	vp->message.type = type;
	vp->message.size = size;
	memcpy(vp->message.payload, payload, size);
	vp->message_waits = true;
	post(vp);
	vtl_enter(vp, HV_VTL_ENTRY_INTERRUPT);
	return true;
}

static struct hv_intercept_header header(struct vp *vp, uint8_t access, uint32_t length)
{
	const struct vmcb *vmcb = vp_vmcb(vp);
	uint16_t attributes = vmcb->cs.attributes;
	struct hv_intercept_header h = {
		.vp = vp->index,
		.length_and_cr8 = (uint8_t)length,
		.access = access,
		.state = (uint16_t)(vmcb->cpl | (vmcb->cr0 & CR0_PE ? 1 << STATE_PE_SHIFT : 0) |
				    (vmcb->efer & EFER_LMA ? 1 << STATE_LMA_SHIFT : 0)),
		.rip = vmcb->rip,
		.rflags = vmcb->rflags,
	};

	h.cs.base = vmcb->cs.base;
	h.cs.limit = vmcb->cs.limit;
	h.cs.selector = vmcb->cs.selector;
	h.cs.attributes = (uint16_t)((attributes & 0xff) | (attributes & 0xf00) << 4);
	return h;
}

bool intercept_memory(struct vp *vp, uint64_t gpa, uint8_t access)
{
	struct hv_memory_intercept m = { .header = header(vp, access, 0), .gpa = gpa };

	return deliver(vp, HV_MESSAGE_GPA_INTERCEPT, &m, sizeof(m));
}

bool intercept_msr(struct vp *vp, uint32_t msr, bool write)
{
	struct hv_msr_intercept m = {
		.header = header(vp, write ? HV_INTERCEPT_WRITE : HV_INTERCEPT_READ, 2),
		.msr = msr,
		.rdx = vp->gpr[RDX],
		.rax = vp_vmcb(vp)->rax,
	};

	return deliver(vp, HV_MESSAGE_MSR_INTERCEPT, &m, sizeof(m));
}

bool intercept_register(struct vp *vp, uint32_t name, uint64_t low, uint64_t high, uint32_t length)
{
	struct hv_register_intercept m = {
		.header = header(vp, HV_INTERCEPT_WRITE, length),
		.name = name,
		.value_low = low,
		.value_high = high,
	};

	return deliver(vp, HV_MESSAGE_REGISTER_INTERCEPT, &m, sizeof(m));
}

/*
 * The instruction is done: the VP that it is about waits for HvCallStartVirtualProcessor. As nothing
 * repeats it, it stays in @startups until the message is in the slot.
 */
void intercept_startup(struct vp *vp, uint32_t target)
{
	struct hv_startup_intercept m = {
		.header = header(vp, HV_INTERCEPT_EXECUTE, 0),
		.target = target,
		.vector = vp->startup_vector[target],
	};

	if (deliver(vp, HV_MESSAGE_STARTUP_INTERCEPT, &m, sizeof(m)))
		return;
	vp->startups &= ~BIT(target);
	vp_refused(vp, "start of VP", target, m.vector);
}

bool synic_read(struct vp *vp, uint32_t msr, uint64_t *v)
{
	const struct vp_vtl *s = &vp->vtl[vp->level];

	switch (msr) {
	case HV_MSR_SCONTROL:
		*v = s->scontrol;
		return true;
	case HV_MSR_SVERSION:
		*v = 1;
		return true;
	case HV_MSR_SIEFP:
		*v = s->siefp;
		return true;
	case HV_MSR_SIMP:
		*v = s->simp;
		return true;
	case HV_MSR_EOM:
		*v = 0;
		return true;
	case HV_MSR_SINT0 ... HV_MSR_SINT15:
		*v = s->sint[msr - HV_MSR_SINT0];
		return true;
	default:
		return false;
	}
}

static bool write_sint(struct vp *vp, uint32_t i, uint64_t v)
{
	if (v & ~SINT_VALID || (!(v & HV_SINT_MASKED) && (v & HV_SINT_VECTOR_MASK) < VECTOR_LOWEST))
		return false;
	vp->vtl[vp->level].sint[i] = v;
	return true;
}

bool synic_write(struct vp *vp, uint32_t msr, uint64_t v)
{
	struct vp_vtl *s = &vp->vtl[vp->level];

	switch (msr) {
	case HV_MSR_SCONTROL:
		s->scontrol = v & 1;
		return true;
	case HV_MSR_SIEFP:
		s->siefp = v;
		return true;
	case HV_MSR_SIMP:
		if (v & HV_MSR_ENABLE && !guest_memory(vp->level, v & HV_MSR_PFN_MASK, PAGE_SIZE,
						       HV_MAP_READ | HV_MAP_WRITE))
			return false;
		s->simp = v;
		return true;
	case HV_MSR_EOM:
		post(vp);
		return true;
	case HV_MSR_SINT0 ... HV_MSR_SINT15:
		return write_sint(vp, msr - HV_MSR_SINT0, v);
	default:
		return false;
	}
}
