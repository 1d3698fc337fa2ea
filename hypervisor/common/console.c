// SPDX-License-Identifier: GPL-2.0-only
/* Formatted lines on the hypervisor's console. */
#include <stdarg.h>

#include "console.h"

static struct lock console_lock;

static void put_string(const char *s)
{
	for (; *s; s++)
		console_put(*s);
}

static void put_number(uint64_t v, unsigned int base)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		console_put(digits[--n]);
}

/* One conversion, after its percent sign; where the next character stands. */
static const char *put_argument(const char *format, va_list *arguments)
{
	bool is_long = *format == 'l';

	format += is_long;
	switch (*format) {
	case 's':
		put_string(va_arg(*arguments, const char *));
		break;
	case 'u':
	case 'x':
		put_number(is_long ? va_arg(*arguments, uint64_t) : va_arg(*arguments, uint32_t),
			   *format == 'x' ? 16 : 10);
		break;
	default:
		console_put(*format);
		break;
	}
	return format + 1;
}

static void put_line(const char *format, va_list *arguments)
{
	while (*format) {
		if (*format == '%')
			format = put_argument(format + 1, arguments);
		else
			console_put(*format++);
	}
	put_string("\r\n");
}

void console_print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	lock(&console_lock);
	put_line(format, &arguments);
	unlock(&console_lock);
	va_end(arguments);
}

void console_print_char(char c)
{
	lock(&console_lock);
	console_put(c);
	unlock(&console_lock);
}

void console_wait(uint32_t tries)
{
	while (load_acquire(console_lock.held) && tries--)
		spin_wait();
}

void console_last(const char *format, ...)
{
	va_list arguments;

	/* Not locked: whoever holds the lock may be what failed. */
	va_start(arguments, format);
	put_line(format, &arguments);
	va_end(arguments);
}

void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_string("hypervisor: fatal: ");
	put_line(format, &arguments);
	va_end(arguments);
	machine_fail();
}
