/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole files in memory, compressed or not.
 */
#ifndef TOOLS_COMMON_FILE_H
#define TOOLS_COMMON_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes on the heap, NUL-terminated behind the end; drop with file_free(). */
struct file_data {
	uint8_t *p;
	size_t n;
};

enum file_compression {
	FILE_PLAIN,
	FILE_GZIP,
	FILE_XZ,
	FILE_ZSTD,
	FILE_BZIP2, /* recognised only, as those below */
	FILE_LZMA,
	FILE_LZO,
	FILE_LZ4,
};

/**
 * file_read() - read a whole file; works for files of procfs and securityfs too
 * @path:  the file
 * @limit: most bytes
 * @data:  filled
 *
 * Return: 0, -EFBIG over @limit, -ENOMEM, or minus the errno of open() and read()
 */
int file_read(const char *path, size_t limit, struct file_data *data);

/**
 * file_write() - write a file whole: all of it or, after an error, nothing
 * @path: the file; it is replaced
 * @p:    bytes
 * @n:    their number
 *
 * Return: 0 or minus an errno
 */
int file_write(const char *path, const uint8_t *p, size_t n);

void file_free(struct file_data *data);

/* How the bytes are compressed, by their first bytes. */
enum file_compression file_compression(const uint8_t *p, size_t n);

/**
 * file_uncompress() - undo gzip, xz or zstd; bytes behind the compressed stream are ignored
 * @p:     compressed bytes
 * @n:     their number
 * @limit: most bytes of output
 * @data:  filled; a copy when the bytes are not compressed
 *
 * Return: 0, -EBADMSG for a damaged or truncated stream, -EOPNOTSUPP for another compression,
 * -EFBIG over @limit, -ENOMEM
 */
int file_uncompress(const uint8_t *p, size_t n, size_t limit, struct file_data *data);

/* file_read() and file_uncompress(). */
int file_read_any(const char *path, size_t limit, struct file_data *data);

#endif /* TOOLS_COMMON_FILE_H */
