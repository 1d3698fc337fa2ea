// SPDX-License-Identifier: GPL-2.0-only
/*
 * Certificates from files, and hekictl cert extract.
 *
 * Nothing is trusted here: the client accepts only certificates that the kernel itself trusts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "array.h"
#include "cert.h"
#include "out.h"
#include "vmlinuz.h"

#define CERT_FILE_MAX (512u << 20)
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

const char *cert_error(int error)
{
	switch (error) {
	case -ENOKEY:
		return "holds no certificate";
	case -EBADMSG:
		return "is damaged";
	case -EOPNOTSUPP:
		return "is compressed in a way that hekictl does not know (known: gzip, xz, zstd)";
	case -EFBIG:
		return "is too big";
	default:
		return strerror(-error);
	}
}

static int append(struct file_data *der, const uint8_t *p, size_t n)
{
	uint8_t *grown = realloc(der->p, der->n + n + 1);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + der->n, p, n);
	der->p = grown;
	der->n += n;
	return 0;
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Decode base64 up to @end in place; the bytes written, or 0 for what is no base64. */
static size_t base64(char *s, const char *end)
{
	uint8_t *const start = (uint8_t *)s, *to = start;
	uint32_t bits = 0;
	unsigned int count = 0;

	for (; s < end && *s != '='; s++) {
		int digit = base64_digit(*s);

		if (*s == '\r' || *s == '\n' || *s == ' ')
			continue;
		if (digit < 0)
			return 0;
		bits = bits << 6 | (uint32_t)digit;
		count += 6;
		if (count >= 8) {
			count -= 8;
			*to++ = (uint8_t)(bits >> count);
		}
	}
	return (size_t)(to - start);
}

static int from_pem(struct file_data *file, struct file_data *der)
{
	char *at = strstr((char *)file->p, PEM_BEGIN);
	int ret = 0;

	while (at && !ret) {
		char *start = at + strlen(PEM_BEGIN), *end = strstr(start, PEM_END);
		size_t n = end ? base64(start, end) : 0;

		if (!n || der_size((uint8_t *)start, n) != n)
			return -EBADMSG;
		ret = append(der, (uint8_t *)start, n);
		at = strstr(end, PEM_BEGIN);
	}
	return ret;
}

static int from_der(const struct file_data *file, struct file_data *der)
{
	size_t used = 0;

	while (used < file->n) {
		size_t n = der_size(file->p + used, file->n - used);

		if (!n)
			return used ? -EBADMSG : -ENOKEY;
		used += n;
	}
	return append(der, file->p, file->n);
}

static int from_kernel(const struct file_data *file, struct file_data *der)
{
	struct file_data elf;
	const uint8_t *certs;
	size_t n;
	int ret = vmlinuz_unpack(file->p, file->n, &elf);

	if (ret)
		return ret;
	n = vmlinuz_certs(&elf, &certs);
	ret = n ? append(der, certs, n) : -ENOKEY;
	file_free(&elf);
	return ret;
}

int cert_load(const char *path, struct file_data *der)
{
	struct file_data file;
	int ret = file_read(path, CERT_FILE_MAX, &file);

	*der = (struct file_data){ 0 };
	if (ret)
		return ret;
	if (vmlinuz_is(file.p, file.n))
		ret = from_kernel(&file, der);
	else if (strstr((char *)file.p, PEM_BEGIN))
		ret = from_pem(&file, der);
	else
		ret = from_der(&file, der);
	if (!ret && !der->n)
		ret = -ENOKEY;
	if (ret)
		file_free(der);
	file_free(&file);
	return ret;
}

size_t cert_count(const struct file_data *der)
{
	size_t count = 0, used = 0, n;

	while ((n = der_size(der->p + used, der->n - used))) {
		used += n;
		count++;
	}
	return count;
}

char *cert_find_kernel(const char *root, const char *release)
{
	static const char *const places[] = { "/boot/vmlinuz-%s", "/usr/lib/modules/%s/vmlinuz",
					      "/lib/modules/%s/vmlinuz", "/boot/kernel-%s" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *percent = strchr(places[i], '%');
		char *path = text("%s%.*s%s%s", root, (int)(percent - places[i]), places[i],
				  release, percent + 2);

		if (!access(path, R_OK))
			return path;
		free(path);
	}
	return NULL;
}

/* Append the certificates of a file; an exit code. */
static int append_certs(struct run *run, const char *path, struct file_data *der)
{
	struct file_data one;
	int ret = cert_load(path, &one);

	if (!ret)
		ret = append(der, one.p, one.n);
	file_free(&one);
	if (!ret)
		return EXIT_OK;
	return fail(run, ret == -EACCES ? EXIT_PERMISSION : EXIT_FAILED, "%s: %s", path,
		    cert_error(ret));
}

int cert_gather(struct run *run, char *const *paths, size_t count, struct file_data *der)
{
	struct utsname uts;
	int code = EXIT_OK;
	char *found;

	*der = (struct file_data){ 0 };
	if (!count) {
		uname(&uts);
		found = cert_find_kernel("", uts.release);
		if (!found)
			return fail(run, EXIT_FAILED,
				    "no readable image of the running kernel %s: use --cert FILE",
				    uts.release);
		code = append_certs(run, found, der);
		free(found);
		return code;
	}
	for (size_t i = 0; i < count && !code; i++)
		code = append_certs(run, paths[i], der);
	return code;
}

static int extract(struct run *run, const char *image, const char *target)
{
	struct file_data der;
	int ret = cert_load(image, &der);

	if (ret)
		return fail(run, ret == -EACCES ? EXIT_PERMISSION : EXIT_FAILED, "%s: %s", image,
			    cert_error(ret));
	json_object_set_new(run->json, "certificates",
			    json_integer((json_int_t)cert_count(&der)));
	json_object_set_new(run->json, "bytes", json_integer((json_int_t)der.n));
	if (target)
		ret = file_write(target, der.p, der.n);
	else
		fwrite(der.p, 1, der.n, stdout);
	file_free(&der);
	if (ret)
		return fail(run, ret == -EACCES ? EXIT_PERMISSION : EXIT_FAILED, "%s: %s", target,
			    strerror(-ret));
	return EXIT_OK;
}

int command_cert_extract(struct run *run)
{
	const char *image = NULL, *target = NULL;
	int images = 0;

	for (int i = 0; i < run->argc; i++) {
		char *argument = run->argv[i];

		if (!strcmp(argument, "-o") && i + 1 == run->argc)
			return fail_usage(run, "-o needs a file");
		if (*argument == '-' && strcmp(argument, "-o"))
			return fail_usage(run, "unexpected argument '%s'", argument);
		if (*argument == '-')
			target = run->argv[++i];
		else
			image = argument;
		images += *argument != '-';
	}
	if (images != 1)
		return fail_usage(run, "one kernel image is needed");
	if (!target && (run->as_json || isatty(STDOUT_FILENO)))
		return fail_usage(run, "DER is no text: say where to with -o FILE");
	return extract(run, image, target);
}
