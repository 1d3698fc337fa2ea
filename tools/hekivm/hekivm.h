/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hekivm: the life of a CI VM on QEMU.
 *
 * What the user says becomes a struct vm_spec (options.c), which is checked (check.c) before
 * anything is made.  A VM owns a directory below the runtime directory (rundir.c) with its QMP
 * socket, its handle and its logs.  One process is the engine's parent and follows the VM to its end
 * (run.c): hekivm itself for "run", a child that "boot" leaves behind otherwise (boot.c).  It and the
 * engine hold the lock of the directory, and the engine dies with it, so that a VM lives exactly as
 * long as its lock is held.  All other verbs find the VM by its directory (look.c, verbs.c).
 *
 * Trust boundary: the guest is not trusted.  Its console is copied byte for byte and only searched
 * for a panic and the ready marker; its verdict is a number, its address one that inet_pton() takes.
 */
#ifndef HEKIVM_H
#define HEKIVM_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <termios.h>
#include <jansson.h>

#define HEKIVM_SCHEMA_VERSION 1
#define HEKIVM_NAME_MAX 63
#define HEKIVM_MEMORY_MIN 64u /* MiB */
#define HEKIVM_MEMORY_MIN_ARM64 1u
#define HEKIVM_MEMORY_MAX (1u << 20)
#define HEKIVM_CPUS_MAX 255u
#define HEKIVM_ADDRESS_END (1ull << 39)
#define HEKIVM_TIMEOUT_MAX 86400u /* seconds */
#define HEKIVM_PARALLEL_MAX 64u
#define HEKIVM_GRACE_MAX 3600u /* seconds */
#define HEKIVM_REASON_MAX 256
#define HEKIVM_TAIL_MAX 2048
#define HEKIVM_ADDRESS_MAX 46 /* of an IPv6 address as text, with its NUL */

/* Ports of the verdict: the whole status, then the end of the engine. */
#define HEKIVM_PORT_STATUS 0xe9
#define HEKIVM_PORT_EXIT 0xf4

/* Exit codes of hekivm's own; all others are the guest's. */
enum hekivm_exit {
	HEKIVM_EXIT_USAGE = 121, /* an option or a file is not as it must be */
	HEKIVM_EXIT_ENGINE = 122, /* the engine did not start or died by itself */
	HEKIVM_EXIT_PANIC = 123, /* kernel panic or triple fault */
	HEKIVM_EXIT_TIMEOUT = 124,
	HEKIVM_EXIT_STOPPED = 125 /* powered off, halted or rebooted without a verdict */
};

/* Exit codes of all verbs but "run", those of hekictl. */
enum hekivm_verb_exit {
	VERB_OK = 0,
	VERB_FAILED = 1,
	VERB_USAGE = 2,
	VERB_UNSUPPORTED = 3,
	VERB_PERMISSION = 4
};

/* X(NAME, "stable name", exit code of "run", of the other verbs, "text that what follows") */
#define HEKIVM_ERRORS(X)                                                                           \
	X(USAGE, "usage", HEKIVM_EXIT_USAGE, VERB_USAGE,                                           \
	  "bad command line")                                                                      \
	X(NAME, "bad-name", HEKIVM_EXIT_USAGE, VERB_USAGE,                                         \
	  "a name is 1 to 63 of A-Z a-z 0-9 . _ -")                                                \
	X(NAME_IN_USE, "name-in-use", HEKIVM_EXIT_USAGE, VERB_FAILED,                              \
	  "a VM of this name is running")                                                          \
	X(UNKNOWN, "unknown-name", HEKIVM_EXIT_USAGE, VERB_FAILED,                                 \
	  "no such VM")                                                                            \
	X(CPUS, "bad-cpus", HEKIVM_EXIT_USAGE, VERB_USAGE,                                         \
	  "CPUs out of range (1 to 255)")                                                          \
	X(MEMORY, "bad-memory", HEKIVM_EXIT_USAGE, VERB_USAGE,                                     \
	  "memory out of range (64, of arm64 1, to 1048576 MiB)")                                  \
	X(MACHINE, "bad-machine", HEKIVM_EXIT_USAGE, VERB_USAGE,                                   \
	  "machine")                                                                               \
	X(ADDRESS, "bad-address", HEKIVM_EXIT_USAGE, VERB_USAGE,                                   \
	  "an address is a number of 1 to 0x7fffffffff")                                           \
	X(TIMEOUT, "bad-timeout", HEKIVM_EXIT_USAGE, VERB_USAGE,                                   \
	  "time limit out of range (1 to 86400 s)")                                                \
	X(GRACE, "bad-grace", HEKIVM_EXIT_USAGE, VERB_USAGE,                                       \
	  "grace period out of range (0 to 3600 s)")                                               \
	X(ACCEL, "bad-accelerator", HEKIVM_EXIT_USAGE, VERB_USAGE,                                 \
	  "accelerator")                                                                           \
	X(KERNEL, "kernel", HEKIVM_EXIT_USAGE, VERB_FAILED,                                        \
	  "kernel")                                                                                \
	X(INITRAMFS, "initramfs", HEKIVM_EXIT_USAGE, VERB_FAILED,                                  \
	  "initramfs")                                                                             \
	X(DISK, "disk", HEKIVM_EXIT_USAGE, VERB_FAILED,                                            \
	  "root disk")                                                                             \
	X(HYPERVISOR, "hypervisor", HEKIVM_EXIT_USAGE, VERB_FAILED,                                \
	  "hypervisor")                                                                            \
	X(VTL1, "vtl1", HEKIVM_EXIT_USAGE, VERB_FAILED,                                            \
	  "image of VTL1")                                                                         \
	X(CMDLINE, "cmdline", HEKIVM_EXIT_USAGE, VERB_USAGE,                                       \
	  "kernel command line too long")                                                          \
	X(SERIAL_LOG, "serial-log", HEKIVM_EXIT_USAGE, VERB_FAILED,                                \
	  "serial log")                                                                            \
	X(HYPERVISOR_LOG, "hypervisor-log", HEKIVM_EXIT_USAGE, VERB_FAILED,                        \
	  "log of the hypervisor")                                                                 \
	X(NOT_RUNNING, "not-running", HEKIVM_EXIT_USAGE, VERB_FAILED,                              \
	  "the VM does not run")                                                                   \
	X(NOT_PAUSED, "not-paused", HEKIVM_EXIT_USAGE, VERB_FAILED,                                \
	  "the VM is not paused")                                                                  \
	X(LATE, "timed-out", HEKIVM_EXIT_USAGE, VERB_FAILED,                                       \
	  "the VM is neither ready nor at its end after")                                          \
	X(PARALLEL, "bad-parallel", HEKIVM_EXIT_USAGE, VERB_USAGE,                                 \
	  "jobs at a time out of range (1 to 64)")                                                 \
	X(JOBS, "jobs", HEKIVM_EXIT_USAGE, VERB_FAILED,                                            \
	  "list of jobs")                                                                          \
	X(JUNIT, "junit", HEKIVM_EXIT_USAGE, VERB_FAILED,                                          \
	  "file for JUnit")                                                                        \
	X(NO_ENGINE, "no-engine", HEKIVM_EXIT_ENGINE, VERB_UNSUPPORTED,                            \
	  "engine not found or not executable")                                                    \
	X(PERMISSION, "permission", HEKIVM_EXIT_ENGINE, VERB_PERMISSION,                           \
	  "permission")                                                                            \
	X(RUNTIME, "runtime-directory", HEKIVM_EXIT_ENGINE, VERB_FAILED,                           \
	  "runtime directory")                                                                     \
	X(CANCELLED, "cancelled", HEKIVM_EXIT_ENGINE, VERB_FAILED,                                 \
	  "cancelled")                                                                             \
	X(START, "engine-start", HEKIVM_EXIT_ENGINE, VERB_FAILED,                                  \
	  "engine did not start")                                                                  \
	X(QMP, "qmp", HEKIVM_EXIT_ENGINE, VERB_FAILED,                                             \
	  "engine does not answer")

enum hekivm_error_code {
	HEKIVM_OK = 0,
#define HEKIVM_ERROR_ENUM(name, text, code, verb, message) HEKIVM_E_##name,
	HEKIVM_ERRORS(HEKIVM_ERROR_ENUM)
#undef HEKIVM_ERROR_ENUM
};

/**
 * struct vm_error - why a verb failed
 * @code:   which error
 * @signal: the one that ended it, or 0
 * @what:   the thing that it is about, with the system's reason
 */
struct vm_error {
	enum hekivm_error_code code;
	int signal;
	char what[HEKIVM_REASON_MAX];
};

enum vm_machine { VM_MACHINE_PC, VM_MACHINE_ARM64 };

enum vm_accel {
	VM_ACCEL_TCG,
	VM_ACCEL_TCG_SINGLE,
	VM_ACCEL_TCG_ICOUNT,
	VM_ACCEL_KVM, /* from here on hardware, see vm_accel_is_tcg() */
	VM_ACCEL_HVF,
	VM_ACCEL_WHPX
};

/**
 * struct vm_spec - what the user asked for: a VM, or which one a verb is about
 *
 * The strings belong to the command line, @name to name_buffer when none was given.
 */
struct vm_spec {
	const char *name;
	const char *namespace;
	const char *kernel;
	const char *initramfs; /* or NULL */
	const char *disk; /* or NULL: raw image, /dev/vda of the guest */
	const char *cmdline;
	const char *serial_log; /* or NULL: kept in the VM's directory */
	const char *hypervisor; /* or NULL: the guest runs without one */
	const char *hypervisor_cmdline; /* or NULL */
	const char *hypervisor_log; /* or NULL: kept in the VM's directory */
	const char *vtl1; /* or NULL */
	const char *engine;
	const char *cpu; /* QEMU's name of the processor */
	enum vm_machine machine;
	uint64_t address; /* where the guest's memory starts under arm64's hypervisor; 0 = default */
	unsigned int cpus;
	unsigned int memory; /* MiB; under arm64's hypervisor the guest's */
	unsigned int timeout; /* seconds; 0 = none */
	unsigned int parallel; /* jobs at a time; 0 = one VM, not a list of jobs */
	const char *jobs; /* the file of the list */
	const char *junit; /* or NULL */
	unsigned int grace; /* seconds that "stop" gives the guest */
	enum vm_accel accel;
	bool accel_named;
	bool json;
	bool follow; /* of "log" */
	bool interactive; /* the standard input is the guest's console's */
	bool keep; /* leave the VM's directory with its result when it has ended */
	char name_buffer[HEKIVM_NAME_MAX + 1];
};

/* X(NAME, "stable name", state, exit code): how a VM ended. A verdict exits with its status. */
#define VM_ENDS(X)                                                                                 \
	X(VERDICT, "verdict", "stopped", 0)                                                        \
	X(POWEROFF, "poweroff", "stopped", HEKIVM_EXIT_STOPPED)                                    \
	X(REBOOT, "reboot", "stopped", HEKIVM_EXIT_STOPPED)                                        \
	X(HALT, "halt", "stopped", HEKIVM_EXIT_STOPPED)                                            \
	X(KILLED, "killed", "stopped", HEKIVM_EXIT_STOPPED)                                        \
	X(PANIC, "panic", "failed", HEKIVM_EXIT_PANIC)                                             \
	X(TRIPLE_FAULT, "triple-fault", "failed", HEKIVM_EXIT_PANIC)                               \
	X(ENGINE, "engine", "failed", HEKIVM_EXIT_ENGINE)                                          \
	X(TIMEOUT, "timeout", "failed", HEKIVM_EXIT_TIMEOUT)                                       \
	X(CANCELLED, "cancelled", "failed", HEKIVM_EXIT_ENGINE)                                    \
	X(LOST, "lost", "failed", HEKIVM_EXIT_ENGINE)

enum vm_end {
#define VM_END_ENUM(name, text, state, code) VM_END_##name,
	VM_ENDS(VM_END_ENUM)
#undef VM_END_ENUM
};

/**
 * struct vm_result - how a run ended
 * @end:     see VM_ENDS
 * @status:  the guest's status, of a verdict
 * @signal:  what cancelled the run
 * @reason:  details for people, may be empty
 * @tail:    the last lines of the hypervisor's console when there was no verdict, or empty
 * @elapsed: milliseconds from the guest's first instruction
 * @unread:  who reads the console has not taken all of it
 */
struct vm_result {
	enum vm_end end;
	int status;
	int signal;
	char reason[HEKIVM_REASON_MAX];
	char tail[HEKIVM_TAIL_MAX];
	int64_t elapsed;
	bool unread;
};

/* error.c */
int vm_fail(struct vm_error *error, enum hekivm_error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int vm_fail_signal(struct vm_error *error, int signal);
const char *vm_error_name(enum hekivm_error_code code);
int vm_error_report(const struct vm_error *error, bool json);
int vm_error_exit(const struct vm_error *error);
const char *vm_end_name(enum vm_end end);
bool vm_end_known(const char *name);
const char *vm_end_state(enum vm_end end);
int vm_end_exit(const struct vm_result *result);

/* options.c */
bool vm_accel_is_tcg(enum vm_accel accel);
const char *vm_accel_name(enum vm_accel accel);
int vm_accel_parse(const char *text, struct vm_spec *spec, struct vm_error *error);
void vm_defaults(struct vm_spec *spec);
int vm_machine_parse(const char *text, struct vm_spec *spec, struct vm_error *error);
int vm_address_parse(const char *text, struct vm_spec *spec, struct vm_error *error);
void vm_machine_defaults(struct vm_spec *spec);
int vm_options(int argc, char **argv, struct vm_spec *spec, struct vm_error *error);
void vm_options_help(const char *verb);

/* check.c */
int vm_check_name(const char *name, struct vm_error *error);
int vm_check_spec(struct vm_spec *spec, struct vm_error *error);

/* clock and bytes: util.c */
int64_t vm_now(void);
bool vm_write_all(int fd, const void *data, size_t size);
char *vm_escape_commas(const char *text);
int64_t vm_start_time(pid_t pid);
int vm_open_process(pid_t pid, int64_t start);
bool vm_boot_id(char *text, size_t size);

/* hypervisor.c */
int hypervisor_check(const struct vm_spec *spec, struct vm_error *error);
char *hypervisor_modules(const struct vm_spec *spec);

/* arm64.c */

/**
 * struct arm64_place - where a guest and its files lie under arm64's hypervisor
 * @start:       the guest's memory
 * @file:        its file, as it is loaded
 * @file_size:   bytes
 * @initrd:      0 when there is none
 * @initrd_size: bytes
 * @ram:         of the machine, MiB
 */
struct arm64_place {
	uint64_t start, file, file_size, initrd, initrd_size;
	unsigned int ram;
};

struct vm_log;

int arm64_check(const struct vm_spec *spec, struct vm_error *error);
int arm64_place(const struct vm_spec *spec, struct arm64_place *place, struct vm_error *error);
char *arm64_options(const struct vm_spec *spec, const struct arm64_place *place);
int arm64_verdict(const struct vm_log *console);

/* rundir.c */

/**
 * struct vm_dir - the directory of a VM, locked
 * @path: of the directory, allocated
 * @root: the runtime directory, allocated
 * @fd:   of the directory
 * @lock: of the lock file; the engine inherits it
 */
struct vm_dir {
	char *path;
	char *root;
	int fd;
	int lock;
};

int vm_dir_create(const struct vm_spec *spec, struct vm_dir *dir, struct vm_error *error);
int vm_dir_find(const char *namespace, const char *name, struct vm_dir *dir, struct vm_error *error);
bool vm_dir_in_use(const struct vm_dir *dir);
int vm_dir_take(struct vm_dir *dir);
void vm_dir_remove(struct vm_dir *dir);
void vm_dir_close(struct vm_dir *dir);
char *vm_dir_path(const struct vm_dir *dir, const char *file);
int vm_dir_write(const struct vm_dir *dir, const char *file, const char *text);
int vm_dir_write_json(const struct vm_dir *dir, const char *file, json_t *object);
char *vm_runtime_root(void);
int vm_runtime_open(const char *root, struct vm_error *error);

/* logs.c */

/**
 * struct vm_log - a log that the engine writes
 * @path:   of the file, allocated
 * @is_new: it was not there before
 */
struct vm_log {
	char *path;
	bool is_new;
};

/**
 * struct vm_logs - the logs of a VM
 * @console:    what the guest writes to COM1
 * @hypervisor: what the hypervisor writes to COM2; its path is NULL without one
 */
struct vm_logs {
	struct vm_log console;
	struct vm_log hypervisor;
};

int logs_choose(struct vm_logs *logs, const struct vm_spec *spec, const struct vm_dir *dir,
		struct vm_error *error);
void logs_drop(const struct vm_logs *logs);
void logs_free(struct vm_logs *logs);
void log_tail(const struct vm_log *log, char *text, size_t size);

/* qmp.c */

/**
 * struct qmp - a QMP connection
 * @fd:     of the socket, -1 when closed
 * @length: bytes in @buffer
 * @buffer: the beginning of a message
 * @event:  called with every event
 * @context: for @event
 */
struct qmp {
	int fd;
	size_t length;
	char buffer[65536];
	void (*event)(void *context, const char *name, json_t *data);
	void *context;
};

int qmp_listen(const struct vm_dir *dir);
int qmp_connect(struct qmp *qmp, const struct vm_dir *dir, int64_t deadline);
int qmp_attach(struct qmp *qmp, int fd, int64_t deadline);
int qmp_simple(struct qmp *qmp, const char *command, int64_t deadline);
int qmp_status(struct qmp *qmp, char *status, size_t size, int64_t deadline);
int qmp_receive(struct qmp *qmp);
int qmp_command(struct qmp *qmp, json_t *command, json_t **reply, int64_t deadline);
bool qmp_all_halted(struct qmp *qmp, unsigned int cpus);
void qmp_close(struct qmp *qmp);

/* engine.c */

/**
 * struct engine - a QEMU process
 * @pid:    its id, 0 when there is none
 * @pidfd:  becomes readable when it ends
 * @status: what waitid() said: CLD_EXITED or a signal
 * @code:   the exit status or the signal
 */
struct engine {
	pid_t pid;
	int pidfd;
	int status;
	int code;
};

/**
 * struct engine_sockets - the engine's two QMP monitors, and the guest's console
 * @listener: for the verbs, one caller at a time
 * @follower: connected to the process that follows the VM
 * @console:  what comes here the guest reads, or -1: it reads nothing
 */
struct engine_sockets {
	int listener;
	int follower;
	int console;
};

int engine_find(const char *name, struct vm_error *error);
int engine_start(struct engine *engine, const struct vm_spec *spec, const struct vm_dir *dir,
		 const struct vm_logs *logs, const struct engine_sockets *sockets,
		 struct vm_error *error);
bool engine_reap(struct engine *engine);
void engine_kill(struct engine *engine);
bool engine_log_line(const struct vm_dir *dir, char *line, size_t size);
bool engine_triple_fault(const struct vm_dir *dir);
int engine_verdict(const struct engine *engine, const struct vm_dir *dir);

/* ready.c */

/**
 * struct ready - the search for the ready marker in a stream of bytes
 * @matched: bytes of the marker that the last bytes were
 * @length:  bytes in @text
 * @text:    what may be an address, behind a marker
 * @address: the address of the first whole marker, or empty
 */
struct ready {
	size_t matched;
	size_t length;
	char text[HEKIVM_ADDRESS_MAX + 1];
	char address[HEKIVM_ADDRESS_MAX];
};

void ready_scan(struct ready *ready, const char *data, size_t size);

/* console.c */

/**
 * struct console - the serial log being followed
 * @fd:      the log, opened for reading
 * @out:     where to copy it, or -1
 * @scanned: bytes that were read
 * @copied:  bytes that the reader has got
 * @line:    the beginning of the line that is being read
 * @length:  bytes in @line
 * @panic:   the line of a kernel panic, or empty
 * @ready:   the ready marker
 */
struct console {
	int fd;
	int out;
	off_t scanned;
	off_t copied;
	size_t length;
	char line[512];
	char panic[HEKIVM_REASON_MAX];
	struct ready ready;
};

int console_open(struct console *console, const char *path, int out);
void console_follow(struct console *console);
bool console_behind(const struct console *console);
bool console_copy(struct console *console);
void console_end(struct console *console);
void console_close(struct console *console);

/* terminal.c */

/**
 * struct terminal - the standard input, for the guest's console
 * @socket:  to the engine, or -1
 * @pending: what was read, but not sent yet
 * @length:  bytes in @pending
 * @ended:   nothing more is to be read
 * @escaped: Ctrl-A was typed
 * @raw:     it is a terminal, and was set
 * @saved:   how it was
 */
struct terminal {
	int socket;
	char pending[256];
	size_t length;
	bool ended, escaped, raw;
	struct termios saved;
};

void terminal_init(struct terminal *terminal);
int terminal_open(struct terminal *terminal);
void terminal_poll(const struct terminal *terminal, struct pollfd *pfds);
bool terminal_follow(struct terminal *terminal, const struct pollfd *pfds);
void terminal_close(struct terminal *terminal);

/* run.c */

/**
 * struct vm_start - what to do when the guest has started
 * @call:    returns 0, or -1 to end the VM again; may be NULL
 * @context: for @call
 */
struct vm_start {
	int (*call)(void *context, struct vm_error *error);
	void *context;
};

int vm_run(const struct vm_spec *spec, int out, const struct vm_start *start,
	   struct vm_result *result, struct vm_error *error);
int vm_run_report(const struct vm_spec *spec, const struct vm_result *result);

/* boot.c */
int vm_boot(const struct vm_spec *spec, pid_t *follower, struct vm_error *error);
void vm_boot_undo(const struct vm_spec *spec, pid_t follower);

/* look.c */

enum vm_state { VM_RUNNING, VM_READY, VM_PAUSED, VM_STOPPED, VM_FAILED };

/**
 * struct vm_view - a VM as it is now
 * @state:   its state
 * @address: the guest's, or empty
 * @end:     how it ended, or NULL
 * @reason:  of the end, may be empty
 * @status:  the guest's verdict, or -1
 * @handle:  what was written down at its start, or NULL when it never started
 * @result:  what was written down at its end, or NULL
 */
struct vm_view {
	enum vm_state state;
	char address[HEKIVM_ADDRESS_MAX];
	const char *end;
	char reason[HEKIVM_REASON_MAX];
	int status;
	json_t *handle;
	json_t *result;
};

int vm_look(const struct vm_dir *dir, struct vm_view *view, struct qmp *qmp,
	    struct vm_error *error);
void vm_look_dead(const struct vm_dir *dir, struct vm_view *view);
int vm_handle_process(const json_t *handle, const char *member);
void vm_view_drop(struct vm_view *view);
json_t *vm_view_json(const struct vm_view *view, const char *namespace, const char *name);
void vm_view_print(const struct vm_view *view);

/* verbs.c */
int verb_boot(const struct vm_spec *spec, struct vm_error *error);
int verb_kill(const struct vm_spec *spec, struct vm_error *error);
int verb_list(const struct vm_spec *spec, struct vm_error *error);
int verb_log(const struct vm_spec *spec, struct vm_error *error);
int verb_pause(const struct vm_spec *spec, struct vm_error *error);
int verb_resume(const struct vm_spec *spec, struct vm_error *error);
int verb_state(const struct vm_spec *spec, struct vm_error *error);
int verb_stop(const struct vm_spec *spec, struct vm_error *error);
int verb_wait(const struct vm_spec *spec, struct vm_error *error);

/* ktap.c */

/**
 * struct ktap_case - the result of a test
 * @name:    of the test
 * @text:    comments behind a bad result, the reason of one that was left out, or NULL
 * @passed:  "ok"
 * @skipped: with the directive SKIP
 */
struct ktap_case {
	char *name;
	char *text;
	bool passed;
	bool skipped;
};

/**
 * struct ktap - the results that are on a console
 * @cases:        in their order
 * @count:        of @cases
 * @passed:       how many are good, after ktap_finish() as the guest has counted
 * @failed:       how many are bad
 * @has_totals:   the guest has counted
 * @total_passed: what it has counted
 * @total_failed: what it has counted
 * @line:         the beginning of the line that is being read
 * @length:       bytes in @line
 */
struct ktap {
	struct ktap_case *cases;
	size_t count;
	unsigned int passed, failed;
	bool has_totals;
	unsigned int total_passed, total_failed;
	char line[1024];
	size_t length;
};

void ktap_add(struct ktap *ktap, bool passed, const char *name);
void ktap_feed(struct ktap *ktap, const char *data, size_t size);
void ktap_follow(struct ktap *ktap, int log);
void ktap_finish(struct ktap *ktap);
void ktap_free(struct ktap *ktap);

/* jobs.c */

/**
 * struct job - a VM to run, and what came of it
 * @spec:   the VM
 * @expect: how it is to end
 * @child:  the process that runs it, 0 when it does not run
 * @pipe:   where that tells the outcome
 * @log:    its console, or -1
 * @begin:  when it was started
 * @result: how it ended
 * @ktap:   its tests
 */
struct job {
	struct vm_spec spec;
	const char *expect;
	pid_t child;
	int pipe;
	int log;
	int64_t begin;
	struct vm_result result;
	struct ktap ktap;
};

/**
 * struct job_list - jobs from a file
 * @jobs:  the jobs
 * @count: of them
 * @file:  what was read; the jobs' texts are in it
 */
struct job_list {
	struct job *jobs;
	size_t count;
	json_t *file;
};

int jobs_read(struct job_list *list, const char *path, const char *namespace,
	      struct vm_error *error);
void jobs_free(struct job_list *list);

/* junit.c */
int junit_write(FILE *out, const struct job_list *list);

/* parallel.c */
int vm_parallel(const struct vm_spec *spec, struct vm_error *error);

/* accel.c */
int vm_accel_choose(struct vm_spec *spec, struct vm_error *error);

#endif /* HEKIVM_H */
