/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands between the shim and its core, in a build for tests.
 */
#ifndef SELFTESTS_PROOF_RECORDER_H
#define SELFTESTS_PROOF_RECORDER_H

#include "host.h"

void recorder_call(struct heki_core *core, struct heki_vtlcall_regs *regs);
void recorder_fiber(struct heki_core *core, uint32_t fiber);
bool recorder_fiber_resume(void *host, uint32_t fiber);
int recorder_read(void *host, struct gpa pa, void *to, size_t n);
int recorder_read_regs(void *host, struct heki_vp_regs *regs);

#endif /* SELFTESTS_PROOF_RECORDER_H */
