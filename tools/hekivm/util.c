// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock and whole writes.
 */
#include <errno.h>
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
