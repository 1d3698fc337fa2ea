/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output for people and as JSON.
 *
 * Names and texts may come from an attacker: what a terminal could take for a command is escaped.
 */
#ifndef HEKICTL_OUT_H
#define HEKICTL_OUT_H

#include "hekictl.h"

/* Printable copy of a string: control characters and what is no text as \xNN. */
char *printable(const char *s);

/* Columns that a printable string takes. */
size_t columns(const char *s);

/* Print with a colour, if the run has colours. */
void put_color(const struct run *run, enum color color, const char *s);

/**
 * put_wrapped() - print words from a column on, in as many lines as the width asks for
 * @run:    the run
 * @color:  colour
 * @s:      text; '\n' ends a line
 * @indent: column where each further line starts; the cursor is there already
 * @width:  columns of a line, 0 for no limit
 */
void put_wrapped(const struct run *run, enum color color, const char *s, size_t indent,
		 size_t width);

/* "12,345"; "unknown" when it is not @known. */
char *grouped(bool known, uint64_t n);

/* grouped() of a key of a record. */
char *number_text(const struct hekifs_record *record, const char *key);

/* Pages as "11.7 MiB". */
char *pages_size(uint64_t pages);

/* "1 page", "12,345 pages". */
char *counted(uint64_t n, const char *one, const char *many);

struct column {
	const char *title;
	bool right;
};

struct cell {
	char *s;
	enum color color;
};

/**
 * struct table - cells under titles; widths are those of the contents
 *
 * The last column is wrapped when a line would be wider than the run's width.
 */
struct table {
	const struct column *columns;
	size_t ncolumns;
	struct cell *cells;
	size_t count;
	size_t room;
	size_t indent;
};

/* Append a cell; @s is on the heap and belongs to the table now. NULL shows "unknown". */
void table_add(struct table *table, enum color color, char *s);
void table_print(const struct run *run, const struct table *table);
void table_free(struct table *table);

/* A JSON string of any bytes. */
json_t *json_text(const char *s);

/* A value by its key: number, list, null or string. */
json_t *json_value(const char *key, const char *value);

/* A record with all its keys. */
json_t *json_record(const struct hekifs_record *record);

/* All records of a file. */
json_t *json_records(const struct hekifs_file *file);

#endif /* HEKICTL_OUT_H */
