// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl log: VTL1's records, and following them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "out.h"

#define FOLLOW_NS 500000000l

static bool is(const struct hekifs_record *record, const char *key, const char *value)
{
	const char *s = hekifs_get(record, key);

	return s && !strcmp(s, value);
}

/* A value that says something: there, not empty, not "none". */
static const char *said(const struct hekifs_record *record, const char *key)
{
	const char *s = hekifs_get(record, key);

	return s && *s && strcmp(s, "none") ? s : NULL;
}

bool log_is_refusal(const struct hekifs_record *record)
{
	return is(record, "event", "refusal");
}

enum color log_color(const struct hekifs_record *record)
{
	if (is(record, "event", "violation"))
		return COLOR_BAD;
	return log_is_refusal(record) || is(record, "event", "intercept") ? COLOR_WARN : COLOR_NONE;
}

char *log_time(const struct hekifs_record *record)
{
	uint64_t ns;

	if (!hekifs_number(record, "time_ns", &ns))
		return NULL;
	return text("%" PRIu64 ".%06" PRIu64, ns / 1000000000, ns / 1000 % 1000000);
}

char *log_what(const struct hekifs_record *record)
{
	const char *call = said(record, "call"), *name = said(record, "name");
	const char *event = hekifs_get(record, "event");

	if (!log_is_refusal(record) || !call)
		call = event ? event : "unknown";
	return text("%s%s%s", call, name ? " " : "", name ? name : "");
}

/* What the address of a record is. */
static const char *address_kind(const struct hekifs_record *record)
{
	if (is(record, "event", "module") || is(record, "event", "unload"))
		return "token";
	return is(record, "event", "kexec") ? "slot" : "at";
}

/* "at 0x1000", on the heap; empty when the record is about no address. */
static char *address_text(const struct hekifs_record *record)
{
	uint64_t n;

	if (!hekifs_number(record, "address", &n) || !n)
		return text("%s", "");
	if (strcmp(address_kind(record), "at"))
		return text("%s %" PRIu64, address_kind(record), n);
	return text("at 0x%" PRIx64, n);
}

char *log_why(const struct hekifs_record *record)
{
	const char *error = said(record, "error"), *details = said(record, "text");
	const char *meaning = error ? hekifs_error_text(error) : NULL;
	char *where = address_text(record), *why;
	bool alone = !error && !details;

	why = text("%s%s%s%s%s%s%s%s", error ? error : "", meaning ? ": " : "",
		   meaning ? meaning : "", error && details ? "; " : "", details ? details : "",
		   *where && !alone ? " (" : "", where, *where && !alone ? ")" : "");
	free(where);
	return why;
}

/* Refusals of text patches in a row share records: those before this one that have none. */
static void show_omitted(const struct hekifs_record *record)
{
	uint64_t n;

	if (hekifs_number(record, "omitted", &n) && n)
		printf("... %" PRIu64 " text patches were refused without a record\n", n);
}

static void show_record(const struct run *run, const struct hekifs_record *record)
{
	char *raw_time = log_time(record), *raw_what = log_what(record), *raw_why = log_why(record);
	const char *vp = hekifs_get(record, "vp");
	char *raw = text("[%12s] cpu%s %s", raw_time ? raw_time : "unknown", vp ? vp : "?", raw_what);
	char *head = printable(raw), *why = printable(raw_why);

	show_omitted(record);
	put_color(run, log_color(record), head);
	printf("%s%s\n", *why ? "  " : "", why);
	free(raw_time);
	free(raw_what);
	free(raw_why);
	free(raw);
	free(head);
	free(why);
}

static void show_line(const struct hekifs_record *record)
{
	json_t *line = must(json_object());

	json_object_set_new(line, "schema_version", json_integer(HEKICTL_SCHEMA));
	json_object_set_new(line, "command", json_string("log"));
	json_object_set_new(line, "record", json_record(record));
	json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(line);
}

/* Records from @first on that are newer than *last; *last is moved on. */
static void show_new(const struct run *run, const struct hekifs_file *log, size_t first,
		     uint64_t *last)
{
	for (size_t i = first; i < log->count; i++) {
		uint64_t seq;

		if (!hekifs_number(&log->records[i], "seq", &seq) || seq <= *last)
			continue;
		if (*last && seq > *last + 1 && !run->as_json)
			printf("... %" PRIu64 " records were lost\n", seq - *last - 1);
		if (run->as_json)
			show_line(&log->records[i]);
		else
			show_record(run, &log->records[i]);
		*last = seq;
	}
	fflush(stdout);
}

static int follow(struct run *run, struct hekifs_file *log, size_t first)
{
	const struct timespec pause = { .tv_nsec = FOLLOW_NS };
	uint64_t last = 0;
	int code = EXIT_OK;

	while (!code && !ferror(stdout)) {
		show_new(run, log, first, &last);
		first = 0;
		nanosleep(&pause, NULL);
		hekifs_free(log);
		code = load_file(run, "log", log);
	}
	return code;
}

static void show_all(struct run *run, struct hekifs_file *log, size_t first)
{
	json_t *array = must(json_array());

	for (size_t i = first; i < log->count; i++) {
		if (run->as_json)
			json_array_append_new(array, json_record(&log->records[i]));
		else
			show_record(run, &log->records[i]);
	}
	json_object_set_new(run->json, "records", array);
}

/* The argument of -n: a decimal number. */
static bool parse_count(const char *s, size_t *n)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	*n = strtoul(s, &end, 10);
	return !*end;
}

int command_log(struct run *run)
{
	struct hekifs_file log;
	size_t last = SIZE_MAX, first;
	bool following = false;
	int code;

	for (int i = 0; i < run->argc; i++) {
		if (!strcmp(run->argv[i], "-f"))
			following = true;
		else if (strcmp(run->argv[i], "-n"))
			return fail_usage(run, "unexpected argument '%s'", run->argv[i]);
		else if (++i == run->argc || !parse_count(run->argv[i], &last))
			return fail_usage(run, "-n needs a number");
	}
	code = load_file(run, "log", &log);
	first = log.count > last ? log.count - last : 0;
	if (!code && following)
		code = follow(run, &log, first);
	else if (!code)
		show_all(run, &log, first);
	hekifs_free(&log);
	return code;
}
