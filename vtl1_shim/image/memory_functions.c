// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The memory functions that a compiler calls, and the core.
 */
#include "base.h"

#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#define WORD sizeof(uint64_t)

void *memcpy(void *to, const void *from, size_t n)
{
	size_t words = n / WORD;
	size_t rest = n % WORD;
	void *p = to;

	asm volatile("rep movsq" : "+D"(p), "+S"(from), "+c"(words) : : "memory");
	asm volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(rest) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = (uint8_t *)to + n - 1;
	const uint8_t *f = (const uint8_t *)from + n - 1;

	if ((uintptr_t)to - (uintptr_t)from >= n)
		return memcpy(to, from, n);
	asm volatile("std; rep movsb; cld" : "+D"(t), "+S"(f), "+c"(n) : : "memory");
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint64_t word = (uint8_t)c * 0x0101010101010101ull;
	size_t words = n / WORD;
	size_t rest = n % WORD;
	void *p = to;

	asm volatile("rep stosq" : "+D"(p), "+c"(words) : "a"(word) : "memory");
	asm volatile("rep stosb" : "+D"(p), "+c"(rest) : "a"(word) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a;
	const uint8_t *y = b;
	uint64_t v;
	uint64_t w;

	for (; n >= WORD; n -= WORD, x += WORD, y += WORD) {
		__builtin_memcpy(&v, x, WORD);
		__builtin_memcpy(&w, y, WORD);
		if (v != w)
			break;
	}
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
