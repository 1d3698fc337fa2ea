// SPDX-License-Identifier: GPL-2.0-only
/*
 * Follow the serial log that the engine writes: copy it, and look for the ready marker and for a
 * kernel panic, since a stock kernel has no pvpanic driver built in.
 *
 * The engine writes each byte straight to the file, so the log is complete however it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hekivm.h"

static const char panic_text[] = "Kernel panic - not syncing";

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
	console->out = out;
	console->fd = open(path, O_RDONLY | O_CLOEXEC);
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

/**
 * console_follow - take what has been written since the last call
 * @console: the log
 *
 * A reader that has gone away ends the copying, not the run.
 */
void console_follow(struct console *console)
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
		if (console->out >= 0 && !vm_write_all(console->out, data, (size_t)done))
			console->out = -1;
	}
}

/**
 * console_close - take the rest and stop following
 * @console: the log; the engine has ended
 */
void console_close(struct console *console)
{
	console_follow(console);
	scan_line(console);
	close(console->fd);
	console->fd = -1;
}
