// SPDX-License-Identifier: GPL-2.0-only
/* The host tests of the arm64 hypervisor: what its machine would be, and the list of the parts. */
#include <setjmp.h>
#include <stdlib.h>

#include "check.h"
#include "config.h"
#include "machine.h"

bool test_good;

static unsigned int passed, failed;
static enum exit_code failing;
static jmp_buf end;

void test(const char *name, void (*run)(void))
{
	test_good = true;
	run();
	test_good ? passed++ : failed++;
	printf("%sok %u %s\n", test_good ? "" : "not ", passed + failed, name);
}

uint32_t random32(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* What the hypervisor prints before it ends is not looked at here. */
void console_put(char c)
{
	(void)c;
}

void machine_fails_as(enum exit_code code)
{
	failing = code;
}

void machine_fail(void)
{
	longjmp(end, failing);
}

uint32_t config_refuses(const char *options)
{
	static struct guest_config c;
	int code = setjmp(end);

	if (!code)
		guest_config_read(&c, options);
	return (uint32_t)code;
}

uint32_t refuses(void (*run)(void))
{
	int code = setjmp(end);

	if (!code)
		run();
	return (uint32_t)code;
}

/* The caches are the host's own matter. */
void machine_clean(uint64_t start, uint64_t size)
{
	(void)start;
	(void)size;
}

int main(void)
{
	printf("KTAP version 1\n");
	test_string();
	test_encodings();
	test_stage2();
	test_config();
	test_loader();
	test_device_tree();
	printf("1..%u\n", passed + failed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
