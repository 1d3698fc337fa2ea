/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The harness of the host tests: each test runs in a process of its own, fails by exiting with
 * its first wrong result, and stands in the table of its file.
 */
#ifndef SELFTESTS_HOST_TEST_H
#define SELFTESTS_HOST_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
};

/* One table a file, ended by an entry without a name. */
struct suite {
	const char *name;
	const struct test *tests;
};

/* Ends the process with a diagnosis. */
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* Ends the process as skipped, with the reason: something outside the project is missing. */
void test_skip(const char *reason) __attribute__((noreturn));

/* A line of the report, for figures. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			test_fail(__FILE__, __LINE__, "not so: %s", #condition);                   \
	} while (0)

#define CHECK_EQUAL(got, expected)                                                                 \
	do {                                                                                       \
		long long got_ = (long long)(got), expected_ = (long long)(expected);              \
                                                                                                   \
		if (got_ != expected_)                                                             \
			test_fail(__FILE__, __LINE__, "%s is %#llx (%lld), not %#llx (%lld)",      \
				  #got, got_, got_, expected_, expected_);                         \
	} while (0)

/* The result of a vtlcall: a value >= 0, or minus a named error. */
void check_result(const char *file, int line, const char *what, int got, int expected);
#define CHECK_OK(call) check_result(__FILE__, __LINE__, #call, call, 0)
#define CHECK_REFUSED(error, call) check_result(__FILE__, __LINE__, #call, call, -HEKI_E_##error)

/* What all test processes add up, in shared memory. */
struct tally {
	uint64_t errors[128]; /* refusals by enum heki_error */
	uint64_t calls[32]; /* calls made, by enum heki_call_index */
	bool partial; /* not all tests run */
};
extern struct tally *tally;

#endif /* SELFTESTS_HOST_TEST_H */
