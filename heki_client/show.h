/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files in securityfs are made of; their format is in Documentation/securityfs.md.
 */
#ifndef HEKI_CLIENT_SHOW_H
#define HEKI_CLIENT_SHOW_H

#include <linux/seq_file.h>

#include "internal.h"

/* Text of at most @size bytes: blanks, '%' and what is not printable become %XX. */
void show_text(struct seq_file *m, const char *key, const char *text, size_t size);
void show_bytes(struct seq_file *m, const char *key, const u8 *bytes, size_t n);

/* lists.c */

/**
 * struct show_list - a file that shows one of VTL1's lists
 * @name:       of the file
 * @kind:       enum heki_list_kind
 * @mode:       permissions; no addresses in what everybody may read
 * @entry_size: bytes of an entry as this client knows it
 * @show:       print the keys of one entry
 */
struct show_list {
	const char *name;
	enum heki_list_kind kind;
	umode_t mode;
	u32 entry_size;
	void (*show)(struct seq_file *m, const void *entry);
};

extern const struct show_list show_lists[];
extern const size_t show_lists_count;

/* lists_file.c */
extern const struct file_operations show_list_fops;

#endif /* HEKI_CLIENT_SHOW_H */
