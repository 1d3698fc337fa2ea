// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf ROUNDS [RUNS] - load BPF programs, have the kernel compile and run them, drop them
 *
 * Each round: a socket filter with a constant of its own that cuts datagrams to a length, and an XDP
 * program in RUNS test runs (1; from two on the kernel patches its dispatcher).  Programs are of
 * different sizes, so that they share pages with others of the kernel's.  Exits with 0 when all of
 * them did what they are to do.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CODE_MAX 600
#define PACKET 64

static struct bpf_insn code[CODE_MAX];

static int fail(const char *what)
{
	fprintf(stderr, "bpf: %s: %s\n", what, strerror(errno));
	return 1;
}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A program that adds up to @value in so many steps and returns it. */
static int load(enum bpf_prog_type type, uint32_t value, uint32_t steps)
{
	union bpf_attr attr = {
		.prog_type = type,
		.insn_cnt = steps + 3,
		.insns = (uintptr_t)code,
		.license = (uintptr_t)"GPL",
	};
	uint32_t i;

	code[0] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0 };
	for (i = 1; i <= steps; i++)
		code[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = 1 };
	code[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K,
				     .imm = (int32_t)(value - steps) };
	code[i + 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	return bpf(BPF_PROG_LOAD, &attr);
}

/* A filter's result is the length that a datagram is cut to. */
static int filter(uint32_t length, uint32_t steps)
{
	char packet[PACKET] = { 0 };
	int sockets[2], program, bad = 0;
	ssize_t got = -1;

	program = load(BPF_PROG_TYPE_SOCKET_FILTER, length, steps);
	if (program < 0)
		return fail("load of a filter");
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets)) {
		close(program);
		return fail("socketpair");
	}
	if (setsockopt(sockets[0], SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) ||
	    write(sockets[1], packet, PACKET) != PACKET)
		bad = fail("filter");
	else
		got = read(sockets[0], packet, PACKET);
	if (!bad && got != (ssize_t)length) {
		fprintf(stderr, "bpf: filter: %zd of %u bytes\n", got, length);
		bad = 1;
	}
	close(sockets[0]);
	close(sockets[1]);
	close(program);
	return bad;
}

static int xdp(uint32_t verdict, uint32_t steps, uint32_t runs)
{
	char packet[PACKET] = { 0 };
	union bpf_attr attr = {
		.test.data_in = (uintptr_t)packet,
		.test.data_size_in = PACKET,
		.test.repeat = runs,
	};
	int bad = 0, program = load(BPF_PROG_TYPE_XDP, verdict, steps);

	if (program < 0)
		return fail("load for XDP");
	attr.test.prog_fd = (uint32_t)program;
	if (bpf(BPF_PROG_TEST_RUN, &attr)) {
		bad = fail("XDP test run");
	} else if (attr.test.retval != verdict) {
		fprintf(stderr, "bpf: XDP: %u, not %u\n", attr.test.retval, verdict);
		bad = 1;
	}
	close(program);
	return bad;
}

int main(int argc, char **argv)
{
	unsigned long i, rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	uint32_t runs = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;

	if (!rounds || !runs) {
		fprintf(stderr, "usage: bpf ROUNDS [RUNS]\n");
		return 2;
	}
	for (i = 0; i < rounds; i++) {
		uint32_t steps = (uint32_t)(i * 97 % (CODE_MAX - 3));

		if (filter((uint32_t)(i % PACKET) + 1, steps) || xdp(i % 4 + 1, steps, runs))
			return 1;
	}
	return 0;
}
