// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock, whole writes, the engine's way of writing commas, and processes that are not ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "hekivm.h"

/**
 * vm_now - the monotonic clock
 *
 * Return: milliseconds.
 */
int64_t vm_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/**
 * vm_write_all - write all of a buffer
 * @fd:   where to
 * @data: the bytes
 * @size: their number
 *
 * Return: false when the reader is gone or the device full.
 */
bool vm_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	ssize_t done;

	while (size) {
		done = write(fd, at, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		size -= (size_t)done;
	}
	return true;
}

/**
 * vm_escape_commas - double each comma
 * @text: for a place where a comma ends a value of the engine's
 *
 * Return: the text, to be freed, or NULL without memory.
 */
char *vm_escape_commas(const char *text)
{
	char *result = malloc(2 * strlen(text) + 1), *at = result;

	if (!result)
		return NULL;
	for (; *text; text++) {
		if (*text == ',')
			*at++ = ',';
		*at++ = *text;
	}
	*at = '\0';
	return result;
}

static size_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return 0;
	done = read(fd, text, size - 1);
	close(fd);
	text[done > 0 ? done : 0] = '\0';
	return done > 0 ? (size_t)done : 0;
}

/**
 * vm_start_time - when a process began
 * @pid: its id
 *
 * With its id this names a process for as long as the host runs.
 *
 * Return: clock ticks since the start of the host, 0 when there is no such process.
 */
int64_t vm_start_time(pid_t pid)
{
	char path[32], text[1024];
	const char *field;
	int i;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_text(path, text, sizeof(text)))
		return 0;
	/* The name of the program, in brackets, can have blanks and brackets; 20 fields are behind. */
	field = strrchr(text, ')');
	for (i = 0; field && i < 20; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoll(field, NULL, 10) : 0;
}

/**
 * vm_open_process - get hold of a process
 * @pid:   its id
 * @start: its vm_start_time()
 *
 * Return: a pidfd, or -1 when it is gone.
 */
int vm_open_process(pid_t pid, int64_t start)
{
	int fd = pid > 0 ? pidfd_open(pid, 0) : -1;

	if (fd >= 0 && vm_start_time(pid) != start) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/**
 * vm_boot_id - what this start of the host is called
 * @text: out
 * @size: of @text
 *
 * Return: false when it has no name.
 */
bool vm_boot_id(char *text, size_t size)
{
	size_t length = read_text("/proc/sys/kernel/random/boot_id", text, size);

	if (!length)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return true;
}
