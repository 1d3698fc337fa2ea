// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole files in memory, compressed or not.
 *
 * Files may come from anywhere: every size is bounded by the caller, a damaged stream is an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "array.h"
#include "file.h"

#define FILE_FIRST_BLOCK 65536

/* A buffer that grows up to a limit. */
struct growing {
	struct file_data data;
	size_t room;
	size_t limit;
};

/* Make room for at least one more byte. */
static int grow(struct growing *g)
{
	size_t room = g->room ? g->room * 2 : FILE_FIRST_BLOCK;
	uint8_t *p;

	if (g->data.n < g->room)
		return 0;
	if (g->data.n > g->limit)
		return -EFBIG;
	p = realloc(g->data.p, room + 1);
	if (!p)
		return -ENOMEM;
	g->data.p = p;
	g->room = room;
	return 0;
}

static int finish(struct growing *g, int ret, struct file_data *data)
{
	if (!ret && g->data.n > g->limit)
		ret = -EFBIG;
	if (!ret)
		ret = grow(g);
	if (ret) {
		free(g->data.p);
		g->data = (struct file_data){ 0 };
	} else {
		g->data.p[g->data.n] = 0;
	}
	*data = g->data;
	return ret;
}

int file_read(const char *path, size_t limit, struct file_data *data)
{
	struct growing g = { .limit = limit };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : 0;

	while (!ret) {
		ssize_t n;

		ret = grow(&g);
		if (ret)
			break;
		n = read(fd, g.data.p + g.data.n, g.room - g.data.n);
		if (!n)
			break;
		if (n > 0)
			g.data.n += (size_t)n;
		else if (errno != EINTR)
			ret = -errno;
	}
	if (fd >= 0)
		close(fd);
	return finish(&g, ret, data);
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

int file_write(const char *path, const uint8_t *p, size_t n)
{
	struct stat st;
	char *temporary;
	int fd, ret;

	/* A device or a pipe is written to, not replaced. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		ret = write_all(fd, p, n);
		close(fd);
		return ret;
	}
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		goto out;
	}
	ret = write_all(fd, p, n);
	if (!ret && fchmod(fd, 0644))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret)
		unlink(temporary);
out:
	free(temporary);
	return ret;
}

void file_free(struct file_data *data)
{
	free(data->p);
	*data = (struct file_data){ 0 };
}

enum file_compression file_compression(const uint8_t *p, size_t n)
{
	static const struct {
		const char *magic;
		size_t n;
		enum file_compression compression;
	} magics[] = {
		{ "\x1f\x8b\x08", 3, FILE_GZIP },
		{ "\xfd\x37zXZ\0", 6, FILE_XZ },
		{ "\x28\xb5\x2f\xfd", 4, FILE_ZSTD },
		{ "BZh", 3, FILE_BZIP2 },
		{ "\x5d\0\0", 3, FILE_LZMA },
		{ "\x89LZO", 4, FILE_LZO },
		{ "\x02\x21\x4c\x18", 4, FILE_LZ4 },
		{ "\x04\x22\x4d\x18", 4, FILE_LZ4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (n >= magics[i].n && !memcmp(p, magics[i].magic, magics[i].n))
			return magics[i].compression;
	return FILE_PLAIN;
}

static int plain(const uint8_t *p, size_t n, struct growing *g)
{
	while (g->data.n < n) {
		int ret = grow(g);
		size_t part = n - g->data.n;

		if (ret)
			return ret;
		if (part > g->room - g->data.n)
			part = g->room - g->data.n;
		memcpy(g->data.p + g->data.n, p + g->data.n, part);
		g->data.n += part;
	}
	return 0;
}

static int gunzip(const uint8_t *p, size_t n, struct growing *g)
{
	z_stream z = { .next_in = (Bytef *)p, .avail_in = (uInt)n };
	int ret = 0, status = Z_OK;

	if (n > UINT32_MAX)
		return -EFBIG;
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	while (!ret && status != Z_STREAM_END) {
		ret = grow(g);
		if (ret)
			break;
		z.next_out = g->data.p + g->data.n;
		z.avail_out = (uInt)(g->room - g->data.n);
		status = inflate(&z, Z_NO_FLUSH);
		g->data.n = g->room - z.avail_out;
		if (status != Z_OK && status != Z_STREAM_END)
			ret = -EBADMSG;
	}
	inflateEnd(&z);
	return ret;
}

static int unxz(const uint8_t *p, size_t n, struct growing *g)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret status = LZMA_OK;
	int ret = 0;

	if (lzma_stream_decoder(&z, UINT64_MAX, 0) != LZMA_OK)
		return -ENOMEM;
	z.next_in = p;
	z.avail_in = n;
	while (!ret && status != LZMA_STREAM_END) {
		ret = grow(g);
		if (ret)
			break;
		z.next_out = g->data.p + g->data.n;
		z.avail_out = g->room - g->data.n;
		status = lzma_code(&z, LZMA_FINISH);
		g->data.n = g->room - z.avail_out;
		if (status != LZMA_OK && status != LZMA_STREAM_END)
			ret = status == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
	}
	lzma_end(&z);
	return ret;
}

static int unzstd(const uint8_t *p, size_t n, struct growing *g)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { p, n, 0 };
	size_t left = 1;
	int ret = z ? 0 : -ENOMEM;

	/* The kernel packs its payload with windows up to 128 MiB (zstd --ultra). */
	if (!ret && ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 27)))
		ret = -ENOMEM;
	while (!ret && left) {
		ZSTD_outBuffer out = { 0 };
		size_t before = in.pos;

		ret = grow(g);
		if (ret)
			break;
		out = (ZSTD_outBuffer){ g->data.p + g->data.n, g->room - g->data.n, 0 };
		left = ZSTD_decompressStream(z, &out, &in);
		g->data.n += out.pos;
		if (ZSTD_isError(left) || (left && !out.pos && in.pos == before))
			ret = -EBADMSG;
	}
	ZSTD_freeDStream(z);
	return ret;
}

int file_uncompress(const uint8_t *p, size_t n, size_t limit, struct file_data *data)
{
	struct growing g = { .limit = limit };
	int ret;

	switch (file_compression(p, n)) {
	case FILE_PLAIN:
		ret = plain(p, n, &g);
		break;
	case FILE_GZIP:
		ret = gunzip(p, n, &g);
		break;
	case FILE_XZ:
		ret = unxz(p, n, &g);
		break;
	case FILE_ZSTD:
		ret = unzstd(p, n, &g);
		break;
	default:
		ret = -EOPNOTSUPP;
		break;
	}
	return finish(&g, ret, data);
}

int file_read_any(const char *path, size_t limit, struct file_data *data)
{
	struct file_data packed;
	int ret = file_read(path, limit, &packed);

	if (ret)
		return ret;
	ret = file_uncompress(packed.p, packed.n, limit, data);
	file_free(&packed);
	return ret;
}
