/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's securityfs files, as Documentation/securityfs.md describes them.
 */
#ifndef TOOLS_COMMON_HEKIFS_H
#define TOOLS_COMMON_HEKIFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heki/heki.h>
#include <heki/device.h>

#define HEKIFS_ROOT "/sys/kernel/security/" HEKI_SECURITYFS_DIR
#define HEKIFS_ROOT_VARIABLE "HEKI_FS"

struct hekifs_pair {
	const char *key;
	const char *value;
};

struct hekifs_record {
	struct hekifs_pair *pairs;
	size_t count;
};

/**
 * struct hekifs_file - one file, parsed
 * @version: of the first line
 * @records: one a line; "status" and "counters" have a single one with all keys
 * @count:   number of records
 */
struct hekifs_file {
	unsigned int version;
	struct hekifs_record *records;
	size_t count;
	struct hekifs_pair *pairs;
	char *text;
};

/* The directory of the files: HEKI_FS of the environment or HEKIFS_ROOT. */
const char *hekifs_root(void);

/**
 * hekifs_read() - read and parse a file
 * @name: the file's name below the root
 * @file: filled; drop with hekifs_free(), also after an error
 *
 * Return: 0, -EPROTO when it is not what its first line says or malformed, -EPROTONOSUPPORT for
 * another version of the format, or minus the errno of reading
 */
int hekifs_read(const char *name, struct hekifs_file *file);

void hekifs_free(struct hekifs_file *file);

/* Value of a key, or NULL. */
const char *hekifs_get(const struct hekifs_record *record, const char *key);

/* Value of a number, decimal or 0x; false when the key is missing or no number. */
bool hekifs_number(const struct hekifs_record *record, const char *key, uint64_t *value);

/* The one record of "status" or "counters"; NULL when the file is empty. */
static inline const struct hekifs_record *hekifs_only(const struct hekifs_file *file)
{
	return file->count ? file->records : NULL;
}

/* Tables of names, ended by NULL. */
extern const char *const hekifs_call_names[];
extern const char *const hekifs_error_names[]; /* from code 1 */
extern const char *const hekifs_budget_names[];
extern const char *const hekifs_stats_keys[];
extern const char *const hekifs_module_pages[];
extern const char *const hekifs_registers[];

/* What an error means, by its name; NULL when it is not known. */
const char *hekifs_error_text(const char *name);

#endif /* TOOLS_COMMON_HEKIFS_H */
