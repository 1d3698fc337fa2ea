// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl module check: threads that judge files, each with a checker of its own.
 *
 * Locks: pool->lock guards next, finished, and what a thread writes to a file; a file that is done
 * belongs to the main thread again.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "file.h"

struct check_worker {
	struct check_pool *pool;
	struct checker *checker;
	pthread_t thread;
};

struct check_pool {
	pthread_mutex_t lock;
	pthread_cond_t done;
	struct check_list *list;
	size_t next;
	size_t finished;
	bool stop;
	struct check_worker *workers;
	size_t count;
};

static void judge(struct checker *checker, struct check_file *file)
{
	struct file_data data;

	file->error = file_read_any(file->path, CHECK_FILE_MAX, &data);
	if (file->error)
		return;
	file->result = must(malloc(sizeof(*file->result)));
	checker_judge(checker, data.p, data.n, file->result);
	file_free(&data);
}

/* The next file, or the list's end. */
static size_t take(struct check_pool *pool)
{
	size_t index;

	pthread_mutex_lock(&pool->lock);
	index = pool->stop ? pool->list->count : pool->next;
	if (index < pool->list->count)
		pool->next++;
	pthread_mutex_unlock(&pool->lock);
	return index;
}

static void *work(void *argument)
{
	struct check_worker *worker = argument;
	struct check_pool *pool = worker->pool;
	size_t index;

	while ((index = take(pool)) < pool->list->count) {
		struct check_file *file = &pool->list->files[index];

		if (!file->error)
			judge(worker->checker, file);
		pthread_mutex_lock(&pool->lock);
		file->done = true;
		pool->finished++;
		pthread_cond_signal(&pool->done);
		pthread_mutex_unlock(&pool->lock);
	}
	return NULL;
}

struct check_pool *check_pool_start(struct check_list *list, struct checker **checkers,
				    size_t jobs)
{
	struct check_pool *pool = must(calloc(1, sizeof(*pool)));
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&pool->lock, NULL);
	pool->list = list;
	pool->workers = must(calloc(jobs, sizeof(*pool->workers)));
	for (; pool->count < jobs; pool->count++) {
		struct check_worker *worker = &pool->workers[pool->count];

		*worker = (struct check_worker){ .pool = pool, .checker = checkers[pool->count] };
		if (pthread_create(&worker->thread, NULL, work, worker))
			break;
	}
	if (pool->count)
		return pool;
	check_pool_stop(pool);
	return NULL;
}

bool check_pool_wait(struct check_pool *pool, size_t index, unsigned int milliseconds)
{
	const struct check_file *file = &pool->list->files[index];
	struct timespec until;
	int ret = 0;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)milliseconds * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&pool->lock);
	while (!file->done && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&pool->done, &pool->lock, &until);
	done = file->done;
	pthread_mutex_unlock(&pool->lock);
	return done;
}

size_t check_pool_done(struct check_pool *pool)
{
	size_t finished;

	pthread_mutex_lock(&pool->lock);
	finished = pool->finished;
	pthread_mutex_unlock(&pool->lock);
	return finished;
}

void check_pool_stop(struct check_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->count; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->done);
	pthread_mutex_destroy(&pool->lock);
	free(pool->workers);
	free(pool);
}
