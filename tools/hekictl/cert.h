/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Certificates from files: DER, PEM, or inside a kernel image.
 */
#ifndef HEKICTL_CERT_H
#define HEKICTL_CERT_H

#include "file.h"
#include "hekictl.h"

/**
 * cert_load() - certificates of a file, as DER one behind the other
 * @path: DER, PEM, or a kernel image
 * @der:  filled; drop with file_free()
 *
 * Only the outer form of a certificate is looked at; who uses them parses them.
 *
 * Return: 0, -ENOKEY when the file holds none, -EBADMSG when it is damaged, or minus an errno
 */
int cert_load(const char *path, struct file_data *der);

/**
 * cert_find_kernel() - the image of a kernel
 * @root:    directory to look below, "" for /
 * @release: as uname -r
 *
 * Return: its path on the heap, or NULL when there is none that can be read
 */
char *cert_find_kernel(const char *root, const char *release);

/* What a failure of cert_load() means. */
const char *cert_error(int error);

/* Number of certificates in concatenated DER. */
size_t cert_count(const struct file_data *der);

/**
 * cert_gather() - certificates of all --cert files, or of the running kernel's image
 * @run:   the run
 * @paths: files
 * @count: their number; 0: find the running kernel's
 * @der:   filled; drop with file_free(), also after a failure
 *
 * Return: exit code
 */
int cert_gather(struct run *run, char *const *paths, size_t count, struct file_data *der);

#endif /* HEKICTL_CERT_H */
