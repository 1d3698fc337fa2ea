/* SPDX-License-Identifier: GPL-2.0-only */
/* Options: words with a blank between them. */
#ifndef HV_OPTIONS_H
#define HV_OPTIONS_H

#include "base.h"

/**
 * has_option() - whether a word is among the options
 * @options: all of them
 * @word: the one that is looked for
 *
 * Return: true when it is there.
 */
bool has_option(const char *options, const char *word);

/**
 * option_number() - the number that an option gives
 * @options: all of them
 * @name: the option's, with the equals sign
 * @value: set to the number, when the option is there
 *
 * Panics when there is something else than a decimal number of at most nine digits, or 0x and at most
 * 15 hexadecimal ones in lower case, or the option twice.
 *
 * Return: true when it is there.
 */
bool option_number(const char *options, const char *name, uint64_t *value);

/**
 * option_unknown() - look for a word that means nothing
 * @options: all of them
 * @known: all words, those that take a value with the equals sign; NULL behind the last
 *
 * Return: the first word that is not among them, up to the end of all options; NULL when all are.
 */
const char *option_unknown(const char *options, const char *const *known);

#endif /* HV_OPTIONS_H */
