// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hypervisor that closes nothing to VTL0: not the access that VTL1 takes away when it writes for a
 * level itself, not ports, not the calls that are VTL1's.
 */
#include "vp.h"

#define VMMCALL_LENGTH 3u

void *__wrap_guest_memory(uint32_t vtl, uint64_t gpa, uint64_t size, uint32_t access);
void *__wrap_guest_memory(uint32_t vtl, uint64_t gpa, uint64_t size, uint32_t access)
{
	(void)vtl;
	(void)access;
	return size > PAGE_SIZE - (gpa & ~PAGE_MASK) ? NULL : (void *)gpa;
}

static const uint8_t code[PAGE_SIZE] __attribute__((aligned(4096)));

bool __real_hypercall_page(struct vp *vp, uint64_t value);
bool __wrap_hypercall_page(struct vp *vp, uint64_t value);
bool __wrap_hypercall_page(struct vp *vp, uint64_t value)
{
	struct partition_vtl *p = &partition.vtl[vp->level];

	if (__real_hypercall_page(vp, value))
		return true;
	npt_overlay(&p->npt, value & HV_MSR_PFN_MASK, (uint64_t)code);
	vp_shootdown(vp);
	return true;
}

void __wrap_io_map_init(uint8_t *map);
void __wrap_io_map_init(uint8_t *map)
{
	memset(map, 0, 3 * PAGE_SIZE);
}

static bool is_vtl1s(uint64_t code)
{
	return code == HV_CALL_MODIFY_VTL_PROTECTION_MASK || code == HV_CALL_ENABLE_PARTITION_VTL ||
	       code == HV_CALL_ENABLE_VP_VTL || code == HV_CALL_SET_VP_REGISTERS ||
	       code == HV_CALL_START_VIRTUAL_PROCESSOR;
}

/* Another level's registers stand behind the two words for the partition and the processor. */
static bool names_vtl1(const struct vp *vp)
{
	const struct hv_get_vp_registers *in = (const void *)vp->gpr[RDX];

	return in->vtl == (HV_INPUT_VTL_USE_TARGET | 1);
}

void __real_exit_hypercall(struct vp *vp);
void __wrap_exit_hypercall(struct vp *vp);
void __wrap_exit_hypercall(struct vp *vp)
{
	uint64_t code = vp->gpr[RCX] & HV_CALL_CODE_MASK;

	if (!vp->level && (is_vtl1s(code) || (code == HV_CALL_GET_VP_REGISTERS && names_vtl1(vp)))) {
		vp_vmcb(vp)->rax = HV_STATUS_SUCCESS;
		vp_skip(vp, VMMCALL_LENGTH);
		return;
	}
	__real_exit_hypercall(vp);
}
