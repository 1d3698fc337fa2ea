/* SPDX-License-Identifier: GPL-2.0-only */
/* Results of the host tests: KTAP, last line "N passed, N failed". */
#ifndef ARM64_CHECK_H
#define ARM64_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

extern bool test_good;

#define CHECK(condition) check(condition, __LINE__, #condition)

static inline bool check(bool ok, int line, const char *text)
{
	if (!ok && test_good)
		printf("# line %d: not so: %s\n", line, text);
	test_good &= ok;
	return ok;
}

/**
 * test() - run one
 * @name: printed
 * @run: uses CHECK()
 */
void test(const char *name, void (*run)(void));

/**
 * random32() - a random number
 *
 * Return: the same sequence at each start.
 */
uint32_t random32(void);

/* The parts. */
void test_string(void);
void test_encodings(void);
void test_stage2(void);
void test_loader(void);
void test_config(void);
void test_device_tree(void);

/**
 * config_refuses() - whether options stop the hypervisor
 * @options: words
 *
 * Return: the exit code, 0 when they are read.
 */
uint32_t config_refuses(const char *options);

/**
 * refuses() - whether something stops the hypervisor
 * @run: does it
 *
 * Return: the exit code, 0 when it comes back.
 */
uint32_t refuses(void (*run)(void));

#endif /* ARM64_CHECK_H */
