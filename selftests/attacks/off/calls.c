// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Without a refusal of calls that there are not, and of CPUs that there are not. */
#include "call.h"

void __real_heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs);
void __wrap_heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs);
void __wrap_heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs)
{
	if (regs->rdi > HEKI_CALL_ALLOCATE_RINGBUFFER || regs->rdi < HEKI_CALL_QUERY)
		regs->r8 = 0;
	else
		__real_heki_core_call(core, regs);
}

int __real_call_boot_aps(struct call *c);
int __wrap_call_boot_aps(struct call *c);
int __wrap_call_boot_aps(struct call *c)
{
	static const uint8_t tokens[] = { 1, 1, 1, 1, 1, 1, 1, 1 };

	if (!__real_call_boot_aps(c))
		return 0;
	return c->core->ops->write(c->core->host, gpa(c->p[1] << HEKI_PAGE_SHIFT), tokens, sizeof(tokens));
}
