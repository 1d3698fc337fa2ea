/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one function that vtl1_shim.ko exports: a vtlcall as a function call.
 */
#ifndef HEKI_KMOD_VTLCALL_H
#define HEKI_KMOD_VTLCALL_H

#include <heki/calls.h>

/**
 * heki_vtlcall() - make a vtlcall
 * @regs: registers as for the instruction; r8 receives the result
 *
 * The context of each call is that of the call table: HEKI_CONTEXT_ATOMIC anywhere but in an NMI,
 * HEKI_CONTEXT_SLEEP only where sleeping is allowed. A call from elsewhere answers -EINVAL with a
 * warning.
 *
 * The function is exported for GPL modules and is to be held with symbol_get(), so that the
 * transport of a client can be chosen when it is loaded.
 */
void heki_vtlcall(struct heki_vtlcall_regs *regs);

#endif /* HEKI_KMOD_VTLCALL_H */
