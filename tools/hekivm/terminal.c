// SPDX-License-Identifier: GPL-2.0-only
/*
 * The standard input, for the guest's console.  A terminal is one of single keys meanwhile: all that is
 * typed goes to the guest, but for Ctrl-A: behind it x ends the VM, and any other key is sent as it is.
 *
 * What the guest prints is read from the log, as ever; here it only tells that there is something new.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hekivm.h"

#define ESCAPE 1 /* Ctrl-A */

static void set_raw(struct terminal *terminal)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal->saved))
		return;
	raw = terminal->saved;
	cfmakeraw(&raw);
	/* Our own messages end in a newline. */
	raw.c_oflag |= OPOST;
	terminal->raw = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/**
 * terminal_init - a terminal that is not used
 * @terminal: out
 */
void terminal_init(struct terminal *terminal)
{
	memset(terminal, 0, sizeof(*terminal));
	terminal->socket = -1;
	terminal->ended = true;
}

/**
 * terminal_open - connect the standard input
 * @terminal: out
 *
 * Return: the engine's end of the connection, or -1 with errno.
 */
int terminal_open(struct terminal *terminal)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	terminal->socket = ends[0];
	terminal->ended = false;
	set_raw(terminal);
	return ends[1];
}

static void disconnect(struct terminal *terminal)
{
	if (terminal->socket >= 0)
		close(terminal->socket);
	terminal->socket = -1;
	terminal->ended = true;
	terminal->length = 0;
}

/* Takes the escapes out of what was typed. Return: false when the VM is to end. */
static bool take_escapes(struct terminal *terminal)
{
	size_t i, kept = 0;
	char key;

	for (i = 0; i < terminal->length; i++) {
		key = terminal->pending[i];
		if (terminal->escaped && (key == 'x' || key == 'X'))
			return false;
		if (key == ESCAPE && !terminal->escaped) {
			terminal->escaped = true;
			continue;
		}
		terminal->escaped = false;
		terminal->pending[kept++] = key;
	}
	terminal->length = kept;
	return true;
}

static bool read_input(struct terminal *terminal)
{
	ssize_t done = read(STDIN_FILENO, terminal->pending, sizeof(terminal->pending));

	if (done < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	terminal->ended = done <= 0;
	terminal->length = done > 0 ? (size_t)done : 0;
	return !terminal->raw || take_escapes(terminal);
}

static void send_input(struct terminal *terminal)
{
	ssize_t done = send(terminal->socket, terminal->pending, terminal->length,
			    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (done <= 0)
		return;
	terminal->length -= (size_t)done;
	memmove(terminal->pending, terminal->pending + done, terminal->length);
}

/* Return: false when the engine has closed its end. */
static bool drop_output(const struct terminal *terminal)
{
	char data[4096];
	ssize_t done;

	do {
		done = recv(terminal->socket, data, sizeof(data), MSG_DONTWAIT);
	} while (done > 0);
	return done < 0 && (errno == EAGAIN || errno == EINTR);
}

/**
 * terminal_poll - what to wait for
 * @terminal: the terminal
 * @pfds:     out: two of them
 */
void terminal_poll(const struct terminal *terminal, struct pollfd *pfds)
{
	bool wants = !terminal->ended && !terminal->length;

	pfds[0] = (struct pollfd){ .fd = wants ? STDIN_FILENO : -1, .events = POLLIN };
	pfds[1] = (struct pollfd){ .fd = terminal->socket, .events = POLLIN };
}

/**
 * terminal_follow - give the guest what was typed
 * @terminal: the terminal
 * @pfds:     what poll() has made of those of terminal_poll()
 *
 * Return: false when the user wants the VM to end.
 */
bool terminal_follow(struct terminal *terminal, const struct pollfd *pfds)
{
	if (pfds[0].revents && !read_input(terminal))
		return false;
	if (terminal->length)
		send_input(terminal);
	if (pfds[1].revents && !drop_output(terminal))
		disconnect(terminal);
	return true;
}

/**
 * terminal_close - let the standard input be as it was
 * @terminal: the terminal
 */
void terminal_close(struct terminal *terminal)
{
	if (terminal->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->saved);
	terminal->raw = false;
	disconnect(terminal);
}
