// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values of the client's files as JSON: numbers as integers, addresses and digests as strings,
 * "none" as null, flags as a list.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jsontext.h"
#include "out.h"

json_t *json_text(const char *s)
{
	return must(json_any(s));
}

static json_t *json_list(const char *value)
{
	json_t *list = must(json_array());
	char *copy = must(strdup(value)), *comma = NULL;

	for (char *word = strtok_r(copy, ",", &comma); word; word = strtok_r(NULL, ",", &comma))
		json_array_append_new(list, json_text(word));
	free(copy);
	return list;
}

/* Keys whose values are text even when they look like a number. */
static bool is_text(const char *key)
{
	static const char *const keys[] = { "name", "text",    "subject",	 "sha256", "code",
					    "host", "current", "kernel_release", "owner", NULL };

	for (size_t i = 0; keys[i]; i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

json_t *json_value(const char *key, const char *value)
{
	long long n;
	char *end;

	if (!value)
		return json_null();
	if (!strcmp(key, "flags"))
		return json_list(value);
	if (is_text(key))
		return json_text(value);
	if (!strcmp(value, "none"))
		return json_null();
	errno = 0;
	n = strtoll(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && !errno)
		return json_integer(n);
	return json_text(value);
}

json_t *json_record(const struct hekifs_record *record)
{
	json_t *object = must(json_object());

	for (size_t i = 0; record && i < record->count; i++) {
		const char *key = record->pairs[i].key;

		json_object_set_new(object, key, json_value(key, record->pairs[i].value));
	}
	return object;
}

json_t *json_records(const struct hekifs_file *file)
{
	json_t *array = must(json_array());

	for (size_t i = 0; i < file->count; i++)
		json_array_append_new(array, json_record(&file->records[i]));
	return array;
}
