// SPDX-License-Identifier: GPL-2.0-only
/*
 * Follow the serial log that the engine writes: copy it, and look for the ready marker and for a
 * kernel panic, since a stock kernel has no pvpanic driver built in.
 *
 * The engine writes each byte straight to the file, so the log is complete however it ends.  The
 * copy is made from the file too, as far as its reader takes it: who does not read holds up neither
 * the search nor the run.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hekivm.h"

#define PIECES 64 /* copied at a time, for other things to be seen to in between */

static const char panic_text[] = "Kernel panic - not syncing";

/*
 * The descriptor for the copy, ours to close, or -1.  A pipe or a terminal is opened once more, so that
 * our writes do not wait and those of others with the same one still do.
 */
static int open_out(int out)
{
	char path[32];
	struct stat st;
	int fd = -1;

	if (!fstat(out, &st) && (S_ISFIFO(st.st_mode) || isatty(out))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
		fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return fd < 0 ? fcntl(out, F_DUPFD_CLOEXEC, 0) : fd;
}

/**
 * console_open - begin to follow
 * @console: out
 * @path:    of the log
 * @out:     where to copy it, or -1
 *
 * Return: 0, or -1 with errno.
 */
int console_open(struct console *console, const char *path, int out)
{
	memset(console, 0, sizeof(*console));
	console->out = -1;
	console->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (console->fd >= 0 && out >= 0)
		console->out = open_out(out);
	return console->fd < 0 ? -1 : 0;
}

/* The text goes into messages and JSON, so only its ASCII is kept. */
static void note_panic(struct console *console, const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(console->panic) - 1 && text[i]; i++)
		console->panic[i] = text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	console->panic[i] = '\0';
}

/* A panic is a line that begins with the text, or with a time stamp in brackets and the text. */
static void scan_line(struct console *console)
{
	const char *text = console->line;

	console->line[console->length] = '\0';
	if (text[0] == '[') {
		text = strstr(text, "] ");
		text = text ? text + 2 : "";
	}
	if (!console->panic[0] && !strncmp(text, panic_text, sizeof(panic_text) - 1))
		note_panic(console, text);
}

static void scan(struct console *console, const char *data, size_t size)
{
	size_t i;

	ready_scan(&console->ready, data, size);
	for (i = 0; i < size; i++) {
		if (data[i] == '\n' || data[i] == '\r') {
			scan_line(console);
			console->length = 0;
		} else if (console->length < sizeof(console->line) - 1) {
			console->line[console->length++] = data[i];
		}
	}
}

static void scan_rest(struct console *console)
{
	char data[16384];
	ssize_t done;

	for (;;) {
		done = read(console->fd, data, sizeof(data));
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		scan(console, data, (size_t)done);
		console->scanned += done;
	}
}

static void drop_out(struct console *console)
{
	close(console->out);
	console->out = -1;
}

/* A piece that a pipe with room takes at once. Return: false when that is all for now. */
static bool copy_piece(struct console *console)
{
	struct pollfd pfd = { .fd = console->out, .events = POLLOUT };
	off_t left = console->scanned - console->copied;
	char data[PIPE_BUF];
	ssize_t size, done;

	if (poll(&pfd, 1, 0) <= 0)
		return false;
	size = pread(console->fd, data, left < PIPE_BUF ? (size_t)left : PIPE_BUF, console->copied);
	done = size > 0 ? write(console->out, data, (size_t)size) : -1;
	if (done > 0)
		console->copied += done;
	else if (size <= 0 || (errno != EAGAIN && errno != EINTR))
		drop_out(console);
	return done > 0;
}

/**
 * console_behind - is there something that the reader has not got?
 * @console: the log
 *
 * Return: true when console_copy() has something to do.
 */
bool console_behind(const struct console *console)
{
	return console->out >= 0 && console->copied < console->scanned;
}

/**
 * console_copy - give the reader what he takes
 * @console: the log
 *
 * A reader that has gone away ends the copying, not the run.
 *
 * Return: true when he took something.
 */
bool console_copy(struct console *console)
{
	off_t before = console->copied;
	int i;

	for (i = 0; i < PIECES && console_behind(console) && copy_piece(console); i++)
		;
	return console->copied > before;
}

/**
 * console_follow - take what has been written since the last call
 * @console: the log
 */
void console_follow(struct console *console)
{
	scan_rest(console);
	console_copy(console);
}

/**
 * console_end - the engine has ended: take the rest; what of it the reader has not got is not lost
 * @console: the log
 */
void console_end(struct console *console)
{
	scan_rest(console);
	scan_line(console);
}

/**
 * console_close - stop following
 * @console: the log
 */
void console_close(struct console *console)
{
	if (console->out >= 0)
		drop_out(console);
	if (console->fd >= 0)
		close(console->fd);
	console->fd = -1;
}
