/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of commands.
 */
#ifndef HEKICTL_COMMANDS_H
#define HEKICTL_COMMANDS_H

#include "hekictl.h"

/**
 * struct command - a command
 * @name:    its one or two words
 * @usage:   its arguments
 * @summary: one line
 * @help:    what --help goes on with
 * @run:     does it
 */
struct command {
	const char *name;
	const char *usage;
	const char *summary;
	const char *help;
	int (*run)(struct run *run);
};

extern const struct command commands[]; /* ended by an empty one */

/* Whether a word is the first of a command of two words. */
bool is_object(const char *word);

void print_help(void);
void print_command_help(const struct command *command);

#endif /* HEKICTL_COMMANDS_H */
