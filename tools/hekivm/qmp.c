// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QMP client: one JSON object a line; events arrive between the replies.
 *
 * Sockets are reached through /proc/self/fd, since the path of a socket is limited to 107 bytes
 * and that of a runtime directory is not.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hekivm.h"

/* The engine serves one at a time; so many others can wait for their turn. */
#define CALLERS 64

static void socket_address(const struct vm_dir *dir, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/qmp", dir->fd);
}

/**
 * qmp_listen - make the socket that the engine will answer on
 * @dir: the VM's directory
 *
 * Made before the engine starts, so that connecting never races with it.
 *
 * Return: the listening socket, or -1 with errno.
 */
int qmp_listen(const struct vm_dir *dir)
{
	struct sockaddr_un address;
	int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	socket_address(dir, &address);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, CALLERS)) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Wait for bytes and append them. Return: 0, or -1 at the end, on errors and at the deadline. */
static int fill(struct qmp *qmp, int64_t deadline)
{
	struct pollfd pfd = { .fd = qmp->fd, .events = POLLIN };
	int64_t left = deadline - vm_now();
	ssize_t done;

	if (qmp->length == sizeof(qmp->buffer))
		return -1;
	if (poll(&pfd, 1, left > 0 ? (int)left : 0) <= 0)
		return -1;
	done = recv(qmp->fd, qmp->buffer + qmp->length, sizeof(qmp->buffer) - qmp->length, 0);
	if (done <= 0)
		return -1;
	qmp->length += (size_t)done;
	return 0;
}

/* Take one message out of the buffer. Return: NULL when there is no whole one. */
static json_t *next_message(struct qmp *qmp)
{
	char *end;
	json_t *message = NULL;
	size_t size;

	while (!message) {
		end = memchr(qmp->buffer, '\n', qmp->length);
		if (!end)
			return NULL;
		size = (size_t)(end - qmp->buffer) + 1;
		message = json_loadb(qmp->buffer, size, 0, NULL);
		qmp->length -= size;
		memmove(qmp->buffer, qmp->buffer + size, qmp->length);
	}
	return message;
}

static bool take_event(struct qmp *qmp, json_t *message)
{
	const char *name = json_string_value(json_object_get(message, "event"));

	if (name && qmp->event)
		qmp->event(qmp->context, name, json_object_get(message, "data"));
	return name;
}

/**
 * qmp_receive - deliver the events that have arrived
 * @qmp: the connection
 *
 * Return: 0, or -1 when the engine closed the connection.
 */
int qmp_receive(struct qmp *qmp)
{
	json_t *message;
	int ret = fill(qmp, vm_now());

	while ((message = next_message(qmp))) {
		take_event(qmp, message);
		json_decref(message);
	}
	return ret;
}

static json_t *wait_reply(struct qmp *qmp, int64_t deadline)
{
	json_t *message;

	for (;;) {
		message = next_message(qmp);
		if (message && !take_event(qmp, message))
			return message;
		json_decref(message);
		if (!message && fill(qmp, deadline))
			return NULL;
	}
}

/**
 * qmp_command - send a command and wait for its reply
 * @qmp:      the connection
 * @command:  the command; the reference is consumed
 * @reply:    out: what came back, or NULL when it is not wanted
 * @deadline: on the clock of vm_now()
 *
 * Return: 0, or -1 when the engine refused, closed the connection or was too late.
 */
int qmp_command(struct qmp *qmp, json_t *command, json_t **reply, int64_t deadline)
{
	char *text = command ? json_dumps(command, JSON_COMPACT) : NULL;
	size_t size = text ? strlen(text) : 0;
	bool sent = size && send(qmp->fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
	json_t *message, *value;

	free(text);
	json_decref(command);
	if (!sent)
		return -1;
	message = wait_reply(qmp, deadline);
	value = json_object_get(message, "return");
	if (reply && value)
		*reply = json_incref(value);
	json_decref(message);
	return value ? 0 : -1;
}

/**
 * qmp_attach - take the greeting of a monitor, negotiate
 * @qmp:      out; @event and @context are the caller's
 * @fd:       of the connected socket, which becomes the connection's
 * @deadline: on the clock of vm_now()
 *
 * Return: 0 or -1, then the connection is closed.
 */
int qmp_attach(struct qmp *qmp, int fd, int64_t deadline)
{
	json_t *greeting;
	bool met;

	qmp->length = 0;
	qmp->fd = fd;
	greeting = wait_reply(qmp, deadline);
	met = json_object_get(greeting, "QMP");
	json_decref(greeting);
	if (met && !qmp_simple(qmp, "qmp_capabilities", deadline))
		return 0;
	qmp_close(qmp);
	return -1;
}

/**
 * qmp_connect - connect to the monitor for verbs, waiting for one's turn
 * @qmp:      out; @event and @context are the caller's
 * @dir:      the VM's directory
 * @deadline: on the clock of vm_now()
 *
 * Return: 0 or -1, then the connection is closed.
 */
int qmp_connect(struct qmp *qmp, const struct vm_dir *dir, int64_t deadline)
{
	struct sockaddr_un address;
	int64_t left = deadline - vm_now();
	struct timeval limit = { .tv_sec = left > 0 ? left / 1000 : 0, .tv_usec = 1000 };

	qmp->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (qmp->fd < 0)
		return -1;
	socket_address(dir, &address);
	/* Of connect() too, when as many wait as can. */
	if (setsockopt(qmp->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(qmp->fd, (struct sockaddr *)&address, sizeof(address))) {
		qmp_close(qmp);
		return -1;
	}
	return qmp_attach(qmp, qmp->fd, deadline);
}

/**
 * qmp_simple - send a command without arguments
 * @qmp:      the connection
 * @command:  its name
 * @deadline: on the clock of vm_now()
 *
 * Return: 0 or -1, as of qmp_command().
 */
int qmp_simple(struct qmp *qmp, const char *command, int64_t deadline)
{
	return qmp_command(qmp, json_pack("{s:s}", "execute", command), NULL, deadline);
}

/**
 * qmp_status - ask the engine for its state
 * @qmp:      the connection
 * @status:   out: one of the words of QMP's RunState
 * @size:     of @status
 * @deadline: on the clock of vm_now()
 *
 * Return: 0 or -1.
 */
int qmp_status(struct qmp *qmp, char *status, size_t size, int64_t deadline)
{
	json_t *reply = NULL;
	const char *text = NULL;

	if (!qmp_command(qmp, json_pack("{s:s}", "execute", "query-status"), &reply, deadline))
		text = json_string_value(json_object_get(reply, "status"));
	if (text)
		snprintf(status, size, "%s", text);
	json_decref(reply);
	return text ? 0 : -1;
}

/* In "info registers" there is EFL=, or RFL= in 64-bit mode, before HLT=. */
static bool is_halted(const char *text)
{
	const char *flags = strstr(text, "FL="), *halt = flags ? strstr(flags, "HLT=") : NULL;
	unsigned int value;

	return halt && sscanf(flags, "FL=%x", &value) == 1 && !(value & 0x200) && halt[4] == '1';
}

static bool cpu_halted(struct qmp *qmp, unsigned int cpu)
{
	json_t *reply = NULL;
	bool halted = false;

	if (!qmp_command(qmp,
			 json_pack("{s:s, s:{s:s, s:i}}", "execute", "human-monitor-command",
				   "arguments", "command-line", "info registers", "cpu-index",
				   (int)cpu),
			 &reply, vm_now() + 5000) &&
	    json_is_string(reply))
		halted = is_halted(json_string_value(reply));
	json_decref(reply);
	return halted;
}

/**
 * qmp_all_halted - has every CPU halted with interrupts off?
 * @qmp:  the connection
 * @cpus: how many there are
 *
 * They are asked one by one, since all their registers at once are more than a message may hold.
 *
 * Return: true when nothing but an NMI could wake the guest.
 */
bool qmp_all_halted(struct qmp *qmp, unsigned int cpus)
{
	unsigned int cpu;

	for (cpu = 0; cpu < cpus; cpu++) {
		if (!cpu_halted(qmp, cpu))
			return false;
	}
	return true;
}

/**
 * qmp_close - close the connection
 * @qmp: the connection
 */
void qmp_close(struct qmp *qmp)
{
	if (qmp->fd >= 0)
		close(qmp->fd);
	qmp->fd = -1;
}
