// SPDX-License-Identifier: GPL-2.0-only
/* What the boot loader hands on as the hypervisor's command line. */
#include "console.h"
#include "options.h"

#define DIGITS_MAX 9

static uint64_t word_length(const char *s)
{
	uint64_t n = 0;

	while (s[n] && s[n] != ' ')
		n++;
	return n;
}

static const char *next_word(const char *s)
{
	s += word_length(s);
	while (*s == ' ')
		s++;
	return s;
}

bool has_option(const char *options, const char *word)
{
	uint64_t n = word_length(word);

	for (const char *s = options; *s; s = next_word(s))
		if (word_length(s) == n && !memcmp(s, word, n))
			return true;
	return false;
}

static uint64_t decimal(const char *s, uint64_t n, const char *name)
{
	uint64_t v = 0;

	if (!n || n > DIGITS_MAX)
		panic("%s: a number is missing, or has more than %u digits", name, DIGITS_MAX);
	for (; n--; s++) {
		if (*s < '0' || *s > '9')
			panic("%s: not a number", name);
		v = v * 10 + (uint64_t)(*s - '0');
	}
	return v;
}

bool option_number(const char *options, const char *name, uint64_t *value)
{
	uint64_t n = word_length(name);
	bool found = false;

	for (const char *s = options; *s; s = next_word(s)) {
		if (word_length(s) < n || memcmp(s, name, n) != 0)
			continue;
		if (found)
			panic("%s: given twice", name);
		*value = decimal(s + n, word_length(s) - n, name);
		found = true;
	}
	return found;
}
