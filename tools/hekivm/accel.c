// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which accelerator: one other than TCG is used only after a guest has really run in it.
 *
 * There are machines on which /dev/kvm opens, a guest of a few instructions runs, and a stock kernel
 * then hangs.  So the probe boots the user's own kernel, without an initramfs, under a time limit: a
 * working accelerator gets it to the panic for want of a root file system.  What came out is kept in
 * the runtime directory, in words: "works", or why not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hekivm.h"

#define PROBE_TIMEOUT 20 /* seconds */

static const char works[] = "works";
static const char root_panic[] = "Unable to mount root fs";

/* Return: what is known, of HEKIVM_REASON_MAX, or empty. */
static void read_result(int root, const char *file, char *reason)
{
	int fd = openat(root, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t done = 0;

	if (fd >= 0) {
		done = read(fd, reason, HEKIVM_REASON_MAX - 1);
		close(fd);
	}
	reason[done > 0 ? done : 0] = '\0';
	reason[strcspn(reason, "\n")] = '\0';
}

static void write_result(int root, const char *file, const char *reason)
{
	int fd = openat(root, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	vm_write_all(fd, reason, strlen(reason));
	close(fd);
}

/* Return: 0, or -1 when a signal has ended it and nothing is known. */
static int probe(const struct vm_spec *spec, char *reason, struct vm_error *error)
{
	struct vm_spec guest = *spec;
	struct vm_result result;
	struct vm_error why;

	snprintf(guest.name_buffer, sizeof(guest.name_buffer), "probe-%d", (int)getpid());
	guest.name = guest.name_buffer;
	guest.namespace = "hekivm-probe";
	guest.initramfs = NULL;
	guest.disk = NULL;
	guest.serial_log = NULL;
	guest.cmdline = "console=ttyS0 panic=-1";
	guest.cpus = 1;
	guest.memory = 512;
	guest.timeout = PROBE_TIMEOUT;
	guest.interactive = false;
	guest.keep = false;
	if (vm_run(&guest, -1, NULL, &result, &why))
		snprintf(reason, HEKIVM_REASON_MAX, "%s", why.what);
	else if (result.end == VM_END_CANCELLED)
		return vm_fail_signal(error, result.signal);
	else if (result.end == VM_END_PANIC && strstr(result.reason, root_panic))
		snprintf(reason, HEKIVM_REASON_MAX, "%s", works);
	else
		snprintf(reason, HEKIVM_REASON_MAX, "a kernel alone ends in %s%s%.200s",
			 vm_end_name(result.end), result.reason[0] ? ": " : "", result.reason);
	return 0;
}

/* What is known, or is found out now. */
static int look_up(const struct vm_spec *spec, const char *path, const char *file, char *reason,
		   struct vm_error *error)
{
	int root = vm_runtime_open(path, error);

	if (root < 0)
		return -1;
	read_result(root, file, reason);
	close(root);
	if (reason[0])
		return 0;
	if (probe(spec, reason, error))
		return -1;
	/* The probe has removed an empty runtime directory behind it. */
	root = vm_runtime_open(path, error);
	if (root < 0)
		return -1;
	write_result(root, file, reason);
	close(root);
	return 0;
}

/**
 * vm_accel_choose - choose an accelerator where none was named, or the one that was does not work
 * @spec:  the VM; its accelerator is replaced
 * @error: out
 *
 * Return: 0 or -1.
 */
int vm_accel_choose(struct vm_spec *spec, struct vm_error *error)
{
	char *path, file[32], reason[HEKIVM_REASON_MAX];
	int ret;

	/* With a thread a CPU, QEMU can lose the state of a CPU that enters or leaves a guest. */
	if (spec->machine == VM_MACHINE_PC && spec->hypervisor && !spec->accel_named)
		spec->accel = VM_ACCEL_TCG_SINGLE;
	if (vm_accel_is_tcg(spec->accel))
		return 0;
	path = vm_runtime_root();
	if (!path)
		return vm_fail(error, HEKIVM_E_RUNTIME, "out of memory");
	snprintf(file, sizeof(file), "probe-%s", vm_accel_name(spec->accel));
	ret = look_up(spec, path, file, reason, error);
	free(path);
	if (ret || !strcmp(reason, works))
		return ret;
	fprintf(stderr, "hekivm: no guest runs with accelerator %s here (%s), using tcg\n",
		vm_accel_name(spec->accel), reason);
	spec->accel = VM_ACCEL_TCG;
	return 0;
}
