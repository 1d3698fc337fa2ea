// SPDX-License-Identifier: GPL-2.0-only
/* What the compiler calls to compare memory; the other memory functions are the architecture's. */
#include "base.h"

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a;
	const uint8_t *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
