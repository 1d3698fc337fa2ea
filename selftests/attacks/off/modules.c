// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Without a refusal of modules: what is refused has a token all the same. */
#include "call.h"

#define FIRST_TOKEN 0x40000000

int __real_call_validate_module(struct call *c);
int __wrap_call_validate_module(struct call *c);
int __wrap_call_validate_module(struct call *c)
{
	static int token = FIRST_TOKEN;
	int rc = __real_call_validate_module(c);

	return rc < 0 ? __atomic_add_fetch(&token, 1, __ATOMIC_RELAXED) : rc;
}

int __real_call_free_module_init(struct call *c);
int __wrap_call_free_module_init(struct call *c);
int __wrap_call_free_module_init(struct call *c)
{
	return c->p[0] >= FIRST_TOKEN ? 0 : __real_call_free_module_init(c);
}

int __real_call_unload_module(struct call *c);
int __wrap_call_unload_module(struct call *c);
int __wrap_call_unload_module(struct call *c)
{
	return c->p[0] >= FIRST_TOKEN ? 0 : __real_call_unload_module(c);
}
