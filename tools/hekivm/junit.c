// SPDX-License-Identifier: GPL-2.0-only
/*
 * JUnit XML of a list of VM jobs, as Jenkins, GitLab and others read it: a test suite for each job.
 */
#include <stdio.h>

#include "hekivm.h"

/* The texts are printable ASCII and newlines (ktap.c), or were made so (run.c). */
static void put_text(FILE *out, const char *text)
{
	for (; text && *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			putc(*text == '\n' || (*text >= ' ' && *text != 0x7f) ? *text : '?', out);
		}
	}
}

static void put_case(FILE *out, const char *suite, const struct ktap_case *one)
{
	fprintf(out, "    <testcase classname=\"%s\" name=\"", suite);
	put_text(out, one->name);
	if (one->passed && !one->skipped) {
		fputs("\"/>\n", out);
		return;
	}
	fputs(one->passed ? "\"><skipped message=\"" : "\"><failure message=\"", out);
	put_text(out, one->passed ? one->text : one->name);
	fputs("\">", out);
	if (!one->passed)
		put_text(out, one->text);
	fputs(one->passed ? "</skipped></testcase>\n" : "</failure></testcase>\n", out);
}

static void put_suite(FILE *out, const struct job *job)
{
	unsigned int failures = 0, skipped = 0;
	size_t i;

	for (i = 0; i < job->ktap.count; i++) {
		failures += !job->ktap.cases[i].passed;
		skipped += job->ktap.cases[i].passed && job->ktap.cases[i].skipped;
	}
	fprintf(out, "  <testsuite name=\"%s\" tests=\"%zu\" failures=\"%u\" skipped=\"%u\" time=\"%lld.%03d\">\n",
		job->spec.name, job->ktap.count, failures, skipped,
		(long long)(job->result.elapsed / 1000), (int)(job->result.elapsed % 1000));
	for (i = 0; i < job->ktap.count; i++)
		put_case(out, job->spec.name, &job->ktap.cases[i]);
	fputs("  </testsuite>\n", out);
}

/**
 * junit_write - write what came of a list of jobs
 * @out:  the file, which is closed
 * @list: the jobs
 *
 * Return: 0 or -1 with errno.
 */
int junit_write(FILE *out, const struct job_list *list)
{
	bool bad;
	size_t i;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"hekivm\">\n", out);
	for (i = 0; i < list->count; i++)
		put_suite(out, &list->jobs[i]);
	fputs("</testsuites>\n", out);
	bad = ferror(out);
	return fclose(out) || bad ? -1 : 0;
}
