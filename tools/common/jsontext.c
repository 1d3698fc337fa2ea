// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of files and messages of programs as JSON: any bytes, and texts that were cut anywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsontext.h"

bool json_is_text(const char *s)
{
	json_t *value = json_string(s);

	json_decref(value);
	return value;
}

json_t *json_any(const char *s)
{
	json_t *value = json_string(s);
	char *clean, *at;

	if (value || !s)
		return value;
	clean = malloc(strlen(s) * 4 + 1);
	if (!clean)
		return NULL;
	for (at = clean; *s; s++) {
		if ((unsigned char)*s < 0x80)
			*at++ = *s;
		else
			at += sprintf(at, "\\x%02x", (unsigned char)*s);
	}
	*at = '\0';
	value = json_string(clean);
	free(clean);
	return value;
}
