// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls: one table says which there are, for whom, and how long their input is. Here all is
 * checked that the TLFS checks alike for every call; handlers see memory that the caller may access.
 */
#include "vp.h"

#define VMMCALL_LENGTH 3u

typedef enum hv_status (*handler)(struct hypercall *h);

struct entry {
	uint16_t code;
	uint8_t vtl; /* the lowest that may call */
	bool rep;
	uint16_t header; /* bytes of input before the elements */
	uint8_t element; /* bytes of an element of input */
	uint8_t out;	 /* bytes of output, or of an element of it */
	handler serve;
};

/* Parameters of the call that a VP makes, out of the guest's reach. */
static struct {
	uint8_t in[PAGE_SIZE];
	uint8_t out[PAGE_SIZE];
} buffers[VPS_MAX] __attribute__((aligned(16)));

static const struct entry table[] = {
	{ HV_CALL_MODIFY_VTL_PROTECTION_MASK, 1, true,
	  sizeof(struct hv_modify_vtl_protection_mask), 8, 0, call_modify_protection },
	{ HV_CALL_ENABLE_PARTITION_VTL, 0, false, sizeof(struct hv_enable_partition_vtl), 0, 0,
	  call_enable_partition_vtl },
	{ HV_CALL_ENABLE_VP_VTL, 0, false, sizeof(struct hv_enable_vp_vtl), 0, 0,
	  call_enable_vp_vtl },
	{ HV_CALL_GET_VP_REGISTERS, 0, true, sizeof(struct hv_get_vp_registers), 4, 16,
	  call_get_registers },
	{ HV_CALL_SET_VP_REGISTERS, 0, true, sizeof(struct hv_set_vp_registers),
	  sizeof(struct hv_register_assoc), 0, call_set_registers },
	{ HV_CALL_TRANSLATE_VIRTUAL_ADDRESS, 0, false,
	  sizeof(struct hv_translate_virtual_address), 0,
	  sizeof(struct hv_translate_result_output), call_translate },
	{ HV_CALL_START_VIRTUAL_PROCESSOR, 0, false, sizeof(struct hv_enable_vp_vtl), 0, 0,
	  call_start_vp },
	{ HV_CALL_GET_VP_INDEX_FROM_APIC_ID, 0, true,
	  sizeof(struct hv_get_vp_index_from_apic_id), 4, 4, call_vp_index },
};

/*
 * The page that a VTL calls through. RCX holds the control word of a VTL call or return, which goes
 * to RAX.
 */
__asm__(".section .rodata\n"
	".balign 4096\n"
	"hypercall_code:\n"
	"	vmmcall\n"
	"	ret\n"
	".org hypercall_code + 0x10, 0xcc\n"
	"	mov %rcx, %rax\n"
	"	mov $0x11, %ecx\n"
	"	jmp hypercall_code\n"
	".org hypercall_code + 0x20, 0xcc\n"
	"	mov %rcx, %rax\n"
	"	mov $0x12, %ecx\n"
	"	jmp hypercall_code\n"
	".org hypercall_code + 4096, 0xcc\n"
	".text\n");
extern const uint8_t hypercall_code[];

/* It hides what is there: not from others who would run or read a page that this level cannot change. */
static bool overlay_allowed(const struct npt *npt, uint64_t gpa)
{
	const uint32_t access = HV_MAP_READ | HV_MAP_WRITE;

	return gpa == ~0ull || gpa == npt->overlay || !(access & ~npt_access(npt, gpa));
}

bool hypercall_page(struct vp *vp, uint64_t value)
{
	struct partition_vtl *p = &partition.vtl[vp->level];
	bool on = value & HV_MSR_ENABLE;
	uint64_t gpa = on ? value & HV_MSR_PFN_MASK : ~0ull;
	uint32_t retired;
	bool good;

	if (p->hypercall & HV_MSR_HYPERCALL_LOCKED)
		return true;
	if (on && (!p->guest_os_id || !memory_is_guest(&partition.map, gpa, PAGE_SIZE)))
		return false;
	lock(&p->npt.lock);
	if (!overlay_allowed(&p->npt, gpa)) {
		unlock(&p->npt.lock);
		return false;
	}
	good = npt_overlay(&p->npt, gpa, (uint64_t)hypercall_code);
	retired = npt_retired(&p->npt);
	unlock(&p->npt.lock);
	vp_shootdown(vp);
	npt_release(&p->npt, retired);
	p->hypercall = good ? value : value & ~HV_MSR_ENABLE;
	return good;
}

static const struct entry *find(uint64_t input)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].code == (input & HV_CALL_CODE_MASK))
			return &table[i];
	return NULL;
}

static enum hv_status check_form(const struct entry *e, struct hypercall *h, uint64_t input)
{
	h->count = (uint32_t)(input >> HV_CALL_REP_COUNT_SHIFT & HV_CALL_REP_MASK);
	h->start = (uint32_t)(input >> HV_CALL_REP_START_SHIFT & HV_CALL_REP_MASK);
	h->done = h->start;
	if (input & (HV_CALL_RESERVED | HV_CALL_VARIABLE_MASK | HV_CALL_NESTED))
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	if (e->rep ? h->start >= h->count : h->start || h->count)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	return HV_STATUS_SUCCESS;
}

/* A page of guest memory that holds @size bytes at @gpa. */
static enum hv_status map_parameter(struct vp *vp, uint64_t gpa, uint64_t size, uint32_t access,
				    void **p)
{
	if (gpa & 7 || size > PAGE_SIZE - (gpa & ~PAGE_MASK))
		return HV_STATUS_INVALID_ALIGNMENT;
	*p = guest_memory(vp->level, gpa, size, access);
	return *p ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_PARAMETER;
}

/* VTL1's memory is nobody else's to change: its input is read where it is, element by element. */
static enum hv_status take_input(const struct entry *e, struct hypercall *h)
{
	uint64_t size = e->header + (e->rep ? (uint64_t)e->element * h->count : 0);
	struct npt *npt = &partition.vtl[h->vp->level].npt;
	uint8_t *copy = buffers[h->vp->index].in;
	enum hv_status status;
	void *p = NULL;

	lock(&npt->lock);
	status = map_parameter(h->vp, h->low, size, HV_MAP_READ, &p);
	if (!status && !h->vp->level)
		memcpy(copy, p, size);
	unlock(&npt->lock);
	h->in = h->vp->level ? p : copy;
	return status;
}

static uint64_t output_size(const struct entry *e, const struct hypercall *h)
{
	return (uint64_t)e->out * (e->rep ? h->count : 1);
}

/* Before the call is made, so that one which cannot be answered does nothing. */
static enum hv_status check_output(const struct entry *e, struct hypercall *h)
{
	void *p;

	h->out = buffers[h->vp->index].out;
	if (!e->out)
		return HV_STATUS_SUCCESS;
	return map_parameter(h->vp, h->high, output_size(e, h), HV_MAP_READ | HV_MAP_WRITE, &p);
}

/*
 * The level may have lost the page meanwhile. Under the lock it either still may write there, and the
 * protection comes later, or nothing is written.
 */
static enum hv_status give_output(const struct entry *e, const struct hypercall *h)
{
	uint32_t first = e->rep ? h->start * e->out : 0;
	uint32_t end = e->rep ? h->done * e->out : e->out;
	struct npt *npt = &partition.vtl[h->vp->level].npt;
	enum hv_status status;
	void *p;

	if (!e->out || first == end)
		return HV_STATUS_SUCCESS;
	lock(&npt->lock);
	status = map_parameter(h->vp, h->high, output_size(e, h), HV_MAP_READ | HV_MAP_WRITE, &p);
	if (!status)
		memcpy((uint8_t *)p + first, h->out + first, end - first);
	unlock(&npt->lock);
	return status;
}

static enum hv_status take_parameters(const struct entry *e, struct hypercall *h, bool fast)
{
	uint64_t size = e->header + (e->rep ? (uint64_t)e->element * h->count : 0);
	enum hv_status status;

	h->low = h->vp->gpr[RDX];
	h->high = h->vp->gpr[R8];
	if (fast) {
		h->in = (const uint8_t *)&h->low;
		return size <= 16 && !e->out ? HV_STATUS_SUCCESS :
					       HV_STATUS_INVALID_HYPERCALL_INPUT;
	}
	status = take_input(e, h);
	return status ? status : check_output(e, h);
}

static enum hv_status serve(struct vp *vp, uint64_t input, uint32_t *done)
{
	const struct entry *e = find(input);
	struct hypercall h = { .vp = vp };
	enum hv_status status;

	if (!e)
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	status = check_form(e, &h, input);
	if (!status && vp->level < e->vtl)
		status = HV_STATUS_ACCESS_DENIED;
	if (!status)
		status = take_parameters(e, &h, input & HV_CALL_FAST);
	if (!status) {
		enum hv_status given;

		status = e->serve(&h);
		/* Of a simple call that fails, the buffer holds what another left there. */
		given = status && !e->rep ? HV_STATUS_SUCCESS : give_output(e, &h);
		status = given ? given : status;
	}
	*done = e->rep ? h.done : 0;
	return status;
}

/* Apart from what follows, which is the way of every VTL call and return. */
static void __attribute__((noinline)) exit_other_call(struct vp *vp)
{
	enum hv_status status;
	uint32_t done = 0;

	vp_count(vp, COUNT_HYPERCALL);
	status = serve(vp, vp->gpr[RCX], &done);
	if (status && !vp->level)
		vp_refused(vp, "hypercall", vp->gpr[RCX] & HV_CALL_CODE_MASK, status);
	vp_vmcb(vp)->rax = (uint64_t)status | (uint64_t)done << HV_RESULT_REP_SHIFT;
	vp_skip(vp, VMMCALL_LENGTH);
}

void exit_hypercall(struct vp *vp)
{
	const struct vmcb *vmcb = vp_vmcb(vp);

	if (vmcb->cpl || !(vmcb->efer & EFER_LMA) ||
	    !(partition.vtl[vp->level].hypercall & HV_MSR_ENABLE))
		vp_undefined(vp);
	else if (vp->gpr[RCX] == HV_CALL_VTL_CALL)
		vtl_call(vp);
	else if (vp->gpr[RCX] == HV_CALL_VTL_RETURN)
		vtl_return(vp);
	else
		exit_other_call(vp);
}
