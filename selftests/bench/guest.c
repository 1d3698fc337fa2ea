// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench-guest - the first process of a VM that counts instructions
 *
 * Runs where the time-stamp counter advances by one for each instruction (hekivm's accelerator
 * tcg-icount), which it checks first.  What the CPU sleeps, the counter advances too; the kernel
 * knows how long it slept, and that is taken off.  Prints a line "bench NAME UNIT VALUE" for each
 * figure, the least of several rounds (what ticks and reclaim add is none of it; of modules the
 * median), and ends the VM; its status is 0 only when everything that was to be measured has worked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOCK_WAIT_MS 60000
#define SETTLE_SECONDS 300
#define HEKI "/sys/kernel/security/heki/"

static inline uint64_t counter(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

__attribute__((noreturn))
static void end(int status)
{
	fflush(stdout);
	execl("/bin/vmexit", "vmexit", status ? "1" : "0", NULL);
	_exit(1); /* the kernel panics, which hekivm reports */
}

__attribute__((noreturn, format(printf, 1, 2)))
static void fail(const char *format, ...)
{
	int error = errno;
	va_list args;

	printf("bench-guest: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(": %s\n", strerror(error));
	end(1);
}

static void report(const char *name, const char *unit, uint64_t value)
{
	printf("bench %s %s %llu\n", name, unit, (unsigned long long)value);
}

/* Contents of a small file, a string of at most @size - 1 bytes. */
static void read_file(const char *path, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("%s", path);
	while (length < size - 1 && (n = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	close(fd);
}

/* Nanoseconds that the only CPU has slept. */
static uint64_t slept(void)
{
	static const char key[] = ".idle_sleeptime ";
	static char text[1 << 16];
	char *at;

	read_file("/proc/timer_list", text, sizeof(text));
	at = strstr(text, key);
	if (!at) {
		errno = ENOENT;
		fail("%s in /proc/timer_list", key);
	}
	return strtoull(strpbrk(at, "0123456789"), NULL, 10);
}

/**
 * struct probe - what is being measured
 * @name:   of the figure
 * @run:    does it
 * @fd:     for @run
 * @path:   for @run
 * @rounds: how often it is measured
 * @times:  how often it is done in a round
 */
struct probe {
	const char *name;
	void (*run)(const struct probe *probe);
	const char *path;
	unsigned int rounds;
	unsigned int times;
	int fd[2];
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static uint64_t one_round(const struct probe *probe)
{
	uint64_t idle = slept(), start = counter(), taken;
	unsigned int i;

	for (i = 0; i < probe->times; i++)
		probe->run(probe);
	taken = counter() - start;
	return (taken - (slept() - idle)) / probe->times;
}

/*
 * Under the project's hypervisor: what it has counted until now is printed on its console. The line
 * here says what has been measured since the mark before.
 */
static void mark(const char *name)
{
	const off_t console = 0x2f8;
	static unsigned char marks;
	int fd;

	if (!getenv("bench_marks"))
		return;
	marks++;
	fd = open("/dev/port", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, &marks, 1, console) != 1)
		fail("/dev/port");
	close(fd);
	printf("mark %u %s\n", marks, name);
}

/* The first round warms up. */
static void measure(const struct probe *probe)
{
	uint64_t taken, least = UINT64_MAX;
	unsigned int i;

	one_round(probe);
	mark("between");
	for (i = 0; i < probe->rounds; i++) {
		taken = one_round(probe);
		if (taken < least)
			least = taken;
	}
	mark(probe->name);
	report(probe->name, "instructions", least);
}

/* --- the clock --- */

/* Two instructions a round; few more read the counter. */
static void check_clock(void)
{
	const uint64_t known = 2000000;
	uint64_t best = UINT64_MAX, start, taken, rounds;
	unsigned int i;

	for (i = 0; i < 9; i++) {
		rounds = known / 2;
		start = counter();
		__asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds) : : "cc");
		taken = counter() - start;
		if (taken < best)
			best = taken;
	}
	report("clock_loop_of_2000000", "instructions", best);
	errno = ERANGE;
	if (best < known || best > known + known / 10000)
		fail("the time-stamp counter counts no instructions");
}

/*
 * Work that the kernel began while it booted is none of what is measured. With the pair some of it
 * runs earlier, while the lock sleeps, so costs of booting are told apart only when all is done.
 */
static void settle(void)
{
	const uint64_t second = 1000000000;
	unsigned int i, quiet = 0;
	uint64_t idle;

	for (i = 0; i < SETTLE_SECONDS && quiet < 5; i++) {
		idle = slept();
		usleep(1000000);
		quiet = slept() - idle > second - second / 50 ? quiet + 1 : 0;
	}
	errno = ETIMEDOUT;
	if (quiet < 5)
		fail("the kernel has not come to rest");
}

/* --- system calls and processes --- */

static void run_getppid(const struct probe *probe)
{
	(void)probe;
	syscall(SYS_getppid);
}

static void run_stat(const struct probe *probe)
{
	struct stat st;

	if (stat(probe->path, &st))
		fail("stat %s", probe->path);
}

static void run_open_close(const struct probe *probe)
{
	int fd = open(probe->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || close(fd))
		fail("open %s", probe->path);
}

static void wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail("child");
	errno = ECANCELED;
	if (status)
		fail("status %#x of a child", (unsigned int)status);
}

static void run_fork(const struct probe *probe)
{
	pid_t pid = fork();

	(void)probe;
	if (!pid)
		_exit(0);
	wait_for(pid);
}

static void run_exec(const struct probe *probe)
{
	pid_t pid = vfork();

	if (!pid) {
		execl(probe->path, probe->path, "nothing", NULL);
		_exit(1);
	}
	wait_for(pid);
}

static void run_ping(const struct probe *probe)
{
	char byte = 0;

	if (write(probe->fd[1], &byte, 1) != 1 || read(probe->fd[0], &byte, 1) != 1)
		fail("pipe");
}

/* Two processes that send a byte back and forth. */
static void measure_pipe(void)
{
	struct probe probe = { .name = "pipe_ping_pong", .run = run_ping, .rounds = 21, .times = 50 };
	int to[2], from[2];
	char byte;
	pid_t pid;

	if (pipe(to) || pipe(from))
		fail("pipe");
	pid = fork();
	if (!pid) {
		close(to[1]);
		while (read(to[0], &byte, 1) == 1 && write(from[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	probe.fd[0] = from[0];
	probe.fd[1] = to[1];
	measure(&probe);
	close(to[1]);
	wait_for(pid);
	close(to[0]);
	close(from[0]);
	close(from[1]);
}

static void measure_calls(const char *self)
{
	const struct probe probes[] = {
		{ .name = "getppid", .run = run_getppid, .rounds = 21, .times = 100 },
		{ .name = "stat", .run = run_stat, .path = self, .rounds = 21, .times = 100 },
		{ .name = "open_close", .run = run_open_close, .path = self, .rounds = 21,
		  .times = 100 },
		{ .name = "fork_exit", .run = run_fork, .rounds = 21, .times = 5 },
		{ .name = "exec", .run = run_exec, .path = self, .rounds = 21, .times = 5 },
	};
	size_t i;

	for (i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		measure(&probes[i]);
	measure_pipe();
}

/* --- switches of the kernel --- */

static void run_switch(const struct probe *probe)
{
	if (pwrite(probe->fd[0], "1", 1, 0) != 1 || pwrite(probe->fd[0], "0", 1, 0) != 1)
		fail("%s", probe->path);
}

static void measure_switch(const char *name, const char *path)
{
	struct probe probe = {
		.name = name, .run = run_switch, .path = path, .rounds = 21, .times = 1,
	};

	probe.fd[0] = open(path, O_WRONLY | O_CLOEXEC);
	if (probe.fd[0] < 0)
		fail("%s", path);
	measure(&probe);
	close(probe.fd[0]);
}

/* --- modules --- */

static uint64_t load(const char *path)
{
	uint64_t idle, start, taken;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("%s", path);
	idle = slept();
	start = counter();
	if (syscall(SYS_finit_module, fd, "", 0))
		fail("load %s", path);
	taken = counter() - start;
	taken -= slept() - idle;
	close(fd);
	return taken;
}

/* Work of the kernel's may still hold the module. */
static void unload(const char *name)
{
	unsigned int tries;

	for (tries = 0; syscall(SYS_delete_module, name, O_NONBLOCK); tries++) {
		if (tries == 100 || (errno != EAGAIN && errno != EBUSY))
			fail("unload %s", name);
		usleep(10000);
	}
	usleep(200000); /* freeing its memory is no part of loading the next one */
}

/* Each module comes after those that it needs. @how is behind the names of the figures. */
static void measure_modules(const char *how)
{
	static const char *const names[] = { "crc16", "mbcache", "jbd2", "ext4" };
	enum { COUNT = sizeof(names) / sizeof(names[0]), ROUNDS = 5 };
	uint64_t taken[COUNT][ROUNDS];
	unsigned int i, round;
	char text[64];

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < COUNT; i++) {
			snprintf(text, sizeof(text), "/extra/%s.ko", names[i]);
			taken[i][round] = load(text);
			usleep(200000);
		}
		for (i = COUNT; i--; )
			unload(names[i]);
	}
	for (i = 0; i < COUNT; i++) {
		snprintf(text, sizeof(text), "insmod_%s%s_first", names[i], how);
		report(text, "instructions", taken[i][0]);
		snprintf(text, sizeof(text), "insmod_%s%s", names[i], how);
		report(text, "instructions", median(taken[i], ROUNDS));
	}
}

/* --- trust levels --- */

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail("%s", path);
	close(fd);
}

/* All that a call which does nothing costs, VTL1's part included; the module checks each result. */
static void measure_vtl_calls(void)
{
	static const char parameters[] = "/sys/module/vtl_calls/parameters/";
	char path[128], text[32];

	load("/extra/vtl_calls.ko");
	snprintf(path, sizeof(path), "%scalls", parameters);
	put_file(path, "100");
	mark("between");
	put_file(path, "1000");
	mark("vtl_calls_1000");
	snprintf(path, sizeof(path), "%scycles", parameters);
	read_file(path, text, sizeof(text));
	report("vtl_echo_call", "instructions", strtoull(text, NULL, 10));
}

/* --- the pair --- */

static void wait_until_locked(void)
{
	char text[1 << 14];
	unsigned int ms;

	for (ms = 0; ms < LOCK_WAIT_MS; ms++) {
		read_file(HEKI "status", text, sizeof(text));
		if (strstr(text, "\nphase=locked\n"))
			return;
		if (strstr(text, "\nphase=failed\n"))
			break;
		usleep(1000);
	}
	errno = ETIMEDOUT;
	fail("the pair has not locked");
}

/* When the pair had locked. */
static void measure_lock(void)
{
	wait_until_locked();
	report("boot_to_lock", "instructions", counter() - slept());
}

/* What one look at all protected pages costs. */
static void measure_audit(void)
{
	uint64_t idle, start, taken;
	pid_t pid;
	int null;

	fflush(stdout);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0)
		fail("/dev/null");
	idle = slept();
	start = counter();
	pid = fork();
	if (!pid) {
		if (dup2(null, STDOUT_FILENO) < 0)
			_exit(1);
		execl("/bin/hekictl", "hekictl", "audit", NULL);
		_exit(1);
	}
	wait_for(pid);
	taken = counter() - start;
	close(null);
	report("audit_of_all_pages", "instructions", taken - (slept() - idle));
}

static void mount_all(void)
{
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL) ||
	    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL))
		fail("mount");
}

int main(int argc, char **argv)
{
	uint64_t begin = counter();
	char mode[16];
	bool audit, pair;

	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	if (getpid() != 1) {
		fprintf(stderr, "bench-guest: runs as the first process of a VM\n");
		return 1;
	}
	mount_all();
	report("boot_to_pid_1", "instructions", begin - slept());
	mark("boot_to_pid_1");
	check_clock();
	read_file("/etc/heki-mode", mode, sizeof(mode));
	audit = !strcmp(mode, "audit\n");
	pair = audit || !strcmp(mode, "enforce\n");
	if (pair)
		measure_lock();
	settle();
	report("boot_to_rest", "instructions", counter() - slept());
	mark("between");
	usleep(1000000);
	mark("one_second_at_rest");
	if (audit)
		measure_audit();
	measure_calls(argv[0]);
	if (getenv("bench_vtl_calls"))
		measure_vtl_calls();
	measure_switch("static_key_on_off", "/proc/sys/kernel/sched_schedstats");
	measure_switch("tracepoint_on_off",
		       "/sys/kernel/tracing/events/sched/sched_process_fork/enable");
	measure_modules("");
	if (!pair) {
		/* The pair brings the kernel's faster SHA-256 along; a stock kernel that has it. */
		load("/extra/sha256-ssse3.ko");
		measure_modules("_fast_hash");
	}
	end(0);
}
