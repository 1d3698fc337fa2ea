// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl module check: the list of files.
 *
 * Links to directories are not followed, so that a search ends and stays below what was named.
 */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "array.h"
#include "check.h"

static void append(struct check_list *list, const char *path, bool searched, int error)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->files = must(reallocarray(list->files, list->room, sizeof(*list->files)));
	}
	list->files[list->count++] = (struct check_file){
		.path = text("%s", path), .searched = searched, .error = error,
	};
}

static bool is_module(const char *name)
{
	static const char *const endings[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t length = strlen(endings[i]);

		if (n > length && !strcmp(name + n - length, endings[i]))
			return true;
	}
	return false;
}

/* Distributions link to modules of other kernels that fit (weak-updates). */
static bool links_to_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

static void take_entry(struct check_list *list, const FTSENT *entry)
{
	switch (entry->fts_info) {
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		append(list, entry->fts_path, true, -entry->fts_errno);
		break;
	case FTS_F:
		if (is_module(entry->fts_name))
			append(list, entry->fts_path, true, 0);
		break;
	case FTS_SL:
		if (is_module(entry->fts_name) && links_to_file(entry->fts_path))
			append(list, entry->fts_path, true, 0);
		break;
	default:
		break;
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void add_directory(struct check_list *list, const char *path)
{
	char *copy = text("%s", path), *const roots[] = { copy, NULL };
	FTS *fts = must(fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name));
	size_t before = list->count;
	const FTSENT *entry;

	errno = 0;
	while ((entry = fts_read(fts)))
		take_entry(list, entry);
	if (errno)
		append(list, path, true, -errno);
	else if (list->count == before)
		append(list, path, true, -ENOENT);
	fts_close(fts);
	free(copy);
}

void check_list_add(struct check_list *list, const char *path)
{
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		add_directory(list, path);
	else
		append(list, path, false, 0);
}

void check_list_free(struct check_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->files[i].path);
		free(list->files[i].result);
	}
	free(list->files);
	*list = (struct check_list){ 0 };
}
