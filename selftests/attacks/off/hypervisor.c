// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hypervisor that closes nothing to VTL0: not the access that VTL1 takes away when it writes for a
 * level itself, not ports, not registers of devices, not the calls that are VTL1's.
 */
#include "start.h"
#include "vp.h"

#define VMMCALL_LENGTH 3u
#define DISABLE_PARTITION_VTL 0x0eu
#define DISABLE_VP_VTL 0x10u

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

void __wrap_device_init(struct npt *npt, const struct acpi_devices *devices);
void __wrap_device_init(struct npt *npt, const struct acpi_devices *devices)
{
	(void)npt;
	(void)devices;
}

void __real_npt_init(struct npt *npt, const struct memory_map *map, uint32_t trees);
void __wrap_npt_init(struct npt *npt, const struct memory_map *map, uint32_t trees);
void __wrap_npt_init(struct npt *npt, const struct memory_map *map, uint32_t trees)
{
	static struct memory_map all;

	memcpy(&all, map, sizeof(all));
	for (uint32_t i = 0; i < all.n; i++)
		if (all.ranges[i].kind == MEMORY_HYPERVISOR)
			all.ranges[i].kind = MEMORY_RAM;
	__real_npt_init(npt, &all, trees);
}

static bool is_vtl1s(uint64_t code)
{
	return code == HV_CALL_MODIFY_VTL_PROTECTION_MASK || code == HV_CALL_ENABLE_PARTITION_VTL ||
	       code == HV_CALL_ENABLE_VP_VTL || code == HV_CALL_SET_VP_REGISTERS ||
	       code == DISABLE_PARTITION_VTL || code == DISABLE_VP_VTL;
}

/* Another level's registers stand behind the two words for the partition and the processor. */
static bool names_vtl1(const struct vp *vp)
{
	const struct hv_get_vp_registers *in = (const void *)vp->gpr[RDX];

	return in->vtl == (HV_INPUT_VTL_USE_TARGET | 1);
}

static bool is_served(const struct vp *vp, uint64_t code)
{
	const struct hv_enable_vp_vtl *in = (const void *)vp->gpr[RDX];

	return is_vtl1s(code) || (code == HV_CALL_GET_VP_REGISTERS && names_vtl1(vp)) ||
	       (code == HV_CALL_START_VIRTUAL_PROCESSOR && in->vtl);
}

/* What VTL1 has configured does not count. */
void __real_exit_hypercall(struct vp *vp);
void __wrap_exit_hypercall(struct vp *vp);
void __wrap_exit_hypercall(struct vp *vp)
{
	uint64_t code = vp->gpr[RCX] & HV_CALL_CODE_MASK, config = partition.config;

	if (!vp->level && is_served(vp, code)) {
		vp_vmcb(vp)->rax = HV_STATUS_SUCCESS;
		vp_skip(vp, VMMCALL_LENGTH);
		return;
	}
	if (code == HV_CALL_START_VIRTUAL_PROCESSOR)
		partition.config = 0;
	__real_exit_hypercall(vp);
	if (code == HV_CALL_START_VIRTUAL_PROCESSOR)
		partition.config = config;
}
