// SPDX-License-Identifier: GPL-2.0-only
/* What the boot loader hands on as the hypervisor's command line. */
#include "console.h"
#include "options.h"

#define DIGITS_MAX 9
#define HEX_DIGITS_MAX 15

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

const char *option_unknown(const char *options, const char *const *known)
{
	for (const char *s = options; *s; s = next_word(s)) {
		const char *const *k = known;

		/* A name with an equals sign is followed by a value, others stand alone. */
		for (; *k; k++) {
			uint64_t n = word_length(*k);
			bool value = (*k)[n - 1] == '=';

			if (word_length(s) >= n && !memcmp(s, *k, n) && (value || word_length(s) == n))
				break;
		}
		if (!*k && word_length(s))
			return s;
	}
	return NULL;
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

static uint64_t hexadecimal(const char *s, uint64_t n, const char *name)
{
	uint64_t v = 0;

	if (!n || n > HEX_DIGITS_MAX)
		panic("%s: a number is missing, or has more than %u digits", name, HEX_DIGITS_MAX);
	for (; n--; s++) {
		if (*s >= '0' && *s <= '9')
			v = v * 16 + (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			v = v * 16 + (uint64_t)(*s - 'a' + 10);
		else
			panic("%s: not a number", name);
	}
	return v;
}

static uint64_t number(const char *s, uint64_t n, const char *name)
{
	if (n >= 2 && s[0] == '0' && s[1] == 'x')
		return hexadecimal(s + 2, n - 2, name);
	return decimal(s, n, name);
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
		*value = number(s + n, word_length(s) - n, name);
		found = true;
	}
	return found;
}
