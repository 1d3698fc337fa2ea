// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hypervisor below the guest on x86: a multiboot image, which the engine loads with the guest's kernel,
 * the image of VTL1 and the initramfs as its modules.
 *
 * The engine takes the modules as one text, parted by commas, in which two commas stand for one.
 * The name of a module's file ends at the first blank; from there the text is the hypervisor's to
 * read.  Its first word is the role of the module.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hekivm.h"

static int check_name(const char *path, enum hekivm_error_code code, struct vm_error *error)
{
	if (path && strchr(path, ' '))
		return vm_fail(error, code, "\"%s\": no blank can be in it under a hypervisor",
			       path);
	return 0;
}

/* Options that mean nothing without a hypervisor. */
static int check_absent(const struct vm_spec *spec, struct vm_error *error)
{
	const char *option = NULL;

	if (spec->vtl1)
		option = "--vtl1";
	else if (spec->hypervisor_cmdline)
		option = "--hypervisor-cmdline";
	else if (spec->hypervisor_log)
		option = "--hypervisor-log";
	if (!option)
		return 0;
	return vm_fail(error, HEKIVM_E_USAGE, "%s without --hypervisor", option);
}

/**
 * hypervisor_check - check what a hypervisor needs, beyond that files are there
 * @spec:  what the user asked for
 * @error: out
 *
 * Return: 0 or -1.
 */
int hypervisor_check(const struct vm_spec *spec, struct vm_error *error)
{
	if (spec->address)
		return vm_fail(error, HEKIVM_E_USAGE, "--address: only of the machine arm64");
	if (!spec->hypervisor)
		return check_absent(spec, error);
	if (!vm_accel_is_tcg(spec->accel))
		return vm_fail(error, HEKIVM_E_ACCEL, "a hypervisor runs in TCG only");
	if (check_name(spec->hypervisor, HEKIVM_E_HYPERVISOR, error) ||
	    check_name(spec->kernel, HEKIVM_E_KERNEL, error) ||
	    check_name(spec->vtl1, HEKIVM_E_VTL1, error))
		return -1;
	return check_name(spec->initramfs, HEKIVM_E_INITRAMFS, error);
}

/* Adds a module to a list; frees the list when there is no memory. */
static char *add_module(char *list, const char *file, const char *role, const char *text)
{
	char *module, *escaped = NULL, *longer = NULL;

	if (asprintf(&module, "%s %s%s%s", file, role, text[0] ? " " : "", text) >= 0) {
		escaped = vm_escape_commas(module);
		free(module);
	}
	if (escaped && asprintf(&longer, "%s%s%s", list, list[0] ? "," : "", escaped) < 0)
		longer = NULL;
	free(escaped);
	free(list);
	return longer;
}

/**
 * hypervisor_modules - the modules of the hypervisor, for the engine
 * @spec: the VM
 *
 * Return: the text, to be freed, or NULL without memory.
 */
char *hypervisor_modules(const struct vm_spec *spec)
{
	char *list = strdup("");

	if (list)
		list = add_module(list, spec->kernel, "vtl0", spec->cmdline);
	if (list && spec->vtl1)
		list = add_module(list, spec->vtl1, "vtl1", "");
	if (list && spec->initramfs)
		list = add_module(list, spec->initramfs, "initrd", "");
	return list;
}
