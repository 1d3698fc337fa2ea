/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text from outside, which JSON takes only when it is UTF-8.
 */
#ifndef TOOLS_COMMON_JSONTEXT_H
#define TOOLS_COMMON_JSONTEXT_H

#include <stdbool.h>
#include <jansson.h>

/* Whether JSON takes a text as it is. */
bool json_is_text(const char *s);

/**
 * json_any() - a JSON string of any bytes
 * @s: text, or NULL
 *
 * Return: the string; of a text that is not UTF-8 each byte that is not ASCII is \xNN in it.  NULL
 * for NULL and without memory
 */
json_t *json_any(const char *s);

#endif /* TOOLS_COMMON_JSONTEXT_H */
