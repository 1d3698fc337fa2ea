// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VM is doing now, told by its directory: the result when it has ended, the engine when it
 * lives, and that it is lost when its lock is free and there is no result.
 *
 * Order: the result is written before the lock is let go, so who finds the lock free and then no
 * result knows that there will be none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hekivm.h"
#include "jsontext.h"

#define ANSWER_TIME 10000 /* ms for the engine, or for another caller to be done with it */

static json_t *load(const struct vm_dir *dir, const char *file)
{
	int fd = openat(dir->fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	json_t *object;

	if (fd < 0)
		return NULL;
	object = json_loadfd(fd, 0, NULL);
	close(fd);
	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

/**
 * vm_handle_process - get hold of a process of a VM
 * @handle: the VM's handle
 * @member: "pid" for the engine, "follower" for its parent
 *
 * Return: a pidfd, or -1 when it is gone.
 */
int vm_handle_process(const json_t *handle, const char *member)
{
	json_int_t pid = json_integer_value(json_object_get(handle, member));
	char start[32];

	snprintf(start, sizeof(start), "%s_start", member);
	return vm_open_process((pid_t)pid, json_integer_value(json_object_get(handle, start)));
}

static void look_ready(const struct vm_dir *dir, struct vm_view *view)
{
	int fd = openat(dir->fd, "ready", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return;
	done = read(fd, view->address, sizeof(view->address) - 1);
	view->address[done > 0 ? done : 0] = '\0';
	close(fd);
}

static void look_result(struct vm_view *view)
{
	const char *state = json_string_value(json_object_get(view->result, "state"));
	const char *reason = json_string_value(json_object_get(view->result, "reason"));

	view->state = state && !strcmp(state, "stopped") ? VM_STOPPED : VM_FAILED;
	view->end = json_string_value(json_object_get(view->result, "end"));
	snprintf(view->reason, sizeof(view->reason), "%s", reason ? reason : "");
	view->status = (int)json_integer_value(json_object_get(view->result, "status"));
}

/* Neither process lives, and the follower left no word: it was killed, or the host went down. */
static void look_lost(struct vm_view *view)
{
	const char *then = json_string_value(json_object_get(view->handle, "boot_id"));
	char now[64];

	view->state = VM_FAILED;
	view->end = vm_end_name(VM_END_LOST);
	view->status = -1;
	if (!view->handle)
		snprintf(view->reason, sizeof(view->reason), "it never started");
	else if (vm_boot_id(now, sizeof(now)) && then && strcmp(then, now))
		snprintf(view->reason, sizeof(view->reason), "the host was restarted");
	else
		snprintf(view->reason, sizeof(view->reason), "its follower was killed");
}

/**
 * vm_look_dead - how did a VM end?
 * @dir:  its directory; the VM is known to be gone
 * @view: out; vm_view_drop() is due
 */
void vm_look_dead(const struct vm_dir *dir, struct vm_view *view)
{
	memset(view, 0, sizeof(*view));
	view->result = load(dir, "result.json");
	view->handle = load(dir, "handle.json");
	look_ready(dir, view);
	if (view->result)
		look_result(view);
	else
		look_lost(view);
}

/* Ask the engine. The connection stays open, so that no other caller comes in between. */
static int look_engine(const struct vm_dir *dir, struct vm_view *view, struct qmp *qmp,
		       int64_t deadline)
{
	char status[32];

	if (qmp_connect(qmp, dir, deadline))
		return -1;
	if (qmp_status(qmp, status, sizeof(status), deadline)) {
		qmp_close(qmp);
		return -1;
	}
	if (!strcmp(status, "paused"))
		view->state = VM_PAUSED;
	else if (!strcmp(status, "running"))
		view->state = view->address[0] ? VM_READY : VM_RUNNING;
	else {
		/* On its way to its end; its follower writes down to which. */
		qmp_close(qmp);
		return -1;
	}
	return 0;
}

/* One look. Return: 0 when the state is known. */
static int look_once(const struct vm_dir *dir, struct vm_view *view, struct qmp *qmp,
		     int64_t deadline)
{
	bool lives = vm_dir_in_use(dir);

	vm_look_dead(dir, view);
	if (view->result || !lives)
		return 0;
	view->end = NULL;
	view->reason[0] = '\0';
	return view->handle ? look_engine(dir, view, qmp, deadline) : -1;
}

/**
 * vm_look - find out the state of a VM
 * @dir:   its directory
 * @view:  out
 * @qmp:   out: connected to its engine when it lives, else closed
 * @error: out
 *
 * Return: 0 or -1; vm_view_drop() and qmp_close() are due after 0.
 */
int vm_look(const struct vm_dir *dir, struct vm_view *view, struct qmp *qmp,
	    struct vm_error *error)
{
	static const struct timespec tick = { .tv_nsec = 20000000 };
	int64_t deadline = vm_now() + ANSWER_TIME;

	memset(qmp, 0, sizeof(*qmp));
	qmp->fd = -1;
	for (;;) {
		if (!look_once(dir, view, qmp, deadline))
			break;
		vm_view_drop(view);
		if (vm_now() >= deadline)
			return vm_fail(error, HEKIVM_E_QMP, "%s", dir->path);
		nanosleep(&tick, NULL);
	}
	/* A VM of "run" takes its directory with it. */
	if (view->end && !strcmp(view->end, "lost") && faccessat(dir->fd, "lock", F_OK, 0)) {
		vm_view_drop(view);
		return vm_fail(error, HEKIVM_E_UNKNOWN, "%s", dir->path);
	}
	return 0;
}

/**
 * vm_view_drop - forget what was seen
 * @view: it
 */
void vm_view_drop(struct vm_view *view)
{
	json_decref(view->result);
	json_decref(view->handle);
	view->result = NULL;
	view->handle = NULL;
}

static const char *const state_names[] = {
	[VM_RUNNING] = "running", [VM_READY] = "ready",	  [VM_PAUSED] = "paused",
	[VM_STOPPED] = "stopped", [VM_FAILED] = "failed",
};

/**
 * vm_view_json - a VM as JSON
 * @view:      the VM
 * @namespace: of the name
 * @name:      of the VM
 *
 * Return: the object, or NULL without memory.
 */
json_t *vm_view_json(const struct vm_view *view, const char *namespace, const char *name)
{
	bool lives = view->state < VM_STOPPED;
	json_t *pid = json_object_get(view->handle, "pid");

	return json_pack("{s:i, s:s, s:s, s:s, s:s?, s:s?, s:o, s:i, s:O, s:O?, s:O?, s:O?}",
			 "schema_version", HEKIVM_SCHEMA_VERSION, "name", name, "namespace",
			 namespace, "state", state_names[view->state], "address",
			 view->address[0] ? view->address : NULL, "end", view->end, "reason",
			 json_any(view->reason), "status", view->status, "pid",
			 lives && pid ? pid : json_null(), "serial_log",
			 json_object_get(view->handle, "serial_log"), "hypervisor_log",
			 json_object_get(view->handle, "hypervisor_log"), "accelerator",
			 json_object_get(view->handle, "accelerator"));
}

/**
 * vm_view_print - print a VM's state as running, ready(ADDRESS), paused, stopped, failed(REASON)
 * @view: the VM
 */
void vm_view_print(const struct vm_view *view)
{
	fputs(state_names[view->state], stdout);
	if (view->state == VM_READY)
		printf("(%s)", view->address);
	if (view->state == VM_FAILED)
		printf("(%s%s%s)", view->end ? view->end : "", view->reason[0] ? ": " : "",
		       view->reason);
}
