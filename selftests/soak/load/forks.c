// SPDX-License-Identifier: GPL-2.0-only
/*
 * forks COUNT WIDTH - start COUNT processes, WIDTH of them at a time
 *
 * Of three one only ends, one executes this program anew, and one starts threads first.  Exits with 0
 * when each of them has ended well.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4

static void *thread(void *argument)
{
	return argument;
}

static int threads(void)
{
	pthread_t ids[THREADS];
	int i, n = 0, error = 0;

	for (; n < THREADS && !error; n++)
		error = pthread_create(&ids[n], NULL, thread, NULL);
	for (i = 0; i < n - !!error; i++)
		pthread_join(ids[i], NULL);
	return error;
}

__attribute__((noreturn))
static void child(unsigned long number)
{
	switch (number % 3) {
	case 0:
		execl("/proc/self/exe", "forks", "0", "1", NULL);
		_exit(1);
	case 1:
		_exit(threads() ? 1 : 0);
	default:
		_exit(0);
	}
}

static int reap(void)
{
	int status;

	if (wait(&status) < 0) {
		fprintf(stderr, "forks: wait: %s\n", strerror(errno));
		return 1;
	}
	if (status)
		fprintf(stderr, "forks: a process ended with %#x\n", (unsigned int)status);
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long width = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long i, running = 0;
	int bad = 0;

	if (!width) {
		fprintf(stderr, "usage: forks COUNT WIDTH\n");
		return 2;
	}
	for (i = 0; i < count && !bad; i++) {
		pid_t pid = fork();

		if (pid == 0)
			child(i);
		if (pid < 0) {
			fprintf(stderr, "forks: fork: %s\n", strerror(errno));
			bad = 1;
			break;
		}
		if (++running == width) {
			bad |= reap();
			running--;
		}
	}
	for (; running; running--)
		bad |= reap();
	return bad;
}
