// SPDX-License-Identifier: GPL-2.0-only
/*
 * The runtime directory: ROOT/NAMESPACE/NAME holds all that a VM needs while it lives.
 *
 * ROOT is $HEKIVM_RUNTIME_DIR, else $XDG_RUNTIME_DIR/hekivm, else /tmp/hekivm-UID; it must be the
 * user's own and closed to others, since who can write there can replace the QMP socket.
 *
 * Lock: a lock of the open file "lock" of the VM's directory, taken by the process that follows the
 * VM and inherited by the engine.  Others can see it without taking it.  A directory whose lock is
 * free belongs to a VM that is gone; who boots a VM of that name takes it over, who removes it takes
 * the lock first.  Lock files are unlinked while locked, so a lock that was won counts only when its
 * file still has a name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hekivm.h"
#include "jsontext.h"

#define LOCK_ATTEMPTS 100

/* All that a VM's directory can hold beside the lock. */
static const char *const vm_files[] = {
	"console", "ending", "engine.log", "handle.json", "hypervisor",
	"new",	   "qmp",    "ready",	    "result.json", "status", "trace",
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

static int root_failed(const char *root, struct vm_error *error)
{
	bool forbidden = errno == EACCES || errno == EPERM;

	return vm_fail(error, forbidden ? HEKIVM_E_PERMISSION : HEKIVM_E_RUNTIME, "%s: %s", root,
		       strerror(errno));
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
	int i, fd = -1;

	/* The handle tells where the logs in it are. */
	if (!json_is_text(root))
		return vm_fail(error, HEKIVM_E_RUNTIME, "%s: not UTF-8", root);
	/* Another caller may be removing it just now, for it is empty. */
	for (i = 0; i < LOCK_ATTEMPTS && fd < 0; i++) {
		if (mkdir(root, 0700) && errno != EEXIST)
			return root_failed(root, error);
		fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			break;
	}
	if (fd < 0 || fstat(fd, &st)) {
		root_failed(root, error);
		goto fail;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022)) {
		vm_fail(error, HEKIVM_E_PERMISSION, "%s: others could write there", root);
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

/* Open the VM's directory below a root and a namespace that another caller may be removing just now. */
static int open_vm_dir(int root, const struct vm_spec *spec)
{
	int space, fd = -1;

	if (mkdirat(root, spec->namespace, 0700) && errno != EEXIST)
		return -1;
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
 * Return: its descriptor; -1 with errno EAGAIN when it is held, ENOENT when it vanished.
 */
static int take_lock(int dir)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;
	int error, fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_OFD_SETLK, &whole) || fstat(fd, &st)) {
		error = errno;
		/* What should never fail has: then the file that it may have made goes. */
		if (error != EAGAIN && !fcntl(fd, F_OFD_SETLK, &whole) && !fstat(fd, &st) &&
		    st.st_nlink)
			unlinkat(dir, "lock", 0);
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

/*
 * Open and lock; again from the root whenever another caller removed a part of the path in between.
 * Return: 0, or -1 with an error.
 */
static int open_locked(const struct vm_spec *spec, struct vm_dir *dir, struct vm_error *error)
{
	int i, root;

	for (i = 0; i < LOCK_ATTEMPTS; i++) {
		root = vm_runtime_open(dir->root, error);
		if (root < 0)
			return -1;
		dir->fd = open_vm_dir(root, spec);
		close(root);
		if (dir->fd >= 0) {
			dir->lock = take_lock(dir->fd);
			if (dir->lock >= 0)
				return 0;
		}
		if (errno != ENOENT)
			break;
		if (dir->fd >= 0)
			close(dir->fd);
		dir->fd = -1;
	}
	if (errno == EAGAIN)
		return vm_fail(error, HEKIVM_E_NAME_IN_USE, "%s/%s", spec->namespace, spec->name);
	return vm_fail(error, HEKIVM_E_RUNTIME, "%s: %s", dir->path, strerror(errno));
}

static int format_paths(struct vm_dir *dir, const char *namespace, const char *name,
			struct vm_error *error)
{
	memset(dir, 0, sizeof(*dir));
	dir->fd = -1;
	dir->lock = -1;
	dir->root = vm_runtime_root();
	if (dir->root && asprintf(&dir->path, "%s/%s/%s", dir->root, namespace, name) >= 0)
		return 0;
	free(dir->root);
	dir->root = NULL;
	dir->path = NULL;
	return vm_fail(error, HEKIVM_E_RUNTIME, "out of memory");
}

/* Directories that were made on the way and hold nothing. */
static void remove_empty(const struct vm_dir *dir)
{
	char *space = strdup(dir->path);

	rmdir(dir->path);
	if (space) {
		*strrchr(space, '/') = '\0';
		rmdir(space);
	}
	free(space);
	rmdir(dir->root);
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
	if (format_paths(dir, spec->namespace, spec->name, error))
		return -1;
	if (!open_locked(spec, dir, error)) {
		remove_files(dir->fd);
		return 0;
	}
	remove_empty(dir);
	vm_dir_close(dir);
	return -1;
}

/**
 * vm_dir_find - open the directory of a VM, without its lock
 * @namespace: of the name
 * @name:      of the VM
 * @dir:       out
 * @error:     out
 *
 * Return: 0 or -1.
 */
int vm_dir_find(const char *namespace, const char *name, struct vm_dir *dir, struct vm_error *error)
{
	struct stat st;

	if (vm_check_name(name, error) || vm_check_name(namespace, error) ||
	    format_paths(dir, namespace, name, error))
		return -1;
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0 || fstat(dir->fd, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			vm_fail(error, HEKIVM_E_UNKNOWN, "%s/%s", namespace, name);
		else
			root_failed(dir->path, error);
		goto fail;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022)) {
		vm_fail(error, HEKIVM_E_PERMISSION, "%s: others could write there", dir->path);
		goto fail;
	}
	return 0;
fail:
	vm_dir_close(dir);
	return -1;
}

/**
 * vm_dir_in_use - does the VM live?
 * @dir: its directory, not locked by us
 *
 * Return: true when its follower or its engine holds the lock.
 */
bool vm_dir_in_use(const struct vm_dir *dir)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(dir->fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	bool held;

	if (fd < 0)
		return false;
	held = !fcntl(fd, F_OFD_GETLK, &whole) && whole.l_type != F_UNLCK;
	close(fd);
	return held;
}

/**
 * vm_dir_take - lock the directory of a VM that is gone, so as to remove it
 * @dir: the directory
 *
 * Return: 0, or -1 with errno EAGAIN when it lives or another removes it, ENOENT when it vanished.
 */
int vm_dir_take(struct vm_dir *dir)
{
	dir->lock = take_lock(dir->fd);
	return dir->lock < 0 ? -1 : 0;
}

/**
 * vm_dir_remove - remove the directory of a VM whose engine is gone, and what is empty above it
 * @dir: the directory, locked by us
 */
void vm_dir_remove(struct vm_dir *dir)
{
	remove_files(dir->fd);
	unlinkat(dir->fd, "lock", 0);
	remove_empty(dir);
	vm_dir_close(dir);
}

/**
 * vm_dir_close - let go of a VM's directory, and of its lock
 * @dir: the directory
 */
void vm_dir_close(struct vm_dir *dir)
{
	if (dir->lock >= 0)
		close(dir->lock);
	if (dir->fd >= 0)
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
 * vm_dir_write - write a small file of the VM, so that others see all of it or nothing
 * @dir:  the VM's directory
 * @file: which file
 * @text: what it is to hold
 *
 * Only one process writes at a time: the VM's follower.
 *
 * Return: 0 or -1 with errno.
 */
int vm_dir_write(const struct vm_dir *dir, const char *file, const char *text)
{
	int fd = openat(dir->fd, "new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0)
		return -1;
	written = vm_write_all(fd, text, strlen(text));
	close(fd);
	return written ? renameat(dir->fd, "new", dir->fd, file) : -1;
}

/**
 * vm_dir_write_json - write an object to a file of the VM, as vm_dir_write()
 * @dir:    the VM's directory
 * @file:   which file
 * @object: the reference is consumed; NULL is out of memory
 *
 * Return: 0 or -1 with errno.
 */
int vm_dir_write_json(const struct vm_dir *dir, const char *file, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int ret = -1;

	errno = ENOMEM;
	if (text)
		ret = vm_dir_write(dir, file, text);
	free(text);
	json_decref(object);
	return ret;
}
