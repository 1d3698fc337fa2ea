// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Without a refusal of calls that there are not. */
#include "core.h"

void __real_heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs);
void __wrap_heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs);
void __wrap_heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs)
{
	if (regs->rdi > HEKI_CALL_ALLOCATE_RINGBUFFER || regs->rdi < HEKI_CALL_QUERY)
		regs->r8 = 0;
	else
		__real_heki_core_call(core, regs);
}
