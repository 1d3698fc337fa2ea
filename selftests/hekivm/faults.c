// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into a build of hekivm for tests, with --wrap for each function below: the call number
 * HEKIVM_FAULT of them, counted over all its processes, fails, as the system could let it fail.
 * Each call is noted in the file HEKIVM_FAULT_LOG.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <jansson.h>

#define NOTE_FD 900 /* out of the way of what the tool opens, and closes */

static unsigned int *count, wanted;
static int note = -1;

__attribute__((constructor))
static void begin(void)
{
	const char *number = getenv("HEKIVM_FAULT"), *path = getenv("HEKIVM_FAULT_LOG");

	count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	wanted = number ? (unsigned int)atoi(number) : 0;
	note = path ? (int)syscall(SYS_open, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	note = note < 0 ? -1 : (int)syscall(SYS_fcntl, note, F_DUPFD_CLOEXEC, NOTE_FD);
}

static int fault(const char *name)
{
	unsigned int number = __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
	char line[80];
	int length = snprintf(line, sizeof(line), "%u %s\n", number, name);

	if (syscall(SYS_write, note, line, length) < 0)
		note = -1;
	if (number != wanted)
		return 0;
	errno = EIO;
	return 1;
}

#define FUNCTION(type, name, failed, parameters, ...)                                              \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		return fault(#name) ? failed : __real_##name(__VA_ARGS__);                         \
	}

FUNCTION(int, pipe2, -1, (int *ends, int flags), ends, flags)
FUNCTION(pid_t, fork, -1, (void), )
FUNCTION(int, signalfd, -1, (int fd, const sigset_t *set, int flags), fd, set, flags)
FUNCTION(int, mkdir, -1, (const char *path, mode_t mode), path, mode)
FUNCTION(int, mkdirat, -1, (int dir, const char *path, mode_t mode), dir, path, mode)
FUNCTION(int, fstat, -1, (int fd, struct stat *st), fd, st)
FUNCTION(int, socket, -1, (int domain, int type, int protocol), domain, type, protocol)
FUNCTION(int, socketpair, -1, (int domain, int type, int protocol, int *fds), domain, type, protocol,
	 fds)
FUNCTION(int, bind, -1, (int fd, const struct sockaddr *address, socklen_t length), fd, address,
	 length)
FUNCTION(int, listen, -1, (int fd, int backlog), fd, backlog)
FUNCTION(int, pidfd_open, -1, (pid_t pid, unsigned int flags), pid, flags)
FUNCTION(int, dup2, -1, (int old, int new), old, new)
FUNCTION(int, execvp, -1, (const char *file, char *const *argv), file, argv)
FUNCTION(ssize_t, send, -1, (int fd, const void *data, size_t size, int flags), fd, data, size, flags)
FUNCTION(ssize_t, recv, -1, (int fd, void *data, size_t size, int flags), fd, data, size, flags)
FUNCTION(ssize_t, write, -1, (int fd, const void *data, size_t size), fd, data, size)
FUNCTION(int, renameat, -1, (int dir, const char *path, int dir2, const char *path2), dir, path, dir2,
	 path2)
FUNCTION(void *, malloc, NULL, (size_t size), size)
FUNCTION(void *, calloc, NULL, (size_t number, size_t size), number, size)
FUNCTION(char *, strdup, NULL, (const char *text), text)
FUNCTION(char *, realpath, NULL, (const char *path, char *result), path, result)
FUNCTION(int, vasprintf, -1, (char **text, const char *format, va_list list), text, format, list)
FUNCTION(char *, json_dumps, NULL, (const json_t *object, size_t flags), object, flags)

int __real_close_range(unsigned int first, unsigned int last, int flags);
int __wrap_close_range(unsigned int first, unsigned int last, int flags);
int __wrap_close_range(unsigned int first, unsigned int last, int flags)
{
	if (fault("close_range"))
		return -1;
	return __real_close_range(first, last < NOTE_FD ? last : NOTE_FD - 1, flags);
}

int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list list;
	int ret = -1;

	va_start(list, format);
	if (!fault("asprintf"))
		ret = __real_vasprintf(text, format, list);
	va_end(list);
	return ret;
}

json_t *__wrap_json_pack(const char *format, ...);
json_t *__wrap_json_pack(const char *format, ...)
{
	json_t *object = NULL;
	va_list list;

	va_start(list, format);
	if (!fault("json_pack"))
		object = json_vpack_ex(NULL, 0, format, list);
	va_end(list);
	return object;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	return fault("open") ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, mode_t mode);
int __wrap_openat(int dir, const char *path, int flags, mode_t mode)
{
	return fault("openat") ? -1 : __real_openat(dir, path, flags, mode);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, void *argument);
int __wrap_fcntl(int fd, int command, void *argument)
{
	return fault("fcntl") ? -1 : __real_fcntl(fd, command, argument);
}
