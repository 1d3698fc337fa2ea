// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands that list a file of the client: modules, certificates, registers, patches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lists.h"
#include "out.h"

/* A copy of a value; NULL when the key is missing. */
char *value_copy(const struct hekifs_record *record, const char *key)
{
	const char *value = hekifs_get(record, key);

	return value ? must(strdup(value)) : NULL;
}

bool has_flag(const struct hekifs_record *record, const char *flag)
{
	const char *flags = hekifs_get(record, "flags");
	size_t n = strlen(flag);

	while (flags && *flags) {
		size_t word = strcspn(flags, ",");

		if (word == n && !strncmp(flags, flag, n))
			return true;
		flags += word + (flags[word] == ',');
	}
	return false;
}

char *owner_name(const struct hekifs_file *modules, const char *owner)
{
	for (size_t i = 0; owner && i < modules->count; i++) {
		const char *token = hekifs_get(&modules->records[i], "token");

		if (token && !strcmp(token, owner))
			return value_copy(&modules->records[i], "name");
	}
	return owner ? must(strdup(owner)) : NULL;
}

/* Sum of some keys; false when one is missing. */
static bool sum(const struct hekifs_record *record, const char *const *keys, uint64_t *total)
{
	*total = 0;
	for (; *keys; keys++) {
		uint64_t n;

		if (!hekifs_number(record, *keys, &n))
			return false;
		*total += n;
	}
	return true;
}

static char *sum_text(const struct hekifs_record *record, const char *const *keys)
{
	uint64_t total;
	bool known = sum(record, keys, &total);

	return grouped(known, total);
}

static void module_row(struct table *table, const struct hekifs_record *module)
{
	static const char *const text_keys[] = { "pages_text", "pages_init_text", NULL };
	static const char *const rodata_keys[] = { "pages_rodata", "pages_init_rodata", NULL };
	static const char *const data_keys[] = { "pages_data", "pages_ro_after_init",
						 "pages_init_data", NULL };
	const char *signer = hekifs_get(module, "signer");
	bool unverified = has_flag(module, "unverified");

	table_add(table, COLOR_NONE, value_copy(module, "name"));
	table_add(table, unverified ? COLOR_WARN : COLOR_NONE,
		  unverified ? text("unverified") : value_copy(module, "state"));
	table_add(table, COLOR_NONE, sum_text(module, text_keys));
	table_add(table, COLOR_NONE, sum_text(module, rodata_keys));
	table_add(table, COLOR_NONE, sum_text(module, data_keys));
	table_add(table, COLOR_NONE, number_text(module, "relocations"));
	table_add(table, COLOR_NONE, number_text(module, "sites"));
	table_add(table, COLOR_NONE, number_text(module, "patches"));
	table_add(table, COLOR_NONE, number_text(module, "users"));
	table_add(table, COLOR_NONE,
		  signer ? text("%s", strcmp(signer, "none") ? signer : "-") : NULL);
}

int command_module_list(struct run *run)
{
	static const struct column columns[] = {
		{ "MODULE", false }, { "STATE", false },   { "TEXT", true },  { "RODATA", true },
		{ "DATA", true },    { "RELOCS", true },   { "SITES", true }, { "PATCHES", true },
		{ "USERS", true },   { "SIGNER", true },
	};
	struct table table = { .columns = columns, .ncolumns = 10 };
	struct hekifs_file modules;
	int code = no_arguments(run);

	if (code)
		return code;
	code = load_file(run, "modules", &modules);
	if (!code && run->as_json)
		json_object_set_new(run->json, "modules", json_records(&modules));
	if (!code && !run->as_json) {
		for (size_t i = 0; i < modules.count; i++)
			module_row(&table, &modules.records[i]);
		table_print(run, &table);
		table_free(&table);
	}
	hekifs_free(&modules);
	return code;
}

static const struct hekifs_record *find_module(const struct hekifs_file *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++) {
		const char *found = hekifs_get(&file->records[i], "name");

		if (found && !strcmp(found, name))
			return &file->records[i];
	}
	return NULL;
}

static void pair_rows(struct table *table, const struct hekifs_record *record, bool numbers)
{
	for (size_t i = 0; record && i < record->count; i++) {
		const struct hekifs_pair *pair = &record->pairs[i];

		if (numbers && (!strcmp(pair->key, "name") || !strcmp(pair->key, "token") ||
				!strcmp(pair->key, "flags")))
			continue;
		table_add(table, COLOR_NONE, text("%s", pair->key));
		table_add(table, COLOR_NONE,
			  numbers ? number_text(record, pair->key) : text("%s", pair->value));
	}
}

static void show_module(struct run *run, const struct hekifs_record *module,
			const struct hekifs_record *account)
{
	static const struct column columns[] = { { "MODULE", false }, { "", false } };
	static const struct column bytes[] = { { "COMPARED BYTES", false }, { "", true } };
	struct table table = { .columns = columns, .ncolumns = 2 };
	struct table accounts = { .columns = bytes, .ncolumns = 2 };

	pair_rows(&table, module, false);
	table_print(run, &table);
	table_free(&table);
	putchar('\n');
	pair_rows(&accounts, account, true);
	table_print(run, &accounts);
	table_free(&accounts);
}

int command_module_show(struct run *run)
{
	struct hekifs_file modules, accounts = { 0 };
	const struct hekifs_record *module = NULL, *account = NULL;
	int code;

	if (run->argc != 1)
		return fail_usage(run, "one module is needed");
	code = load_file(run, "modules", &modules);
	if (!code)
		code = load_file(run, "accounts", &accounts);
	if (!code) {
		module = find_module(&modules, run->argv[0]);
		account = find_module(&accounts, run->argv[0]);
		if (!module)
			code = fail(run, EXIT_FAILED, "VTL1 knows no module '%s'", run->argv[0]);
	}
	if (!code && run->as_json) {
		json_object_set_new(run->json, "module", json_record(module));
		json_object_set_new(run->json, "account", json_record(account));
	} else if (!code) {
		show_module(run, module, account);
	}
	hekifs_free(&accounts);
	hekifs_free(&modules);
	return code;
}

static void cert_row(struct table *table, size_t index, const struct hekifs_record *cert)
{
	const char *set = hekifs_get(cert, "set"), *sha256 = hekifs_get(cert, "sha256");
	bool revoked = set && !strcmp(set, "revoked");

	table_add(table, COLOR_NONE, text("%zu", index));
	table_add(table, revoked ? COLOR_WARN : COLOR_NONE, value_copy(cert, "set"));
	table_add(table, COLOR_NONE, number_text(cert, "der_size"));
	table_add(table, COLOR_NONE, sha256 ? text("%.16s", sha256) : NULL);
	table_add(table, COLOR_NONE, value_copy(cert, "subject"));
}

int command_cert_list(struct run *run)
{
	static const struct column columns[] = {
		{ "NUMBER", true },  { "SET", false },	   { "BYTES", true },
		{ "SHA256", false }, { "SUBJECT", false },
	};
	struct table table = { .columns = columns, .ncolumns = 5 };
	struct hekifs_file certs;
	int code = no_arguments(run);

	if (code)
		return code;
	code = load_file(run, "certs", &certs);
	if (!code && run->as_json)
		json_object_set_new(run->json, "certificates", json_records(&certs));
	if (!code && !run->as_json) {
		for (size_t i = 0; i < certs.count; i++)
			cert_row(&table, i, &certs.records[i]);
		table_print(run, &table);
		table_free(&table);
	}
	hekifs_free(&certs);
	return code;
}

static void registers_rows(struct table *table, const struct hekifs_record *vp)
{
	table_add(table, COLOR_BOLD, text("CPU"));
	table_add(table, COLOR_BOLD, value_copy(vp, "vp"));
	table_add(table, COLOR_NONE, text("starts"));
	table_add(table, COLOR_NONE, value_copy(vp, "starts"));
	for (size_t i = 0; hekifs_registers[i]; i++) {
		table_add(table, COLOR_NONE, text("%s", hekifs_registers[i]));
		table_add(table, COLOR_NONE, value_copy(vp, hekifs_registers[i]));
	}
}

int command_registers(struct run *run)
{
	static const struct column columns[] = { { "", false }, { "", true } };
	struct table table = { .columns = columns, .ncolumns = 2 };
	struct hekifs_file registers;
	int code = no_arguments(run);

	if (code)
		return code;
	code = load_file(run, "registers", &registers);
	if (!code && run->as_json)
		json_object_set_new(run->json, "registers", json_records(&registers));
	if (!code && !run->as_json) {
		for (size_t i = 0; i < registers.count; i++)
			registers_rows(&table, &registers.records[i]);
		table_print(run, &table);
		table_free(&table);
	}
	hekifs_free(&registers);
	return code;
}

/* What stands at a site: the code, the NOP, or INT3 in between. */
static const char *patch_state(const struct hekifs_record *patch)
{
	const char *code = hekifs_get(patch, "code"), *current = hekifs_get(patch, "current");

	if (!code || !current)
		return "unknown";
	if (!strncmp(current, "cc", 2))
		return "int3";
	if (!strcmp(current, "6690") || !strcmp(current, "0f1f440000"))
		return "nop";
	return strcmp(code, current) ? "other" : "code";
}

static void patch_row(struct table *table, const struct hekifs_file *modules,
		      const struct hekifs_record *patch)
{
	const char *state = patch_state(patch);

	table_add(table, COLOR_NONE, value_copy(patch, "pa"));
	table_add(table, COLOR_NONE, value_copy(patch, "type"));
	table_add(table, !strcmp(state, "other") ? COLOR_WARN : COLOR_NONE, text("%s", state));
	table_add(table, COLOR_NONE, value_copy(patch, "code"));
	table_add(table, COLOR_NONE, value_copy(patch, "current"));
	table_add(table, COLOR_NONE, owner_name(modules, hekifs_get(patch, "owner")));
}

int command_patch_list(struct run *run)
{
	static const struct column columns[] = {
		{ "ADDRESS", true }, { "TYPE", false },	   { "STATE", false },
		{ "CODE", false },   { "CURRENT", false }, { "OWNER", false },
	};
	struct table table = { .columns = columns, .ncolumns = 6 };
	struct hekifs_file patches, modules = { 0 };
	int code = no_arguments(run);

	if (code)
		return code;
	code = load_file(run, "patches", &patches);
	if (!code)
		code = load_file(run, "modules", &modules);
	if (!code && run->as_json)
		json_object_set_new(run->json, "patches", json_records(&patches));
	if (!code && !run->as_json) {
		for (size_t i = 0; i < patches.count; i++)
			patch_row(&table, &modules, &patches.records[i]);
		table_print(run, &table);
		table_free(&table);
	}
	hekifs_free(&patches);
	hekifs_free(&modules);
	return code;
}
