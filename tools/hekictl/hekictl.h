/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of hekictl share: a run of a command, its exit codes, its output.
 */
#ifndef HEKICTL_H
#define HEKICTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "hekifs.h"

#define HEKICTL_SCHEMA 1

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* a violation, or a check that failed */
	EXIT_USAGE = 2,
	EXIT_UNSUPPORTED = 3, /* HEKI is not loaded, or not one that this program knows */
	EXIT_PERMISSION = 4,
};

enum color { COLOR_NONE, COLOR_BOLD, COLOR_DIM, COLOR_GOOD, COLOR_WARN, COLOR_BAD };

/**
 * struct run - one run of a command
 * @command: its words, "module list"
 * @help:    its help text
 * @argc:    number of @argv
 * @argv:    arguments behind the command; argv[0] is the first
 * @as_json: --json
 * @color:   stdout is a terminal that shows colours
 * @width:   columns to fit into, 0 when there is no such limit
 * @json:    what --json prints; made before the command runs
 */
struct run {
	const char *command;
	const char *help;
	int argc;
	char **argv;
	bool as_json;
	bool color;
	unsigned int width;
	json_t *json;
};

/* Commands: each returns an exit code. */
int command_status(struct run *run);
int command_module_list(struct run *run);
int command_module_show(struct run *run);
int command_module_check(struct run *run);
int command_protections(struct run *run);
int command_patch_list(struct run *run);
int command_registers(struct run *run);
int command_cert_list(struct run *run);
int command_cert_extract(struct run *run);
int command_log(struct run *run);
int command_audit(struct run *run);
int command_counters(struct run *run);
int command_key_add(struct run *run);
int command_revoke(struct run *run);
int command_start(struct run *run);
int command_doctor(struct run *run);
int command_version(struct run *run);

/**
 * fail() - say why a command cannot go on
 * @run:    the run
 * @code:   exit code
 * @format: printf() format, without "hekictl:" and newline
 *
 * Return: @code
 */
int fail(struct run *run, enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* fail() with EXIT_USAGE and a pointer to --help. */
int fail_usage(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* EXIT_OK, or fail_usage() when there are arguments. */
int no_arguments(struct run *run);

/**
 * load_file() - read a file of the client, or say why it cannot be read
 * @run:  the run
 * @name: the file's name
 * @file: filled; drop with hekifs_free(), also after a failure
 *
 * Return: exit code
 */
int load_file(struct run *run, const char *name, struct hekifs_file *file);

/* Memory that is there; ends the program when there is none. */
void *must(void *p);
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* HEKICTL_H */
