// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock, whole writes, and the engine's way of writing commas.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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
