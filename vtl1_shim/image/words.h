/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Text for log records and the console.
 */
#ifndef VTL1_IMAGE_WORDS_H
#define VTL1_IMAGE_WORDS_H

#include "types.h"

/**
 * struct words - a text that is being written
 * @text: ends in NUL; what does not fit is cut off
 * @n:    bytes of it
 */
struct words {
	char text[HEKI_LOG_TEXT];
	size_t n;
};

/* Append a text. */
void words_str(struct words *w, const char *s);

/* Append a text and a number, hexadecimal with 0x. */
void words_hex(struct words *w, const char *s, uint64_t v);

#endif /* VTL1_IMAGE_WORDS_H */
