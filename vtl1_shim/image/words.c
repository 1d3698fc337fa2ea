// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Text for log records and the console.
 *
 * Trust boundary: none, numbers of VTL0's become digits. Locks: none.
 */
#include "words.h"

void words_str(struct words *w, const char *s)
{
	for (; *s && w->n < sizeof(w->text) - 1; s++)
		w->text[w->n++] = *s;
}

void words_hex(struct words *w, const char *s, uint64_t v)
{
	char digits[17];
	size_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	words_str(w, s);
	words_str(w, "0x");
	words_str(w, digits + i);
}
