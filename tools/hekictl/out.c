// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output for people: escaping, colours, wrapping, tables.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "out.h"

#define UNKNOWN "unknown"
#define BREAKS "\n "
#define COLUMN_GAP 2
#define WRAPPED_MIN 16 /* a wrapped column is never narrower */

char *printable(const char *s)
{
	char *out = must(malloc(strlen(s) * 4 + 1)), *to = out;
	mbstate_t state = { 0 };
	wchar_t wide;

	while (*s) {
		size_t n = mbrtowc(&wide, s, strlen(s), &state);
		bool text = n && n < (size_t)-2;

		/* Without width: what turns the direction of writing, or hides itself. */
		if (text && iswprint((wint_t)wide) && wcwidth(wide) > 0) {
			memcpy(to, s, n);
			to += n;
			s += n;
			continue;
		}
		memset(&state, 0, sizeof(state));
		to += sprintf(to, "\\x%02x", (unsigned char)*s++);
	}
	*to = 0;
	return out;
}

size_t columns(const char *s)
{
	mbstate_t state = { 0 };
	size_t width = 0;
	wchar_t wide;

	while (*s) {
		size_t n = mbrtowc(&wide, s, strlen(s), &state);
		int w;

		if (!n || n >= (size_t)-2)
			return width + strlen(s);
		w = wcwidth(wide);
		width += w > 0 ? (size_t)w : 0;
		s += n;
	}
	return width;
}

static const char *color_start(enum color color)
{
	static const char *const codes[] = {
		[COLOR_NONE] = "",	     [COLOR_BOLD] = "\033[1m",	 [COLOR_DIM] = "\033[2m",
		[COLOR_GOOD] = "\033[32m",   [COLOR_WARN] = "\033[33m", [COLOR_BAD] = "\033[1;31m",
	};

	return codes[color];
}

void put_color(const struct run *run, enum color color, const char *s)
{
	bool colored = run->color && color != COLOR_NONE;

	printf("%s%s%s", colored ? color_start(color) : "", s, colored ? "\033[0m" : "");
}

/* The words of @s that fit in @room columns; at least one. Sets *rest to what follows. */
static char *line_of(const char *s, size_t room, const char **rest)
{
	size_t best = 0, i = 0;
	char *line = NULL;

	for (;;) {
		size_t end = i + strcspn(s + i, BREAKS);
		char *candidate = text("%.*s", (int)end, s);
		bool fits = !room || columns(candidate) <= room;

		if (best && !fits) {
			free(candidate);
			break;
		}
		free(line);
		line = candidate;
		best = end;
		if (s[end] != ' ')
			break;
		i = end + strspn(s + end, " ");
	}
	s += best;
	s += *s == '\n' ? 1 : strspn(s, " ");
	*rest = s;
	return line;
}

void put_wrapped(const struct run *run, enum color color, const char *s, size_t indent,
		 size_t width)
{
	size_t room = !width ? 0 : width > indent + WRAPPED_MIN ? width - indent : WRAPPED_MIN;
	bool first = true;

	do {
		char *line = line_of(s, room, &s);

		if (!first)
			printf("%*s", (int)indent, "");
		put_color(run, color, line);
		putchar('\n');
		first = false;
		free(line);
	} while (*s);
}

char *grouped(bool known, uint64_t n)
{
	char digits[24], *out, *to;
	size_t length;

	if (!known)
		return text(UNKNOWN);
	length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	out = to = must(malloc(2 * sizeof(digits)));
	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = 0;
	return out;
}

char *number_text(const struct hekifs_record *record, const char *key)
{
	uint64_t n = 0;
	bool known = hekifs_number(record, key, &n);

	return grouped(known, n);
}

char *pages_size(uint64_t pages)
{
	if (pages < 256)
		return text("%" PRIu64 " KiB", pages * 4);
	return text("%.1f MiB", (double)pages / 256);
}

char *counted(uint64_t n, const char *one, const char *many)
{
	char *number = grouped(true, n);
	char *s = text("%s %s", number, n == 1 ? one : many);

	free(number);
	return s;
}

void table_add(struct table *table, enum color color, char *s)
{
	char *clean;

	if (table->count == table->room) {
		table->room = table->room ? table->room * 2 : 64;
		table->cells = must(realloc(table->cells, table->room * sizeof(*table->cells)));
	}
	clean = printable(s ? s : UNKNOWN);
	free(s);
	table->cells[table->count++] = (struct cell){ clean, color };
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = columns(table->columns[column].title);

	for (size_t i = column; i < table->count; i += table->ncolumns) {
		size_t n = columns(table->cells[i].s);

		if (n > width)
			width = n;
	}
	return width;
}

static void put_padding(size_t n)
{
	printf("%*s", (int)n, "");
}

/* Columns of a row before those at its end that are empty. */
static size_t used_columns(const struct table *table, const struct cell *cells)
{
	size_t n = table->ncolumns;

	while (n && !*cells[n - 1].s)
		n--;
	return n;
}

/* One line of all columns; the last is wrapped. */
static void put_row(const struct run *run, const struct table *table, const size_t *widths,
		    const struct cell *cells)
{
	size_t at = table->indent, used = used_columns(table, cells);

	put_padding(table->indent);
	for (size_t i = 0; i < used; i++) {
		size_t padding = widths[i] - columns(cells[i].s);
		bool last = i + 1 == used;

		if (table->columns[i].right)
			put_padding(padding);
		if (last && used == table->ncolumns) {
			put_wrapped(run, cells[i].color, cells[i].s, at, run->width);
			return;
		}
		put_color(run, cells[i].color, cells[i].s);
		if (!last)
			put_padding((table->columns[i].right ? 0 : padding) + COLUMN_GAP);
		at += widths[i] + COLUMN_GAP;
	}
	putchar('\n');
}

void table_print(const struct run *run, const struct table *table)
{
	size_t *widths = must(calloc(table->ncolumns, sizeof(*widths)));
	struct cell *titles = must(calloc(table->ncolumns, sizeof(*titles)));
	bool titled = false;

	for (size_t i = 0; i < table->ncolumns; i++) {
		widths[i] = column_width(table, i);
		titles[i] = (struct cell){ (char *)table->columns[i].title, COLOR_BOLD };
		titled |= *table->columns[i].title != 0;
	}
	if (titled)
		put_row(run, table, widths, titles);
	for (size_t i = 0; i + table->ncolumns <= table->count; i += table->ncolumns)
		put_row(run, table, widths, table->cells + i);
	free(widths);
	free(titles);
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].s);
	free(table->cells);
	table->cells = NULL;
	table->count = table->room = 0;
}
