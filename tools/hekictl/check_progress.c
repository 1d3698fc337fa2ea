// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl module check: progress on standard error, once the work has taken a while.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "out.h"

#define TERMINAL_FIRST 500 /* milliseconds; shorter work needs none that nobody asked for */
#define TERMINAL_EVERY 100
#define LINE_EVERY 2000

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress_start(struct progress *progress, bool asked)
{
	bool terminal = isatty(STDERR_FILENO);

	*progress = (struct progress){
		.wanted = asked || terminal, .terminal = terminal, .start = now(),
	};
	progress->next = progress->start;
	if (!terminal)
		progress->next += LINE_EVERY;
	else if (!asked)
		progress->next += TERMINAL_FIRST;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t failed)
{
	uint64_t time = progress->wanted ? now() : 0;
	bool last = done == total && !progress->terminal;

	if (!progress->wanted || (time < progress->next && !last))
		return;
	fprintf(stderr, "%s%llu of %llu files checked, %llu failed, %llu s%s",
		progress->terminal ? "\r" : "hekictl: ", (unsigned long long)done,
		(unsigned long long)total, (unsigned long long)failed,
		(unsigned long long)(time - progress->start) / 1000,
		progress->terminal ? "\033[K" : "\n");
	fflush(stderr);
	progress->shown = progress->terminal;
	progress->next = time + (progress->terminal ? TERMINAL_EVERY : LINE_EVERY);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress->shown = false;
}
