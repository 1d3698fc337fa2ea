/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Words on the hypervisor's console, for what happens before VTL0 can ask for the log.
 */
#ifndef VTL1_IMAGE_CONSOLE_H
#define VTL1_IMAGE_CONSOLE_H

/* Write "vtl1: ", the text and the end of the line; where there is no such port, nothing happens. */
void console_line(const char *text);

#endif /* VTL1_IMAGE_CONSOLE_H */
