// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the search for the ready marker: what follows "HEKIVM-READY ", whole and in all pieces.
 */
#include <stdio.h>
#include <string.h>

#include "hekivm.h"

static const struct {
	const char *text;
	const char *address;
} cases[] = {
	{ "HEKIVM-READY 10.0.2.15\n", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2.15\r\n", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2.15 and more\n", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2.15/24\n", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2.15foo\n", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2.15.\n", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2.15, 10.0.2.16\n", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2.15\nHEKIVM-READY 10.0.2.16\n", "10.0.2.15" },
	{ "HEKIVM-READY ::1\n", "::1" },
	{ "HEKIVM-READY fe80::\n", "fe80::" },
	{ "HEKIVM-READY fe80::1: up\n", "fe80::1" },
	{ "HEKIVM-READY 1:2:3:4:5:6:123.123.123.123 x", "1:2:3:4:5:6:123.123.123.123" },
	{ "xHEKIHEKIVM-READY 10.0.2.15\n", "10.0.2.15" },
	{ "\x1b[0mHEKIVM-READY 10.0.2.15\x1b", "10.0.2.15" },
	{ "HEKIVM-READY x HEKIVM-READY 10.0.2.15 ", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2HEKIVM-READY 10.0.2.15 ", "10.0.2.15" },
	{ "HEKIVM-READY 10.0.2.15", "" }, /* more digits may come */
	{ "HEKIVM-READY\n10.0.2.15\n", "" },
	{ "HEKIVM-READY  10.0.2.15\n", "" },
	{ "HEKIVM-READY 10.0.2.1555\n", "" },
	{ "HEKIVM-READY 10.0.2.15.7\n", "" },
	{ "HEKIVM-READY 10.0.2.256\n", "" },
	{ "HEKIVM-READY 10.0.2\n", "" },
	{ "HEKIVM-READY .\n", "" },
	{ "HEKIVM-READY :\n", "" },
	{ "HEKIVM-READY \n", "" },
	{ "hekivm-ready 10.0.2.15\n", "" },
	{ "HEKIVM-READY 1111111111111111111111111111111111111111111111111111111111111111\n", "" },
};

/* In two pieces, cut at each place. */
static int judge(const char *text, const char *address)
{
	size_t size = strlen(text), cut;

	for (cut = 0; cut <= size; cut++) {
		struct ready ready = { .matched = 0 };

		ready_scan(&ready, text, cut);
		ready_scan(&ready, text + cut, size - cut);
		if (strcmp(ready.address, address)) {
			printf("# cut at %zu: \"%s\"\n", cut, ready.address);
			return 1;
		}
	}
	return 0;
}

int main(void)
{
	static const char nul[] = "HEKIVM-READY 10.0.2.15\0";
	struct ready ready = { .matched = 0 };
	size_t i;
	int bad, failed = 0;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bad = judge(cases[i].text, cases[i].address);
		failed += bad;
		printf("%s - marker %zu: \"%s\"\n", bad ? "not ok" : "ok", i, cases[i].address);
	}
	ready_scan(&ready, "\0\xff", 2);
	ready_scan(&ready, nul, sizeof(nul));
	bad = strcmp(ready.address, "10.0.2.15") != 0;
	failed += bad;
	printf("%s - marker before a NUL\n", bad ? "not ok" : "ok");
	return failed != 0;
}
