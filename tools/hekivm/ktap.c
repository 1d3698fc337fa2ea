// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest's tests say on its console: lines "ok ..." and "not ok ...", with comments behind the
 * latter, and a last line "N passed, N failed", which counts when there is one, since other messages
 * can tear the lines of a console.
 *
 * Trust boundary: the bytes are the guest's; only printable ASCII of them is kept, and only so many
 * results and so much of each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hekivm.h"

#define CASES_MAX 20000

static struct ktap_case *new_case(struct ktap *ktap)
{
	struct ktap_case *cases;

	if (ktap->count == CASES_MAX)
		return NULL;
	if (ktap->count % 64 == 0) {
		cases = realloc(ktap->cases, (ktap->count + 64) * sizeof(*cases));
		if (!cases)
			return NULL;
		ktap->cases = cases;
	}
	memset(&ktap->cases[ktap->count], 0, sizeof(*ktap->cases));
	return &ktap->cases[ktap->count++];
}

/**
 * ktap_add - add a result
 * @ktap:   the results
 * @passed: whether it is a good one
 * @name:   of the test
 */
void ktap_add(struct ktap *ktap, bool passed, const char *name)
{
	struct ktap_case *one = new_case(ktap);
	const char *skip = strstr(name, "# SKIP");

	if (passed)
		ktap->passed++;
	else
		ktap->failed++;
	if (!one)
		return;
	one->passed = passed;
	one->skipped = skip;
	one->name = skip ? strndup(name, (size_t)(skip - name)) : strdup(name);
	if (skip)
		one->text = strdup(skip + 2);
}

/* Behind "ok ": a number and a hyphen, which both may be missing. */
static const char *case_name(const char *text)
{
	text += strspn(text, "0123456789");
	text += strspn(text, " ");
	if (text[0] == '-' && text[1] == ' ')
		text += 2;
	return text;
}

/* A comment behind a bad result belongs to it. */
static void add_comment(struct ktap *ktap, const char *text)
{
	struct ktap_case *last = ktap->count ? &ktap->cases[ktap->count - 1] : NULL;
	char *longer;

	if (!last || last->passed || (last->text && strlen(last->text) > HEKIVM_TAIL_MAX))
		return;
	if (asprintf(&longer, "%s%s\n", last->text ? last->text : "", text) < 0)
		return;
	free(last->text);
	last->text = longer;
}

static void take_line(struct ktap *ktap)
{
	const char *line = ktap->line;
	unsigned int passed, failed;
	int end = 0;

	if (!strncmp(line, "ok ", 3))
		ktap_add(ktap, true, case_name(line + 3));
	else if (!strncmp(line, "not ok ", 7))
		ktap_add(ktap, false, case_name(line + 7));
	else if (!strncmp(line, "# ", 2))
		add_comment(ktap, line + 2);
	else if (sscanf(line, "%9u passed, %9u failed%n", &passed, &failed, &end) == 2 && end &&
		 !line[end]) {
		ktap->has_totals = true;
		ktap->total_passed = passed;
		ktap->total_failed = failed;
	}
}

/**
 * ktap_feed - take the next bytes of a console
 * @ktap: the results so far
 * @data: the bytes
 * @size: their number
 */
void ktap_feed(struct ktap *ktap, const char *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (data[i] == '\n') {
			ktap->line[ktap->length] = '\0';
			take_line(ktap);
			ktap->length = 0;
		} else if (data[i] != '\r' && ktap->length < sizeof(ktap->line) - 1) {
			ktap->line[ktap->length++] = data[i] < ' ' || data[i] == 0x7f ? '?' : data[i];
		}
	}
}

/**
 * ktap_follow - take what a log has got
 * @ktap: the results so far
 * @log:  the log, read from where it was left
 */
void ktap_follow(struct ktap *ktap, int log)
{
	char data[16384];
	ssize_t done;

	while ((done = read(log, data, sizeof(data))) > 0)
		ktap_feed(ktap, data, (size_t)done);
}

/**
 * ktap_finish - the console has ended: what holds?
 * @ktap: the results
 *
 * A total of the guest's that knows of more bad ones than were seen becomes a bad result too.
 */
void ktap_finish(struct ktap *ktap)
{
	char text[96];

	if (ktap->length)
		ktap_feed(ktap, "\n", 1);
	if (!ktap->has_totals)
		return;
	if (ktap->total_failed > ktap->failed) {
		snprintf(text, sizeof(text), "the guest counts %u failed, its console shows %u",
			 ktap->total_failed, ktap->failed);
		ktap_add(ktap, false, text);
		ktap->failed = ktap->total_failed;
	}
	ktap->passed = ktap->total_passed;
}

/**
 * ktap_free - forget results
 * @ktap: the results
 */
void ktap_free(struct ktap *ktap)
{
	size_t i;

	for (i = 0; i < ktap->count; i++) {
		free(ktap->cases[i].name);
		free(ktap->cases[i].text);
	}
	free(ktap->cases);
}
