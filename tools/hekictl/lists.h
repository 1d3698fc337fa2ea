/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the commands that list records.
 */
#ifndef HEKICTL_LISTS_H
#define HEKICTL_LISTS_H

#include "hekictl.h"

/* A copy of a value on the heap; NULL when the key is missing. */
char *value_copy(const struct hekifs_record *record, const char *key);

/* Whether "flags" of a module holds a word. */
bool has_flag(const struct hekifs_record *record, const char *flag);

/* Name of an owner: of a module by its token; NULL when there is no owner. */
char *owner_name(const struct hekifs_file *modules, const char *owner);

#endif /* HEKICTL_LISTS_H */
