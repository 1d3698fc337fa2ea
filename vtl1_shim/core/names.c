// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Names of calls and errors, expanded from the tables of <heki/calls.h> and <heki/errors.h>.
 */
#include "host.h"

struct error_entry {
	const char *name;
	const char *text;
	int number;
};

static const struct error_entry errors[HEKI_ERROR_COUNT] = {
	[HEKI_OK] = { "OK", "success", 0 },
#define ERROR_ENTRY(error, errno_value, description)                                               \
	[HEKI_E_##error] = { #error, description, errno_value },
	HEKI_ERRORS(ERROR_ENTRY)
#undef ERROR_ENTRY
};

struct call_name {
	uint32_t id;
	const char *name;
};

static const struct call_name calls[HEKI_CALL_COUNT] = {
#define CALL_NAME(number, name, handler, phase, context, arguments)                                \
	[HEKI_INDEX_##name] = { number, #name },
	HEKI_CALLS(CALL_NAME)
#undef CALL_NAME
};

const char *heki_call_name(uint32_t id)
{
	size_t i;

	for (i = 0; i < HEKI_ARRAY_SIZE(calls); i++)
		if (calls[i].id == id)
			return calls[i].name;
	return NULL;
}

const char *heki_error_name(uint32_t error)
{
	return error < HEKI_ERROR_COUNT ? errors[error].name : NULL;
}

const char *heki_error_text(uint32_t error)
{
	return error < HEKI_ERROR_COUNT ? errors[error].text : "?";
}

int heki_error_errno(uint32_t error)
{
	return error < HEKI_ERROR_COUNT ? errors[error].number : 22;
}
