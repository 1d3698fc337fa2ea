// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl version.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "out.h"

#define VERSION_MAX 256

/* MODULE_VERSION of a loaded module, "loaded" when it has none; NULL when it is not loaded. */
static char *module_version(const char *name)
{
	char *dir = text("/sys/module/%s", name), *path = text("%s/version", dir);
	char *version = access(dir, F_OK) ? NULL : text("loaded");
	struct file_data file;

	if (!file_read(path, VERSION_MAX, &file)) {
		free(version);
		version = text("%.*s", (int)strcspn((char *)file.p, "\n"), (char *)file.p);
		file_free(&file);
	}
	free(dir);
	free(path);
	return version;
}

/* A line of what is loaded, and its value for --json. */
static void show(struct run *run, const char *key, char *value)
{
	char *clean = printable(value ? value : "not loaded");

	json_object_set_new(run->json, key, value ? json_text(value) : json_null());
	if (!run->as_json)
		printf("%-12s %s\n", key, clean);
	free(clean);
	free(value);
}

int command_version(struct run *run)
{
	struct hekifs_file status;
	const char *abi;
	int code = no_arguments(run);

	if (code)
		return code;
	show(run, "hekictl", text("%s", HEKICTL_VERSION));
	show(run, "abi", text("%d", HEKI_ABI_VERSION));
	show(run, "securityfs", text("%d", HEKI_SECURITYFS_VERSION));
	show(run, "heki_client", module_version("heki_client"));
	show(run, "vtl1_shim", module_version("vtl1_shim"));
	abi = hekifs_read("status", &status) ? NULL :
	      hekifs_get(hekifs_only(&status), "abi_version");
	show(run, "vtl1_abi", abi ? must(strdup(abi)) : NULL);
	hekifs_free(&status);
	return EXIT_OK;
}
