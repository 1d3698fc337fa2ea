// SPDX-License-Identifier: GPL-2.0-only
/*
 * filters COUNT FILE - attach a filter of about 2 KiB of machine code to each of COUNT sockets, say so,
 * wait until FILE is there, and send a message by way of each
 *
 * Status: 0 when all messages came.
 */
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEPS 400

/* It takes the message whole. */
static int attach(int fd)
{
	struct sock_filter code[STEPS + 1];
	const struct sock_fprog program = { .len = STEPS + 1, .filter = code };
	size_t i;

	for (i = 0; i < STEPS; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 0x01010101);
	code[STEPS] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[1]) : 0, i;
	int (*pairs)[2] = calloc((size_t)count + 1, sizeof(*pairs));
	char byte;

	if (count <= 0 || !pairs) {
		fprintf(stderr, "usage: filters COUNT FILE\n");
		return 1;
	}
	for (i = 0; i < count; i++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pairs[i]) || attach(pairs[i][1])) {
			perror("filters");
			return 1;
		}
	}
	printf("%d filters\n", count);
	fflush(stdout);
	while (access(argv[2], F_OK))
		usleep(10000);
	for (i = 0; i < count; i++) {
		if (send(pairs[i][0], "x", 1, 0) != 1 ||
		    recv(pairs[i][1], &byte, 1, MSG_DONTWAIT) != 1) {
			perror("filters: message");
			return 1;
		}
	}
	return 0;
}
