// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that ask the client for something: audit, key add, revoke.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cert.h"
#include "device.h"
#include "out.h"

#define DEVICE "/dev/" HEKI_DEVICE_NAME

int device_open(struct run *run, int *fd)
{
	*fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return EXIT_OK;
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return fail(run, EXIT_UNSUPPORTED,
			    "HEKI is not loaded: there is no " DEVICE " ('hekictl doctor' says why)");
	case EACCES:
	case EPERM:
		return fail(run, EXIT_PERMISSION, DEVICE ": only root may do this");
	default:
		return fail(run, EXIT_FAILED, DEVICE ": %s", strerror(errno));
	}
}

int device_give(int fd, unsigned long request, const struct file_data *data, uint32_t *error)
{
	struct heki_ioc_buffer buffer = { .data = (uintptr_t)data->p, .size = data->n };
	int ret = ioctl(fd, request, &buffer) < 0 ? -errno : 0;

	*error = buffer.error;
	return ret;
}

char *device_why(int error, uint32_t heki_error)
{
	if (heki_error && heki_error < HEKI_ERROR_COUNT) {
		const char *name = hekifs_error_names[heki_error - 1];

		return text("%s: %s", name, hekifs_error_text(name));
	}
	if (heki_error)
		return text("error %u of a newer VTL1", heki_error);
	return text("%s", strerror(-error));
}

enum exit_code device_code(int error, uint32_t heki_error)
{
	/* VTL1 refuses with these numbers too, which is a verdict. */
	if (heki_error)
		return EXIT_FAILED;
	if (error == -ENOTTY || error == -EOPNOTSUPP)
		return EXIT_UNSUPPORTED;
	return error == -EACCES || error == -EPERM ? EXIT_PERMISSION : EXIT_FAILED;
}

static void show_audit(struct run *run, const struct heki_ioc_audit *audit)
{
	char *pages = counted(audit->pages, "page", "pages");
	char *sites = counted(audit->sites, "patch site", "patch sites");
	char *violations = counted(audit->violations, "violation", "violations");

	json_object_set_new(run->json, "pages", json_integer((json_int_t)audit->pages));
	json_object_set_new(run->json, "sites", json_integer((json_int_t)audit->sites));
	json_object_set_new(run->json, "violations", json_integer((json_int_t)audit->violations));
	if (!run->as_json) {
		printf("%s and %s checked: ", pages, sites);
		put_color(run, audit->violations ? COLOR_BAD : COLOR_GOOD, violations);
		printf("%s\n", audit->violations ? "; 'hekictl log' has the details" : "");
	}
	free(pages);
	free(sites);
	free(violations);
}

int command_audit(struct run *run)
{
	struct heki_ioc_audit audit = { 0 };
	int code = no_arguments(run), fd;

	if (!code)
		code = device_open(run, &fd);
	if (code)
		return code;
	if (ioctl(fd, HEKI_IOC_AUDIT, &audit) < 0) {
		code = fail(run, device_code(-errno, 0), "audit: %s", strerror(errno));
	} else {
		show_audit(run, &audit);
		code = audit.violations ? EXIT_FAILED : EXIT_OK;
	}
	close(fd);
	return code;
}

/* The one certificate of a file. */
static int load_one(struct run *run, struct file_data *der)
{
	int ret;

	if (run->argc != 1)
		return fail_usage(run, "one certificate file is needed");
	ret = cert_load(run->argv[0], der);
	if (ret)
		return fail(run, ret == -EACCES ? EXIT_PERMISSION : EXIT_FAILED, "%s: %s",
			    run->argv[0], cert_error(ret));
	if (cert_count(der) != 1) {
		file_free(der);
		return fail(run, EXIT_FAILED, "%s: holds more than one certificate", run->argv[0]);
	}
	return EXIT_OK;
}

static int give_certificate(struct run *run, unsigned long request, const char *done)
{
	struct file_data der;
	uint32_t error;
	char *why;
	int fd, ret, code = load_one(run, &der);

	if (code)
		return code;
	code = device_open(run, &fd);
	if (code)
		goto out;
	ret = device_give(fd, request, &der, &error);
	close(fd);
	json_object_set_new(run->json, "accepted", json_boolean(!ret));
	if (ret) {
		why = device_why(ret, error);
		code = fail(run, device_code(ret, error), "%s is refused: %s", run->argv[0], why);
		free(why);
	} else if (!run->as_json) {
		printf("%s %s\n", run->argv[0], done);
	}
out:
	file_free(&der);
	return code;
}

int command_key_add(struct run *run)
{
	return give_certificate(run, HEKI_IOC_ADD_KEY, "is trusted now");
}

int command_revoke(struct run *run)
{
	return give_certificate(run, HEKI_IOC_REVOKE, "will not be trusted again");
}
