/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypervisor's own console, and its end. */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include "base.h"

/**
 * console_print() - print a line on the hypervisor's console
 * @format: of %s (const char *), %u (uint32_t), %x (uint32_t), %lu and %lx (uint64_t), %%; a
 *	newline follows
 *
 * Lines of several CPUs do not mix.
 */
void __attribute__((format(printf, 1, 2))) console_print(const char *format, ...);

/**
 * console_print_char() - print a character, between the lines of other CPUs
 * @c: the character
 */
void console_print_char(char c);

/**
 * console_wait() - wait until no CPU is printing with console_print() or console_print_char()
 * @tries: how often to look at most: whoever prints may be what failed
 */
void console_wait(uint32_t tries);

/**
 * console_last() - print a line, even when a CPU that failed has been printing one
 * @format: as for console_print()
 */
void __attribute__((format(printf, 1, 2))) console_last(const char *format, ...);

/**
 * panic() - print a line and end the machine
 * @format: as for console_print()
 *
 * For what must not happen and leaves nothing to be protected or run.
 */
_Noreturn void __attribute__((format(printf, 1, 2))) panic(const char *format, ...);

/* The architecture's part: one character, and the end of the machine. */
void console_put(char c);
_Noreturn void machine_fail(void);

#endif /* HV_CONSOLE_H */
