// SPDX-License-Identifier: GPL-2.0-only
/*
 * mutate CERT FILES CHANGES [EVERY] <LIST - change single bytes of signed modules, and demand that
 * hekictl's checker, which is VTL1's core, refuses each with a named error
 *
 * LIST is paths of modules, good ones, a line each.  FILES of them are taken: most of middle size,
 * some of all sizes.  CHANGES are made, spread evenly over these files, in each evenly over the
 * kinds of regions that it has.  Of the EVERY smallest of these files every byte of the signature,
 * its description and its marker is made every other value; of an RSA signature's value the bits
 * are changed one at a time, which takes long enough.  The choice is the same in each run over the same list.
 *
 * Prints a table, and each change that is not refused as it must be.  Exit status: 0, 1 when there
 * is such a change, 2 for what cannot be done.  Two threads; each file is judged by one of them.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "checker.h"
#include "file.h"
#include "regions.h"

#define SEED 0x48454b49u
#define THREADS 2
#define EC_SIGNATURE_MAX 200 /* bytes; any RSA signature is longer */

struct module {
	char *path;
	off_t size; /* as it is stored, maybe compressed: good enough to choose by */
};

/**
 * struct tally - what came of the changes
 * @made:   by kind of region
 * @wrong:  accepted, or refused by a name that says something else
 * @errors: by kind of region and enum heki_error
 */
struct tally {
	uint64_t made[REGION_KINDS];
	uint64_t wrong;
	uint64_t errors[REGION_KINDS][HEKI_ERROR_COUNT];
};

struct job {
	struct module *modules;
	size_t count;
	size_t changes;
	size_t every;
	atomic_size_t next;
	struct file_data cert;
};

struct worker {
	struct job *job;
	struct checker *checker;
	struct tally tally;
	pthread_t thread;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "mutate: %s: %s\n", what, why);
	exit(2);
}

/* The checker's, which ends hekictl when there is no memory. */
void *must(void *p)
{
	if (!p)
		die("memory", "there is none");
	return p;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* What a change may be refused with: content is bound by the signature and by nothing else. */
static bool is_right(enum region_kind kind, uint32_t error)
{
	switch (kind) {
	case REGION_MARKER:
		return error == HEKI_E_NO_SIGNATURE;
	case REGION_DESCRIPTION:
		return error == HEKI_E_SIGNATURE_FORMAT;
	case REGION_CMS:
		return error == HEKI_E_SIGNATURE_FORMAT || error == HEKI_E_SIGNATURE_ALGORITHM ||
		       error == HEKI_E_NO_KEY || error == HEKI_E_SIGNATURE;
	default:
		return error == HEKI_E_SIGNATURE;
	}
}

static const char *verdict_name(uint32_t error)
{
	return error ? hekifs_error_names[error - 1] : "accepted";
}

/* One change, and back. */
static void change(struct worker *worker, const char *path, struct file_data *file,
		   enum region_kind kind, size_t offset, uint8_t with)
{
	struct tally *tally = &worker->tally;
	struct check_result result;

	file->p[offset] ^= with;
	checker_judge(worker->checker, file->p, file->n, &result);
	file->p[offset] ^= with;
	tally->made[kind]++;
	tally->errors[kind][result.signature]++;
	if (is_right(kind, result.signature))
		return;
	tally->wrong++;
	printf("# %s: %s: byte %zu, 0x%02x made 0x%02x: %s\n", path, region_names[kind], offset,
	       file->p[offset], file->p[offset] ^ with, verdict_name(result.signature));
}

static void change_some(struct worker *worker, const char *path, struct file_data *file,
			const struct regions *regions, size_t count, uint64_t seed)
{
	enum region_kind kind = (enum region_kind)(seed % REGION_KINDS);

	while (count) {
		kind = (enum region_kind)((kind + 1) % REGION_KINDS);
		if (!regions->bytes[kind])
			continue;
		change(worker, path, file, kind,
		       regions_offset(regions, kind, next_random(&seed) % regions->bytes[kind]),
		       (uint8_t)(1 + next_random(&seed) % 255));
		count--;
	}
}

static void change_end(struct worker *worker, const char *path, struct file_data *file,
		       const struct regions *regions)
{
	for (enum region_kind kind = REGION_CMS; kind < REGION_KINDS; kind++) {
		bool bits = kind == REGION_SIGNATURE && regions->bytes[kind] > EC_SIGNATURE_MAX;

		for (size_t i = 0; i < regions->bytes[kind]; i++)
			for (unsigned int with = 1; with < 256; with = bits ? with << 1 : with + 1)
				change(worker, path, file, kind, regions_offset(regions, kind, i),
				       (uint8_t)with);
	}
}

/* All changes of the @index-th file; the last ones get one more when they do not divide. */
static void change_file(struct worker *worker, size_t index)
{
	struct job *job = worker->job;
	const char *path = job->modules[index].path;
	struct check_result result;
	struct file_data file;
	struct regions regions;
	int ret = file_read_any(path, HEKI_ELF_MAX, &file);

	if (ret)
		die(path, strerror(-ret));
	checker_judge(worker->checker, file.p, file.n, &result);
	if (result.signature || result.format || !regions_find(file.p, file.n, &regions))
		die(path, "is refused unchanged");
	change_some(worker, path, &file, &regions,
		    (index + 1) * job->changes / job->count - index * job->changes / job->count,
		    SEED + index);
	if (index < job->every)
		change_end(worker, path, &file, &regions);
	regions_free(&regions);
	file_free(&file);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct job *job = worker->job;
	size_t index;

	worker->checker = checker_new();
	if (checker_trust(worker->checker, job->cert.p, job->cert.n))
		die("certificate", "is refused");
	while ((index = atomic_fetch_add(&job->next, 1)) < job->count)
		change_file(worker, index);
	checker_free(worker->checker);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	const struct module *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->path, y->path);
}

static void read_list(struct job *job)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		struct module *m;
		struct stat st;

		line[strcspn(line, "\n")] = 0;
		if (stat(line, &st))
			die(line, "is not there");
		job->modules = must(reallocarray(job->modules, job->count + 1, sizeof(*m)));
		m = &job->modules[job->count++];
		*m = (struct module){ must(strdup(line)), st.st_size };
	}
	free(line);
	qsort(job->modules, job->count, sizeof(*job->modules), by_size);
}

/* Files of one share of the list, evenly over a part of it that is given in thousandths. */
struct share {
	unsigned int percent;
	size_t from;
	size_t to;
};

/* Keep @files: most of middle size. They stay in the order of their size. */
static void choose(struct job *job, size_t files)
{
	static const struct share shares[] = {
		{ 15, 0, 250 }, { 70, 250, 750 }, { 12, 750, 980 }, { 3, 980, 1000 },
	};
	size_t kept = 0, left = files;

	if (files > job->count)
		die("list", "has fewer files");
	for (size_t s = 0; s < ARRAY_SIZE(shares); s++) {
		size_t from = shares[s].from * job->count / 1000;
		size_t room = shares[s].to * job->count / 1000 - from;
		size_t n = s + 1 < ARRAY_SIZE(shares) ? shares[s].percent * files / 100 : left;

		if (n > room)
			die("list", "has too few files to choose from");
		for (size_t i = 0; i < n; i++)
			job->modules[kept++] = job->modules[from + (2 * i + 1) * room / (2 * n)];
		left -= n;
	}
	job->count = kept;
}

static void add(struct tally *sum, const struct tally *tally)
{
	sum->wrong += tally->wrong;
	for (size_t k = 0; k < REGION_KINDS; k++) {
		sum->made[k] += tally->made[k];
		for (size_t e = 0; e < HEKI_ERROR_COUNT; e++)
			sum->errors[k][e] += tally->errors[k][e];
	}
}

static void print_table(const struct tally *sum)
{
	uint64_t total = 0;

	for (size_t k = 0; k < REGION_KINDS; k++) {
		if (!sum->made[k])
			continue;
		total += sum->made[k];
		printf("# %-18s %7llu ", region_names[k], (unsigned long long)sum->made[k]);
		for (uint32_t e = 0; e < HEKI_ERROR_COUNT; e++)
			if (sum->errors[k][e])
				printf(" %s %llu", verdict_name(e), (unsigned long long)sum->errors[k][e]);
		printf("\n");
	}
	printf("# %-18s %7llu  not refused as they must be: %llu\n", "all", (unsigned long long)total,
	       (unsigned long long)sum->wrong);
}

static size_t number(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end)
		die(s, "is no number");
	return n;
}

int main(int argc, char **argv)
{
	struct worker workers[THREADS] = { 0 };
	struct job job = { 0 };
	struct tally sum = { 0 };

	if (argc < 4 || argc > 5)
		die("usage", "mutate CERT FILES CHANGES [EVERY] <LIST");
	if (file_read(argv[1], 1 << 20, &job.cert))
		die(argv[1], "cannot be read");
	job.changes = number(argv[3]);
	job.every = argc == 5 ? number(argv[4]) : 0;
	read_list(&job);
	choose(&job, number(argv[2]));
	for (size_t i = 0; i < THREADS; i++) {
		workers[i].job = &job;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("thread", "cannot be started");
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		add(&sum, &workers[i].tally);
	}
	print_table(&sum);
	return sum.wrong ? 1 : 0;
}
