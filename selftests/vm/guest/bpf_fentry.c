// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_fentry FUNCTION [stay] - load a BPF program for the entry of a function of the kernel and attach it
 *
 * The program only returns 0. Status: 0 when it was attached (and is detached again; with "stay" that is
 * said, and it is detached when this is killed), 1 for an error before that, 2 when attaching failed; then
 * the errno is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *read_file(const char *path, size_t *size)
{
	size_t room = 16 << 20, n = 0;
	int fd = open(path, O_RDONLY);
	char *bytes = malloc(room);
	ssize_t got;

	if (fd < 0 || !bytes)
		return NULL;
	while ((got = read(fd, bytes + n, room - n)) > 0)
		n += (size_t)got;
	close(fd);
	*size = n;
	return got < 0 || n < sizeof(struct btf_header) ? NULL : bytes;
}

/* Bytes behind the head of a type. */
static size_t extra(const struct btf_type *t)
{
	uint32_t n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

/* The number of a function among the kernel's types; 0: there is none of this name. */
static uint32_t find_function(const char *btf, const char *name)
{
	const struct btf_header *h = (const void *)btf;
	const char *types = btf + h->hdr_len + h->type_off;
	const char *strings = btf + h->hdr_len + h->str_off;
	uint32_t at = 0, id = 1;

	for (; at < h->type_len; id++) {
		const struct btf_type *t = (const void *)(types + at);

		if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC && !strcmp(strings + t->name_off, name))
			return id;
		at += (uint32_t)(sizeof(*t) + extra(t));
	}
	return 0;
}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(uint32_t function)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.insns = (uintptr_t)code,
		.license = (uintptr_t)"GPL",
		.expected_attach_type = BPF_TRACE_FENTRY,
		.attach_btf_id = function,
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

int main(int argc, char **argv)
{
	union bpf_attr attr = { 0 };
	uint32_t function;
	size_t size;
	char *btf;
	int fd;

	btf = argc == 2 || (argc == 3 && !strcmp(argv[2], "stay")) ?
		read_file("/sys/kernel/btf/vmlinux", &size) : NULL;
	function = btf ? find_function(btf, argv[1]) : 0;
	if (!function) {
		fprintf(stderr, "usage: bpf_fentry FUNCTION [stay] (one that the kernel has)\n");
		return 1;
	}
	fd = load(function);
	if (fd < 0) {
		perror("bpf_fentry: load");
		return 1;
	}
	attr.raw_tracepoint.prog_fd = (uint32_t)fd;
	fd = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	if (fd >= 0 && argc == 3) {
		puts("attached");
		fflush(stdout);
		pause();
	}
	if (fd >= 0)
		return 0;
	printf("%s\n", errno == EPERM ? "EPERM" : strerror(errno));
	return 2;
}
