// SPDX-License-Identifier: GPL-2.0-only
/*
 * The runtime directory: ROOT/NAMESPACE/NAME holds all that a VM needs while it lives.
 *
 * ROOT is $HEKIVM_RUNTIME_DIR, else $XDG_RUNTIME_DIR/hekivm, else /tmp/hekivm-UID; it must be the
 * user's own and closed to others, since who can write there can replace the QMP socket.
 *
 * Lock: flock() on the file "lock" of the VM's directory, taken by hekivm and inherited by the
 * engine.  A directory whose lock is free belongs to a VM that is gone; its next user takes it
 * over.  Lock files are unlinked while locked, so a lock that was won counts only when its file
 * still has a name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hekivm.h"

#define LOCK_ATTEMPTS 100

/* All that a VM's directory can hold beside the lock. */
static const char *const vm_files[] = {
	"console", "engine.log", "handle.json", "hypervisor", "qmp", "status", "trace",
};

static char *format_path(const char *first, const char *second)
{
	char *path;

	if (asprintf(&path, "%s/%s", first, second) < 0)
		return NULL;
	return path;
}

/**
 * vm_runtime_root - where the runtime directory is
 *
 * Return: its path, to be freed, or NULL without memory.
 */
char *vm_runtime_root(void)
{
	const char *dir = getenv("HEKIVM_RUNTIME_DIR");
	char *path;

	if (dir && *dir)
		return strdup(dir);
	dir = getenv("XDG_RUNTIME_DIR");
	if (dir && *dir)
		return format_path(dir, "hekivm");
	if (asprintf(&path, "/tmp/hekivm-%u", (unsigned int)geteuid()) < 0)
		return NULL;
	return path;
}

/**
 * vm_runtime_open - make sure of the runtime directory
 * @root:  its path
 * @error: out
 *
 * Return: a descriptor of it, or -1.
 */
int vm_runtime_open(const char *root, struct vm_error *error)
{
	struct stat st;
	int fd;

	if (mkdir(root, 0700) && errno != EEXIST)
		return vm_fail(error, HEKIVM_E_RUNTIME, "%s: %s", root, strerror(errno));
	fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		vm_fail(error, HEKIVM_E_RUNTIME, "%s: %s", root, strerror(errno));
		goto fail;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022)) {
		vm_fail(error, HEKIVM_E_RUNTIME, "%s: others could write there", root);
		goto fail;
	}
	return fd;
fail:
	if (fd >= 0)
		close(fd);
	return -1;
}

static void remove_files(int fd)
{
	size_t i;

	for (i = 0; i < sizeof(vm_files) / sizeof(vm_files[0]); i++)
		unlinkat(fd, vm_files[i], 0);
}

/* Open the VM's directory below a namespace that another caller may be removing just now. */
static int open_vm_dir(int root, const struct vm_spec *spec)
{
	int space, fd = -1;

	mkdirat(root, spec->namespace, 0700);
	space = openat(root, spec->namespace, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (space < 0)
		return -1;
	if (!mkdirat(space, spec->name, 0700) || errno == EEXIST)
		fd = openat(space, spec->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	close(space);
	return fd;
}

/*
 * Take the lock of an open VM directory.
 * Return: its descriptor; -1 with errno EWOULDBLOCK when it is held, ENOENT when it vanished.
 */
static int take_lock(int dir)
{
	struct stat st;
	int error, fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &st)) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	if (!st.st_nlink) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

/* Open and lock; again whenever another caller removed a part of the path in between. */
static int open_locked(int root, const struct vm_spec *spec, struct vm_dir *dir)
{
	int i;

	for (i = 0; i < LOCK_ATTEMPTS; i++) {
		dir->fd = open_vm_dir(root, spec);
		if (dir->fd < 0) {
			if (errno == ENOENT)
				continue;
			return -1;
		}
		dir->lock = take_lock(dir->fd);
		if (dir->lock >= 0)
			return 0;
		close(dir->fd);
		dir->fd = -1;
		if (errno != ENOENT)
			return -1;
	}
	return -1;
}

/**
 * vm_dir_create - make and lock the directory of a VM
 * @spec:  name and namespace
 * @dir:   out
 * @error: out
 *
 * Return: 0 or -1, then nothing is left.
 */
int vm_dir_create(const struct vm_spec *spec, struct vm_dir *dir, struct vm_error *error)
{
	int root;

	memset(dir, 0, sizeof(*dir));
	dir->fd = -1;
	dir->lock = -1;
	dir->root = vm_runtime_root();
	if (!dir->root || asprintf(&dir->path, "%s/%s/%s", dir->root, spec->namespace,
				   spec->name) < 0) {
		free(dir->root);
		return vm_fail(error, HEKIVM_E_RUNTIME, "out of memory");
	}
	root = vm_runtime_open(dir->root, error);
	if (root < 0)
		goto fail;
	if (open_locked(root, spec, dir)) {
		if (errno == EWOULDBLOCK)
			vm_fail(error, HEKIVM_E_NAME_IN_USE, "%s/%s", spec->namespace, spec->name);
		else
			vm_fail(error, HEKIVM_E_RUNTIME, "%s: %s", dir->path, strerror(errno));
		close(root);
		goto fail;
	}
	close(root);
	remove_files(dir->fd);
	return 0;
fail:
	free(dir->path);
	free(dir->root);
	return -1;
}

/**
 * vm_dir_remove - remove the directory of a VM whose engine is gone, and what is empty above it
 * @dir: the directory
 */
void vm_dir_remove(struct vm_dir *dir)
{
	char *slash;

	remove_files(dir->fd);
	unlinkat(dir->fd, "lock", 0);
	rmdir(dir->path);
	slash = strrchr(dir->path, '/');
	*slash = '\0';
	rmdir(dir->path);
	rmdir(dir->root);
	close(dir->lock);
	close(dir->fd);
	free(dir->path);
	free(dir->root);
}

/**
 * vm_dir_path - the path of a file of the VM
 * @dir:  the VM's directory
 * @file: which file
 *
 * Return: the path, to be freed, or NULL without memory.
 */
char *vm_dir_path(const struct vm_dir *dir, const char *file)
{
	return format_path(dir->path, file);
}

/**
 * vm_dir_write_handle - write down what another call needs to find the VM
 * @dir:        the VM's directory
 * @spec:       what was asked for
 * @pid:        of the engine
 * @serial_log: path of the serial log
 *
 * Return: 0 or -1 with errno.
 */
int vm_dir_write_handle(const struct vm_dir *dir, const struct vm_spec *spec, pid_t pid,
			const char *serial_log)
{
	json_t *handle;
	int fd, ret = -1;

	handle = json_pack("{s:i, s:s, s:s, s:i, s:s, s:s}", "schema_version",
			   HEKIVM_SCHEMA_VERSION, "name", spec->name, "namespace", spec->namespace,
			   "pid", (int)pid, "serial_log", serial_log, "accelerator",
			   vm_accel_name(spec->accel));
	if (!handle) {
		errno = ENOMEM;
		return -1;
	}
	fd = openat(dir->fd, "handle.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		ret = json_dumpfd(handle, fd, 0);
		close(fd);
	}
	json_decref(handle);
	return ret;
}
