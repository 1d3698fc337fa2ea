/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of bench-host share.
 */
#ifndef SELFTESTS_BENCH_HOST_BENCH_H
#define SELFTESTS_BENCH_HOST_BENCH_H

#include "call.h"
#include "crypto.h"
#include "place.h"
#include "stock.h"
#include "validate.h"

#define SAMPLE 300 /* modules, where not all are measured */

/* Seconds that this process has run. */
double cpu_time(void);

/* Print a figure; its name is printed by @format. */
__attribute__((format(printf, 3, 4)))
void report(double value, const char *unit, const char *format, ...);

/* A guest with room for a stock kernel, and that kernel's certificate. */
struct guest *guest_that_trusts(const char *version, struct file *cert);

/* The modules of a stock kernel's package, by name. */
struct stock_lines modules_of(const char *version);

/* Measure the verification of modules of a stock kernel: all of them, or SAMPLE. */
void bench_signatures(const char *version, bool all);

/* host_entries.c: entries of long calls that are continued */
void bench_entries(const char *version);

#endif /* SELFTESTS_BENCH_HOST_BENCH_H */
