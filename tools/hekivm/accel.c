// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which accelerator: one other than TCG is used only after a guest has really run in it.
 *
 * There are machines on which /dev/kvm opens and a guest then hangs.  The probe boots the user's
 * own kernel, without an initramfs, under a time limit: a working accelerator gets it to the panic
 * for want of a root file system.  What came out is kept in the runtime directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hekivm.h"

#define PROBE_TIMEOUT 20 /* seconds */

static const char root_panic[] = "Unable to mount root fs";

/* Return: 1 works, 0 does not, -1 not known. */
static int read_result(int root, const char *file)
{
	char text[16] = "";
	int fd = openat(root, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	close(fd);
	if (!strcmp(text, "works\n"))
		return 1;
	return strcmp(text, "fails\n") ? -1 : 0;
}

static void write_result(int root, const char *file, bool works)
{
	int fd = openat(root, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	vm_write_all(fd, works ? "works\n" : "fails\n", 6);
	close(fd);
}

static bool probe(const struct vm_spec *spec)
{
	struct vm_spec guest = *spec;
	struct vm_result result;
	struct vm_error error;

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
	guest.keep = false;
	if (vm_run(&guest, -1, NULL, &result, &error))
		return false;
	return result.end == VM_END_PANIC && strstr(result.reason, root_panic);
}

/**
 * vm_accel_choose - fall back to TCG when the accelerator that was asked for does not work
 * @spec:  the VM; its accelerator is replaced
 * @error: out
 *
 * Return: 0 or -1.
 */
int vm_accel_choose(struct vm_spec *spec, struct vm_error *error)
{
	char *path, file[32];
	int root, works;

	if (vm_accel_is_tcg(spec->accel))
		return 0;
	path = vm_runtime_root();
	if (!path)
		return vm_fail(error, HEKIVM_E_RUNTIME, "out of memory");
	root = vm_runtime_open(path, error);
	free(path);
	if (root < 0)
		return -1;
	snprintf(file, sizeof(file), "probe-%s", vm_accel_name(spec->accel));
	works = read_result(root, file);
	if (works < 0) {
		works = probe(spec);
		write_result(root, file, works);
	}
	close(root);
	if (works)
		return 0;
	fprintf(stderr, "hekivm: no guest runs with accelerator %s here, using tcg\n",
		vm_accel_name(spec->accel));
	spec->accel = VM_ACCEL_TCG;
	return 0;
}
