// SPDX-License-Identifier: GPL-2.0-only
/* Memory and string functions that the compiler calls, or libfdt. */
#include <string.h>

#include "base.h"

static bool aligned(const void *p)
{
	return !((uintptr_t)p & 7);
}

void *memcpy(void *to, const void *from, size_t n)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	if (aligned(p) && aligned(q)) {
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
