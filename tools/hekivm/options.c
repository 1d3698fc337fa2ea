// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of "hekivm run".
 */
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hekivm.h"

/* Options without a letter. */
enum { OPTION_HYPERVISOR = 256, OPTION_HYPERVISOR_CMDLINE, OPTION_HYPERVISOR_LOG, OPTION_VTL1 };

static const struct option long_options[] = {
	{ "accel", required_argument, NULL, 'a' },
	{ "cmdline", required_argument, NULL, 'c' },
	{ "cpus", required_argument, NULL, 'p' },
	{ "engine", required_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ "hypervisor", required_argument, NULL, OPTION_HYPERVISOR },
	{ "hypervisor-cmdline", required_argument, NULL, OPTION_HYPERVISOR_CMDLINE },
	{ "hypervisor-log", required_argument, NULL, OPTION_HYPERVISOR_LOG },
	{ "initramfs", required_argument, NULL, 'i' },
	{ "json", no_argument, NULL, 'j' },
	{ "kernel", required_argument, NULL, 'k' },
	{ "memory", required_argument, NULL, 'm' },
	{ "name", required_argument, NULL, 'n' },
	{ "namespace", required_argument, NULL, 'N' },
	{ "serial-log", required_argument, NULL, 's' },
	{ "timeout", required_argument, NULL, 't' },
	{ "vtl1", required_argument, NULL, OPTION_VTL1 },
	{ NULL, 0, NULL, 0 },
};

/* Options whose value is taken as it is. */
static const struct {
	int option;
	size_t member;
} texts[] = {
	{ 'c', offsetof(struct vm_spec, cmdline) },
	{ 'e', offsetof(struct vm_spec, engine) },
	{ 'i', offsetof(struct vm_spec, initramfs) },
	{ 'k', offsetof(struct vm_spec, kernel) },
	{ 'n', offsetof(struct vm_spec, name) },
	{ 'N', offsetof(struct vm_spec, namespace) },
	{ 's', offsetof(struct vm_spec, serial_log) },
	{ OPTION_HYPERVISOR, offsetof(struct vm_spec, hypervisor) },
	{ OPTION_HYPERVISOR_CMDLINE, offsetof(struct vm_spec, hypervisor_cmdline) },
	{ OPTION_HYPERVISOR_LOG, offsetof(struct vm_spec, hypervisor_log) },
	{ OPTION_VTL1, offsetof(struct vm_spec, vtl1) },
};

static const char *const accel_names[] = {
	[VM_ACCEL_TCG] = "tcg",
	[VM_ACCEL_TCG_SINGLE] = "tcg-single",
	[VM_ACCEL_TCG_ICOUNT] = "tcg-icount",
	[VM_ACCEL_KVM] = "kvm",
};

/**
 * vm_accel_name - the name of an accelerator
 * @accel: which
 *
 * Return: the name that --accel takes.
 */
const char *vm_accel_name(enum vm_accel accel)
{
	return accel_names[accel];
}

/**
 * vm_options_help - print the help of "run"
 */
void vm_options_help(void)
{
	puts("usage: hekivm run --kernel FILE [OPTION...]\n"
	     "\n"
	     "Boot a VM, print its console, exit with the guest's status.\n"
	     "\n"
	     "  -k, --kernel FILE      kernel image\n"
	     "  -i, --initramfs FILE   initramfs\n"
	     "  -c, --cmdline TEXT     kernel command line (console=ttyS0)\n"
	     "  -n, --name NAME        name of the VM (run-PID)\n"
	     "  -N, --namespace NAME   namespace of the name (default)\n"
	     "  -p, --cpus N           CPUs, 1 to 255 (1)\n"
	     "  -m, --memory MIB       memory, 64 to 1048576 (512)\n"
	     "  -s, --serial-log FILE  keep the console here, complete to the last byte\n"
	     "  -t, --timeout SECONDS  time limit, 1 to 86400 (600)\n"
	     "  -a, --accel NAME       tcg, tcg-single (one host thread), tcg-icount\n"
	     "                         (1 ns for each instruction, one CPU), kvm (tcg)\n"
	     "      --hypervisor FILE  multiboot image that runs the kernel as its guest\n"
	     "      --vtl1 FILE        image of VTL1 for it\n"
	     "      --hypervisor-cmdline TEXT\n"
	     "                         its command line\n"
	     "      --hypervisor-log FILE\n"
	     "                         keep its console here\n"
	     "  -e, --engine PROGRAM   QEMU (qemu-system-x86_64)\n"
	     "  -j, --json             print the result as JSON instead of the console\n"
	     "  -h, --help             this\n"
	     "\n"
	     "Exit status: the guest's; 121 bad option or file, 122 engine failure,\n"
	     "123 guest panic, 124 time limit, 125 guest stopped without a verdict;\n"
	     "128 + N when signal N ended it.");
}

/* A whole decimal number that fits; everything else is out of range. */
static unsigned int parse_number(const char *text)
{
	unsigned long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > 0x7fffffff)
		return 0;
	return (unsigned int)value;
}

static int parse_range(const char *text, unsigned int *value, enum hekivm_error_code code,
		       struct vm_error *error)
{
	*value = parse_number(text);
	return *value ? 0 : vm_fail(error, code, "%s", text);
}

static int parse_accel(const char *text, struct vm_spec *spec, struct vm_error *error)
{
	size_t i;

	for (i = 0; i < sizeof(accel_names) / sizeof(accel_names[0]); i++) {
		if (!strcmp(text, accel_names[i])) {
			spec->accel = (enum vm_accel)i;
			return 0;
		}
	}
	return vm_fail(error, HEKIVM_E_ACCEL, "no \"%s\"", text);
}

static int parse_option(int option, char *value, struct vm_spec *spec, struct vm_error *error)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].option == option) {
			*(const char **)((char *)spec + texts[i].member) = value;
			return 0;
		}
	}
	switch (option) {
	case 'a':
		return parse_accel(value, spec, error);
	case 'j':
		spec->json = true;
		return 0;
	case 'm':
		return parse_range(value, &spec->memory, HEKIVM_E_MEMORY, error);
	case 'p':
		return parse_range(value, &spec->cpus, HEKIVM_E_CPUS, error);
	case 't':
		return parse_range(value, &spec->timeout, HEKIVM_E_TIMEOUT, error);
	default:
		return vm_fail(error, HEKIVM_E_USAGE, "see hekivm run --help");
	}
}

static void defaults(struct vm_spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	snprintf(spec->name_buffer, sizeof(spec->name_buffer), "run-%d", (int)getpid());
	spec->name = spec->name_buffer;
	spec->namespace = "default";
	spec->cmdline = "console=ttyS0";
	spec->engine = "qemu-system-x86_64";
	spec->cpus = 1;
	spec->memory = 512;
	spec->timeout = 600;
}

/**
 * vm_options_run - read the command line of "run"
 * @argc:  number of words, "run" among them
 * @argv:  the words
 * @spec:  out
 * @error: out
 *
 * Return: 0, 1 when help was asked for, or -1.
 */
int vm_options_run(int argc, char **argv, struct vm_spec *spec, struct vm_error *error)
{
	int option;

	defaults(spec);
	while ((option = getopt_long(argc, argv, "a:c:e:hi:jk:m:n:N:p:s:t:", long_options, NULL)) !=
	       -1) {
		if (option == 'h')
			return 1;
		if (parse_option(option, optarg, spec, error))
			return -1;
	}
	if (optind < argc)
		return vm_fail(error, HEKIVM_E_USAGE, "unexpected \"%s\"", argv[optind]);
	if (!spec->kernel)
		return vm_fail(error, HEKIVM_E_USAGE, "--kernel is needed");
	return 0;
}
