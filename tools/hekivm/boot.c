// SPDX-License-Identifier: GPL-2.0-only
/*
 * "boot": a VM that outlives its caller.
 *
 * A child becomes the parent of the engine and follows the VM to its end; it is what "run" does, in
 * a session of its own and without a terminal.  Through a pipe it tells the caller that the guest
 * has started, or why it has not and that nothing is left.  When the caller is gone by then, the VM
 * ends too.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hekivm.h"

#define SWEEP_TIME 5000 /* ms for the engine of a follower that was killed to die */

/**
 * struct report - what the child tells
 * @ret:   0 or -1
 * @error: why, of -1
 */
struct report {
	int ret;
	struct vm_error error;
};

/* Nothing of the caller's is held on to: a pipe that somebody reads to its end, a lock of a shell. */
static int let_go(int pipe_end)
{
	int null = open("/dev/null", O_RDWR);
	int ret = -1;

	if (null < 0)
		return -1;
	if (dup2(null, 0) >= 0 && dup2(null, 1) >= 0 && dup2(null, 2) >= 0)
		ret = 0;
	if (null > 2 && null != pipe_end)
		close(null);
	return ret;
}

static int keep_only(int pipe_end)
{
	if (pipe_end > 3 && close_range(3, (unsigned int)pipe_end - 1, 0))
		return -1;
	return close_range((unsigned int)pipe_end + 1, ~0u, 0);
}

static int tell_start(void *context, struct vm_error *error)
{
	struct report report = { .ret = 0 };
	int *pipe_end = context;

	if (let_go(*pipe_end))
		return vm_fail(error, HEKIVM_E_START, "/dev/null: %s", strerror(errno));
	if (!vm_write_all(*pipe_end, &report, sizeof(report)))
		return vm_fail(error, HEKIVM_E_START, "the caller is gone");
	close(*pipe_end);
	*pipe_end = -1;
	return 0;
}

/* In the child: never returns. */
static void follow_vm(const struct vm_spec *spec, int pipe_end)
{
	struct vm_start hook = { .call = tell_start, .context = &pipe_end };
	struct report report = { .ret = -1 };
	struct vm_result result;
	struct vm_spec kept = *spec;

	kept.keep = true;
	setsid();
	if (keep_only(pipe_end))
		vm_fail(&report.error, HEKIVM_E_START, "close_range: %s", strerror(errno));
	else if (!vm_run(&kept, -1, &hook, &result, &report.error))
		exit(VERB_OK);
	vm_write_all(pipe_end, &report, sizeof(report));
	exit(VERB_FAILED);
}

static int read_report(int fd, struct report *report)
{
	ssize_t done;

	do {
		done = read(fd, report, sizeof(*report));
	} while (done < 0 && errno == EINTR);
	return done == sizeof(*report) ? 0 : -1;
}

/* A follower that was killed has not tidied up. Its engine dies with it, but not at once. */
static void sweep(const struct vm_spec *spec)
{
	static const struct timespec tick = { .tv_nsec = 20000000 };
	int64_t deadline = vm_now() + SWEEP_TIME;
	struct vm_error error;
	struct vm_dir dir;

	if (vm_dir_find(spec->namespace, spec->name, &dir, &error))
		return;
	while (vm_dir_take(&dir)) {
		if (errno != EAGAIN || vm_now() >= deadline) {
			vm_dir_close(&dir);
			return;
		}
		nanosleep(&tick, NULL);
	}
	vm_dir_remove(&dir);
}

/**
 * vm_boot_undo - end a VM that vm_boot() has started, when its caller cannot be told of it
 * @spec:     the VM
 * @follower: the process that follows it, our child
 */
void vm_boot_undo(const struct vm_spec *spec, pid_t follower)
{
	kill(follower, SIGTERM);
	while (waitpid(follower, NULL, 0) < 0 && errno == EINTR)
		;
	sweep(spec);
}

/**
 * vm_boot - start a VM that goes on when we are gone
 * @spec:     the VM, checked
 * @follower: out: the process that follows it
 * @error:    out
 *
 * Return: 0 when the guest has started, or -1, then nothing is left of it.
 */
int vm_boot(const struct vm_spec *spec, pid_t *follower, struct vm_error *error)
{
	struct report report;
	int ends[2], ret;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return vm_fail(error, HEKIVM_E_START, "pipe: %s", strerror(errno));
	child = fork();
	if (!child) {
		close(ends[0]);
		follow_vm(spec, ends[1]);
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return vm_fail(error, HEKIVM_E_START, "fork: %s", strerror(errno));
	}
	ret = read_report(ends[0], &report);
	close(ends[0]);
	*follower = child;
	if (!ret && !report.ret)
		return 0;
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (ret) {
		sweep(spec);
		return vm_fail(error, HEKIVM_E_START, "its follower ended");
	}
	*error = report.error;
	return -1;
}
