// SPDX-License-Identifier: GPL-2.0-only
/*
 * main [FILTER...]: runs the host tests whose "suite.name" contains one of FILTER, or all; KTAP
 * on standard output, last line "N passed, N failed".
 */
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "suites.h"
#include "test.h"

#define EXIT_SKIPPED 77
#define TEST_SECONDS 60

struct tally *tally;

static unsigned int passed, failed, skipped, number;

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

void test_skip(const char *reason)
{
	printf("# %s\n", reason);
	fflush(stdout);
	_exit(EXIT_SKIPPED);
}

void test_note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void check_result(const char *file, int line, const char *what, int got, int expected)
{
	if (got == expected || (!expected && got > 0))
		return;
	test_fail(file, line, "%s gave %d (%s), not %d (%s)", what, got,
		  got < 0 ? heki_error_name((uint32_t)-got) : "ok", expected,
		  expected < 0 ? heki_error_name((uint32_t)-expected) : "ok");
}

static bool wanted(const char *name, char **filters)
{
	if (!*filters)
		return true;
	for (; *filters; filters++)
		if (strstr(name, *filters))
			return true;
	return false;
}

static int run_in_child(const struct test *test)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid) {
		alarm(TEST_SECONDS);
		test->run();
		exit(0); /* with the leak check */
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void run_one(const char *suite, const struct test *test, char **filters)
{
	char name[160];
	int status;

	snprintf(name, sizeof(name), "%s.%s", suite, test->name);
	if (!wanted(name, filters))
		return;
	status = run_in_child(test);
	number++;
	if (!status)
		passed++;
	else if (status == EXIT_SKIPPED)
		skipped++;
	else
		failed++;
	printf("%sok %u %s%s\n", !status || status == EXIT_SKIPPED ? "" : "not ", number, name,
	       status == EXIT_SKIPPED ? " # SKIP" : "");
}

int main(int argc, char **argv)
{
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (tally == MAP_FAILED)
		return 2;
	tally->partial = argc > 1;
	printf("KTAP version 1\n");
	for (const struct suite *suite = suites; suite->name; suite++)
		for (const struct test *test = suite->tests; test->name; test++)
			run_one(suite->name, test, argv + 1);
	printf("1..%u\n", number);
	if (skipped)
		printf("# %u skipped\n", skipped);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
