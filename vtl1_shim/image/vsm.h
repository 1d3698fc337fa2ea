/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Virtual secure mode: the hypercalls of a VTL that guards a lower one (TLFS "VSM").
 *
 * All of them return enum hv_status, or HYPERCALL_STUCK.
 */
#ifndef VTL1_IMAGE_VSM_H
#define VTL1_IMAGE_VSM_H

#include <hyperv/registers.h>

#include "hypercall.h"

/* HV_INPUT_VTL: the caller's own, and VTL0. */
#define VSM_OWN 0
#define VSM_VTL0 HV_INPUT_VTL_USE_TARGET
#define VSM_VTL1 (HV_INPUT_VTL_USE_TARGET | 1)

/**
 * vsm_get_register() - read a register of the calling VP's own VTL
 * @pages: the VP's
 * @name:  which
 * @value: its low half
 */
int vsm_get_register(const struct hypercall_pages *pages, enum hv_register name, uint64_t *value);

/**
 * vsm_set_register() - write a register of the calling VP
 * @pages: the VP's
 * @vtl:   VSM_OWN or VSM_VTL0
 * @name:  which
 * @value: its low half; the high half is 0
 */
int vsm_set_register(const struct hypercall_pages *pages, uint8_t vtl, enum hv_register name,
		     uint64_t value);

/**
 * vsm_get_vtl0() - read a register of VTL0's on the calling VP
 * @pages: the VP's
 * @name:  which
 * @value: both halves
 */
int vsm_get_vtl0(const struct hypercall_pages *pages, enum hv_register name,
		 struct hv_register_value *value);

/* The reverse. */
int vsm_set_vtl0(const struct hypercall_pages *pages, enum hv_register name,
		 const struct hv_register_value *value);

/**
 * vsm_translate() - where an address of VTL0's kernel leads to on the calling VP
 * @pages: the VP's
 * @va:    the address
 * @pa:    where to
 *
 * Return: HV_STATUS_INVALID_PARAMETER when it leads nowhere
 */
int vsm_translate(const struct hypercall_pages *pages, uint64_t va, struct gpa *pa);

/**
 * vsm_protect() - what VTL0 may do with pages
 * @pages: the VP's
 * @first: first page
 * @count: how many
 * @flags: HV_MAP_*
 *
 * After a failure any of them may have the new access.
 */
int vsm_protect(const struct hypercall_pages *pages, struct gpa first, uint64_t count,
		uint32_t flags);

/**
 * vsm_inject_gp() - let VTL0 meet a general protection fault when it goes on
 * @pages: the VP's
 */
int vsm_inject_gp(const struct hypercall_pages *pages);

/**
 * vsm_enable_vp() - enable VTL1 on a VP; it starts there when that VP's VTL0 calls
 * @pages:   the calling VP's
 * @vp:      which
 * @context: with what it starts
 */
int vsm_enable_vp(const struct hypercall_pages *pages, uint32_t vp,
		  const struct hv_initial_vp_context *context);

/**
 * vsm_start_vp() - let VTL0 start on a VP that waits for it, as by a start-up IPI
 * @pages:  the calling VP's
 * @vp:     which
 * @vector: of the IPI: the page where it starts
 */
int vsm_start_vp(const struct hypercall_pages *pages, uint32_t vp, uint8_t vector);

/**
 * vsm_vp_index() - the VP with this APIC id
 * @pages:   the calling VP's
 * @apic_id: APIC id
 * @vp:      its index
 */
int vsm_vp_index(const struct hypercall_pages *pages, uint32_t apic_id, uint32_t *vp);

#endif /* VTL1_IMAGE_VSM_H */
