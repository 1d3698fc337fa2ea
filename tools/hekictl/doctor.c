// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl doctor: what is missing on this machine and how to get it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "array.h"
#include "doctor.h"
#include "out.h"

#define DOCTOR_WIDTH 80
#define WORD_FILE_MAX 65536

static const struct {
	const char *name;
	const char *label;
	enum color color;
} kinds[] = {
	[FINDING_OK] = { "ok", "  ok     ", COLOR_GOOD },
	[FINDING_NOTE] = { "note", "  note   ", COLOR_WARN },
	[FINDING_MISSING] = { "missing", "  MISSING", COLOR_BAD },
};

static void print_finding(const struct run *run, enum finding finding, const char *check,
			  const char *cure, const char *seen)
{
	size_t indent = strlen(kinds[finding].label) + 1;
	char *raw = text("%s: %s", check, seen), *line = printable(raw);

	put_color(run, kinds[finding].color, kinds[finding].label);
	putchar(' ');
	put_wrapped(run, COLOR_NONE, line, indent, run->width);
	if (cure) {
		printf("%*s", (int)indent, "");
		put_wrapped(run, COLOR_BOLD, cure, indent, run->width);
	}
	free(raw);
	free(line);
}

void doctor_say(struct doctor *doctor, enum finding finding, const char *check, const char *cure,
		const char *format, ...)
{
	json_t *object = must(json_object());
	va_list arguments;
	char *seen;
	int n;

	va_start(arguments, format);
	n = vasprintf(&seen, format, arguments);
	va_end(arguments);
	must(n < 0 ? NULL : seen);
	doctor->missing += finding == FINDING_MISSING;
	json_object_set_new(object, "finding", json_string(kinds[finding].name));
	json_object_set_new(object, "check", json_text(check));
	json_object_set_new(object, "seen", json_text(seen));
	json_object_set_new(object, "cure", cure ? json_text(cure) : json_null());
	json_array_append_new(doctor->findings, object);
	if (!doctor->run->as_json)
		print_finding(doctor->run, finding, check, cure, seen);
	free(seen);
}

char *doctor_path(const struct doctor *doctor, const char *before, bool release, const char *after)
{
	return text("%s%s%s%s", doctor->root, before, release ? doctor->release : "", after);
}

bool doctor_has(const struct doctor *doctor, const char *before, const char *after)
{
	char *path = doctor_path(doctor, before, false, after);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

char *doctor_word(const struct doctor *doctor, const char *path)
{
	char *full = doctor_path(doctor, path, false, ""), *word = NULL;
	struct file_data file;

	if (!file_read(full, WORD_FILE_MAX, &file)) {
		word = text("%.*s", (int)strcspn((char *)file.p, " \t\n"), (char *)file.p);
		file_free(&file);
	}
	free(full);
	return word;
}

static void heading(const struct doctor *doctor, const char *title)
{
	if (doctor->run->as_json)
		return;
	put_color(doctor->run, COLOR_BOLD, title);
	putchar('\n');
}

static void examine(struct doctor *doctor)
{
	static const struct {
		const char *title;
		void (*run)(struct doctor *doctor);
	} groups[] = {
		{ "Kernel configuration", doctor_config }, { "Kernel", doctor_kernel },
		{ "Modules of HEKI", doctor_modules },	   { "Trust", doctor_trust },
		{ "Versions", doctor_versions },
	};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		heading(doctor, groups[i].title);
		groups[i].run(doctor);
	}
}

static int verdict(struct doctor *doctor)
{
	struct run *run = doctor->run;
	char *what = counted(doctor->missing, "thing is missing", "things are missing");

	json_object_set_new(run->json, "release", json_text(doctor->release));
	json_object_set_new(run->json, "missing", json_integer(doctor->missing));
	json_object_set_new(run->json, "findings", doctor->findings);
	if (!run->as_json) {
		putchar('\n');
		put_color(run, doctor->missing ? COLOR_BAD : COLOR_GOOD,
			  doctor->missing ? what : "nothing is missing");
		putchar('\n');
	}
	free(what);
	return doctor->missing ? EXIT_FAILED : EXIT_OK;
}

int command_doctor(struct run *run)
{
	struct doctor doctor = { .run = run, .root = "" };
	struct utsname uts;
	int code;

	uname(&uts);
	doctor.release = uts.release;
	for (int i = 0; i < run->argc; i++) {
		const char **value = !strcmp(run->argv[i], "--root") ? &doctor.root :
				     !strcmp(run->argv[i], "--release") ? &doctor.release : NULL;

		if (!value)
			return fail_usage(run, "unexpected argument '%s'", run->argv[i]);
		if (++i == run->argc)
			return fail_usage(run, "%s needs an argument", run->argv[i - 1]);
		*value = run->argv[i];
	}
	if (!run->width)
		run->width = DOCTOR_WIDTH;
	doctor.findings = must(json_array());
	doctor.live = doctor_has(&doctor, "/proc/mounts", "");
	/* The client's files are of the kernel that runs this, unless another place is named. */
	if (!*doctor.root || getenv(HEKIFS_ROOT_VARIABLE))
		doctor.loaded = !hekifs_read("status", &doctor.status);
	examine(&doctor);
	code = verdict(&doctor);
	hekifs_free(&doctor.status);
	return code;
}
