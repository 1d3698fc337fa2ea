// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl doctor: what the kernel offers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "doctor.h"

#define CONFIG_MAX (16u << 20)
#define KALLSYMS_MAX (256u << 20)
#define SECURITYFS_MOUNT " /sys/kernel/security securityfs "
#define OTHER_KERNEL "use a kernel that is built with it; Debian's linux-image-amd64 is"

/* Options that the client cannot do without, and what for. */
static const struct {
	const char *option;
	const char *reason;
} options[] = {
	{ "X86_64", "the only architecture so far" },
	{ "MODULES", "the client is a module" },
	{ "KPROBES", "to find kernel symbols" },
	{ "KALLSYMS_ALL", "to find data symbols" },
	{ "DYNAMIC_FTRACE_WITH_REGS", "to hook the module loader and text patching" },
	{ "DYNAMIC_FTRACE_WITH_ARGS", "the same" },
	{ "JUMP_LABEL", "static keys are patched text" },
	{ "STRICT_KERNEL_RWX", "text and data lie on pages of their own" },
	{ "STRICT_MODULE_RWX", "the same for modules" },
	{ "MODULE_SIG", "modules carry signatures" },
	{ "SYSTEM_TRUSTED_KEYRING", "certificates to check them with" },
	{ "SECURITYFS", "status files" },
};

/* Whether a text holds "CONFIG_X=y" as a line. */
static bool config_has(const char *config, const char *option)
{
	char *line = text("CONFIG_%s=y", option);
	const char *at = config;
	bool found = false;

	while (!found && (at = strstr(at, line))) {
		found = (at == config || at[-1] == '\n') && (at[strlen(line)] == '\n' ||
							     !at[strlen(line)]);
		at++;
	}
	free(line);
	return found;
}

static int read_config(struct doctor *doctor, struct file_data *config)
{
	static const struct {
		const char *before;
		bool release;
		const char *after;
	} places[] = {
		{ "/proc/config.gz", false, "" },
		{ "/boot/config-", true, "" },
		{ "/lib/modules/", true, "/config" },
		{ "/lib/modules/", true, "/build/.config" },
	};
	int ret = -ENOENT;

	for (size_t i = 0; ret && i < ARRAY_SIZE(places); i++) {
		char *path = doctor_path(doctor, places[i].before, places[i].release,
					 places[i].after);

		ret = file_read_any(path, CONFIG_MAX, config);
		free(path);
	}
	return ret;
}

void doctor_config(struct doctor *doctor)
{
	struct file_data config;
	size_t missing = 0;

	if (read_config(doctor, &config)) {
		doctor_say(doctor, FINDING_NOTE, "configuration",
			   "install the package of the kernel, which brings /boot/config-RELEASE",
			   "neither /proc/config.gz nor /boot/config-%s can be read",
			   doctor->release);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (config_has((char *)config.p, options[i].option))
			continue;
		missing++;
		doctor_say(doctor, FINDING_MISSING, options[i].option, OTHER_KERNEL,
			   "not set (%s)", options[i].reason);
	}
	if (!missing)
		doctor_say(doctor, FINDING_OK, "options", NULL, "all %zu are set",
			   ARRAY_SIZE(options));
	file_free(&config);
}

static bool has_line_with(const struct file_data *file, const char *end_of_line)
{
	const char *at = (char *)file->p;
	size_t n = strlen(end_of_line);

	while ((at = strstr(at, end_of_line))) {
		if (at[n] == '\n' || at[n] == '\t' || !at[n])
			return true;
		at++;
	}
	return false;
}

static void check_kallsyms(struct doctor *doctor)
{
	static const char *const symbols[] = { "kallsyms_lookup_name", "__text_poke",
					       "mark_rodata_ro" };
	char *path = doctor_path(doctor, "/proc/kallsyms", false, "");
	struct file_data file;
	size_t missing = 0;

	if (file_read(path, KALLSYMS_MAX, &file)) {
		doctor_say(doctor, FINDING_MISSING, "kallsyms", OTHER_KERNEL,
			   "/proc/kallsyms cannot be read");
		free(path);
		return;
	}
	free(path);
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		char *word = text(" %s", symbols[i]);

		if (!has_line_with(&file, word)) {
			missing++;
			doctor_say(doctor, FINDING_MISSING, "kallsyms", OTHER_KERNEL,
				   "the kernel has no symbol %s", symbols[i]);
		}
		free(word);
	}
	if (!missing)
		doctor_say(doctor, FINDING_OK, "kallsyms", NULL, "the symbols are there");
	file_free(&file);
}

/* A switch of the kernel that must be on. */
static void check_switch(struct doctor *doctor, const char *check, const char *path,
			 const char *cure)
{
	char *word = doctor_word(doctor, path);

	if (!word)
		doctor_say(doctor, FINDING_NOTE, check, "look again as root", "%s cannot be read",
			   path);
	else if (strcmp(word, "1"))
		doctor_say(doctor, FINDING_MISSING, check, cure, "%s is %s", path, word);
	else
		doctor_say(doctor, FINDING_OK, check, NULL, "on");
	free(word);
}

static void check_securityfs(struct doctor *doctor)
{
	char *path = doctor_path(doctor, "/proc/mounts", false, "");
	struct file_data mounts;
	bool mounted = false;

	if (!file_read(path, CONFIG_MAX, &mounts)) {
		mounted = strstr((char *)mounts.p, SECURITYFS_MOUNT);
		file_free(&mounts);
	}
	free(path);
	if (mounted)
		doctor_say(doctor, FINDING_OK, "securityfs", NULL, "mounted");
	else
		doctor_say(doctor, FINDING_MISSING, "securityfs",
			   "mount -t securityfs none /sys/kernel/security", "not mounted");
}

void doctor_kernel(struct doctor *doctor)
{
	if (!doctor->live) {
		doctor_say(doctor, FINDING_NOTE, "kernel", "run 'hekictl doctor' on that machine too",
			   "none runs there: symbols, ftrace, kprobes, securityfs are not known");
		return;
	}
	check_kallsyms(doctor);
	check_switch(doctor, "ftrace", "/proc/sys/kernel/ftrace_enabled",
		     "sysctl kernel.ftrace_enabled=1");
	check_switch(doctor, "kprobes", "/sys/kernel/debug/kprobes/enabled",
		     "echo 1 >/sys/kernel/debug/kprobes/enabled");
	check_securityfs(doctor);
}
