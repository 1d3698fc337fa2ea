// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verbs that find a VM by its directory.
 *
 * Two callers at once: what depends on the state and changes it (pause, resume) is done in one
 * connection to the engine, which serves one caller at a time.  A directory is removed only under
 * its lock, which is free only when the VM is gone; who comes second finds that all is done.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "hekivm.h"

#define TICK 50 /* ms between two looks at a VM that is waited for */
#define PAUSED_TICK 500 /* ms, of one that is paused */
#define END_TIME 20000 /* ms for a VM that was killed to be gone */

/* Print a VM as the verb's answer. */
static int answer(const struct vm_spec *spec, const struct vm_view *view)
{
	json_t *object;

	if (!spec->json) {
		vm_view_print(view);
		putchar('\n');
		return VERB_OK;
	}
	object = vm_view_json(view, spec->namespace, spec->name);
	if (!object)
		return VERB_FAILED;
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
	return VERB_OK;
}

/**
 * struct found - a VM that a verb has found
 * @dir:  its directory
 * @view: its state
 * @qmp:  connected to its engine when it lives
 */
struct found {
	struct vm_dir dir;
	struct vm_view view;
	struct qmp qmp;
};

static int find(const struct vm_spec *spec, struct found *found, struct vm_error *error)
{
	if (vm_dir_find(spec->namespace, spec->name, &found->dir, error))
		return -1;
	if (!vm_look(&found->dir, &found->view, &found->qmp, error))
		return 0;
	vm_dir_close(&found->dir);
	return -1;
}

static void let_go(struct found *found)
{
	qmp_close(&found->qmp);
	vm_view_drop(&found->view);
	vm_dir_close(&found->dir);
}

/**
 * verb_state - tell the state of a VM
 * @spec:  which
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_state(const struct vm_spec *spec, struct vm_error *error)
{
	struct found found;
	int ret;

	if (find(spec, &found, error))
		return -1;
	ret = answer(spec, &found.view);
	let_go(&found);
	return ret;
}

/**
 * verb_boot - start a VM and leave it
 * @spec:  the VM
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_boot(const struct vm_spec *spec, struct vm_error *error)
{
	struct vm_spec vm = *spec;
	struct found found;
	pid_t follower;
	int ret;

	if (vm.name == spec->name_buffer)
		vm.name = vm.name_buffer;
	if (vm_check_spec(&vm, error) || vm_accel_choose(&vm, error) ||
	    vm_boot(&vm, &follower, error))
		return -1;
	if (find(&vm, &found, error)) {
		vm_boot_undo(&vm, follower);
		return -1;
	}
	if (!spec->json)
		printf("%s/%s %lld %s ", vm.namespace, vm.name,
		       (long long)json_integer_value(json_object_get(found.view.handle, "pid")),
		       json_string_value(json_object_get(found.view.handle, "serial_log")));
	ret = answer(&vm, &found.view);
	let_go(&found);
	return ret;
}

/* From one state of the CPUs to the other, and what the VM is then. */
static int change(const struct vm_spec *spec, bool pause, struct vm_error *error)
{
	struct found found;
	int ret = -1;

	if (find(spec, &found, error))
		return -1;
	if (found.view.state >= VM_STOPPED)
		vm_fail(error, HEKIVM_E_NOT_RUNNING, "%s/%s", spec->namespace, spec->name);
	else if (pause && found.view.state == VM_PAUSED)
		vm_fail(error, HEKIVM_E_NOT_RUNNING, "%s/%s is paused", spec->namespace,
			spec->name);
	else if (!pause && found.view.state != VM_PAUSED)
		vm_fail(error, HEKIVM_E_NOT_PAUSED, "%s/%s", spec->namespace, spec->name);
	else if (qmp_simple(&found.qmp, pause ? "stop" : "cont", vm_now() + END_TIME))
		vm_fail(error, HEKIVM_E_QMP, "%s", found.dir.path);
	else
		ret = 0;
	let_go(&found);
	return ret ? ret : verb_state(spec, error);
}

/**
 * verb_pause - stop a VM's CPUs
 * @spec:  which
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_pause(const struct vm_spec *spec, struct vm_error *error)
{
	return change(spec, true, error);
}

/**
 * verb_resume - let a VM's CPUs go on
 * @spec:  which
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_resume(const struct vm_spec *spec, struct vm_error *error)
{
	return change(spec, false, error);
}

/* Are the follower and the engine both gone? Looks at them for a tick. */
static bool gone(struct pollfd *processes)
{
	int i;

	poll(processes, 2, processes[0].fd >= 0 || processes[1].fd >= 0 ? TICK : 0);
	for (i = 0; i < 2; i++) {
		if (processes[i].fd < 0 || !processes[i].revents)
			continue;
		close(processes[i].fd);
		processes[i].fd = -1;
	}
	return processes[0].fd < 0 && processes[1].fd < 0;
}

/*
 * Wait until a VM is gone, or ready when that is wanted.  It is told by its processes and not by its
 * lock, which the next VM of that name may hold.
 * Return: 0, or -1 at the deadline.
 */
static int wait_for(const struct found *found, bool ready, int64_t deadline)
{
	struct pollfd processes[] = {
		{ .fd = vm_handle_process(found->view.handle, "follower"), .events = POLLIN },
		{ .fd = vm_handle_process(found->view.handle, "pid"), .events = POLLIN },
	};
	int i, ret = 0;

	while (!gone(processes)) {
		if (ready && !faccessat(found->dir.fd, "ready", F_OK, 0))
			break;
		if (vm_now() >= deadline) {
			ret = -1;
			break;
		}
	}
	for (i = 0; i < 2; i++) {
		if (processes[i].fd >= 0)
			close(processes[i].fd);
	}
	return ret;
}

/**
 * verb_wait - wait until a VM is ready, stopped or failed
 * @spec:  which, and how long
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_wait(const struct vm_spec *spec, struct vm_error *error)
{
	int64_t deadline = vm_now() + (int64_t)spec->timeout * 1000;
	struct found found;
	int ret;

	for (;;) {
		if (find(spec, &found, error))
			return -1;
		qmp_close(&found.qmp);
		if (found.view.state != VM_RUNNING && found.view.state != VM_PAUSED)
			break;
		/* A paused one that was ready before is not ready now. */
		ret = wait_for(&found, found.view.state == VM_RUNNING,
			       found.view.state == VM_RUNNING ? deadline : vm_now() + PAUSED_TICK);
		let_go(&found);
		if (ret && vm_now() >= deadline)
			return vm_fail(error, HEKIVM_E_LATE, "%u s", spec->timeout);
	}
	ret = answer(spec, &found.view);
	if (found.view.state == VM_FAILED)
		ret = VERB_FAILED;
	let_go(&found);
	return ret;
}

/* End the engine, by a word to its follower that it is meant so. */
static void end_engine(const struct found *found)
{
	int word = openat(found->dir.fd, "ending", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int engine = vm_handle_process(found->view.handle, "pid");

	if (word >= 0)
		close(word);
	if (engine < 0)
		return;
	pidfd_send_signal(engine, SIGKILL, NULL, 0);
	close(engine);
}

/* Take the directory of a VM that is gone, unless it is the next one's of that name by now. */
static bool take(struct found *found)
{
	struct vm_view now;

	if (vm_dir_take(&found->dir))
		return false;
	vm_look_dead(&found->dir, &now);
	if (found->view.handle && !json_equal(found->view.handle, now.handle)) {
		vm_view_drop(&now);
		return false;
	}
	vm_view_drop(&found->view);
	found->view = now;
	return true;
}

/* The VM is about to go: how does it end? Then free it. */
static int finish(const struct vm_spec *spec, struct found *found, struct vm_error *error)
{
	if (wait_for(found, false, vm_now() + END_TIME))
		return vm_fail(error, HEKIVM_E_QMP, "%s: it does not end", found->dir.path);
	if (take(found)) {
		vm_dir_remove(&found->dir);
		memset(&found->dir, 0, sizeof(found->dir));
		found->dir.fd = -1;
		found->dir.lock = -1;
	} else if (found->view.state < VM_STOPPED) {
		/* Another has freed it, or it was one of "run". */
		found->view.state = VM_STOPPED;
		found->view.end = vm_end_name(VM_END_KILLED);
	}
	return answer(spec, &found->view);
}

/**
 * verb_kill - end a VM at once and free it
 * @spec:  which
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_kill(const struct vm_spec *spec, struct vm_error *error)
{
	struct found found;
	int ret;

	if (find(spec, &found, error))
		return -1;
	qmp_close(&found.qmp);
	if (found.view.state < VM_STOPPED)
		end_engine(&found);
	ret = finish(spec, &found, error);
	let_go(&found);
	return ret;
}

/**
 * verb_stop - ask the guest to power off, after a grace period end it; free it
 * @spec:  which
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_stop(const struct vm_spec *spec, struct vm_error *error)
{
	int64_t deadline = vm_now() + (int64_t)spec->grace * 1000;
	struct found found;
	int ret;

	if (find(spec, &found, error))
		return -1;
	/* A guest whose CPUs stand still does not see its power button. */
	if (found.view.state == VM_PAUSED)
		qmp_simple(&found.qmp, "cont", vm_now() + END_TIME);
	if (found.view.state < VM_STOPPED)
		qmp_simple(&found.qmp, "system_powerdown", vm_now() + END_TIME);
	qmp_close(&found.qmp);
	if (found.view.state < VM_STOPPED && wait_for(&found, false, deadline))
		end_engine(&found);
	ret = finish(spec, &found, error);
	let_go(&found);
	return ret;
}

/* Copy what there is. Return: false when the reader is gone. */
static bool copy(int log)
{
	char data[16384];
	ssize_t done;

	while ((done = read(log, data, sizeof(data))) > 0) {
		if (!vm_write_all(STDOUT_FILENO, data, (size_t)done))
			return false;
	}
	return true;
}

static int follow_log(const struct found *found, int log)
{
	while (copy(log) && wait_for(found, false, vm_now()))
		;
	copy(log);
	return VERB_OK;
}

/* Each byte becomes the character of the same number, so that all of them can be told in JSON. */
static json_t *log_text(int log)
{
	json_t *text = NULL;
	char data[16384], *bytes = NULL;
	size_t size = 0, i;
	ssize_t done;
	FILE *out = open_memstream(&bytes, &size);

	if (!out)
		return NULL;
	while ((done = read(log, data, sizeof(data))) > 0) {
		for (i = 0; i < (size_t)done; i++) {
			unsigned char byte = (unsigned char)data[i];

			if (byte >= 0x80)
				putc(0xc0 | byte >> 6, out);
			putc(byte < 0x80 ? byte : 0x80 | (byte & 0x3f), out);
		}
	}
	if (!fclose(out))
		text = json_stringn(bytes, size);
	free(bytes);
	return text;
}

static int log_json(const struct vm_spec *spec, const char *path, int log)
{
	json_t *object = json_pack("{s:i, s:s, s:s, s:s, s:o}", "schema_version",
				   HEKIVM_SCHEMA_VERSION, "name", spec->name, "namespace",
				   spec->namespace, "serial_log", path, "text", log_text(log));

	if (!object)
		return VERB_FAILED;
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
	return VERB_OK;
}

/**
 * verb_log - print a VM's console
 * @spec:  which, and whether to follow it
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_log(const struct vm_spec *spec, struct vm_error *error)
{
	struct found found;
	const char *path;
	int log, ret;

	if (find(spec, &found, error))
		return -1;
	qmp_close(&found.qmp);
	path = json_string_value(json_object_get(found.view.handle, "serial_log"));
	log = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (log < 0) {
		ret = vm_fail(error, HEKIVM_E_SERIAL_LOG, "%s: %s", path ? path : "none",
			      path ? strerror(errno) : "it never started");
	} else if (spec->json) {
		ret = log_json(spec, path, log);
	} else if (spec->follow) {
		ret = follow_log(&found, log);
	} else {
		copy(log);
		ret = VERB_OK;
	}
	if (log >= 0)
		close(log);
	let_go(&found);
	return ret;
}

/* A VM that goes away meanwhile, or is not a whole one yet, is left out. */
static int list_vm(const char *namespace, const char *name, json_t *list)
{
	struct vm_spec spec = { .namespace = namespace, .name = name };
	struct vm_error error;
	struct found found;

	if (find(&spec, &found, &error))
		return error.code == HEKIVM_E_QMP ? -1 : 0;
	if (list) {
		json_array_append_new(list, vm_view_json(&found.view, namespace, name));
	} else {
		printf("%s/%s ", namespace, name);
		vm_view_print(&found.view);
		putchar('\n');
	}
	let_go(&found);
	return 0;
}

static int plain(const struct dirent *entry)
{
	struct vm_error error;

	return entry->d_type == DT_DIR && !vm_check_name(entry->d_name, &error);
}

/* The VMs of a namespace, in order. Return: how many could not be told. */
static int list_namespace(const char *root, const char *namespace, json_t *list)
{
	struct dirent **names;
	char *path;
	int i, count, bad = 0;

	if (asprintf(&path, "%s/%s", root, namespace) < 0)
		return 1;
	count = scandir(path, &names, plain, alphasort);
	free(path);
	for (i = 0; i < count; i++) {
		bad -= list_vm(namespace, names[i]->d_name, list);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return bad;
}

static int list_all(const char *root, json_t *list)
{
	struct dirent **names;
	int i, count = scandir(root, &names, plain, alphasort), bad = 0;

	for (i = 0; i < count; i++) {
		bad += list_namespace(root, names[i]->d_name, list);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return bad;
}

/**
 * verb_list - tell the states of all VMs
 * @spec:  its namespace, or NULL for all
 * @error: out
 *
 * Return: an exit code, or -1.
 */
int verb_list(const struct vm_spec *spec, struct vm_error *error)
{
	char *root;
	json_t *object = NULL, *list = NULL;
	int bad;

	if (spec->namespace && vm_check_name(spec->namespace, error))
		return -1;
	root = vm_runtime_root();
	if (!root)
		return vm_fail(error, HEKIVM_E_RUNTIME, "out of memory");
	if (spec->json)
		list = json_array();
	bad = spec->namespace ? list_namespace(root, spec->namespace, list) : list_all(root, list);
	free(root);
	if (list) {
		object = json_pack("{s:i, s:o}", "schema_version", HEKIVM_SCHEMA_VERSION, "vms",
				   list);
		json_dumpf(object, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(object);
	}
	return bad ? VERB_FAILED : VERB_OK;
}
