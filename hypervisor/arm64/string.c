// SPDX-License-Identifier: GPL-2.0-only
/* Memory and string functions that the compiler calls, or libfdt. */
#include <string.h>

#include "base.h"

static bool aligned(const void *p)
{
	return !((uintptr_t)p & 7);
}

/* In pairs of words: a kernel is some 40 MB.  All is read before it is written, since parts may overlap. */
static void copy_block(uint64_t *to, const uint64_t *from)
{
	uint64_t a = from[0], b = from[1], c = from[2], d = from[3];

	to[0] = a;
	to[1] = b;
	to[2] = c;
	to[3] = d;
}

/* Parts may overlap when it copies downwards: memmove() is one that does. */
void *memcpy(void *to, const void *from, size_t n)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	if (aligned(p) && aligned(q)) {
		for (; n >= 32; n -= 32, p += 32, q += 32)
			copy_block((uint64_t *)p, (const uint64_t *)q);
		for (; n >= 8; n -= 8, p += 8, q += 8)
			*(uint64_t *)p = *(const uint64_t *)q;
	}
	while (n--)
		*p++ = *q++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	if ((uintptr_t)to - (uintptr_t)from >= n)
		return memcpy(to, from, n);
	while (n--)
		p[n] = q[n];
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint64_t word = (uint8_t)c * 0x0101010101010101ull;
	uint8_t *p = to;

	if (aligned(p)) {
		for (; n >= 8; n -= 8, p += 8)
			*(uint64_t *)p = word;
	}
	while (n--)
		*p++ = (uint8_t)c;
	return to;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const uint8_t *p = s; n; n--, p++)
		if (*p == (uint8_t)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strnlen(const char *s, size_t n)
{
	const char *end = memchr(s, 0, n);

	return end ? (size_t)(end - s) : n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

char *strrchr(const char *s, int c)
{
	for (size_t n = strlen(s) + 1; n; n--)
		if (s[n - 1] == (char)c)
			return (char *)(uintptr_t)&s[n - 1];
	return NULL;
}
