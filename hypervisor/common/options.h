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
 * Panics when there is something else than a decimal number of at most nine digits, or the option
 * twice.
 *
 * Return: true when it is there.
 */
bool option_number(const char *options, const char *name, uint64_t *value);

#endif /* HV_OPTIONS_H */
