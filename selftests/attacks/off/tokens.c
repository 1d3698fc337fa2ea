// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Without a look at tokens. */
#include "call.h"

int __real_call_free_module_init(struct call *c);
int __wrap_call_free_module_init(struct call *c);
int __wrap_call_free_module_init(struct call *c)
{
	int rc = __real_call_free_module_init(c);

	return rc == -HEKI_E_TOKEN ? 0 : rc;
}

int __real_call_unload_module(struct call *c);
int __wrap_call_unload_module(struct call *c);
int __wrap_call_unload_module(struct call *c)
{
	int rc = __real_call_unload_module(c);

	return rc == -HEKI_E_TOKEN ? 0 : rc;
}
