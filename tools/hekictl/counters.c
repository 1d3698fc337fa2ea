// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl counters: calls and refusals, errors, budgets.
 */
#include <stdlib.h>
#include <string.h>

#include "out.h"

#define CLIENT_PREFIX "client_"

static bool number(const struct hekifs_record *counters, const char *group, const char *name,
		   const char *field, uint64_t *n)
{
	char *key = text("%s.%s%s", group, name, field);
	bool known = hekifs_number(counters, key, n);

	free(key);
	return known;
}

static json_t *number_json(const struct hekifs_record *counters, const char *group,
			   const char *name, const char *field)
{
	uint64_t n;

	return number(counters, group, name, field, &n) ? json_integer((json_int_t)n) : json_null();
}

static json_t *group_json(const struct hekifs_record *counters, const char *group,
			  const char *const *names)
{
	json_t *object = must(json_object());

	for (; *names; names++)
		json_object_set_new(object, *names, number_json(counters, group, *names, ""));
	return object;
}

/* The client's own: which there are is its business. */
static bool is_client(const struct hekifs_pair *pair)
{
	return !strncmp(pair->key, CLIENT_PREFIX, strlen(CLIENT_PREFIX));
}

static json_t *client_json(const struct hekifs_record *counters)
{
	json_t *object = must(json_object());

	for (size_t i = 0; counters && i < counters->count; i++) {
		const struct hekifs_pair *pair = &counters->pairs[i];

		if (is_client(pair))
			json_object_set_new(object, pair->key + strlen(CLIENT_PREFIX),
					    json_value(pair->key, pair->value));
	}
	return object;
}

static void show_json(struct run *run, const struct hekifs_record *counters)
{
	json_t *budgets = must(json_object());

	json_object_set_new(run->json, "calls", group_json(counters, "calls", hekifs_call_names));
	json_object_set_new(run->json, "refusals",
			    group_json(counters, "refusals", hekifs_call_names));
	json_object_set_new(run->json, "errors",
			    group_json(counters, "errors", hekifs_error_names));
	for (const char *const *name = hekifs_budget_names; *name; name++) {
		json_t *budget = must(json_object());

		json_object_set_new(budget, "used", number_json(counters, "budget", *name, ".used"));
		json_object_set_new(budget, "peak", number_json(counters, "budget", *name, ".peak"));
		json_object_set_new(budget, "limit",
				    number_json(counters, "budget", *name, ".limit"));
		json_object_set_new(budgets, *name, budget);
	}
	json_object_set_new(run->json, "budgets", budgets);
	json_object_set_new(run->json, "client", client_json(counters));
}

static char *cell(const struct hekifs_record *counters, const char *group, const char *name,
		  const char *field)
{
	uint64_t n = 0;
	bool known = number(counters, group, name, field, &n);

	return grouped(known, n);
}

static void show_calls(const struct run *run, const struct hekifs_record *counters)
{
	static const struct column columns[] = {
		{ "CALL", false }, { "MADE", true }, { "REFUSED", true }
	};
	struct table table = { .columns = columns, .ncolumns = 3 };

	for (const char *const *name = hekifs_call_names; *name; name++) {
		uint64_t refused = 0;

		number(counters, "refusals", *name, "", &refused);
		table_add(&table, COLOR_NONE, text("%s", *name));
		table_add(&table, COLOR_NONE, cell(counters, "calls", *name, ""));
		table_add(&table, refused ? COLOR_WARN : COLOR_NONE,
			  cell(counters, "refusals", *name, ""));
	}
	table_print(run, &table);
	table_free(&table);
}

/* Only those that happened, or that are not known. */
static void show_errors(const struct run *run, const struct hekifs_record *counters)
{
	static const struct column columns[] = {
		{ "ERROR", false }, { "TIMES", true }, { "MEANING", false }
	};
	struct table table = { .columns = columns, .ncolumns = 3 };

	for (const char *const *name = hekifs_error_names; *name; name++) {
		uint64_t n = 0;
		bool known = number(counters, "errors", *name, "", &n);

		if (known && !n)
			continue;
		table_add(&table, COLOR_WARN, text("%s", *name));
		table_add(&table, COLOR_NONE, grouped(known, n));
		table_add(&table, COLOR_NONE, text("%s", hekifs_error_text(*name)));
	}
	if (table.count) {
		printf("\n");
		table_print(run, &table);
	}
	table_free(&table);
}

static void show_budgets(const struct run *run, const struct hekifs_record *counters)
{
	static const struct column columns[] = {
		{ "BUDGET", false }, { "USED", true }, { "PEAK", true }, { "LIMIT", true }
	};
	struct table table = { .columns = columns, .ncolumns = 4 };

	for (const char *const *name = hekifs_budget_names; *name; name++) {
		uint64_t peak = 0, limit = 1;

		number(counters, "budget", *name, ".peak", &peak);
		number(counters, "budget", *name, ".limit", &limit);
		table_add(&table, COLOR_NONE, text("%s", *name));
		table_add(&table, COLOR_NONE, cell(counters, "budget", *name, ".used"));
		table_add(&table, peak >= limit ? COLOR_WARN : COLOR_NONE,
			  cell(counters, "budget", *name, ".peak"));
		table_add(&table, COLOR_NONE, cell(counters, "budget", *name, ".limit"));
	}
	printf("\n");
	table_print(run, &table);
	table_free(&table);
}

static void show_client(const struct run *run, const struct hekifs_record *counters)
{
	static const struct column columns[] = { { "CLIENT", false }, { "TIMES", true } };
	struct table table = { .columns = columns, .ncolumns = 2 };

	for (size_t i = 0; counters && i < counters->count; i++) {
		const struct hekifs_pair *pair = &counters->pairs[i];

		if (!is_client(pair))
			continue;
		table_add(&table, COLOR_NONE, text("%s", pair->key + strlen(CLIENT_PREFIX)));
		table_add(&table, COLOR_NONE, number_text(counters, pair->key));
	}
	if (table.count) {
		printf("\n");
		table_print(run, &table);
	}
	table_free(&table);
}

int command_counters(struct run *run)
{
	struct hekifs_file counters;
	int code = no_arguments(run);

	if (code)
		return code;
	code = load_file(run, "counters", &counters);
	if (!code && run->as_json)
		show_json(run, hekifs_only(&counters));
	if (!code && !run->as_json) {
		show_calls(run, hekifs_only(&counters));
		show_errors(run, hekifs_only(&counters));
		show_budgets(run, hekifs_only(&counters));
		show_client(run, hekifs_only(&counters));
	}
	hekifs_free(&counters);
	return code;
}
