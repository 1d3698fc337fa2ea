// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl - show and control hypervisor-enforced kernel integrity
 *
 * Reads the client's securityfs files and talks to /dev/heki; decides nothing itself.
 */
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "hekictl.h"
#include "out.h"

void *must(void *p)
{
	if (!p) {
		fputs("hekictl: out of memory\n", stderr);
		exit(EXIT_FAILED);
	}
	return p;
}

char *text(const char *format, ...)
{
	va_list arguments;
	char *s;
	int n;

	va_start(arguments, format);
	n = vasprintf(&s, format, arguments);
	va_end(arguments);
	return must(n < 0 ? NULL : s);
}

static void report(struct run *run, enum exit_code code, char *message)
{
	char *clean = printable(message);

	fprintf(stderr, "hekictl: %s\n", clean);
	json_object_set_new(run->json, "error",
			    must(json_pack("{s:i, s:o}", "exit_code", code, "message",
					   json_text(message))));
	free(clean);
	free(message);
}

int fail(struct run *run, enum exit_code code, const char *format, ...)
{
	va_list arguments;
	char *message;
	int n;

	va_start(arguments, format);
	n = vasprintf(&message, format, arguments);
	va_end(arguments);
	report(run, code, must(n < 0 ? NULL : message));
	return code;
}

int fail_usage(struct run *run, const char *format, ...)
{
	va_list arguments;
	char *message;
	int n;

	va_start(arguments, format);
	n = vasprintf(&message, format, arguments);
	va_end(arguments);
	report(run, EXIT_USAGE, must(n < 0 ? NULL : message));
	fprintf(stderr, "Try 'hekictl%s%s --help'.\n", *run->command ? " " : "", run->command);
	return EXIT_USAGE;
}

int no_arguments(struct run *run)
{
	return run->argc ? fail_usage(run, "unexpected argument '%s'", run->argv[0]) : EXIT_OK;
}

int load_file(struct run *run, const char *name, struct hekifs_file *file)
{
	int ret = hekifs_read(name, file);

	switch (ret) {
	case 0:
		return EXIT_OK;
	case -ENOENT:
	case -ENOTDIR:
		return fail(run, EXIT_UNSUPPORTED,
			    "HEKI is not loaded: there is no %s/%s ('hekictl doctor' says why)",
			    hekifs_root(), name);
	case -EACCES:
	case -EPERM:
		return fail(run, EXIT_PERMISSION, "%s/%s: only root may read this",
			    hekifs_root(), name);
	case -EPROTO:
		return fail(run, EXIT_UNSUPPORTED, "%s/%s is malformed", hekifs_root(), name);
	case -EPROTONOSUPPORT:
		return fail(run, EXIT_UNSUPPORTED,
			    "%s/%s is of version %u, this hekictl knows %d: use one of the same release",
			    hekifs_root(), name, file->version, HEKI_SECURITYFS_VERSION);
	default:
		return fail(run, EXIT_FAILED, "%s/%s: %s", hekifs_root(), name, strerror(-ret));
	}
}

static unsigned int output_width(void)
{
	const char *variable = getenv("COLUMNS");
	struct winsize size;
	long n = variable ? strtol(variable, NULL, 10) : 0;

	if (n > 0 && n < 10000)
		return (unsigned int)n;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return 0;
}

static bool output_color(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && terminal &&
	       strcmp(terminal, "dumb");
}

/* The command that the first words name; *words says how many they are. */
static const struct command *find_command(int argc, char **argv, int *words)
{
	for (const struct command *c = commands; c->name; c++) {
		char *two = argc > 1 ? text("%s %s", argv[0], argv[1]) : NULL;
		bool one = !strcmp(c->name, argv[0]);
		bool both = two && !strcmp(c->name, two);

		free(two);
		*words = both ? 2 : 1;
		if (one || both)
			return c;
	}
	return NULL;
}

/* Take --json and --help out of the arguments; "--" ends options. */
static void take_common(struct run *run, bool *help)
{
	int to = 0;
	bool ended = false;

	for (int i = 0; i < run->argc; i++) {
		char *argument = run->argv[i];

		ended |= !strcmp(argument, "--");
		if (!ended && !strcmp(argument, "--json"))
			run->as_json = true;
		else if (!ended && (!strcmp(argument, "-h") || !strcmp(argument, "--help")))
			*help = true;
		else
			run->argv[to++] = argument;
	}
	run->argc = to;
}

static void finish(struct run *run)
{
	if (!run->as_json)
		return;
	json_dumpf(run->json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
}

/* Output that did not arrive (a full disk) is a failure; a reader that has gone is not. */
static int close_output(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		if (errno != EPIPE) {
			fprintf(stderr, "hekictl: writing: %s\n", strerror(errno));
			return code ? code : EXIT_FAILED;
		}
	}
	return code;
}

static int run_command(struct run *run, const struct command *command, bool help)
{
	int code;

	run->command = command->name;
	run->help = command->help;
	if (help) {
		print_command_help(command);
		return EXIT_OK;
	}
	json_object_set_new(run->json, "schema_version", json_integer(HEKICTL_SCHEMA));
	json_object_set_new(run->json, "command", json_string(command->name));
	code = command->run(run);
	finish(run);
	return code;
}

static int no_command(struct run *run, bool help)
{
	if (help) {
		print_help();
		return EXIT_OK;
	}
	if (!run->argc)
		return fail_usage(run, "say which command");
	if (is_object(run->argv[0]) && run->argc == 1)
		return fail_usage(run, "'%s' needs a command", run->argv[0]);
	if (is_object(run->argv[0]))
		return fail_usage(run, "no command '%s %s'", run->argv[0], run->argv[1]);
	return fail_usage(run, "no command '%s'", run->argv[0]);
}

int main(int argc, char **argv)
{
	struct run run = { .command = "", .argc = argc - 1, .argv = argv + 1 };
	const struct command *command = NULL;
	bool help = false;
	int words = 0, code;

	setlocale(LC_CTYPE, "");
	run.width = output_width();
	run.color = output_color();
	run.json = must(json_object());
	take_common(&run, &help);
	if (run.argc && !strcmp(run.argv[0], "--version"))
		run.argv[0] = "version";
	if (run.argc)
		command = find_command(run.argc, run.argv, &words);
	if (command) {
		run.argc -= words;
		run.argv += words;
		code = run_command(&run, command, help);
	} else {
		code = no_command(&run, help);
	}
	json_decref(run.json);
	return close_output(code);
}
