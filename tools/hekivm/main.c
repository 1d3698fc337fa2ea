// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekivm VERB [OPTION...]: the table of verbs.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hekivm.h"

static int verb_run(int argc, char **argv)
{
	struct vm_spec spec;
	struct vm_result result;
	struct vm_error error;
	int ret = vm_options_run(argc, argv, &spec, &error);

	if (ret > 0) {
		vm_options_help();
		return 0;
	}
	if (ret || vm_check_spec(&spec, &error) || vm_accel_choose(&spec, &error) ||
	    vm_run(&spec, spec.json ? -1 : STDOUT_FILENO, &result, &error))
		return vm_error_report(&error, spec.json);
	return vm_run_report(&spec, &result);
}

static const struct {
	const char *name;
	const char *summary;
	int (*call)(int argc, char **argv);
} verbs[] = {
	{ "run", "boot a VM, print its console, exit with the guest's status", verb_run },
};

static void help(FILE *out)
{
	size_t i;

	fputs("usage: hekivm VERB [OPTION...]\n\n", out);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\nhekivm VERB --help tells more.\n", out);
}

int main(int argc, char **argv)
{
	struct vm_error error;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		help(stderr);
		return HEKIVM_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		help(stdout);
		return 0;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].call(argc - 1, argv + 1);
	}
	vm_fail(&error, HEKIVM_E_USAGE, "no verb \"%s\"", argv[1]);
	return vm_error_report(&error, false);
}
