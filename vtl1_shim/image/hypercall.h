/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Hypercalls (TLFS "Hypercall Interface").
 */
#ifndef VTL1_IMAGE_HYPERCALL_H
#define VTL1_IMAGE_HYPERCALL_H

#include <hyperv/hypercall.h>

#include "types.h"

/* A rep hypercall that succeeds but does not go on. */
#define HYPERCALL_STUCK 0xffff

/**
 * struct hypercall_pages - a VP's parameters of hypercalls
 * @in:  input, one page
 * @out: output, one page
 */
struct hypercall_pages {
	void *in;
	void *out;
};

/**
 * hypercall() - make one
 * @control: call code, rep count and start
 * @pages:   parameters
 *
 * Return: as in RAX
 */
uint64_t hypercall(uint64_t control, const struct hypercall_pages *pages);

/**
 * hypercall_simple() - make one without reps
 * @call:  code
 * @pages: parameters
 *
 * Return: enum hv_status
 */
int hypercall_simple(enum hv_call call, const struct hypercall_pages *pages);

/**
 * hypercall_rep() - make one for a list, again until all of the list is done
 * @call:  code
 * @reps:  elements, 1 .. HV_CALL_REP_MASK
 * @pages: parameters
 *
 * The hypervisor may stop after any number of elements; it says how many are done since the first.
 *
 * Return: enum hv_status, or HYPERCALL_STUCK
 */
int hypercall_rep(enum hv_call call, uint32_t reps, const struct hypercall_pages *pages);

#endif /* VTL1_IMAGE_HYPERCALL_H */
