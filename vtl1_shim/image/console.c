// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The console: a serial port that the hypervisor keeps from VTL0, no state. Where there is none, what
 * is written is lost.
 *
 * Locks: none, lines of several VPs may mix.
 */
#include "console.h"
#include "cpu.h"

#define PORT_CONSOLE 0x2f8

static void put(const char *s)
{
	for (; *s; s++)
		port_write(PORT_CONSOLE, (uint8_t)*s);
}

void console_line(const char *text)
{
	put("vtl1: ");
	put(text);
	put("\n");
}
