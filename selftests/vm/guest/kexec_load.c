// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexec_load [-p] KERNEL [INITRD] - load a kernel by kexec_file_load
 * kexec_load -u                   - unload it
 * kexec_load -o                   - load a tiny image by the old kexec_load
 * kexec_load -e                   - run what is loaded
 *
 * -p takes the crash slot.  Exits with 0 or with the errno of the call; 255 for everything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char command_line[] = "console=ttyS0";

static int report(long ret, const char *what)
{
	if (!ret)
		return 0;
	fprintf(stderr, "kexec_load: %s: %s\n", what, strerror(errno));
	return errno;
}

/* One page that would only halt; it is never executed. */
static int load_old(void)
{
	static const unsigned char halt[] = { 0xf4, 0xeb, 0xfd };
	struct kexec_segment segment = {
		.buf = halt,
		.bufsz = sizeof(halt),
		.mem = (void *)0x1000000,
		.memsz = 4096,
	};

	return report(syscall(SYS_kexec_load, 0x1000000, 1, &segment, KEXEC_ARCH_X86_64),
		      "kexec_load");
}

static int load_file(const char *kernel, const char *initrd, unsigned long flags)
{
	int kernel_fd = open(kernel, O_RDONLY | O_CLOEXEC);
	int initrd_fd = initrd ? open(initrd, O_RDONLY | O_CLOEXEC) : -1;

	if (kernel_fd < 0 || (initrd && initrd_fd < 0)) {
		perror("kexec_load");
		return 255;
	}
	if (!initrd)
		flags |= KEXEC_FILE_NO_INITRAMFS;
	return report(syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, sizeof(command_line),
			      command_line, flags),
		      kernel);
}

int main(int argc, char **argv)
{
	unsigned long flags = 0;

	if (argc == 2 && !strcmp(argv[1], "-u"))
		return report(syscall(SYS_kexec_file_load, -1, -1, 0, NULL, KEXEC_FILE_UNLOAD),
			      "unload");
	if (argc == 2 && !strcmp(argv[1], "-o"))
		return load_old();
	if (argc == 2 && !strcmp(argv[1], "-e"))
		return report(reboot(LINUX_REBOOT_CMD_KEXEC), "run");
	if (argc > 1 && !strcmp(argv[1], "-p")) {
		flags = KEXEC_FILE_ON_CRASH;
		argv++;
		argc--;
	}
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: kexec_load [-p] KERNEL [INITRD] | -u | -o | -e\n");
		return 255;
	}
	return load_file(argv[1], argc > 2 ? argv[2] : NULL, flags);
}
