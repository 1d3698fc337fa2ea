// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl protections: protected pages as runs of neighbours that have all in common.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "lists.h"
#include "out.h"

struct page_run {
	uint64_t pa;
	uint64_t pages;
	const struct hekifs_record *first;
};

static int by_address(const void *a, const void *b)
{
	const struct page_run *x = a, *y = b;

	return x->pa < y->pa ? -1 : x->pa > y->pa;
}

static bool same(const struct hekifs_record *a, const struct hekifs_record *b, const char *key)
{
	const char *x = hekifs_get(a, key), *y = hekifs_get(b, key);

	return x && y ? !strcmp(x, y) : x == y;
}

static bool joins(const struct page_run *run, const struct page_run *page)
{
	return run->pa + run->pages * HEKI_PAGE_SIZE == page->pa &&
	       same(run->first, page->first, "owner") &&
	       same(run->first, page->first, "attributes") &&
	       same(run->first, page->first, "kind") && same(run->first, page->first, "hashed");
}

/* Runs of all pages; their number in *count. Pages without an address are left out. */
static struct page_run *find_runs(const struct hekifs_file *pages, size_t *count)
{
	struct page_run *runs = must(calloc(pages->count + 1, sizeof(*runs)));
	size_t n = 0, last = 0;

	for (size_t i = 0; i < pages->count; i++) {
		runs[n] = (struct page_run){ .pages = 1, .first = &pages->records[i] };
		if (hekifs_number(&pages->records[i], "pa", &runs[n].pa))
			n++;
	}
	qsort(runs, n, sizeof(*runs), by_address);
	for (size_t i = 1; i < n; i++) {
		if (joins(&runs[last], &runs[i]))
			runs[last].pages++;
		else
			runs[++last] = runs[i];
	}
	*count = n ? last + 1 : 0;
	return runs;
}

static void run_row(struct table *table, const struct hekifs_file *modules,
		    const struct page_run *run)
{
	const char *hashed = hekifs_get(run->first, "hashed");

	table_add(table, COLOR_NONE, text("0x%" PRIx64, run->pa));
	table_add(table, COLOR_NONE, text("0x%" PRIx64, run->pa + run->pages * HEKI_PAGE_SIZE));
	table_add(table, COLOR_NONE, grouped(true, run->pages));
	table_add(table, COLOR_NONE, value_copy(run->first, "attributes"));
	table_add(table, COLOR_NONE,
		  hashed ? text("%s", strcmp(hashed, "1") ? "no" : "yes") : NULL);
	table_add(table, COLOR_NONE, value_copy(run->first, "kind"));
	table_add(table, COLOR_NONE, owner_name(modules, hekifs_get(run->first, "owner")));
}

static json_t *run_json(const struct page_run *run)
{
	static const char *const keys[] = { "owner", "attributes", "kind", "hashed" };
	json_t *object = must(json_object());
	char *pa = text("0x%" PRIx64, run->pa);
	char *epa = text("0x%" PRIx64, run->pa + run->pages * HEKI_PAGE_SIZE);

	json_object_set_new(object, "pa", json_string(pa));
	json_object_set_new(object, "epa", json_string(epa));
	json_object_set_new(object, "pages", json_integer((json_int_t)run->pages));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set_new(object, keys[i],
				    json_value(keys[i], hekifs_get(run->first, keys[i])));
	free(pa);
	free(epa);
	return object;
}

static void show(struct run *run, const struct hekifs_file *modules, const struct page_run *runs,
		 size_t count)
{
	static const struct column columns[] = {
		{ "START", true },  { "END", true },	{ "PAGES", true },  { "ACCESS", false },
		{ "HASHED", false }, { "KIND", false }, { "OWNER", false },
	};
	struct table table = { .columns = columns, .ncolumns = 7 };

	if (run->as_json) {
		json_t *array = must(json_array());

		for (size_t i = 0; i < count; i++)
			json_array_append_new(array, run_json(&runs[i]));
		json_object_set_new(run->json, "protections", array);
		return;
	}
	for (size_t i = 0; i < count; i++)
		run_row(&table, modules, &runs[i]);
	table_print(run, &table);
	table_free(&table);
}

int command_protections(struct run *run)
{
	struct hekifs_file pages, modules = { 0 };
	int code = no_arguments(run);

	if (code)
		return code;
	code = load_file(run, "protections", &pages);
	if (!code)
		code = load_file(run, "modules", &modules);
	if (!code) {
		size_t count;
		struct page_run *runs = find_runs(&pages, &count);

		show(run, &modules, runs, count);
		free(runs);
	}
	hekifs_free(&pages);
	hekifs_free(&modules);
	return code;
}
