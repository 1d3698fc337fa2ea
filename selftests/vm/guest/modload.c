// SPDX-License-Identifier: GPL-2.0-only
/*
 * modload init|finit|forced|compressed FILE [PARAMETERS] - load a module by the chosen system call
 * modload cycle FILE NAME COUNT                    - load and unload it COUNT times
 *
 * "init" hands over a buffer, "finit" a file, "forced" one that may be of another release, "compressed" a compressed file that the kernel
 * unpacks.  Exits with 0 or with the errno of the call, so that a test can tell refusals apart;
 * 255 is for everything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAG_FORCE 2 /* MODULE_INIT_IGNORE_VERMAGIC */
#define FLAG_COMPRESSED 4 /* MODULE_INIT_COMPRESSED_FILE */

static int fail(const char *what)
{
	fprintf(stderr, "modload: %s: %s\n", what, strerror(errno));
	return 255;
}

static long load_buffer(int fd, const char *parameters)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st))
		return -1;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -1;
	return syscall(SYS_init_module, data, (unsigned long)st.st_size, parameters);
}

/* Unloading does not wait for a user that is just going away; the loader's own work item may be. */
static long unload(const char *name)
{
	unsigned int tries;
	long ret = -1;

	for (tries = 0; ret && tries < 100; tries++) {
		ret = syscall(SYS_delete_module, name, O_NONBLOCK);
		if (ret && errno != EAGAIN && errno != EBUSY)
			break;
		if (ret)
			usleep(10000);
	}
	return ret;
}

static int cycle(int fd, const char *name, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		if (syscall(SYS_finit_module, fd, "", 0) || unload(name)) {
			fprintf(stderr, "modload: cycle %lu of %s: %s\n", i, name, strerror(errno));
			return errno;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *parameters = argc > 3 ? argv[3] : "";
	long ret;
	int fd;

	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: modload init|finit|forced|compressed FILE [PARAMETERS]\n"
				"       modload cycle FILE NAME COUNT\n");
		return 255;
	}
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(argv[2]);
	if (argc == 5)
		return cycle(fd, argv[3], strtoul(argv[4], NULL, 10));
	if (!strcmp(argv[1], "init"))
		ret = load_buffer(fd, parameters);
	else if (!strcmp(argv[1], "finit"))
		ret = syscall(SYS_finit_module, fd, parameters, 0);
	else if (!strcmp(argv[1], "forced"))
		ret = syscall(SYS_finit_module, fd, parameters, FLAG_FORCE);
	else if (!strcmp(argv[1], "compressed"))
		ret = syscall(SYS_finit_module, fd, parameters, FLAG_COMPRESSED);
	else
		return 255;
	if (!ret)
		return 0;
	fprintf(stderr, "modload: %s: %s\n", argv[2], strerror(errno));
	return errno;
}
