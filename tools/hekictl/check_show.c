// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl module check: what was found in a file, and the totals, for people and as JSON.
 *
 * Names come from files that may be anybody's: out.c escapes them.  No locks: the main thread only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "check.h"
#include "out.h"

#define LABEL "%-13s"
#define INDENT 2

static const char *const memory_names[] = {
	[HEKI_MOD_TEXT] = "text", [HEKI_MOD_DATA] = "data",
	[HEKI_MOD_RODATA] = "rodata", [HEKI_MOD_RO_AFTER_INIT] = "ro_after_init",
	[HEKI_MOD_INIT_TEXT] = "init_text", [HEKI_MOD_INIT_DATA] = "init_data",
	[HEKI_MOD_INIT_RODATA] = "init_rodata",
};

static uint64_t pages_of(uint64_t bytes)
{
	return (bytes + HEKI_PAGE_SIZE - 1) / HEKI_PAGE_SIZE;
}

static bool is_good(const struct check_file *file)
{
	return !file->error && !file->result->signature && !file->result->format;
}

static const char *error_name(uint32_t error)
{
	return hekifs_error_names[error - 1];
}

static json_t *error_json(uint32_t error, const char *details)
{
	json_t *object;

	if (!error)
		return json_null();
	object = must(json_object());
	json_object_set_new(object, "error", json_string(error_name(error)));
	json_object_set_new(object, "meaning", json_string(hekifs_error_text(error_name(error))));
	json_object_set_new(object, "text", json_text(details));
	return object;
}

static json_t *sent_json(const struct check_result *r)
{
	json_t *object = must(json_object());
	json_t *pages = must(json_object());

	for (size_t i = 0; i < HEKI_MOD_MEM_TYPES; i++)
		json_object_set_new(pages, memory_names[i],
				    json_integer((json_int_t)pages_of(r->bytes[i])));
	json_object_set_new(object, "elf_pages", json_integer((json_int_t)pages_of(r->size)));
	json_object_set_new(object, "pages", pages);
	json_object_set_new(object, "patches", json_integer(r->patches));
	return object;
}

static json_t *relocations_json(const struct check_result *r)
{
	json_t *object = must(json_object());

	for (unsigned int i = 0; i < CHECK_RELOCATION_TYPES; i++) {
		const char *name = checker_relocation_name(i);
		char *number = name ? text("%s", name) : text("%u", i);

		if (r->relocations[i])
			json_object_set_new(object, number, json_integer(r->relocations[i]));
		free(number);
	}
	if (r->other_relocations)
		json_object_set_new(object, "other", json_integer(r->other_relocations));
	return object;
}

static json_t *sites_json(const struct check_result *r)
{
	json_t *object = must(json_object());

	for (unsigned int i = 0; checker_site_name(i); i++)
		json_object_set_new(object, checker_site_name(i), json_integer(r->sites[i]));
	return object;
}

json_t *check_file_json(const struct check_file *file)
{
	const struct check_result *r = file->result;
	json_t *object = must(json_object());

	json_object_set_new(object, "file", json_text(file->path));
	json_object_set_new(object, "ok", json_boolean(is_good(file)));
	if (file->error) {
		json_object_set_new(object, "unreadable", json_string(check_unreadable(file)));
		return object;
	}
	json_object_set_new(object, "sha256", json_string(r->sha256));
	json_object_set_new(object, "signature", error_json(r->signature, r->signature_text));
	json_object_set_new(object, "signer", r->signature ? json_null() : json_text(r->signer));
	json_object_set_new(object, "format", error_json(r->format, r->format_text));
	if (!r->parsed)
		return object;
	json_object_set_new(object, "name", json_text(r->name));
	json_object_set_new(object, "vermagic", json_text(r->vermagic));
	json_object_set_new(object, "depends", json_text(r->depends));
	json_object_set_new(object, "undefined", json_integer(r->undefined));
	json_object_set_new(object, "sent", sent_json(r));
	json_object_set_new(object, "relocations", relocations_json(r));
	json_object_set_new(object, "sites", sites_json(r));
	return object;
}

/* Append to a list "NAME: 1,234; ..."; takes @list over. */
static char *join(char *list, uint64_t n, const char *name)
{
	char *number, *joined;

	if (!n)
		return list;
	number = grouped(true, n);
	joined = text("%s%s%s: %s", list, *list ? "; " : "", name, number);
	free(number);
	free(list);
	return joined;
}

static char *with_total(uint64_t total, char *list)
{
	char *number = grouped(true, total);
	char *joined = text("%s%s%s%s", number, *list ? " (" : "", list, *list ? ")" : "");

	free(number);
	free(list);
	return joined;
}

static char *relocations_text(const struct check_result *r)
{
	uint64_t total = r->other_relocations;
	char *list = text("%s", "");

	for (unsigned int i = 0; i < CHECK_RELOCATION_TYPES; i++) {
		const char *name = checker_relocation_name(i);
		/* "R_X86_64_" says nothing to people. */
		char *shown = name ? text("%s", name + strlen("R_X86_64_")) : text("type %u", i);

		total += r->relocations[i];
		list = join(list, r->relocations[i], shown);
		free(shown);
	}
	return with_total(total, join(list, r->other_relocations, "other types"));
}

static char *sites_text(const struct check_result *r)
{
	char *list = text("%s", "");
	uint64_t total = 0;

	for (unsigned int i = 0; checker_site_name(i); i++) {
		total += r->sites[i];
		list = join(list, r->sites[i], checker_site_name(i));
	}
	return with_total(total, list);
}

/* Data pages are a lower bound: the kernel appends symbol tables of its own. */
static char *sent_text(const struct check_result *r)
{
	char *list = text("%s", ""), *patches = counted(r->patches, "patch", "patches");
	char *file = counted(pages_of(r->size), "page", "pages"), *pages, *joined;
	uint64_t total = 0;

	for (size_t i = 0; i < HEKI_MOD_MEM_TYPES; i++) {
		total += pages_of(r->bytes[i]);
		list = join(list, pages_of(r->bytes[i]), memory_names[i]);
	}
	pages = counted(total, "page", "pages");
	joined = text("%s of memory or more (%s), %s of the file, %s", pages, list, file, patches);
	free(list);
	free(patches);
	free(file);
	free(pages);
	return joined;
}

/* What the module asks of the kernel and of other modules. */
static char *needs_text(const struct check_result *r)
{
	char *symbols = counted(r->undefined, "symbol", "symbols");
	char *joined = text("%s%s%s", symbols, *r->depends ? ", modules " : "", r->depends);

	free(symbols);
	return joined;
}

static void row(struct table *table, const char *label, enum color color, char *value)
{
	table_add(table, COLOR_NONE, text(LABEL, label));
	table_add(table, color, value);
}

static char *why_text(uint32_t error, const char *details)
{
	const char *name = error_name(error);

	return text("%s: %s%s%s", name, hekifs_error_text(name), *details ? "; " : "", details);
}

static void show_result(const struct run *run, const struct check_result *r)
{
	static const struct column columns[] = { { "", false }, { "", false } };
	struct table table = { .columns = columns, .ncolumns = 2, .indent = INDENT };

	row(&table, "Signature", r->signature ? COLOR_BAD : COLOR_NONE,
	    r->signature ? why_text(r->signature, r->signature_text) :
	    text("good, by %s", *r->signer ? r->signer : "a certificate without a common name"));
	if (r->format)
		row(&table, "File", COLOR_BAD, why_text(r->format, r->format_text));
	row(&table, "SHA-256", COLOR_NONE, text("%s", r->sha256));
	if (r->parsed) {
		row(&table, "Module", COLOR_NONE, text("%s, for %s", r->name, r->vermagic));
		row(&table, "Needs", COLOR_NONE, needs_text(r));
		row(&table, "Sent", COLOR_NONE, sent_text(r));
		row(&table, "Relocations", COLOR_NONE, relocations_text(r));
		row(&table, "Sites", COLOR_NONE, sites_text(r));
	}
	table_print(run, &table);
	table_free(&table);
}

void check_file_show(const struct run *run, const struct check_file *file)
{
	bool good = is_good(file);
	char *clean = printable(file->path);

	printf("%s: ", clean);
	put_color(run, good ? COLOR_GOOD : COLOR_BAD, good ? "ok" : "FAILED");
	putchar('\n');
	free(clean);
	if (!file->error)
		show_result(run, file->result);
}

const char *check_unreadable(const struct check_file *file)
{
	switch (file->error) {
	case -EBADMSG:
		return "its compression is damaged";
	case -ENOENT:
		return file->searched ? "holds no module" : strerror(ENOENT);
	default:
		return cert_error(file->error);
	}
}

bool check_total_add(struct check_totals *totals, const struct check_file *file)
{
	const struct check_result *r = file->result;
	bool good = is_good(file);

	totals->files++;
	totals->ok += good;
	if (file->error) {
		totals->unreadable++;
		return good;
	}
	totals->bytes += r->size;
	if (r->signature)
		totals->errors[r->signature]++;
	/* A file counts once under each name. */
	if (r->format && r->format != r->signature)
		totals->errors[r->format]++;
	return good;
}

json_t *check_totals_json(const struct check_totals *totals)
{
	json_t *object = must(json_object());
	json_t *errors = must(json_object());

	for (uint32_t i = 1; i < HEKI_ERROR_COUNT; i++)
		if (totals->errors[i])
			json_object_set_new(errors, error_name(i),
					    json_integer((json_int_t)totals->errors[i]));
	json_object_set_new(object, "files", json_integer((json_int_t)totals->files));
	json_object_set_new(object, "bytes", json_integer((json_int_t)totals->bytes));
	json_object_set_new(object, "ok", json_integer((json_int_t)totals->ok));
	json_object_set_new(object, "failed",
			    json_integer((json_int_t)(totals->files - totals->ok)));
	json_object_set_new(object, "unreadable", json_integer((json_int_t)totals->unreadable));
	json_object_set_new(object, "errors", errors);
	return object;
}

void check_totals_show(const struct run *run, const struct check_totals *totals)
{
	uint64_t failed = totals->files - totals->ok;
	char *files = counted(totals->files, "file", "files"), *ok = grouped(true, totals->ok);
	char *size = pages_size(pages_of(totals->bytes)), *bad = grouped(true, failed);
	char *list = text("%s", "");

	for (uint32_t i = 1; i < HEKI_ERROR_COUNT; i++)
		list = join(list, totals->errors[i], error_name(i));
	list = join(list, totals->unreadable, "unreadable");
	printf("%s, %s: %s ok, ", files, size, ok);
	free(ok);
	ok = text("%s failed", bad);
	put_color(run, failed ? COLOR_BAD : COLOR_NONE, ok);
	printf("%s%s%s\n", *list ? " (" : "", list, *list ? ")" : "");
	free(list);
	free(files);
	free(size);
	free(ok);
	free(bad);
}
