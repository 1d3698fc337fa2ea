// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a VM, for "run" and for the process that "boot" leaves behind: start it, follow it to
 * its end, judge how it ended.  What others are to see of it is written to its directory on the way:
 * the handle, the address that the ready marker tells, the result.  After "run" nothing is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hekivm.h"
#include "jsontext.h"

#define TICK 50 /* ms between two looks at the console */
#define START_TIME 10000 /* ms for the engine to answer */
#define PANIC_TIME 2000 /* ms that a panicked guest may go on printing */
#define SHUTDOWN_TIME 5000 /* ms for the engine to end behind the guest */
#define QMP_TIME 5000 /* ms for the answer to a question */
#define HALT_INTERVAL 3000 /* ms between two looks at the CPUs */
#define STALL_TIME 3000 /* ms that the reader of the console may stand still behind the end */
#define REST_TIME 10000 /* ms for him to take the rest, when no more are left of the time limit */

/**
 * struct run - a VM that is being run
 * @spec, @dir, @engine, @qmp, @console: its parts
 * @logs:       where the consoles go
 * @terminal:   what is typed for the guest
 * @signals:    descriptor for the signals that cancel the run
 * @signal:     the one that came, or 0
 * @started, @deadline, @panic_at, @look_at, @shutdown_at: times in ms; 0 = not yet
 * @halts:      looks in a row that found all CPUs halted
 * @end:        why we ended it, or VM_END_ENGINE when we did not
 * @shutdown:   reason of the engine's SHUTDOWN event, or empty
 * @stopped:    the CPUs stand still
 * @look_why:   they have just been stopped, and why is not known yet
 * @ready:      the ready marker has been written down
 * @hung:       the engine did not come to its own end
 * @unread:     the reader of the console has not taken all of it
 */
struct run {
	const struct vm_spec *spec;
	struct vm_dir dir;
	struct engine engine;
	struct qmp qmp;
	struct console console;
	struct vm_logs logs;
	struct terminal terminal;
	int signals;
	int signal;
	int64_t started, deadline, panic_at, look_at, shutdown_at;
	unsigned int halts;
	enum vm_end end;
	char shutdown[32];
	bool stopped, look_why, ready, hung, unread;
};

static void note_event(void *context, const char *name, json_t *data)
{
	struct run *run = context;
	const char *reason;

	if (!strcmp(name, "GUEST_PANICKED") && !run->panic_at)
		run->panic_at = vm_now();
	if (!strcmp(name, "STOP"))
		run->stopped = run->look_why = true;
	if (!strcmp(name, "RESUME"))
		run->stopped = false;
	if (strcmp(name, "SHUTDOWN"))
		return;
	reason = json_string_value(json_object_get(data, "reason"));
	snprintf(run->shutdown, sizeof(run->shutdown), "%s", reason ? reason : "");
	run->shutdown_at = vm_now();
}

static int block_signals(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, before);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Why an engine did not get as far as answering. */
static int start_failed(struct run *run, enum hekivm_error_code code, struct vm_error *error)
{
	char line[HEKIVM_REASON_MAX];

	engine_kill(&run->engine);
	if (engine_log_line(&run->dir, line, sizeof(line)))
		return vm_fail(error, HEKIVM_E_START, "%s", line);
	return vm_fail(error, code, "%s", run->spec->engine);
}

static void close_sockets(const struct engine_sockets *sockets)
{
	close(sockets->listener);
	if (sockets->follower >= 0)
		close(sockets->follower);
	if (sockets->console >= 0)
		close(sockets->console);
}

/* Start the engine with its monitors. */
static int start_engine(struct run *run, int64_t deadline, struct vm_error *error)
{
	struct engine_sockets sockets = { .follower = -1, .console = -1 };
	int ends[2], ret;

	sockets.listener = qmp_listen(&run->dir);
	if (sockets.listener < 0)
		return vm_fail(error, HEKIVM_E_QMP, "socket: %s", strerror(errno));
	if (run->spec->interactive)
		sockets.console = terminal_open(&run->terminal);
	if ((run->spec->interactive && sockets.console < 0) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		vm_fail(error, HEKIVM_E_QMP, "socket: %s", strerror(errno));
		close_sockets(&sockets);
		return -1;
	}
	sockets.follower = ends[1];
	ret = engine_start(&run->engine, run->spec, &run->dir, &run->logs, &sockets, error);
	/* From here on they close with the engine, which ends a wait for its greeting. */
	close_sockets(&sockets);
	if (ret) {
		close(ends[0]);
		return -1;
	}
	run->qmp.event = note_event;
	run->qmp.context = run;
	if (qmp_attach(&run->qmp, ends[0], deadline))
		return start_failed(run, HEKIVM_E_QMP, error);
	return 0;
}

/* What another call needs to find the VM. */
static int write_handle(struct run *run)
{
	const struct vm_spec *spec = run->spec;
	int64_t engine = vm_start_time(run->engine.pid), follower = vm_start_time(getpid());
	char *console, *hypervisor = NULL, boot[64];
	int ret;

	/* Without these nobody could tell the VM's processes from others. */
	if (!engine || !follower || !vm_boot_id(boot, sizeof(boot))) {
		errno = ESRCH;
		return -1;
	}
	console = realpath(run->logs.console.path, NULL);
	if (run->logs.hypervisor.path)
		hypervisor = realpath(run->logs.hypervisor.path, NULL);
	ret = vm_dir_write_json(
		&run->dir, "handle.json",
		json_pack("{s:i, s:s, s:s, s:i, s:I, s:i, s:I, s:s, s:o, s:o?, s:s}",
			  "schema_version", HEKIVM_SCHEMA_VERSION, "name", spec->name, "namespace",
			  spec->namespace, "pid", (int)run->engine.pid, "pid_start",
			  (json_int_t)engine, "follower", (int)getpid(),
			  "follower_start", (json_int_t)follower, "boot_id", boot,
			  "serial_log", json_any(console), "hypervisor_log",
			  json_any(hypervisor), "accelerator",
			  vm_accel_name(spec->accel)));
	free(hypervisor);
	free(console);
	return ret;
}

static int start(struct run *run, int out, const struct vm_start *hook, struct vm_error *error)
{
	int64_t deadline = vm_now() + START_TIME;

	if (start_engine(run, deadline, error))
		return -1;
	if (console_open(&run->console, run->logs.console.path, out))
		return vm_fail(error, HEKIVM_E_SERIAL_LOG, "%s: %s", run->logs.console.path,
			       strerror(errno));
	if (qmp_simple(&run->qmp, "cont", deadline))
		return start_failed(run, HEKIVM_E_QMP, error);
	run->started = vm_now();
	run->deadline = INT64_MAX;
	if (run->spec->timeout)
		run->deadline = run->started + (int64_t)run->spec->timeout * 1000;
	run->look_at = run->started + HALT_INTERVAL;
	if (write_handle(run))
		return vm_fail(error, HEKIVM_E_RUNTIME, "handle: %s", strerror(errno));
	return hook ? hook->call(hook->context, error) : 0;
}

static void read_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signals, &info, sizeof(info)) == sizeof(info))
		run->signal = (int)info.ssi_signo;
}

/* Halted twice in a row: an AP that has not been started looks halted while the BSP boots. */
static bool halted(struct run *run, int64_t now)
{
	if (run->spec->machine != VM_MACHINE_PC || now < run->look_at || run->qmp.fd < 0 ||
	    run->stopped || run->shutdown_at)
		return false;
	run->halts = qmp_all_halted(&run->qmp, run->spec->cpus) ? run->halts + 1 : 0;
	run->look_at = vm_now() + HALT_INTERVAL;
	return run->halts >= 2;
}

/* Only a pause is meant; the engine also stops a guest that it cannot run any further. */
static bool broken(struct run *run)
{
	char status[sizeof(run->shutdown)];

	if (!run->look_why || run->qmp.fd < 0)
		return false;
	run->look_why = false;
	if (qmp_status(&run->qmp, status, sizeof(status), vm_now() + QMP_TIME) ||
	    (strcmp(status, "internal-error") && strcmp(status, "io-error")))
		return false;
	snprintf(run->shutdown, sizeof(run->shutdown), "%s", status);
	return true;
}

/* The guest is gone; QEMU 7.2 then waits for ever when a command came to a monitor at that time. */
static bool hung(struct run *run, int64_t now)
{
	run->hung = run->shutdown_at && now >= run->shutdown_at + SHUTDOWN_TIME;
	return run->hung;
}

/* Is it time to end the VM? Sets the reason. */
static bool must_end(struct run *run)
{
	int64_t now = vm_now();

	if (run->signal)
		run->end = VM_END_CANCELLED;
	else if (run->panic_at && now >= run->panic_at + PANIC_TIME)
		run->end = VM_END_PANIC;
	else if (now >= run->deadline)
		run->end = VM_END_TIMEOUT;
	else if (halted(run, now))
		run->end = VM_END_HALT;
	else if (broken(run) || hung(run, now))
		run->end = VM_END_ENGINE;
	else
		return false;
	return true;
}

static void note_console(struct run *run)
{
	const char *address = run->console.ready.address;

	if (run->console.panic[0] && !run->panic_at)
		run->panic_at = vm_now();
	if (address[0] && !run->ready)
		run->ready = !vm_dir_write(&run->dir, "ready", address);
}

/* Give the reader the rest, as long as he takes it. */
static void finish_console(struct run *run)
{
	int64_t now = vm_now(), moved = now, limit = now + REST_TIME;
	struct pollfd pfds[2];

	console_end(&run->console);
	if (limit < run->deadline)
		limit = run->deadline;
	while (console_behind(&run->console) && now < moved + STALL_TIME && now < limit) {
		pfds[0] = (struct pollfd){ .fd = run->signals, .events = POLLIN };
		pfds[1] = (struct pollfd){ .fd = run->console.out, .events = POLLOUT };
		poll(pfds, 2, TICK);
		if (pfds[0].revents) {
			read_signal(run);
			run->end = VM_END_CANCELLED;
			break;
		}
		now = vm_now();
		if (console_copy(&run->console))
			moved = now;
	}
	run->unread = console_behind(&run->console);
	console_close(&run->console);
}

/* Follow the VM until the engine has ended, by itself or by us. */
static void follow(struct run *run)
{
	struct pollfd pfds[6];

	run->end = VM_END_ENGINE;
	while (!engine_reap(&run->engine)) {
		pfds[0] = (struct pollfd){ .fd = run->signals, .events = POLLIN };
		pfds[1] = (struct pollfd){ .fd = run->engine.pidfd, .events = POLLIN };
		pfds[2] = (struct pollfd){ .fd = run->qmp.fd, .events = POLLIN };
		terminal_poll(&run->terminal, pfds + 3);
		pfds[5] = (struct pollfd){ .fd = console_behind(&run->console) ? run->console.out : -1,
					   .events = POLLOUT };
		poll(pfds, 6, TICK);
		if (pfds[0].revents)
			read_signal(run);
		if (pfds[2].revents && qmp_receive(&run->qmp))
			qmp_close(&run->qmp);
		if (!terminal_follow(&run->terminal, pfds + 3))
			run->signal = SIGINT;
		console_follow(&run->console);
		note_console(run);
		if (must_end(run))
			engine_kill(&run->engine);
	}
	while (run->qmp.fd >= 0 && !qmp_receive(&run->qmp))
		;
	finish_console(run);
}

/* The guest's verdict, or -1. */
static int find_verdict(const struct run *run)
{
	if (run->spec->machine == VM_MACHINE_PC)
		return engine_verdict(&run->engine, &run->dir);
	if (!run->spec->hypervisor || strcmp(run->shutdown, "guest-shutdown"))
		return -1;
	return arm64_verdict(&run->logs.console);
}

/* The engine ended by itself: by the guest's will, or did it fail? */
static enum vm_end judge_shutdown(const struct run *run)
{
	if (run->panic_at || run->console.panic[0])
		return VM_END_PANIC;
	if (!faccessat(run->dir.fd, "ending", F_OK, 0) && run->engine.status == CLD_KILLED)
		return VM_END_KILLED;
	if (!run->hung && (run->engine.status != CLD_EXITED || run->engine.code))
		return VM_END_ENGINE;
	if (!strcmp(run->shutdown, "guest-reset"))
		return engine_triple_fault(&run->dir) ? VM_END_TRIPLE_FAULT : VM_END_REBOOT;
	if (!strcmp(run->shutdown, "guest-shutdown"))
		return VM_END_POWEROFF;
	return VM_END_ENGINE;
}

/* Messages of the engine can hold names of files, and those any bytes. */
static void make_ascii(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

static void explain(const struct run *run, struct vm_result *result)
{
	char line[HEKIVM_REASON_MAX - 64];

	switch (result->end) {
	case VM_END_PANIC:
		snprintf(result->reason, sizeof(result->reason), "%s",
			 run->console.panic[0] ? run->console.panic : "pvpanic");
		break;
	case VM_END_ENGINE:
		if (run->shutdown[0] && run->engine.status == CLD_KILLED) {
			snprintf(result->reason, sizeof(result->reason), "%s", run->shutdown);
			break;
		}
		engine_log_line(&run->dir, line, sizeof(line));
		snprintf(result->reason, sizeof(result->reason), "%s %d%s%s",
			 run->engine.status == CLD_EXITED ? "exit status" : "signal",
			 run->engine.code, line[0] ? ": " : "", line);
		make_ascii(result->reason);
		break;
	case VM_END_TIMEOUT:
		snprintf(result->reason, sizeof(result->reason), "%u s", run->spec->timeout);
		break;
	case VM_END_CANCELLED:
		snprintf(result->reason, sizeof(result->reason), "%s", strsignal(run->signal));
		break;
	default:
		break;
	}
}

static void judge(const struct run *run, struct vm_result *result)
{
	memset(result, 0, sizeof(*result));
	result->elapsed = vm_now() - run->started;
	result->status = -1;
	result->signal = run->signal;
	result->end = run->end;
	result->unread = run->unread;
	if (run->end == VM_END_ENGINE) {
		result->status = find_verdict(run);
		result->end = result->status >= 0 ? VM_END_VERDICT : judge_shutdown(run);
	}
	explain(run, result);
	if (run->logs.hypervisor.path && result->end != VM_END_VERDICT)
		log_tail(&run->logs.hypervisor, result->tail, sizeof(result->tail));
}

static int write_result(const struct run *run, const struct vm_result *result)
{
	return vm_dir_write_json(&run->dir, "result.json",
				 json_pack("{s:s, s:s, s:o, s:i}", "state",
					   vm_end_state(result->end), "end",
					   vm_end_name(result->end), "reason",
					   json_any(result->reason), "status",
					   result->status));
}

/* From the VM's own directory to its end. */
static int live(struct run *run, int out, const struct vm_start *hook, struct vm_result *result,
		struct vm_error *error)
{
	int ret = start(run, out, hook, error);

	if (!ret) {
		follow(run);
		judge(run, result);
		if (run->spec->keep && write_result(run, result))
			fprintf(stderr, "hekivm: %s: result: %s\n", run->spec->name,
				strerror(errno));
	}
	engine_kill(&run->engine);
	qmp_close(&run->qmp);
	terminal_close(&run->terminal);
	console_close(&run->console);
	if (ret)
		logs_drop(&run->logs);
	return ret;
}

/**
 * vm_run - run a VM to its end
 * @spec:   the VM, checked
 * @out:    where to copy its console, or -1
 * @hook:   what to do when the guest has started, or NULL
 * @result: out: how it ended
 * @error:  out: why it did not start
 *
 * The process is gone afterwards, whatever happened; socket and directory too, unless the VM has
 * started and is one to keep.
 *
 * Return: 0, or -1 when the VM did not start.
 */
int vm_run(const struct vm_spec *spec, int out, const struct vm_start *hook,
	   struct vm_result *result, struct vm_error *error)
{
	struct run *run = calloc(1, sizeof(*run));
	sigset_t before;
	int ret = -1;

	if (!run)
		return vm_fail(error, HEKIVM_E_RUNTIME, "out of memory");
	run->spec = spec;
	run->qmp.fd = -1;
	run->console.fd = run->console.out = -1;
	terminal_init(&run->terminal);
	run->signals = block_signals(&before);
	if (run->signals < 0) {
		vm_fail(error, HEKIVM_E_RUNTIME, "signalfd: %s", strerror(errno));
		goto free_run;
	}
	if (vm_dir_create(spec, &run->dir, error))
		goto close_signals;
	if (!logs_choose(&run->logs, spec, &run->dir, error))
		ret = live(run, out, hook, result, error);
	logs_free(&run->logs);
	if (!ret && spec->keep)
		vm_dir_close(&run->dir);
	else
		vm_dir_remove(&run->dir);
close_signals:
	close(run->signals);
free_run:
	/* One that came too late for the VM is still for us. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(run);
	return ret;
}

/* Line by line, each with whose it is. */
static void print_tail(const struct vm_spec *spec, const char *tail)
{
	int length;

	while (*tail) {
		length = (int)strcspn(tail, "\n");
		fprintf(stderr, "hekivm: %s: hypervisor: %.*s\n", spec->name, length, tail);
		tail += length + (tail[length] == '\n');
	}
}

/**
 * vm_run_report - say how a run ended
 * @spec:   the VM
 * @result: how it ended
 *
 * Return: the exit code.
 */
int vm_run_report(const struct vm_spec *spec, const struct vm_result *result)
{
	int code = vm_end_exit(result);
	json_t *object;

	if (result->end != VM_END_VERDICT)
		fprintf(stderr, "hekivm: %s: %s%s%s\n", spec->name, vm_end_name(result->end),
			result->reason[0] ? ": " : "", result->reason);
	if (result->unread)
		fprintf(stderr, "hekivm: %s: the end of the console was not read\n", spec->name);
	print_tail(spec, result->tail);
	if (!spec->json)
		return code;
	object = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:s, s:I, s:o?, s:o?}",
			   "schema_version", HEKIVM_SCHEMA_VERSION, "name", spec->name, "namespace",
			   spec->namespace, "state", vm_end_state(result->end), "end",
			   vm_end_name(result->end), "reason", json_any(result->reason), "status",
			   result->status, "exit", code, "accelerator", vm_accel_name(spec->accel),
			   "elapsed_ms", (json_int_t)result->elapsed, "serial_log",
			   json_any(spec->serial_log), "hypervisor_log",
			   json_any(spec->hypervisor_log));
	if (!object) {
		fprintf(stderr, "hekivm: out of memory\n");
		return HEKIVM_EXIT_ENGINE;
	}
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
	return code;
}
