// SPDX-License-Identifier: GPL-2.0-only
/*
 * "run --parallel": some jobs of a list at a time, each in a child that does what "run" does.  The
 * parent reads their consoles, shows how far they are, and sums up: KTAP with the tests of each job
 * below it, or JSON, and JUnit XML.
 *
 * A child dies with the parent, and its engine with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hekivm.h"
#include "jsontext.h"

#define TICK 500 /* ms between two looks at the consoles */

/**
 * struct outcome - what a child tells
 * @ret:    0, or -1 when the VM did not start
 * @result: how it ended
 * @error:  why it did not start
 */
struct outcome {
	int ret;
	struct vm_result result;
	struct vm_error error;
};

/**
 * struct crew - the jobs that are being run
 * @list:    all jobs
 * @next:    the first that has not begun
 * @running: how many run
 * @done:    how many are over
 * @signals: descriptor for the signals that cancel
 * @signal:  the one that came, or 0
 * @lines:   of the display that are on the terminal now
 * @json:    nothing but JSON is to be printed
 */
struct crew {
	struct job_list *list;
	size_t next, running, done;
	int signals, signal;
	unsigned int lines;
	bool json;
};

/* In the child: never returns. */
static void run_job(struct job *job, int pipe_end, pid_t parent)
{
	struct outcome outcome;

	memset(&outcome, 0, sizeof(outcome));
	/* Signals stay blocked: they are for the VM, so that its outcome is told. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	outcome.ret = vm_accel_choose(&job->spec, &outcome.error);
	if (!outcome.ret)
		outcome.ret = vm_run(&job->spec, -1, NULL, &outcome.result, &outcome.error);
	_exit(!vm_write_all(pipe_end, &outcome, sizeof(outcome)));
}

/* What of the display is on the terminal goes, for other lines to come. */
static void clear_display(struct crew *crew)
{
	while (crew->lines) {
		fputs("\033[1A\033[2K", stderr);
		crew->lines--;
	}
	fflush(stderr);
}

/* One line for each job that runs. */
static void display(struct crew *crew)
{
	const struct job *job;
	size_t i;

	if (!isatty(STDERR_FILENO))
		return;
	clear_display(crew);
	for (i = 0; i < crew->next; i++) {
		job = &crew->list->jobs[i];
		if (!job->child)
			continue;
		fprintf(stderr, "%.40s: %u passed, %u failed, %lld s\n", job->spec.name,
			job->ktap.passed, job->ktap.failed,
			(long long)(vm_now() - job->begin) / 1000);
		crew->lines++;
	}
}

static void print_cases(const struct ktap *ktap)
{
	const struct ktap_case *one;
	const char *text;
	size_t i;
	int length;

	for (i = 0; i < ktap->count; i++) {
		one = &ktap->cases[i];
		printf("    %sok %zu - %s%s%s\n", one->passed ? "" : "not ", i + 1, one->name,
		       one->skipped ? "# " : "", one->skipped && one->text ? one->text : "");
		for (text = one->passed ? NULL : one->text; text && *text; text += length + 1) {
			length = (int)strcspn(text, "\n");
			printf("    # %.*s\n", length, text);
		}
	}
	printf("    1..%zu\n", ktap->count);
}

/* The end of a VM is a result when it is bad, or when there is no other. */
static void judge_end(struct job *job)
{
	const char *end = vm_end_name(job->result.end);
	bool good = !strcmp(end, job->expect) &&
		    (job->result.end != VM_END_VERDICT || !job->result.status);
	char text[HEKIVM_REASON_MAX + 128];

	ktap_finish(&job->ktap);
	if (good ? job->ktap.count : job->result.status > 0 && job->ktap.failed)
		return;
	if (good)
		snprintf(text, sizeof(text), "ends in %s", end);
	else if (job->result.end == VM_END_VERDICT)
		snprintf(text, sizeof(text), "ends in %s, got status %d", job->expect,
			 job->result.status);
	else
		snprintf(text, sizeof(text), "ends in %s, got %s%s%s", job->expect, end,
			 job->result.reason[0] ? ": " : "", job->result.reason);
	ktap_add(&job->ktap, good, text);
}

static void report_job(struct crew *crew, struct job *job)
{
	clear_display(crew);
	crew->done++;
	if (crew->json)
		return;
	printf("# %s: %u passed, %u failed, %s, %lld s\n", job->spec.name, job->ktap.passed,
	       job->ktap.failed, vm_end_name(job->result.end),
	       (long long)(vm_now() - job->begin) / 1000);
	print_cases(&job->ktap);
	if (job->ktap.failed)
		printf("# %s: see %s\n", job->spec.name, job->spec.serial_log);
	printf("%sok %zu - %s\n", job->ktap.failed ? "not " : "", crew->done, job->spec.name);
	fflush(stdout);
}

/* A VM that did not start has failed by its engine. */
static void not_started(struct job *job, const char *what)
{
	memset(&job->result, 0, sizeof(job->result));
	job->result.end = VM_END_ENGINE;
	job->result.status = -1;
	snprintf(job->result.reason, sizeof(job->result.reason), "%s", what);
}

static void end_job(struct crew *crew, struct job *job)
{
	struct outcome outcome;
	ssize_t done = read(job->pipe, &outcome, sizeof(outcome));

	close(job->pipe);
	while (waitpid(job->child, NULL, 0) < 0 && errno == EINTR)
		;
	job->child = 0;
	crew->running--;
	if (done != sizeof(outcome))
		not_started(job, "its process was killed");
	else if (outcome.ret)
		not_started(job, outcome.error.what);
	else
		job->result = outcome.result;
	if (job->log >= 0) {
		ktap_follow(&job->ktap, job->log);
		close(job->log);
	}
	judge_end(job);
	report_job(crew, job);
}

static void begin_job(struct crew *crew, struct job *job)
{
	pid_t parent = getpid();
	int ends[2];

	crew->next++;
	job->begin = vm_now();
	/* An old log is not read for the new one. */
	if (truncate(job->spec.serial_log, 0) && errno != ENOENT)
		goto fail;
	if (pipe2(ends, O_CLOEXEC))
		goto fail;
	fflush(stdout);
	job->child = fork();
	if (!job->child) {
		close(ends[0]);
		run_job(job, ends[1], parent);
	}
	close(ends[1]);
	if (job->child < 0) {
		close(ends[0]);
		job->child = 0;
		goto fail;
	}
	job->pipe = ends[0];
	crew->running++;
	if (!crew->json && !isatty(STDERR_FILENO))
		fprintf(stderr, "hekivm: %s: started\n", job->spec.name);
	return;
fail:
	not_started(job, strerror(errno));
	judge_end(job);
	report_job(crew, job);
}

static void follow_job(struct job *job)
{
	if (job->log < 0)
		job->log = open(job->spec.serial_log, O_RDONLY | O_CLOEXEC);
	if (job->log >= 0)
		ktap_follow(&job->ktap, job->log);
}

/* Wait for a tick, or until a job ends or a signal comes. */
static void look(struct crew *crew)
{
	struct pollfd pfds[HEKIVM_PARALLEL_MAX + 1] = { { .fd = crew->signals, .events = POLLIN } };
	struct job *jobs[HEKIVM_PARALLEL_MAX + 1];
	struct signalfd_siginfo info;
	nfds_t count = 1, i;
	size_t j;

	for (j = 0; j < crew->next; j++) {
		if (!crew->list->jobs[j].child)
			continue;
		jobs[count] = &crew->list->jobs[j];
		pfds[count] = (struct pollfd){ .fd = jobs[count]->pipe, .events = POLLIN };
		count++;
	}
	poll(pfds, count, TICK);
	if (read(crew->signals, &info, sizeof(info)) == sizeof(info))
		crew->signal = (int)info.ssi_signo;
	for (i = 1; i < count; i++) {
		follow_job(jobs[i]);
		if (crew->signal)
			kill(jobs[i]->child, SIGTERM);
		if (pfds[i].revents)
			end_job(crew, jobs[i]);
	}
}

static void run_all(struct crew *crew, unsigned int parallel)
{
	while (crew->running || (!crew->signal && crew->next < crew->list->count)) {
		while (!crew->signal && crew->running < parallel && crew->next < crew->list->count)
			begin_job(crew, &crew->list->jobs[crew->next]);
		display(crew);
		look(crew);
	}
	clear_display(crew);
	/* What a signal has kept from running has not passed. */
	while (crew->next < crew->list->count) {
		not_started(&crew->list->jobs[crew->next], "not begun");
		judge_end(&crew->list->jobs[crew->next]);
		report_job(crew, &crew->list->jobs[crew->next++]);
	}
}

static void print_json(const struct job_list *list, unsigned int passed, unsigned int failed)
{
	json_t *jobs = json_array(), *object;
	const struct job *job;

	for (job = list->jobs; job < list->jobs + list->count; job++)
		json_array_append_new(
			jobs, json_pack("{s:s, s:s, s:s, s:o, s:i, s:i, s:i, s:I, s:s}", "name",
					job->spec.name, "state", vm_end_state(job->result.end),
					"end", vm_end_name(job->result.end), "reason",
					json_any(job->result.reason), "status",
					job->result.status, "passed", (int)job->ktap.passed, "failed", (int)job->ktap.failed,
					"elapsed_ms", (json_int_t)job->result.elapsed,
					"serial_log", job->spec.serial_log));
	object = json_pack("{s:i, s:i, s:i, s:o}", "schema_version", HEKIVM_SCHEMA_VERSION,
			   "passed", (int)passed, "failed", (int)failed, "jobs", jobs);
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
}

/* Return: the exit code. */
static int sum_up(const struct crew *crew)
{
	unsigned int passed = 0, failed = 0;
	size_t i;

	for (i = 0; i < crew->list->count; i++) {
		passed += crew->list->jobs[i].ktap.passed;
		failed += crew->list->jobs[i].ktap.failed;
	}
	if (crew->json)
		print_json(crew->list, passed, failed);
	else
		printf("%u passed, %u failed\n", passed, failed);
	if (crew->signal)
		return 128 + crew->signal;
	return failed ? VERB_FAILED : VERB_OK;
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run_crew(struct crew *crew, const struct vm_spec *spec, struct vm_error *error)
{
	crew->signals = watch_signals();
	if (crew->signals < 0)
		return vm_fail(error, HEKIVM_E_RUNTIME, "signalfd: %s", strerror(errno));
	if (!crew->json)
		printf("KTAP version 1\n1..%zu\n", crew->list->count);
	run_all(crew, spec->parallel);
	close(crew->signals);
	return sum_up(crew);
}

/**
 * vm_parallel - run a list of VM jobs, some at a time
 * @spec:  which list, how many at a time, what to write
 * @error: out: why none of them was started, or the results not written
 *
 * Return: an exit code, or -1.
 */
int vm_parallel(const struct vm_spec *spec, struct vm_error *error)
{
	struct job_list list;
	struct crew crew = { .list = &list, .json = spec->json };
	char namespace[32];
	FILE *junit = NULL;
	int ret = -1;

	snprintf(namespace, sizeof(namespace), "jobs-%d", (int)getpid());
	if (jobs_read(&list, spec->jobs, namespace, error))
		goto out;
	/* Not found out only when all VMs have run. */
	if (spec->junit)
		junit = fopen(spec->junit, "we");
	if (spec->junit && !junit) {
		vm_fail(error, HEKIVM_E_JUNIT, "%s: %s", spec->junit, strerror(errno));
		goto out;
	}
	ret = run_crew(&crew, spec, error);
	if (junit && junit_write(junit, &list))
		ret = vm_fail(error, HEKIVM_E_JUNIT, "%s: %s", spec->junit, strerror(errno));
out:
	jobs_free(&list);
	return ret;
}
