// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The console: one port, no state.
 *
 * Trust boundary: VTL0 may write to the port too; nothing is read from it. Locks: none, lines of
 * several VPs may mix.
 */
#include "console.h"
#include "cpu.h"

#define PORT_DEBUG 0xe9

static void put(const char *s)
{
	for (; *s; s++)
		port_write(PORT_DEBUG, (uint8_t)*s);
}

void console_line(const char *text)
{
	put("vtl1: ");
	put(text);
	put("\n");
}
