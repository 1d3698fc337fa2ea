// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Virtual secure mode by hypercalls: their parameters.
 *
 * Trust boundary: the hypervisor is trusted. Locks: none; parameters are each VP's own.
 */
#include "vsm.h"

#define VECTOR_GP 13ull

/* After INIT (processor manuals). */
#define CR0_RESET 0x60000010u
#define RFLAGS_RESET 2u
#define PAT_RESET 0x0007040600070406ull
#define REAL_CODE 0x9b
#define REAL_DATA 0x93
#define REAL_TASK 0x8b
#define REAL_LDT 0x82

static int get(const struct hypercall_pages *pages, uint8_t vtl, enum hv_register name,
	       struct hv_register_value *value)
{
	struct hv_get_vp_registers *in = pages->in;
	int status;

	*in = (struct hv_get_vp_registers){
		.partition = HV_PARTITION_SELF,
		.vp = HV_VP_SELF,
		.vtl = vtl,
	};
	in->names[0] = name;
	status = hypercall_rep(HV_CALL_GET_VP_REGISTERS, 1, pages);
	if (status)
		*value = (struct hv_register_value){ 0 };
	else
		memcpy(value, pages->out, sizeof(*value));
	return status;
}

static int set(const struct hypercall_pages *pages, uint8_t vtl, enum hv_register name,
	       const struct hv_register_value *value)
{
	struct hv_set_vp_registers *in = pages->in;

	*in = (struct hv_set_vp_registers){
		.partition = HV_PARTITION_SELF,
		.vp = HV_VP_SELF,
		.vtl = vtl,
	};
	in->elements[0] = (struct hv_register_assoc){ .name = name, .value = *value };
	return hypercall_rep(HV_CALL_SET_VP_REGISTERS, 1, pages);
}

int vsm_get_register(const struct hypercall_pages *pages, enum hv_register name, uint64_t *value)
{
	struct hv_register_value v;
	int status = get(pages, VSM_OWN, name, &v);

	*value = v.low;
	return status;
}

int vsm_set_register(const struct hypercall_pages *pages, uint8_t vtl, enum hv_register name,
		     uint64_t value)
{
	const struct hv_register_value v = { .low = value };

	return set(pages, vtl, name, &v);
}

int vsm_get_vtl0(const struct hypercall_pages *pages, enum hv_register name,
		 struct hv_register_value *value)
{
	return get(pages, VSM_VTL0, name, value);
}

int vsm_set_vtl0(const struct hypercall_pages *pages, enum hv_register name,
		 const struct hv_register_value *value)
{
	return set(pages, VSM_VTL0, name, value);
}

int vsm_translate(const struct hypercall_pages *pages, uint64_t va, struct gpa *pa)
{
	struct hv_translate_virtual_address *in = pages->in;
	const struct hv_translate_result_output *out = pages->out;
	int status;

	*in = (struct hv_translate_virtual_address){
		.partition = HV_PARTITION_SELF,
		.vp = HV_VP_SELF,
		.flags = HV_TRANSLATE_READ | HV_TRANSLATE_SUPERVISOR |
			 (uint64_t)VSM_VTL0 << HV_TRANSLATE_VTL_SHIFT,
		.gva_page = va >> HV_PAGE_SHIFT,
	};
	status = hypercall_simple(HV_CALL_TRANSLATE_VIRTUAL_ADDRESS, pages);
	if (!status && out->result != HV_TRANSLATED)
		status = HV_STATUS_INVALID_PARAMETER;
	if (!status)
		*pa = gpa(out->gpa_page << HV_PAGE_SHIFT | (va & HEKI_PAGE_MASK));
	return status;
}

static int protect_some(const struct hypercall_pages *pages, uint64_t pfn, uint32_t count,
			uint32_t flags)
{
	struct hv_modify_vtl_protection_mask *in = pages->in;
	uint32_t i;

	*in = (struct hv_modify_vtl_protection_mask){
		.partition = HV_PARTITION_SELF,
		.map_flags = flags,
		.vtl = VSM_OWN, /* restricts the VTLs below */
	};
	for (i = 0; i < count; i++)
		in->pfns[i] = pfn + i;
	return hypercall_rep(HV_CALL_MODIFY_VTL_PROTECTION_MASK, count, pages);
}

int vsm_protect(const struct hypercall_pages *pages, struct gpa first, uint64_t count,
		uint32_t flags)
{
	uint64_t pfn = first.v >> HV_PAGE_SHIFT;
	int status = HV_STATUS_SUCCESS;
	uint32_t some;

	for (; count && !status; count -= some, pfn += some) {
		some = (uint32_t)min_u64(count, HV_MODIFY_VTL_PROTECTION_MASK_MAX);
		status = protect_some(pages, pfn, some, flags);
	}
	return status;
}

int vsm_inject_gp(const struct hypercall_pages *pages)
{
	return vsm_set_register(pages, VSM_VTL0, HV_REGISTER_PENDING_EVENT0,
				HV_PENDING_EVENT | HV_PENDING_EVENT_DELIVER_CODE |
				VECTOR_GP << HV_PENDING_EVENT_VECTOR_SHIFT);
}

int vsm_enable_vp(const struct hypercall_pages *pages, uint32_t vp,
		  const struct hv_initial_vp_context *context)
{
	struct hv_enable_vp_vtl *in = pages->in;

	*in = (struct hv_enable_vp_vtl){
		.partition = HV_PARTITION_SELF,
		.vp = vp,
		.vtl = 1,
		.context = *context,
	};
	return hypercall_simple(HV_CALL_ENABLE_VP_VTL, pages);
}

/* Real mode as after INIT, but for where it starts. */
static void start_context(struct hv_initial_vp_context *c, uint8_t vector)
{
	const struct hv_segment data = { .limit = 0xffff, .attributes = REAL_DATA };

	*c = (struct hv_initial_vp_context){
		.rflags = RFLAGS_RESET,
		.cs = {
			.base = (uint64_t)vector << HV_PAGE_SHIFT,
			.limit = 0xffff,
			.selector = (uint16_t)(vector << 8),
			.attributes = REAL_CODE,
		},
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.ss = data,
		.tr = { .limit = 0xffff, .attributes = REAL_TASK },
		.ldtr = { .limit = 0xffff, .attributes = REAL_LDT },
		.idtr = { .limit = 0xffff },
		.gdtr = { .limit = 0xffff },
		.cr0 = CR0_RESET,
		.pat = PAT_RESET,
	};
}

int vsm_start_vp(const struct hypercall_pages *pages, uint32_t vp, uint8_t vector)
{
	struct hv_enable_vp_vtl *in = pages->in;

	*in = (struct hv_enable_vp_vtl){ .partition = HV_PARTITION_SELF, .vp = vp };
	start_context(&in->context, vector);
	return hypercall_simple(HV_CALL_START_VIRTUAL_PROCESSOR, pages);
}

int vsm_vp_index(const struct hypercall_pages *pages, uint32_t apic_id, uint32_t *vp)
{
	struct hv_get_vp_index_from_apic_id *in = pages->in;
	const uint32_t *out = pages->out;
	int status;

	*in = (struct hv_get_vp_index_from_apic_id){
		.partition = HV_PARTITION_SELF,
		.vtl = VSM_OWN,
	};
	in->apic_ids[0] = apic_id;
	status = hypercall_rep(HV_CALL_GET_VP_INDEX_FROM_APIC_ID, 1, pages);
	*vp = status ? HV_ANY_VP : *out;
	return status;
}
