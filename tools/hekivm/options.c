// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command lines of the verbs: which options each takes, and what they mean.
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
enum { OPTION_HYPERVISOR = 256, OPTION_HYPERVISOR_CMDLINE, OPTION_HYPERVISOR_LOG, OPTION_VTL1,
       OPTION_PARALLEL, OPTION_JUNIT, OPTION_ADDRESS, OPTION_CPU, OPTION_INTERACTIVE };

static const struct option long_options[] = {
	{ "accel", required_argument, NULL, 'a' },
	{ "address", required_argument, NULL, OPTION_ADDRESS },
	{ "cmdline", required_argument, NULL, 'c' },
	{ "cpu", required_argument, NULL, OPTION_CPU },
	{ "cpus", required_argument, NULL, 'p' },
	{ "disk", required_argument, NULL, 'd' },
	{ "engine", required_argument, NULL, 'e' },
	{ "follow", no_argument, NULL, 'f' },
	{ "grace", required_argument, NULL, 'g' },
	{ "help", no_argument, NULL, 'h' },
	{ "hypervisor", required_argument, NULL, OPTION_HYPERVISOR },
	{ "hypervisor-cmdline", required_argument, NULL, OPTION_HYPERVISOR_CMDLINE },
	{ "hypervisor-log", required_argument, NULL, OPTION_HYPERVISOR_LOG },
	{ "initramfs", required_argument, NULL, 'i' },
	{ "interactive", no_argument, NULL, OPTION_INTERACTIVE },
	{ "junit", required_argument, NULL, OPTION_JUNIT },
	{ "json", no_argument, NULL, 'j' },
	{ "kernel", required_argument, NULL, 'k' },
	{ "machine", required_argument, NULL, 'M' },
	{ "memory", required_argument, NULL, 'm' },
	{ "name", required_argument, NULL, 'n' },
	{ "namespace", required_argument, NULL, 'N' },
	{ "parallel", required_argument, NULL, OPTION_PARALLEL },
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
	{ 'd', offsetof(struct vm_spec, disk) },
	{ 'e', offsetof(struct vm_spec, engine) },
	{ 'i', offsetof(struct vm_spec, initramfs) },
	{ 'k', offsetof(struct vm_spec, kernel) },
	{ 'n', offsetof(struct vm_spec, name) },
	{ 'N', offsetof(struct vm_spec, namespace) },
	{ 's', offsetof(struct vm_spec, serial_log) },
	{ OPTION_CPU, offsetof(struct vm_spec, cpu) },
	{ OPTION_HYPERVISOR, offsetof(struct vm_spec, hypervisor) },
	{ OPTION_JUNIT, offsetof(struct vm_spec, junit) },
	{ OPTION_HYPERVISOR_CMDLINE, offsetof(struct vm_spec, hypervisor_cmdline) },
	{ OPTION_HYPERVISOR_LOG, offsetof(struct vm_spec, hypervisor_log) },
	{ OPTION_VTL1, offsetof(struct vm_spec, vtl1) },
};

static const struct {
	const char *name;
	const char *engine;
	const char *cmdline;
	const char *disk_cmdline;
} machines[] = {
	[VM_MACHINE_PC] = { "pc", "qemu-system-x86_64", "console=ttyS0",
			    "console=ttyS0 root=/dev/vda1 rw" },
	[VM_MACHINE_ARM64] = { "arm64", "qemu-system-aarch64", "console=ttyAMA0", NULL },
};

static const char *const accel_names[] = {
	[VM_ACCEL_TCG] = "tcg",
	[VM_ACCEL_TCG_SINGLE] = "tcg-single",
	[VM_ACCEL_TCG_ICOUNT] = "tcg-icount",
	[VM_ACCEL_KVM] = "kvm",
	[VM_ACCEL_HVF] = "hvf",
	[VM_ACCEL_WHPX] = "whpx",
};

/**
 * vm_accel_is_tcg - does an accelerator need no hardware?
 * @accel: which
 *
 * Return: true for TCG in all its ways.
 */
bool vm_accel_is_tcg(enum vm_accel accel)
{
	return accel < VM_ACCEL_KVM;
}

/* What a verb takes beside --help and --json. */
static const struct {
	const char *verb;
	const char *letters; /* of the options that are for some verbs only */
	const char *name; /* the kind of name of a VM that was not given one, NULL = one is given */
	bool starts; /* a VM: takes all that describes one */
	const char *words; /* for the help */
} verbs[] = {
	{ "boot", "nNt", "vm", true, "--kernel FILE [OPTION...]" },
	{ "run", "nNt", "run", true, "--kernel FILE [OPTION...] | --parallel N [OPTION...] JOBS" },
	{ "stop", "Ng", NULL, false, "[-g SECONDS] [OPTION...] NAME" },
	{ "kill", "N", NULL, false, "[OPTION...] NAME" },
	{ "pause", "N", NULL, false, "[OPTION...] NAME" },
	{ "resume", "N", NULL, false, "[OPTION...] NAME" },
	{ "state", "N", NULL, false, "[OPTION...] NAME" },
	{ "list", "N", "", false, "[OPTION...]" },
	{ "wait", "Nt", NULL, false, "[-t SECONDS] [OPTION...] NAME" },
	{ "log", "Nf", NULL, false, "[-f] [OPTION...] NAME" },
};

static size_t find_verb(const char *name)
{
	size_t i = 0;

	while (strcmp(verbs[i].verb, name))
		i++;
	return i;
}

/* Does a verb take an option? */
static bool takes(size_t verb, int option)
{
	static const char general[] = "hj?", some[] = "fgnNt";

	if (option < 256 && strchr(general, option))
		return true;
	if (option < 256 && strchr(some, option))
		return strchr(verbs[verb].letters, option);
	if (option == OPTION_PARALLEL || option == OPTION_JUNIT || option == OPTION_INTERACTIVE)
		return !strcmp(verbs[verb].verb, "run");
	return verbs[verb].starts;
}

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

static const char vm_help[] =
	"  -k, --kernel FILE      kernel image\n"
	"  -i, --initramfs FILE   initramfs\n"
	"  -d, --disk FILE        root disk, a raw image\n"
	"  -c, --cmdline TEXT     kernel command line (console=ttyS0, and with a root disk\n"
	"                         root=/dev/vda1 rw; arm64: console=ttyAMA0)\n"
	"  -n, --name NAME        name of the VM (run-PID, vm-PID)\n"
	"  -N, --namespace NAME   namespace of the name (default)\n"
	"  -p, --cpus N           CPUs, 1 to 255 (1)\n"
	"  -m, --memory MIB       memory, 64, of arm64 1, to 1048576 (512)\n"
	"  -M, --machine NAME     pc, arm64 (pc)\n"
	"      --cpu NAME         its processor, as QEMU calls it (max)\n"
	"  -s, --serial-log FILE  keep the console here, complete to the last byte\n"
	"  -t, --timeout SECONDS  time limit, 1 to 86400 (run: 600, boot: none)\n"
	"  -a, --accel NAME       tcg, tcg-single (one host thread), tcg-icount\n"
	"                         (1 ns for each instruction, one CPU), kvm, hvf, whpx (tcg;\n"
	"                         with a hypervisor of x86 tcg-single)\n"
	"      --hypervisor FILE  multiboot image that runs the kernel as its guest; of arm64\n"
	"                         an ELF file or an Image\n"
	"      --vtl1 FILE        image of VTL1 for it\n"
	"      --hypervisor-cmdline TEXT\n"
	"                         its command line\n"
	"      --hypervisor-log FILE\n"
	"                         keep its console here\n"
	"      --address ADDRESS  where arm64's hypervisor loads the guest (0x48000000)\n"
	"  -e, --engine PROGRAM   QEMU (qemu-system-x86_64, qemu-system-aarch64)\n"
	"  -j, --json             print JSON\n"
	"  -h, --help             this\n";

static const struct {
	int option;
	const char *text;
} some_help[] = {
	{ 'N', "  -N, --namespace NAME   namespace of the name (default; list: all)" },
	{ 'g', "  -g, --grace SECONDS    time for the guest, 0 to 3600 (10)" },
	{ 't', "  -t, --timeout SECONDS  at most, 1 to 86400 (600)" },
	{ 'f', "  -f, --follow           go on until the VM has ended" },
	{ 'j', "  -j, --json             print JSON" },
	{ 'h', "  -h, --help             this" },
};

static void print_some_help(size_t verb)
{
	size_t i;

	for (i = 0; i < sizeof(some_help) / sizeof(some_help[0]); i++) {
		if (takes(verb, some_help[i].option))
			puts(some_help[i].text);
	}
	putchar('\n');
}

/**
 * vm_options_help - print the help of a verb
 * @verb: its name
 */
void vm_options_help(const char *verb)
{
	size_t i = find_verb(verb);

	printf("usage: hekivm %s %s\n\n", verb, verbs[i].words);
	if (verbs[i].starts)
		puts(vm_help);
	else
		print_some_help(i);
	if (!strcmp(verb, "run"))
		puts("      --interactive      the standard input is the guest's; Ctrl-A X ends the VM\n"
		     "      --parallel N       run a list of jobs, N at a time, 1 to 64\n"
		     "      --junit FILE       with --parallel: write the results there\n"
		     "\n"
		     "Exit status: the guest's; 121 bad option or file, 122 engine failure,\n"
		     "123 guest panic, 124 time limit, 125 guest stopped without a verdict;\n"
		     "128 + N when signal N ended it.  With --parallel: 0 all passed, 1 not all,\n"
		     "2 usage.");
	else
		puts("Exit status: 0 done, 1 failed or refused, 2 usage, 3 no engine,\n"
		     "4 not permitted.");
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

static int parse_grace(const char *text, struct vm_spec *spec, struct vm_error *error)
{
	if (!strcmp(text, "0")) {
		spec->grace = 0;
		return 0;
	}
	if (parse_range(text, &spec->grace, HEKIVM_E_GRACE, error))
		return -1;
	return spec->grace > HEKIVM_GRACE_MAX ? vm_fail(error, HEKIVM_E_GRACE, "%s", text) : 0;
}

static int parse_timeout(const char *text, struct vm_spec *spec, struct vm_error *error)
{
	if (parse_range(text, &spec->timeout, HEKIVM_E_TIMEOUT, error))
		return -1;
	return spec->timeout > HEKIVM_TIMEOUT_MAX ? vm_fail(error, HEKIVM_E_TIMEOUT, "%s", text) : 0;
}

static int parse_parallel(const char *text, struct vm_spec *spec, struct vm_error *error)
{
	unsigned int number;

	if (parse_range(text, &number, HEKIVM_E_PARALLEL, error))
		return -1;
	if (number > HEKIVM_PARALLEL_MAX)
		return vm_fail(error, HEKIVM_E_PARALLEL, "%s", text);
	spec->parallel = number;
	return 0;
}

/**
 * vm_accel_parse - read the name of an accelerator
 * @text:  the name
 * @spec:  out
 * @error: out
 *
 * Return: 0 or -1.
 */
int vm_accel_parse(const char *text, struct vm_spec *spec, struct vm_error *error)
{
	size_t i;

	for (i = 0; i < sizeof(accel_names) / sizeof(accel_names[0]); i++) {
		if (!strcmp(text, accel_names[i])) {
			spec->accel = (enum vm_accel)i;
			spec->accel_named = true;
			return 0;
		}
	}
	return vm_fail(error, HEKIVM_E_ACCEL, "no \"%s\"", text);
}

/**
 * vm_machine_parse - read the name of a machine
 * @text:  the name
 * @spec:  out
 * @error: out
 *
 * Return: 0 or -1.
 */
int vm_machine_parse(const char *text, struct vm_spec *spec, struct vm_error *error)
{
	size_t i;

	for (i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (!strcmp(text, machines[i].name)) {
			spec->machine = (enum vm_machine)i;
			return 0;
		}
	}
	return vm_fail(error, HEKIVM_E_MACHINE, "no \"%s\"", text);
}

/**
 * vm_address_parse - read an address, decimal or hexadecimal with 0x
 * @text:  the address
 * @spec:  out
 * @error: out
 *
 * Return: 0 or -1.
 */
int vm_address_parse(const char *text, struct vm_spec *spec, struct vm_error *error)
{
	bool hexadecimal = !strncmp(text, "0x", 2);
	const char *digits = hexadecimal ? text + 2 : text;
	size_t length = strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789");

	spec->address = strtoull(digits, NULL, hexadecimal ? 16 : 10);
	if (!length || digits[length] || !spec->address || spec->address >= HEKIVM_ADDRESS_END)
		return vm_fail(error, HEKIVM_E_ADDRESS, "\"%s\"", text);
	return 0;
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
		return vm_accel_parse(value, spec, error);
	case 'f':
		spec->follow = true;
		return 0;
	case 'g':
		return parse_grace(value, spec, error);
	case 'j':
		spec->json = true;
		return 0;
	case 'm':
		return parse_range(value, &spec->memory, HEKIVM_E_MEMORY, error);
	case 'M':
		return vm_machine_parse(value, spec, error);
	case 'p':
		return parse_range(value, &spec->cpus, HEKIVM_E_CPUS, error);
	case 't':
		return parse_timeout(value, spec, error);
	case OPTION_ADDRESS:
		return vm_address_parse(value, spec, error);
	case OPTION_INTERACTIVE:
		spec->interactive = true;
		return 0;
	case OPTION_PARALLEL:
		return parse_parallel(value, spec, error);
	default:
		return vm_fail(error, HEKIVM_E_USAGE, "see hekivm VERB --help");
	}
}

/**
 * vm_defaults - a VM of which nothing has been said
 * @spec: out
 */
void vm_defaults(struct vm_spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	spec->namespace = "default";
	spec->cpu = "max";
	spec->cpus = 1;
	spec->memory = 512;
	spec->timeout = 600;
	spec->grace = 10;
}

/**
 * vm_machine_defaults - what depends on the machine and was not given: engine and command line
 * @spec: the VM
 */
void vm_machine_defaults(struct vm_spec *spec)
{
	if (!spec->engine)
		spec->engine = machines[spec->machine].engine;
	if (!spec->cmdline && spec->disk)
		spec->cmdline = machines[spec->machine].disk_cmdline;
	if (!spec->cmdline)
		spec->cmdline = machines[spec->machine].cmdline;
}

static void defaults(struct vm_spec *spec, size_t verb)
{
	vm_defaults(spec);
	if (verbs[verb].starts) {
		snprintf(spec->name_buffer, sizeof(spec->name_buffer), "%s-%d", verbs[verb].name,
			 (int)getpid());
		spec->name = spec->name_buffer;
	}
	if (!strcmp(verbs[verb].verb, "list"))
		spec->namespace = NULL;
	if (!strcmp(verbs[verb].verb, "boot"))
		spec->timeout = 0;
}

/* What only all the words together tell. */
static int complete(int argc, char **argv, struct vm_spec *spec, size_t verb,
		    struct vm_error *error)
{
	if (!verbs[verb].name) {
		if (optind == argc)
			return vm_fail(error, HEKIVM_E_USAGE, "%s: the name of a VM is needed",
				       verbs[verb].verb);
		spec->name = argv[optind++];
	}
	if (spec->parallel && optind < argc)
		spec->jobs = argv[optind++];
	if (optind < argc)
		return vm_fail(error, HEKIVM_E_USAGE, "unexpected \"%s\"", argv[optind]);
	if (spec->parallel)
		return spec->jobs ? 0 : vm_fail(error, HEKIVM_E_USAGE, "no list of jobs");
	if (spec->junit)
		return vm_fail(error, HEKIVM_E_USAGE, "--junit without --parallel");
	if (verbs[verb].starts && !spec->kernel)
		return vm_fail(error, HEKIVM_E_USAGE, "--kernel is needed");
	if (spec->follow && spec->json)
		return vm_fail(error, HEKIVM_E_USAGE, "--follow has no JSON");
	vm_machine_defaults(spec);
	return 0;
}

/**
 * vm_options - read the command line of a verb
 * @argc:  number of words, the verb among them
 * @argv:  the words
 * @spec:  out
 * @error: out
 *
 * Return: 0, 1 when help was asked for, or -1.
 */
int vm_options(int argc, char **argv, struct vm_spec *spec, struct vm_error *error)
{
	size_t verb = find_verb(argv[0]);
	int option;

	defaults(spec, verb);
	/* What an error in a word before it depends on too: JSON, and whose exit codes. */
	for (option = 1; option < argc; option++) {
		spec->json |= !strcmp(argv[option], "--json") || !strcmp(argv[option], "-j");
		spec->parallel |= !strncmp(argv[option], "--parallel", 10);
	}
	while ((option = getopt_long(argc, argv, "a:c:d:e:fg:hi:jk:m:M:n:N:p:s:t:", long_options,
				     NULL)) != -1) {
		if (option == 'h')
			return 1;
		if (!takes(verb, option))
			return vm_fail(error, HEKIVM_E_USAGE, "%s does not take \"%s\"", argv[0],
				       argv[optind - 1]);
		if (parse_option(option, optarg, spec, error))
			return -1;
	}
	return complete(argc, argv, spec, verb, error);
}
