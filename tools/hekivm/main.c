// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekivm VERB [OPTION...]: the table of verbs.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hekivm.h"

/* With the exit codes of all but "run" of one VM. */
static int verb_failed(const struct vm_spec *spec, const struct vm_error *error)
{
	vm_error_report(error, spec->json);
	return vm_error_exit(error);
}

static int verb_run(int argc, char **argv)
{
	struct vm_spec spec;
	struct vm_result result;
	struct vm_error error;
	int ret = vm_options(argc, argv, &spec, &error);

	if (ret > 0) {
		vm_options_help(argv[0]);
		return 0;
	}
	if (spec.parallel) {
		if (!ret)
			ret = vm_parallel(&spec, &error);
		return ret < 0 ? verb_failed(&spec, &error) : ret;
	}
	if (ret || vm_check_spec(&spec, &error) || vm_accel_choose(&spec, &error) ||
	    vm_run(&spec, spec.json ? -1 : STDOUT_FILENO, NULL, &result, &error))
		return vm_error_report(&error, spec.json);
	return vm_run_report(&spec, &result);
}

static const struct {
	const char *name;
	const char *summary;
	int (*call)(const struct vm_spec *spec, struct vm_error *error); /* NULL: verb_run() */
} verbs[] = {
	{ "boot", "start a VM and leave it running", verb_boot },
	{ "stop", "ask the guest to power off, after a grace period end it; free it", verb_stop },
	{ "kill", "end a VM at once; free it", verb_kill },
	{ "pause", "stop its CPUs", verb_pause },
	{ "resume", "let them go on", verb_resume },
	{ "state", "tell its state", verb_state },
	{ "list", "tell the states of all", verb_list },
	{ "wait", "wait until it is ready, stopped or failed", verb_wait },
	{ "log", "print its console", verb_log },
	{ "run", "boot a VM, print its console, exit with the guest's status", NULL },
};

/* All verbs but "run", which has exit codes of its own. */
static int call(size_t verb, int argc, char **argv)
{
	struct vm_spec spec;
	struct vm_error error;
	int ret = vm_options(argc, argv, &spec, &error);

	if (ret > 0) {
		vm_options_help(argv[0]);
		return VERB_OK;
	}
	if (!ret)
		ret = verbs[verb].call(&spec, &error);
	return ret < 0 ? verb_failed(&spec, &error) : ret;
}

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
		if (strcmp(argv[1], verbs[i].name))
			continue;
		return verbs[i].call ? call(i, argc - 1, argv + 1) : verb_run(argc - 1, argv + 1);
	}
	vm_fail(&error, HEKIVM_E_USAGE, "no verb \"%s\"", argv[1]);
	return vm_error_report(&error, false);
}
