/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The core on bare metal.
 */
#ifndef VTL1_IMAGE_CORE_HOST_H
#define VTL1_IMAGE_CORE_HOST_H

#include "host.h"
#include "machine.h"

struct vp;

/**
 * core_host_init() - make the core in the memory that is left
 * @m: the machine
 *
 * On the first VP, when all VPs have been made.
 *
 * Return: NULL, or what is wrong
 */
const char *core_host_init(const struct machine *m);

/**
 * core_host_call() - let the core serve a call
 * @vp: the VP that runs this
 *
 * VTL0's registers hold the call and receive its result.
 */
void core_host_call(struct vp *vp);

/* See heki_core_register_write(). Refused as well once the core has failed. */
enum heki_write core_host_register_write(size_t reg, uint64_t value);

/* See heki_core_start_allowed(). Not allowed once the core has failed. */
bool core_host_start_allowed(struct gpa pa);

/* Add a record to the core's log; false when that cannot be reached from here. */
bool core_host_log(struct heki_log_record *record);

/**
 * core_host_fault() - code of VTL1's has failed on this VP
 * @vp: the VP that runs this
 *
 * Where it held a lock of the core's nothing is served any more: tables may be half written. What is
 * protected stays so.
 */
void core_host_fault(struct vp *vp);

/* The core, for test calls. */
struct heki_core *core_host_core(void);

#endif /* VTL1_IMAGE_CORE_HOST_H */
