/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Taking up with the hypervisor: what it must offer, the pages it shares, what it shall guard.
 */
#ifndef VTL1_IMAGE_HYPERVISOR_H
#define VTL1_IMAGE_HYPERVISOR_H

#include "machine.h"
#include "vp.h"

/**
 * hypervisor_check() - whether this is a Hyper-V with virtual secure mode
 *
 * Return: NULL, or what is missing
 */
const char *hypervisor_check(void);

/* Whether VTL0's users may execute what its kernel may not; after hypervisor_guard_vp(). */
bool hypervisor_mbec(void);

/* VP index of the CPU that runs this. */
uint32_t hypervisor_vp_index(void);

/**
 * hypervisor_open() - the VP's assist page, hypercall page, SIM page and SINT0
 * @vp: the VP that runs this
 *
 * Return: NULL, or what failed
 */
const char *hypervisor_open(struct vp *vp);

/**
 * hypervisor_guard_partition() - guard VTL1 against VTL0: for the whole partition, once
 * @vp: the first VP, after hypervisor_open()
 * @m:  the machine
 *
 * Return: NULL, or what failed
 */
const char *hypervisor_guard_partition(struct vp *vp, const struct machine *m);

/**
 * hypervisor_guard_vp() - the VP's own part of it
 * @vp: the VP that runs this, after hypervisor_open()
 *
 * Return: NULL, or what failed
 */
const char *hypervisor_guard_vp(struct vp *vp);

#endif /* VTL1_IMAGE_HYPERVISOR_H */
