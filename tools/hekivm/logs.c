// SPDX-License-Identifier: GPL-2.0-only
/*
 * The logs that the engine writes beside its own: the guest's console and the hypervisor's.  They
 * lie in the VM's directory, or where the user wants to keep them.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hekivm.h"

#define TAIL_LINES 10

static int choose(struct vm_log *log, const char *wanted, const struct vm_dir *dir,
		  const char *file, struct vm_error *error)
{
	struct stat st;

	log->path = wanted ? strdup(wanted) : vm_dir_path(dir, file);
	if (!log->path)
		return vm_fail(error, HEKIVM_E_RUNTIME, "out of memory");
	log->is_new = stat(log->path, &st);
	return 0;
}

/**
 * logs_choose - where the logs of a VM go
 * @logs:  out
 * @spec:  the VM
 * @dir:   its directory
 * @error: out
 *
 * Return: 0 or -1; logs_free() is due either way.
 */
int logs_choose(struct vm_logs *logs, const struct vm_spec *spec, const struct vm_dir *dir,
		struct vm_error *error)
{
	memset(logs, 0, sizeof(*logs));
	if (choose(&logs->console, spec->serial_log, dir, "console", error))
		return -1;
	/* On arm64 the two have one console. */
	if (!spec->hypervisor || spec->machine == VM_MACHINE_ARM64)
		return 0;
	return choose(&logs->hypervisor, spec->hypervisor_log, dir, "hypervisor", error);
}

static void drop(const struct vm_log *log)
{
	struct stat st;

	if (log->path && log->is_new && !stat(log->path, &st) && !st.st_size)
		unlink(log->path);
}

/**
 * logs_drop - remove the logs that were made for a VM that did not start
 * @logs: the logs
 */
void logs_drop(const struct vm_logs *logs)
{
	drop(&logs->console);
	drop(&logs->hypervisor);
}

/**
 * logs_free - forget where the logs are
 * @logs: the logs
 */
void logs_free(struct vm_logs *logs)
{
	free(logs->console.path);
	free(logs->hypervisor.path);
}

/* Where the last lines begin; the first of a text that was cut is no whole line. */
static size_t tail_start(const char *text, size_t length, bool cut)
{
	const char *newline = strchr(text, '\n');
	size_t i, lines = 0;

	for (i = length; i && lines < TAIL_LINES; i--)
		lines += text[i - 1] == '\n';
	if (lines == TAIL_LINES)
		return i + 1;
	return cut && newline ? (size_t)(newline - text) + 1 : 0;
}

/* Only what a terminal can print. */
static void make_plain(char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (text[i] == '\r')
			text[i] = ' ';
		else if (text[i] != '\n' && (text[i] < ' ' || text[i] == 0x7f))
			text[i] = '?';
	}
}

static size_t read_end(const char *path, char *text, size_t size, bool *cut)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t done = -1;
	off_t begin;

	if (fd < 0)
		return 0;
	begin = lseek(fd, 0, SEEK_END) - (off_t)size;
	*cut = begin > 0;
	done = pread(fd, text, size, *cut ? begin : 0);
	close(fd);
	return done > 0 ? (size_t)done : 0;
}

/**
 * log_tail - the last lines of a log
 * @log:  the log
 * @text: out: at most ten whole lines, without the last newline; empty when there is none
 * @size: of @text
 */
void log_tail(const struct vm_log *log, char *text, size_t size)
{
	bool cut = false;
	size_t start, length = read_end(log->path, text, size - 1, &cut);

	make_plain(text, length);
	while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
		length--;
	text[length] = '\0';
	start = tail_start(text, length, cut);
	memmove(text, text + start, length - start + 1);
}
