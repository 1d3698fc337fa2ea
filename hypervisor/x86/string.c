// SPDX-License-Identifier: GPL-2.0-only
/* Those of the memory functions for which there are instructions. */
#include "base.h"

void *memcpy(void *to, const void *from, size_t n)
{
	size_t words = n / 8;
	void *start = to;

	n %= 8;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *end = (uint8_t *)to + n - 1;
	const uint8_t *last = (const uint8_t *)from + n - 1;

	if ((uintptr_t)to - (uintptr_t)from >= n)
		return memcpy(to, from, n);
	__asm__ volatile("std; rep movsb; cld" : "+D"(end), "+S"(last), "+c"(n) : : "memory");
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint64_t word = (uint8_t)c * 0x0101010101010101ull;
	size_t words = n / 8;
	void *start = to;

	n %= 8;
	__asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(word) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(word) : "memory");
	return start;
}
