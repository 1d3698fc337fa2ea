// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmexit STATUS - give hekivm the guest's verdict and end the VM
 *
 * The whole status goes to the debug console's port, then the status plus one, cut to 7 bits, to
 * isa-debug-exit, which ends the engine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <unistd.h>

#define PORT_STATUS 0xe9
#define PORT_EXIT 0xf4

int main(int argc, char **argv)
{
	unsigned int status = argc > 1 ? (unsigned int)atoi(argv[1]) & 0xff : 0;

	if (ioperm(PORT_STATUS, 1, 1) || ioperm(PORT_EXIT, 4, 1)) {
		perror("vmexit: ioperm");
		return 1;
	}
	outb((unsigned char)status, PORT_STATUS);
	outl((status < 126 ? status : 126) + 1, PORT_EXIT);
	for (;;)
		pause();
}
