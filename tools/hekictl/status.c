// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl status: the screen that people look at.
 *
 * Whatever the files do not say is shown as unknown.  Files that only root may read leave their
 * part out and say so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "grade.h"
#include "lists.h"
#include "log.h"
#include "out.h"

#define STATUS_WIDTH 80
#define STATUS_WIDTH_MAX 110
#define LAST_REFUSALS 5
#define LABEL "%-13s"
#define INDENT 2

/* The files; optional ones that cannot be read are empty, with the reason beside them. */
struct sources {
	struct hekifs_file status, modules, certs, registers, log;
	int modules_error, certs_error, registers_error, log_error;
};

static const struct column two_columns[] = { { "", false }, { "", false } };
static const struct column four_columns[] = {
	{ "", false }, { "", true }, { "", true }, { "", false }
};

static void free_sources(struct sources *s)
{
	hekifs_free(&s->status);
	hekifs_free(&s->modules);
	hekifs_free(&s->certs);
	hekifs_free(&s->registers);
	hekifs_free(&s->log);
}

static int load_sources(struct run *run, struct sources *s)
{
	int code;

	*s = (struct sources){ 0 };
	code = load_file(run, "status", &s->status);
	if (code)
		return code;
	s->modules_error = hekifs_read("modules", &s->modules);
	s->certs_error = hekifs_read("certs", &s->certs);
	s->registers_error = hekifs_read("registers", &s->registers);
	s->log_error = hekifs_read("log", &s->log);
	return EXIT_OK;
}

static void row(struct table *table, const char *label, enum color color, char *value)
{
	table_add(table, COLOR_NONE, text(LABEL, label));
	table_add(table, color, value);
}

static void section(const struct run *run, const char *title, struct table *table)
{
	putchar('\n');
	put_color(run, COLOR_BOLD, title);
	putchar('\n');
	table_print(run, table);
	table_free(table);
}

static const char *known(const struct hekifs_record *record, const char *key)
{
	const char *value = hekifs_get(record, key);

	return value ? value : "unknown";
}

/* A line of numbers: each # of the format is the number of the next key. */
static char *numbers(const struct hekifs_record *record, const char *format,
		     const char *const *keys)
{
	char *line = text("%s", ""), *joined;

	for (const char *at = format; *at;) {
		size_t n = strcspn(at, "#");
		char *number = at[n] == '#' ? number_text(record, *keys++) : text("%s", "");

		joined = text("%s%.*s%s", line, (int)n, at, number);
		free(line);
		free(number);
		line = joined;
		at += n + (at[n] == '#');
	}
	return line;
}

static void show_verdict(const struct run *run, const struct hekifs_record *status)
{
	const struct verdict *verdict = grade_verdict(status);

	put_color(run, verdict->color, verdict->headline);
	printf("\n%*s", INDENT, "");
	put_wrapped(run, COLOR_NONE, verdict->meaning, INDENT, run->width);
	if (!verdict->advice)
		return;
	printf("%*s", INDENT, "");
	put_wrapped(run, COLOR_NONE, verdict->advice, INDENT, run->width);
}

static const char *policy_text(const struct hekifs_record *status)
{
	const char *policy = known(status, "modules_policy");

	if (!strcmp(policy, "enforce") || !strcmp(known(status, "mode"), "enforce"))
		return "vetoed";
	return strcmp(policy, "report") ? policy : "reported, but loaded";
}

static const char *patches_text(const struct hekifs_record *status)
{
	const char *policy = known(status, "patches_policy");

	if (!strcmp(policy, "tracing"))
		return "function tracers work, all else is refused";
	if (!strcmp(policy, "strict") || !strcmp(known(status, "mode"), "enforce") ||
	    grade_is(status, "enforce"))
		return "refused";
	return strcmp(policy, "report") ? policy : "made, and reported";
}

static const char *exec_text(const struct hekifs_record *status)
{
	const char *policy = known(status, "exec_policy");

	if (!strcmp(policy, "strict"))
		return "what VTL1 protects, and no more";
	return strcmp(policy, "jit") ? policy : "what VTL1 protects, and what nobody does";
}

static void show_where(const struct run *run, const struct hekifs_record *status)
{
	struct table table = { .columns = two_columns, .ncolumns = 2, .indent = INDENT };

	row(&table, "Kernel", COLOR_NONE,
	    text("%s, client loaded %s, mode %s", known(status, "kernel_release"),
		 known(status, "load"), known(status, "mode")));
	row(&table, "VTL1", COLOR_NONE,
	    text("%s, grade %s, transport %s, ABI %s", known(status, "host"),
		 known(status, "grade"), known(status, "transport"),
		 known(status, "abi_version")));
	row(&table, "Phase", COLOR_NONE,
	    text("%s; modules that VTL1 refuses: %s", known(status, "phase"), policy_text(status)));
	row(&table, "Patches", COLOR_NONE,
	    text("kprobes, function tracers, BPF at functions: %s", patches_text(status)));
	row(&table, "Execution", COLOR_NONE, text("the kernel executes %s", exec_text(status)));
	section(run, "Where", &table);
}

/* Add the number of a key; false when it is missing. */
static bool add(const struct hekifs_record *record, const char *key, uint64_t *total)
{
	uint64_t n;

	if (!hekifs_number(record, key, &n))
		return false;
	*total += n;
	return true;
}

/* Pages of modules that are executable and read-only now; false when that is not known. */
static bool module_pages(const struct hekifs_file *modules, uint64_t *text_pages,
			 uint64_t *rodata_pages)
{
	bool all = true;

	*text_pages = *rodata_pages = 0;
	for (size_t i = 0; i < modules->count; i++) {
		const struct hekifs_record *module = &modules->records[i];
		const char *state = hekifs_get(module, "state");

		all &= add(module, "pages_text", text_pages);
		all &= add(module, "pages_init_text", text_pages);
		all &= add(module, "pages_rodata", rodata_pages);
		all &= add(module, "pages_init_rodata", rodata_pages);
		/* Written until the module's init is over. */
		if (state && !strcmp(state, "ready"))
			all &= add(module, "pages_ro_after_init", rodata_pages);
	}
	return all;
}

static void pages_row(struct table *table, const char *label, bool is_known, uint64_t pages,
		      const char *access)
{
	char *number = grouped(is_known, pages);

	table_add(table, COLOR_NONE, text(LABEL, label));
	table_add(table, COLOR_NONE, text("%s pages", number));
	table_add(table, COLOR_NONE, is_known ? pages_size(pages) : text("%s", ""));
	table_add(table, COLOR_NONE, text("%s", access));
	free(number);
}

/* Kernel pages are all less those of modules; without the list of modules only sums are known. */
static void show_pages(const struct run *run, const struct sources *s)
{
	const struct hekifs_record *status = hekifs_only(&s->status);
	struct table table = { .columns = four_columns, .ncolumns = 4, .indent = INDENT };
	uint64_t all_text = 0, all_rodata = 0, mod_text, mod_rodata;
	bool split = module_pages(&s->modules, &mod_text, &mod_rodata) && !s->modules_error;
	bool text_known = hekifs_number(status, "pages_text", &all_text);
	bool rodata_known = hekifs_number(status, "pages_rodata", &all_rodata);

	if (!split || mod_text > all_text || mod_rodata > all_rodata) {
		pages_row(&table, "Text", text_known, all_text, "read and execute");
		pages_row(&table, "Rodata", rodata_known, all_rodata, "read only");
	} else {
		pages_row(&table, "Kernel text", text_known, all_text - mod_text,
			  "read and execute");
		pages_row(&table, "Kernel rodata", rodata_known, all_rodata - mod_rodata,
			  "read only");
		pages_row(&table, "Module text", true, mod_text, "read and execute");
		pages_row(&table, "Module rodata", true, mod_rodata, "read only");
	}
	section(run, "Protected now", &table);
}

static char *cert_lines(const struct sources *s)
{
	static const char *const keys[] = { "certs_system", "certs_secondary", "certs_kexec",
					    "certs_revoked", "blocklist_hashes" };
	char *lines = numbers(hekifs_only(&s->status),
			      "# system, # secondary, # for kexec; # revoked, # hashes blocked",
			      keys);

	for (size_t i = 0; i < s->certs.count; i++) {
		/* A newline in it would begin a line of its own. */
		char *subject = printable(known(&s->certs.records[i], "subject"));
		char *joined = text("%s\n%s (%s)", lines, subject,
				    known(&s->certs.records[i], "set"));

		free(subject);
		free(lines);
		lines = joined;
	}
	return lines;
}

static bool same_registers(const struct hekifs_record *a, const struct hekifs_record *b)
{
	static const char *const keys[] = { "cr0", "cr4", "efer" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(known(a, keys[i]), known(b, keys[i])))
			return false;
	return true;
}

/* One line for neighbouring CPUs with the same values. */
static char *register_lines(const struct sources *s)
{
	const struct hekifs_file *f = &s->registers;
	char *lines = text("%s", ""), *joined;

	for (size_t i = 0, end; i < f->count; i = end) {
		const struct hekifs_record *first = &f->records[i];

		for (end = i + 1; end < f->count && same_registers(first, &f->records[end]); end++)
			;
		joined = text("%s\nCPU %s%s%s: CR0 %s, CR4 %s, EFER %s", lines,
			      known(first, "vp"), end > i + 1 ? "-" : "",
			      end > i + 1 ? known(&f->records[end - 1], "vp") : "",
			      known(first, "cr0"), known(first, "cr4"), known(first, "efer"));
		free(lines);
		lines = joined;
	}
	return lines;
}

static char *registers_text(const struct sources *s, enum color *color)
{
	const struct hekifs_record *status = hekifs_only(&s->status);
	uint64_t locked, online;
	bool counted_cpus = hekifs_number(status, "vps_locked", &locked) &&
			    hekifs_number(status, "cpus_online", &online);
	char *of = number_text(status, "vps_locked"), *all = number_text(status, "cpus_online");
	char *lines = register_lines(s);
	char *joined = text("%s on %s of %s CPUs%s",
			    grade_is(status, "enforce") ? "pinned" : "recorded", of, all, lines);

	*color = counted_cpus && locked < online ? COLOR_WARN : COLOR_NONE;
	free(of);
	free(all);
	free(lines);
	return joined;
}

static const char *kexec_text(const struct hekifs_record *status)
{
	static const char *const texts[] = { "no image is validated", "a normal image is validated",
					     "a crash image is validated",
					     "a normal and a crash image are validated" };
	uint64_t slots;

	return hekifs_number(status, "kexec_slots", &slots) && slots < 4 ? texts[slots] : "unknown";
}

/* A row for each line of @lines, which is taken over; the first has the label and the colour. */
static void rows(struct table *table, const char *label, enum color color, char *lines)
{
	char *newline = NULL;

	for (char *line = strtok_r(lines, "\n", &newline); line;
	     line = strtok_r(NULL, "\n", &newline)) {
		row(table, label, color, text("%s", line));
		label = "";
		color = COLOR_NONE;
	}
	free(lines);
}

static void show_known(const struct run *run, const struct sources *s)
{
	static const char *const symbol_keys[] = { "symbols", "symbols_gpl", "symbols_module" };
	static const char *const patch_keys[] = { "patches_kernel", "jump_labels_kernel",
						   "patches_module" };
	const struct hekifs_record *status = hekifs_only(&s->status);
	struct table table = { .columns = two_columns, .ncolumns = 2, .indent = INDENT };
	enum color color;
	char *registers = registers_text(s, &color);

	row(&table, "Symbols", COLOR_NONE,
	    numbers(status, "# plain and # GPL of the kernel, # of modules", symbol_keys));
	row(&table, "Patch sites", COLOR_NONE,
	    numbers(status, "# in the kernel (# jump labels), # in modules", patch_keys));
	row(&table, "kexec", COLOR_NONE, text("%s", kexec_text(status)));
	rows(&table, "Certificates", COLOR_NONE, cert_lines(s));
	rows(&table, "Registers", color, registers);
	table_print(run, &table);
	table_free(&table);
}

/* A colour that asks for attention when any of the keys is not 0. */
static enum color attention(const struct hekifs_record *status, enum color color,
			    const char *const *keys)
{
	uint64_t n;

	for (; *keys; keys++)
		if (hekifs_number(status, *keys, &n) && n)
			return color;
	return COLOR_NONE;
}

static void show_decided(const struct run *run, const struct hekifs_record *status)
{
	static const struct {
		const char *label, *format;
		const char *const keys[4];
		const char *const alarms[4];
		enum color color;
	} decisions[] = {
		{ "Modules", "# validated, # refused; # loaded now, of these # unverified",
		  { "modules_validated", "modules_refused", "modules_live", "modules_unverified" },
		  { "modules_refused", "modules_unverified", NULL }, COLOR_WARN },
		{ "Relocations", "# recomputed and equal; # rewritten sites met",
		  { "relocations", "sites" }, { NULL }, COLOR_NONE },
		{ "Text patches", "# steps allowed; # refused, # of these at unknown places",
		  { "patch_allowed", "patch_refused", "poke_unlisted" },
		  { "patch_refused", NULL }, COLOR_WARN },
		{ "Intercepts", "# writes were stopped before they took effect", { "intercepts" },
		  { "intercepts", NULL }, COLOR_WARN },
		{ "Audits", "# done; violations found: #", { "audits", "violations" },
		  { "violations", NULL }, COLOR_BAD },
		{ "Log", "# written, # lost; # patches refused without a record",
		  { "log_written", "log_dropped", "log_omitted" }, { NULL }, COLOR_NONE },
	};
	struct table table = { .columns = two_columns, .ncolumns = 2, .indent = INDENT };

	for (size_t i = 0; i < ARRAY_SIZE(decisions); i++)
		row(&table, decisions[i].label, attention(status, decisions[i].color, decisions[i].alarms),
		    numbers(status, decisions[i].format, decisions[i].keys));
	section(run, "Decided since boot", &table);
}

/* Refusals and violations, the newest last, at most LAST_REFUSALS; their number. */
static size_t last_refusals(const struct hekifs_file *log,
			    const struct hekifs_record *last[LAST_REFUSALS])
{
	size_t n = 0, total = 0;

	for (size_t i = 0; i < log->count; i++)
		total += log_color(&log->records[i]) != COLOR_NONE;
	for (size_t i = 0; i < log->count; i++) {
		if (log_color(&log->records[i]) == COLOR_NONE)
			continue;
		if (total-- <= LAST_REFUSALS)
			last[n++] = &log->records[i];
	}
	return n;
}

/* Why no refusal is shown. */
static const char *log_absence(int error)
{
	if (!error)
		return "none";
	if (error == -EACCES || error == -EPERM)
		return "the log can only be read by root";
	return error == -ENOENT ? "there is no log" : "the log is malformed";
}

static void show_refusals(const struct run *run, const struct sources *s)
{
	static const struct column columns[] = { { "", true }, { "", false } };
	struct table table = { .columns = columns, .ncolumns = 2, .indent = INDENT };
	const struct hekifs_record *last[LAST_REFUSALS];
	size_t n = last_refusals(&s->log, last);

	for (size_t i = 0; i < n; i++) {
		char *time = log_time(last[i]), *why = log_why(last[i]);

		table_add(&table, COLOR_NONE, time ? text("%s s", time) : NULL);
		table_add(&table, log_color(last[i]), log_what(last[i]));
		table_add(&table, COLOR_NONE, text("%s", ""));
		table_add(&table, COLOR_NONE, text("%s", *why ? why : "no reason is given"));
		free(why);
		free(time);
	}
	if (!n) {
		table_add(&table, COLOR_NONE, text("%s", log_absence(s->log_error)));
		table_add(&table, COLOR_NONE, text("%s", ""));
	}
	section(run, "Last refusals", &table);
}

static void show_limits(const struct run *run, const struct hekifs_record *status)
{
	const char *const *limits = grade_limits(status);

	if (!*limits)
		return;
	putchar('\n');
	put_color(run, COLOR_BOLD, "This grade does not stop");
	putchar('\n');
	for (; *limits; limits++) {
		printf("%*s- ", INDENT, "");
		put_wrapped(run, COLOR_NONE, *limits, INDENT + 2, run->width);
	}
}

static json_t *status_json(const struct hekifs_record *status)
{
	static const char *const keys[] = { "abi_version", "grade",	    "features",
					    "end_of_boot", "host",	    "mode",
					    "modules_policy", "patches_policy", "exec_policy",
					    "load",	   "phase",
					    "transport",   "kernel_release", "cpus_online",
					    "poke_unlisted", "poke_refused", NULL };
	const char *const *const lists[] = { keys, hekifs_stats_keys };
	json_t *object = must(json_object());

	for (size_t list = 0; list < 2; list++)
		for (const char *const *key = lists[list]; *key; key++)
			json_object_set_new(object, *key,
					    json_value(*key, hekifs_get(status, *key)));
	return object;
}

static void show_json(struct run *run, const struct sources *s)
{
	const struct hekifs_record *status = hekifs_only(&s->status);
	const struct hekifs_record *last[LAST_REFUSALS];
	json_t *limits = must(json_array()), *refusals = must(json_array());
	size_t n = last_refusals(&s->log, last);

	for (const char *const *limit = grade_limits(status); *limit; limit++)
		json_array_append_new(limits, json_string(*limit));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(refusals, json_record(last[i]));
	json_object_set_new(run->json, "verdict", json_string(grade_verdict(status)->name));
	json_object_set_new(run->json, "status", status_json(status));
	json_object_set_new(run->json, "certificates",
			    s->certs_error ? json_null() : json_records(&s->certs));
	json_object_set_new(run->json, "registers",
			    s->registers_error ? json_null() : json_records(&s->registers));
	json_object_set_new(run->json, "last_refusals", s->log_error ? json_null() :
			    json_incref(refusals));
	json_object_set_new(run->json, "does_not_stop", limits);
	json_decref(refusals);
}

static void show(struct run *run, const struct sources *s)
{
	const struct hekifs_record *status = hekifs_only(&s->status);

	if (!run->width)
		run->width = STATUS_WIDTH;
	if (run->width > STATUS_WIDTH_MAX)
		run->width = STATUS_WIDTH_MAX;
	show_verdict(run, status);
	show_where(run, status);
	show_pages(run, s);
	show_known(run, s);
	show_decided(run, status);
	show_refusals(run, s);
	show_limits(run, status);
}

int command_status(struct run *run)
{
	struct sources s;
	int code = no_arguments(run);

	if (code)
		return code;
	code = load_sources(run, &s);
	if (!code && run->as_json)
		show_json(run, &s);
	else if (!code)
		show(run, &s);
	if (!code && grade_is_bad(hekifs_only(&s.status)))
		code = EXIT_FAILED;
	free_sources(&s);
	return code;
}
