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

int __wrap_call_patch_text_batch(struct call *c);
int __wrap_call_patch_text_batch(struct call *c)
{
	const struct heki_host_ops *ops = c->core->ops;
	static struct heki_patch_batch batch;
	uint32_t i;

	if (ops->read(c->core->host, gpa(c->p[0]), &batch, sizeof(batch)))
		return -HEKI_E_COPY_FROM_VTL0;
	for (i = 0; i < batch.count && i < HEKI_PATCH_BATCH_MAX; i++)
		ops->write(c->core->host, gpa(batch.patches[i].pa[0]), batch.patches[i].code,
			   batch.patches[i].size);
	return 0;
}
