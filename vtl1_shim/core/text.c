// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The text of a log record. Every function cuts at the end and leaves a NUL, so that no message
 * can grow with what VTL0 sends. Locks: none, the text belongs to one call.
 */
#include "call.h"

static size_t text_length(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

static void put_char(struct call *c, size_t *at, char ch)
{
	if (*at >= sizeof(c->text) - 1)
		return;
	if (!*at)
		memset(c->text, 0, sizeof(c->text));
	c->text[(*at)++] = ch;
}

static char hex_digit(unsigned int v)
{
	return "0123456789abcdef"[v & 15];
}

void text_clear(struct call *c)
{
	c->text[0] = '\0';
}

void text_str(struct call *c, const char *s)
{
	size_t at = text_length(c->text, sizeof(c->text) - 1);

	while (*s)
		put_char(c, &at, *s++);
}

void text_hex(struct call *c, uint64_t v)
{
	size_t at = text_length(c->text, sizeof(c->text) - 1);
	unsigned int shift = 60;

	while (shift && !(v >> shift))
		shift -= 4;
	put_char(c, &at, '0');
	put_char(c, &at, 'x');
	for (;; shift -= 4) {
		put_char(c, &at, hex_digit((unsigned int)(v >> shift)));
		if (!shift)
			return;
	}
}

void text_dec(struct call *c, uint64_t v)
{
	char digits[21];
	size_t n = sizeof(digits) - 1;

	digits[n] = '\0';
	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	text_str(c, digits + n);
}

void text_bytes(struct call *c, const uint8_t *p, size_t n)
{
	size_t at = text_length(c->text, sizeof(c->text) - 1);
	size_t i;

	for (i = 0; i < n; i++) {
		if (i)
			put_char(c, &at, ' ');
		put_char(c, &at, hex_digit(p[i] >> 4));
		put_char(c, &at, hex_digit(p[i]));
	}
}

void call_name(struct call *c, const char *name)
{
	size_t n = text_length(name, sizeof(c->name) - 1);

	memset(c->name, 0, sizeof(c->name));
	memcpy(c->name, name, n);
}

void call_words(const struct call *c, struct heki_log_record *record)
{
	if (c->name[0])
		memcpy(record->name, c->name, sizeof(record->name));
	if (c->text[0])
		memcpy(record->text, c->text, sizeof(record->text));
}
