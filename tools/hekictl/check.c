// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl module check: arguments, whom to trust, and the run over all files.
 */
#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "check.h"
#include "out.h"
#include "vmlinuz.h"

#define CHECK_WIDTH 80
#define JOBS_MAX 256
#define WAIT_MS 100
#define BLOCKLIST_FILE_MAX (1u << 20)

/* Whom to trust, in the order that a checker is told. */
enum source { SOURCE_REVOKED, SOURCE_SYSTEM, SOURCE_SECONDARY, SOURCE_COUNT };

/**
 * struct check - the command's arguments and what it works on
 * @paths:     certificate files by source
 * @npaths:    their numbers
 * @der:       certificates of these files
 * @blocklist: file of hashes, or NULL
 * @blocked:   what is in it
 * @jobs:      threads, 0: as many as processors
 * @progress:  --progress
 * @verbose:   -v
 */
struct check {
	struct run *run;
	char **paths[SOURCE_COUNT];
	size_t npaths[SOURCE_COUNT];
	struct file_data der[SOURCE_COUNT];
	const char *blocklist;
	struct file_data blocked;
	unsigned int jobs;
	bool progress;
	bool verbose;
	struct check_list list;
	struct checker **checkers;
	struct check_totals totals;
};

static int trust_source(struct check *check, struct checker *checker, enum source source)
{
	static uint32_t (*const tell[SOURCE_COUNT])(struct checker *, const uint8_t *, size_t) = {
		[SOURCE_REVOKED] = checker_revoke,
		[SOURCE_SYSTEM] = checker_trust,
		[SOURCE_SECONDARY] = checker_trust_secondary,
	};
	const struct file_data *der = &check->der[source];
	size_t used = 0, n;

	while ((n = der_size(der->p + used, der->n - used))) {
		uint32_t error = tell[source](checker, der->p + used, n);
		const char *name = error ? hekifs_error_names[error - 1] : NULL;

		/* What a revoked certificate signed is to be refused, not the command. */
		if (error && error != HEKI_E_REVOKED)
			return fail(check->run, EXIT_FAILED, "a certificate is refused: %s: %s",
				    name, hekifs_error_text(name));
		used += n;
	}
	return EXIT_OK;
}

/* Lines "bin:HEX" and "tbs:HEX"; what follows a '#' is a comment. */
static int block(struct check *check, struct checker *checker, char *lines)
{
	unsigned int number = 0;
	char *line;

	while ((line = strsep(&lines, "\n"))) {
		uint32_t error;

		number++;
		line[strcspn(line, "#")] = 0;
		for (size_t n = strlen(line); n && isspace((unsigned char)line[n - 1]); n--)
			line[n - 1] = 0;
		error = *line ? checker_block(checker, line) : 0;
		if (error)
			return fail(check->run, EXIT_FAILED, "%s:%u: %s: %s", check->blocklist, number,
				    hekifs_error_names[error - 1],
				    hekifs_error_text(hekifs_error_names[error - 1]));
	}
	return EXIT_OK;
}

/* Once: it may be a pipe. */
static int read_blocklist(struct check *check)
{
	int ret = check->blocklist ? file_read(check->blocklist, BLOCKLIST_FILE_MAX, &check->blocked) : 0;

	return ret ? fail(check->run, ret == -EACCES ? EXIT_PERMISSION : EXIT_FAILED, "%s: %s", check->blocklist,
			  cert_error(ret)) : EXIT_OK;
}

static int tell_blocklist(struct check *check, struct checker *checker)
{
	char *lines = text("%s", check->blocked.p ? (char *)check->blocked.p : "");
	int code = block(check, checker, lines);

	free(lines);
	return code;
}

/* A checker for each thread, all told the same. */
static int make_checkers(struct check *check)
{
	int code = read_blocklist(check);

	for (enum source s = 0; s < SOURCE_COUNT && !code; s++)
		if (check->npaths[s] || s == SOURCE_SYSTEM)
			code = cert_gather(check->run, check->paths[s], check->npaths[s],
					   &check->der[s]);
	check->checkers = must(calloc(check->jobs, sizeof(*check->checkers)));
	for (unsigned int i = 0; i < check->jobs && !code; i++) {
		check->checkers[i] = checker_new();
		code = tell_blocklist(check, check->checkers[i]);
		for (enum source s = 0; s < SOURCE_COUNT && !code; s++)
			code = trust_source(check, check->checkers[i], s);
	}
	return code;
}

/* Report a file; its exit code. */
static int report(struct check *check, const struct check_file *file, json_t *list)
{
	bool good = check_total_add(&check->totals, file);

	if (check->run->as_json)
		json_array_append_new(list, check_file_json(file));
	else if (!file->error && (!good || check->verbose || !file->searched))
		check_file_show(check->run, file);
	if (!file->error)
		return good ? EXIT_OK : EXIT_FAILED;
	return fail(check->run, file->error == -EACCES ? EXIT_PERMISSION : EXIT_FAILED, "%s: %s",
		    file->path, check_unreadable(file));
}

static void show_progress(struct check *check, struct progress *progress, struct check_pool *pool)
{
	progress_show(progress, check_pool_done(pool), check->list.count,
		      check->totals.files - check->totals.ok);
}

/* Whether reporting a file prints something. */
static bool is_loud(const struct check *check, const struct check_file *file)
{
	return file->error || (!check->run->as_json &&
			       (check->verbose || !file->searched || file->result->signature ||
				file->result->format));
}

/* The worst of all files: a permission that is missing goes before a check that failed. */
static int report_all(struct check *check, struct check_pool *pool, json_t *list)
{
	struct progress progress;
	int code = EXIT_OK;

	progress_start(&progress, check->progress);
	for (size_t i = 0; i < check->list.count; i++) {
		struct check_file *file = &check->list.files[i];
		int one;

		while (!check_pool_wait(pool, i, WAIT_MS))
			show_progress(check, &progress, pool);
		show_progress(check, &progress, pool);
		if (is_loud(check, file))
			progress_clear(&progress);
		one = report(check, file, list);
		code = one > code ? one : code;
		free(file->result);
		file->result = NULL;
	}
	progress_clear(&progress);
	return code;
}

static int check_files(struct check *check)
{
	struct check_pool *pool = check_pool_start(&check->list, check->checkers, check->jobs);
	json_t *list = must(json_array());
	int code;

	if (!pool) {
		json_decref(list);
		return fail(check->run, EXIT_FAILED, "no thread can be started");
	}
	code = report_all(check, pool, list);
	check_pool_stop(pool);
	json_object_set_new(check->run->json, "files", list);
	json_object_set_new(check->run->json, "totals", check_totals_json(&check->totals));
	if (!check->run->as_json && check->list.count > 1)
		check_totals_show(check->run, &check->totals);
	return code;
}

static int parse_jobs(struct check *check, const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (!isdigit((unsigned char)*s) || *end || n < 1 || n > JOBS_MAX)
		return fail_usage(check->run, "--jobs needs a number from 1 to %d", JOBS_MAX);
	check->jobs = (unsigned int)n;
	return EXIT_OK;
}

/* An option with a value. */
static int take_value(struct check *check, const char *option, char *value)
{
	static const char *const sources[SOURCE_COUNT] = {
		[SOURCE_REVOKED] = "--revoked", [SOURCE_SYSTEM] = "--cert",
		[SOURCE_SECONDARY] = "--secondary",
	};
	bool jobs = !strcmp(option, "--jobs"), blocklist = !strcmp(option, "--blocklist");
	size_t s = 0;

	while (s < SOURCE_COUNT && strcmp(option, sources[s]))
		s++;
	if (s == SOURCE_COUNT && !jobs && !blocklist)
		return fail_usage(check->run, "unexpected argument '%s'", option);
	if (!value)
		return fail_usage(check->run, "%s needs a %s", option, jobs ? "number" : "file");
	if (jobs)
		return parse_jobs(check, value);
	if (blocklist)
		check->blocklist = value;
	else
		check->paths[s][check->npaths[s]++] = value;
	return EXIT_OK;
}

static int parse(struct check *check)
{
	struct run *run = check->run;
	bool ended = false;
	int code = EXIT_OK;

	for (int i = 0; i < run->argc && !code; i++) {
		char *argument = run->argv[i];

		if (!ended && !strcmp(argument, "--"))
			ended = true;
		else if (ended || *argument != '-')
			check_list_add(&check->list, argument);
		else if (!strcmp(argument, "--progress"))
			check->progress = true;
		else if (!strcmp(argument, "-v"))
			check->verbose = true;
		else
			code = take_value(check, argument, ++i < run->argc ? run->argv[i] : NULL);
	}
	if (!code && !check->list.count)
		code = fail_usage(run, "which files?");
	return code;
}

/* Threads: what was asked for or the processors that may be used, but no more than files. */
static void choose_jobs(struct check *check)
{
	cpu_set_t cpus;

	if (!check->jobs)
		check->jobs = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 :
			      (unsigned int)CPU_COUNT(&cpus);
	if (check->jobs > JOBS_MAX)
		check->jobs = JOBS_MAX;
	if (check->jobs > check->list.count)
		check->jobs = (unsigned int)check->list.count;
}

static void drop(struct check *check)
{
	for (unsigned int i = 0; check->checkers && i < check->jobs; i++)
		checker_free(check->checkers[i]);
	free(check->checkers);
	for (enum source s = 0; s < SOURCE_COUNT; s++) {
		file_free(&check->der[s]);
		free(check->paths[s]);
	}
	file_free(&check->blocked);
	check_list_free(&check->list);
}

int command_module_check(struct run *run)
{
	struct check check = { .run = run };
	int code;

	for (enum source s = 0; s < SOURCE_COUNT; s++)
		check.paths[s] = must(calloc((size_t)run->argc + 1, sizeof(*check.paths[s])));
	if (!run->width)
		run->width = CHECK_WIDTH;
	code = parse(&check);
	if (!code) {
		choose_jobs(&check);
		code = make_checkers(&check);
	}
	if (!code)
		code = check_files(&check);
	drop(&check);
	return code;
}
