/* SPDX-License-Identifier: GPL-2.0-only */
/* The stock kernels below build/kernel/: their modules and their exports. */
#ifndef SELFTESTS_HOST_STOCK_H
#define SELFTESTS_HOST_STOCK_H

#include "vtl0.h"

/* Budgets for a stock kernel's exports and one of its modules at a time. */
extern const struct heki_limits stock_limits;

struct stock_lines {
	char **line;
	size_t n;
};

/* Output of a command, lines of text; "%s" in @format stands for @argument. */
struct stock_lines stock_command(const char *format, const char *argument);
void stock_drop_lines(struct stock_lines *l);

/* A module's file, unpacked when it is compressed. */
struct file stock_module(const char *path);

/* Lay out a kernel with all exports of a stock kernel and its modules. */
void stock_kernel(struct guest *g, struct kernel *k, const char *version);

#endif /* SELFTESTS_HOST_STOCK_H */
