// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbols of the kernel that are not exported.
 */
#include "client.h"

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/static_call.h>

#include "internal.h"

DEFINE_STATIC_CALL_NULL(client_lookup, kallsyms_lookup_name);

/*
 * A probe tells the address of kallsyms_lookup_name. Where the function starts with ENDBR, it is
 * that of the instruction behind it: good enough for the one call that finds the function itself.
 */
int client_lookup_init(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long address;
	int error;

	error = register_kprobe(&probe);
	if (error) {
		pr_err("symbols cannot be looked up: kprobes' error %d\n", error);
		return error;
	}
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	static_call_update(client_lookup, (typeof(&kallsyms_lookup_name))address);
	address = client_symbol("kallsyms_lookup_name");
	if (!address)
		return -ENOENT;
	static_call_update(client_lookup, (typeof(&kallsyms_lookup_name))address);
	return 0;
}

unsigned long client_symbol(const char *name)
{
	return static_call(client_lookup)(name);
}

int client_symbols(const struct client_want *want, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		*want[i].address = client_symbol(want[i].name);
		if (!*want[i].address) {
			pr_err("this kernel has no symbol %s\n", want[i].name);
			return -ENOENT;
		}
	}
	return 0;
}
