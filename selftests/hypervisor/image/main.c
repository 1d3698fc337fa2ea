// SPDX-License-Identifier: GPL-2.0-only
/* Runs the tests, each in a process of its own; KTAP, last line "N passed, N failed". */
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suites.h"

#define TEST_SECONDS 20

static const struct suite suites[] = {
	{ "relocate", relocate_tests },
	{ "machine", machine_tests },
	{ "pagetable", pagetable_tests },
	{ "hypercall", hypercall_tests },
	{ "scratch", scratch_tests },
	{ "heap", heap_tests },
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

static bool run(const struct test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(TEST_SECONDS);
		test->run();
		fflush(stdout);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

int main(void)
{
	unsigned int results[2] = { 0, 0 };
	const struct test *test;
	bool ok;

	printf("KTAP version 1\n");
	for (size_t i = 0; i < SUITES; i++) {
		for (test = suites[i].tests; test->name; test++) {
			ok = run(test);
			results[ok]++;
			printf("%s %u %s.%s\n", ok ? "ok" : "not ok", results[0] + results[1],
			       suites[i].name, test->name);
		}
	}
	printf("1..%u\n", results[0] + results[1]);
	printf("%u passed, %u failed\n", results[1], results[0]);
	return results[0] ? 1 : 0;
}
