// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of what the user asked for, all before anything is made.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hekivm.h"
#include "jsontext.h"

/* The kernels' limit with its NUL, on x86 and on arm64. */
#define CMDLINE_MAX 2048

static const char name_characters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/**
 * vm_check_name - is a VM's or a namespace's name a plain file name?
 * @name:  the name
 * @error: out
 *
 * Return: 0 or -1.
 */
int vm_check_name(const char *name, struct vm_error *error)
{
	size_t length = strlen(name);

	if (!length || length > HEKIVM_NAME_MAX || strspn(name, name_characters) != length ||
	    name[0] == '.' || name[0] == '-')
		return vm_fail(error, HEKIVM_E_NAME, "\"%s\"", name);
	return 0;
}

/* What JSON could not tell as it is. */
static int check_text(const char *path, enum hekivm_error_code code, struct vm_error *error)
{
	return json_is_text(path) ? 0 : vm_fail(error, code, "%s: not UTF-8", path);
}

static int check_file(const char *path, enum hekivm_error_code code, struct vm_error *error)
{
	struct stat st;

	if (check_text(path, code, error))
		return -1;
	if (stat(path, &st))
		return vm_fail(error, code, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vm_fail(error, code, "%s: not a regular file", path);
	if (!st.st_size)
		return vm_fail(error, code, "%s: empty", path);
	if (access(path, R_OK))
		return vm_fail(error, code, "%s: %s", path, strerror(errno));
	return 0;
}

/* The handle tells where a log really is. */
static int check_place(const char *path, enum hekivm_error_code code, struct vm_error *error)
{
	char *real = realpath(path, NULL);
	int ret = real ? check_text(real, code, error) : 0;

	free(real);
	return ret;
}

/* A log that is there is written over; a new one needs its directory. */
static int check_log(const char *path, enum hekivm_error_code code, struct vm_error *error)
{
	struct stat st;
	char *copy, *dir;
	int ret;

	if (check_text(path, code, error))
		return -1;
	if (!stat(path, &st)) {
		if (!S_ISREG(st.st_mode))
			return vm_fail(error, code, "%s: not a regular file", path);
		if (access(path, W_OK | R_OK))
			return vm_fail(error, code, "%s: %s", path, strerror(errno));
		return check_place(path, code, error);
	}
	copy = strdup(path);
	if (!copy)
		return vm_fail(error, code, "%s: out of memory", path);
	dir = dirname(copy);
	if (access(dir, W_OK | X_OK))
		ret = vm_fail(error, code, "%s: %s", path, strerror(errno));
	else
		ret = check_place(dir, code, error);
	free(copy);
	return ret;
}

/**
 * vm_check_spec - check everything that can be checked before the start
 * @spec:  what the user asked for
 * @error: out: the first thing that is wrong
 *
 * Return: 0 or -1.
 */
int vm_check_spec(struct vm_spec *spec, struct vm_error *error)
{
	if (vm_check_name(spec->name, error) || vm_check_name(spec->namespace, error))
		return -1;
	if (!spec->cpus || spec->cpus > HEKIVM_CPUS_MAX)
		return vm_fail(error, HEKIVM_E_CPUS, "%u", spec->cpus);
	if (spec->accel == VM_ACCEL_TCG_ICOUNT && spec->cpus != 1)
		return vm_fail(error, HEKIVM_E_ACCEL, "tcg-icount has one CPU");
	if (spec->memory < (spec->machine == VM_MACHINE_ARM64 ? HEKIVM_MEMORY_MIN_ARM64 :
								HEKIVM_MEMORY_MIN) ||
	    spec->memory > HEKIVM_MEMORY_MAX)
		return vm_fail(error, HEKIVM_E_MEMORY, "%u", spec->memory);
	if (strlen(spec->cmdline) >= CMDLINE_MAX)
		return vm_fail(error, HEKIVM_E_CMDLINE, "%zu bytes", strlen(spec->cmdline));
	if (check_file(spec->kernel, HEKIVM_E_KERNEL, error))
		return -1;
	if (spec->initramfs && check_file(spec->initramfs, HEKIVM_E_INITRAMFS, error))
		return -1;
	if (spec->disk && check_file(spec->disk, HEKIVM_E_DISK, error))
		return -1;
	if (spec->hypervisor && check_file(spec->hypervisor, HEKIVM_E_HYPERVISOR, error))
		return -1;
	if (spec->vtl1 && check_file(spec->vtl1, HEKIVM_E_VTL1, error))
		return -1;
	if (spec->machine == VM_MACHINE_ARM64 ? arm64_check(spec, error) :
						hypervisor_check(spec, error))
		return -1;
	if (spec->serial_log && check_log(spec->serial_log, HEKIVM_E_SERIAL_LOG, error))
		return -1;
	if (spec->hypervisor_log && check_log(spec->hypervisor_log, HEKIVM_E_HYPERVISOR_LOG, error))
		return -1;
	return engine_find(spec->engine, error);
}
