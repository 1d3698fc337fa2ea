/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of "hekictl module check" share: the list of files, the threads that judge them,
 * the progress, the report.
 */
#ifndef HEKICTL_CHECK_H
#define HEKICTL_CHECK_H

#include "checker.h"

/* One more than VTL1 takes, so that a file that is too big is refused by its name. */
#define CHECK_FILE_MAX (HEKI_ELF_MAX + 1)

/**
 * struct check_file - a file to be judged
 * @path:     where it is, on the heap
 * @searched: a directory, or found in one
 * @error:    0, or minus an errno when it cannot be read; set before it is judged, too
 * @result:   what was found; NULL after an error
 * @done:     it was judged
 */
struct check_file {
	char *path;
	bool searched;
	int error;
	struct check_result *result;
	bool done;
};

struct check_list {
	struct check_file *files;
	size_t count;
	size_t room;
};

/* Add a file, or all modules below a directory in the order of their names. */
void check_list_add(struct check_list *list, const char *path);
void check_list_free(struct check_list *list);

/**
 * struct check_totals - sums over all files
 * @files:      looked at
 * @ok:         good ones
 * @unreadable: those that could not be read
 * @bytes:      uncompressed, of those that were judged
 * @errors:     files by enum heki_error; one may count under two
 */
struct check_totals {
	uint64_t files;
	uint64_t ok;
	uint64_t unreadable;
	uint64_t bytes;
	uint64_t errors[HEKI_ERROR_COUNT];
};

/* Count a file that is done; whether it is good. */
bool check_total_add(struct check_totals *totals, const struct check_file *file);

/* Why a file could not be read. */
const char *check_unreadable(const struct check_file *file);

void check_file_show(const struct run *run, const struct check_file *file);
json_t *check_file_json(const struct check_file *file);
void check_totals_show(const struct run *run, const struct check_totals *totals);
json_t *check_totals_json(const struct check_totals *totals);

struct check_pool;

/**
 * check_pool_start() - threads that judge files
 * @list:     the files; the threads write to them until check_pool_stop()
 * @checkers: one for each thread, all with the same trust
 * @jobs:     number of threads
 *
 * Return: the pool, or NULL when not even one thread could be started
 */
struct check_pool *check_pool_start(struct check_list *list, struct checker **checkers,
				    size_t jobs);

/* Wait until a file is done, but not longer than @milliseconds; whether it is. */
bool check_pool_wait(struct check_pool *pool, size_t index, unsigned int milliseconds);

/* Files that are done by now. */
size_t check_pool_done(struct check_pool *pool);

void check_pool_stop(struct check_pool *pool);

/**
 * struct progress - how far the work is, on standard error
 * @wanted:   it is shown at all
 * @terminal: as one line that is written over, else as lines
 * @start:    milliseconds of the monotonic clock
 * @next:     when to show it again
 * @shown:    the line stands on the terminal
 */
struct progress {
	bool wanted;
	bool terminal;
	uint64_t start;
	uint64_t next;
	bool shown;
};

/* @asked: also when standard error is no terminal. */
void progress_start(struct progress *progress, bool asked);
void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t failed);
/* Make place for output. */
void progress_clear(struct progress *progress);

#endif /* HEKICTL_CHECK_H */
