// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Without a judgement of text patches. */
#include "call.h"

int __wrap_call_patch_text(struct call *c);
int __wrap_call_patch_text(struct call *c)
{
	const struct heki_host_ops *ops = c->core->ops;
	struct heki_patch patch;

	if (ops->read(c->core->host, gpa(c->p[0]), &patch, sizeof(patch)))
		return -HEKI_E_COPY_FROM_VTL0;
	ops->write(c->core->host, gpa(patch.pa[0]), patch.code, patch.size);
	return 0;
}
