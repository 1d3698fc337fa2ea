// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl start: a late load.  Certificates first, then the files of loaded modules, then lock.
 */
#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cert.h"
#include "device.h"
#include "out.h"

#define MODULES_FILE "/proc/modules"
#define MODULES_FILE_MAX (4u << 20)
#define OPEN_DIRECTORIES 16

/* A loaded module and its file, if one was found. */
struct loaded {
	char name[HEKI_MODULE_NAME_LEN];
	char *path;
};

/* nftw() passes no context. */
static struct loaded *loaded;
static size_t loaded_count;

/* The client and its host protect themselves. */
static bool is_own(const char *name)
{
	return !strcmp(name, "heki_client") || !strcmp(name, "vtl1_shim");
}

/* Module name of a file: "crc32c-intel.ko.xz" is crc32c_intel; false for another file. */
static bool module_name(const char *file, char name[HEKI_MODULE_NAME_LEN])
{
	const char *dot = strstr(file, ".ko");
	size_t n = dot ? (size_t)(dot - file) : 0;

	if (!n || n >= HEKI_MODULE_NAME_LEN)
		return false;
	if (dot[3] && strcmp(dot, ".ko.xz") && strcmp(dot, ".ko.zst") && strcmp(dot, ".ko.gz"))
		return false;
	for (size_t i = 0; i < n; i++)
		name[i] = file[i] == '-' ? '_' : file[i];
	name[n] = 0;
	return true;
}

/* A replacement in updates/ goes before the kernel's own, as it does for modprobe. */
static bool preferred(const char *old, const char *new)
{
	return !old || (!strstr(old, "/updates/") && strstr(new, "/updates/"));
}

static int note_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char name[HEKI_MODULE_NAME_LEN];

	(void)st;
	if (type != FTW_F || !module_name(path + ftw->base, name))
		return 0;
	for (size_t i = 0; i < loaded_count; i++) {
		if (strcmp(loaded[i].name, name) || !preferred(loaded[i].path, path))
			continue;
		free(loaded[i].path);
		loaded[i].path = strdup(path);
	}
	return 0;
}

/* Names of loaded modules, oldest first: a module comes after those that it needs. */
static int read_loaded(void)
{
	struct file_data file;
	char *newline = NULL;
	int ret = file_read(MODULES_FILE, MODULES_FILE_MAX, &file);
	size_t room = 1;

	if (ret)
		return ret;
	for (size_t i = 0; i < file.n; i++)
		room += file.p[i] == '\n';
	loaded = must(calloc(room, sizeof(*loaded)));
	for (char *line = strtok_r((char *)file.p, "\n", &newline); line;
	     line = strtok_r(NULL, "\n", &newline)) {
		line[strcspn(line, " ")] = 0;
		if (!is_own(line))
			snprintf(loaded[loaded_count++].name, HEKI_MODULE_NAME_LEN, "%s", line);
	}
	file_free(&file);
	for (size_t i = 0; i < loaded_count / 2; i++) {
		struct loaded other = loaded[i];

		loaded[i] = loaded[loaded_count - 1 - i];
		loaded[loaded_count - 1 - i] = other;
	}
	return 0;
}

static void find_files(void)
{
	struct utsname uts;
	char *root;

	uname(&uts);
	root = text("/lib/modules/%s", uts.release);
	nftw(root, note_file, OPEN_DIRECTORIES, FTW_PHYS);
	free(root);
}

/* Offer one file: what came of it, on the heap; NULL when it was accepted. */
static char *offer(int fd, const struct loaded *module)
{
	struct file_data elf;
	uint32_t error;
	char *why = NULL;
	int ret;

	if (!module->path)
		return text("no file found; it is recorded as unverified");
	ret = file_read_any(module->path, HEKI_ELF_MAX, &elf);
	if (ret)
		return text("%s: %s", module->path, strerror(-ret));
	ret = device_give(fd, HEKI_IOC_OFFER_MODULE, &elf, &error);
	if (ret)
		why = device_why(ret, error);
	file_free(&elf);
	return why;
}

static json_t *module_json(const struct loaded *module, const char *why)
{
	json_t *object = must(json_object());

	json_object_set_new(object, "name", json_text(module->name));
	json_object_set_new(object, "file", module->path ? json_text(module->path) : json_null());
	json_object_set_new(object, "refused", why ? json_text(why) : json_null());
	return object;
}

/* A module without a file is no failure, a file that is refused is one. */
static int offer_all(struct run *run, int fd)
{
	json_t *list = must(json_array());
	size_t accepted = 0;
	int code = EXIT_OK, ret = read_loaded();

	json_object_set_new(run->json, "modules", list);
	if (ret)
		return fail(run, EXIT_FAILED, MODULES_FILE ": %s", strerror(-ret));
	find_files();
	for (size_t i = 0; i < loaded_count; i++) {
		char *why = offer(fd, &loaded[i]);

		accepted += !why;
		json_array_append_new(list, module_json(&loaded[i], why));
		if (why)
			fprintf(stderr, "hekictl: module %s: %s\n", loaded[i].name, why);
		if (why && loaded[i].path)
			code = EXIT_FAILED;
		free(why);
		free(loaded[i].path);
	}
	if (!run->as_json)
		printf("%zu of %zu loaded modules offered with their files\n", accepted,
		       loaded_count);
	free(loaded);
	return code;
}

static int give_certificates(struct run *run, int fd, const struct file_data *der)
{
	uint32_t error;
	int ret = device_give(fd, HEKI_IOC_SYSTEM_CERTS, der, &error);
	char *why;

	json_object_set_new(run->json, "certificates",
			    json_integer((json_int_t)cert_count(der)));
	/* By a start that came to nothing, or by the module's parameter. */
	if (!ret || (ret == -EALREADY && !error))
		return EXIT_OK;
	why = device_why(ret, error);
	ret = fail(run, device_code(ret, error), "the certificates are refused: %s", why);
	free(why);
	return ret;
}

/* Already locked: nothing that is handed over now could be used. */
static int check_phase(struct run *run)
{
	struct hekifs_file status;
	int code = load_file(run, "status", &status);
	const char *phase = code ? NULL : hekifs_get(hekifs_only(&status), "phase");

	if (phase && !strcmp(phase, "locked"))
		code = fail(run, EXIT_FAILED, "already locked");
	hekifs_free(&status);
	return code;
}

static const char *lock_why(int error)
{
	return error == ETXTBSY ?
		       "a kprobe stands in the kernel's text (its log says where): remove it and start again" :
		       strerror(error);
}

static int start(struct run *run, const struct file_data *der, bool offer_modules)
{
	int fd, offered = EXIT_OK, code = device_open(run, &fd);

	if (code)
		return code;
	code = give_certificates(run, fd, der);
	if (!code && offer_modules)
		offered = offer_all(run, fd);
	if (!code && ioctl(fd, HEKI_IOC_LOCK) < 0)
		code = fail(run, device_code(-errno, 0), "lock: %s", lock_why(errno));
	close(fd);
	json_object_set_new(run->json, "locked", json_boolean(!code));
	if (!code && !run->as_json)
		puts("locked");
	return code ? code : offered;
}

int command_start(struct run *run)
{
	char **certs = must(calloc((size_t)run->argc + 1, sizeof(*certs)));
	struct file_data der = { 0 };
	bool offer_modules = false;
	size_t count = 0;
	int code = EXIT_OK;

	for (int i = 0; i < run->argc && !code; i++) {
		if (!strcmp(run->argv[i], "--offer-modules"))
			offer_modules = true;
		else if (strcmp(run->argv[i], "--cert"))
			code = fail_usage(run, "unexpected argument '%s'", run->argv[i]);
		else if (++i == run->argc)
			code = fail_usage(run, "--cert needs a file");
		else
			certs[count++] = run->argv[i];
	}
	if (!code)
		code = check_phase(run);
	if (!code)
		code = cert_gather(run, certs, count, &der);
	if (!code)
		code = start(run, &der, offer_modules);
	file_free(&der);
	free(certs);
	return code;
}
