/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test guest does for traps.c, and gets from it. */
#ifndef GUEST_TRAPS_H
#define GUEST_TRAPS_H

#include "machine.h"

void trap(struct trap_frame *f);

/* The interrupt descriptor table, which all CPUs share. */
struct table_pointer traps_idt(void);

/* Let a vector lead elsewhere. */
void traps_gate(uint32_t vector, uint64_t to);

/* The guest's own: an interrupt or NMI; and an exception that no one has waited for. */
void trap_interrupt(const struct trap_frame *f);
void __attribute__((noreturn)) trap_unexpected(const struct trap_frame *f);

/**
 * user_enter() - run user code until its first exception
 * @rip: where
 * @rsp: its stack
 * @kernel_rsp: of the task: set to the stack that exceptions of user code come to
 */
void user_enter(uint64_t rip, uint64_t rsp, void *kernel_rsp);

#endif /* GUEST_TRAPS_H */
