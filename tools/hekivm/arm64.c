// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine arm64, QEMU's virt.  Under a hypervisor at EL2 the guest's file lies behind the guest's
 * memory, from where the hypervisor loads it; where all lies is told in front of the options that it
 * is given itself.
 *
 * Both have one console.  The hypervisor's last line tells the verdict: it takes the console from the
 * guest before it prints that line.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hekivm.h"

#define MIB (1ull << 20)
#define RAM_START (1ull << 30)
#define FILE_FIRST (RAM_START + 32 * MIB) /* behind the hypervisor */
#define IMAGE_RAM 512u /* MiB: an Image has its device tree at 128 MiB, or behind half of the memory */
#define ADDRESS_DEFAULT 0x48000000ull

static int check_plain(const struct vm_spec *spec, struct vm_error *error)
{
	if (spec->hypervisor_cmdline)
		return vm_fail(error, HEKIVM_E_USAGE, "--hypervisor-cmdline without --hypervisor");
	if (spec->address)
		return vm_fail(error, HEKIVM_E_USAGE, "--address without --hypervisor");
	return 0;
}

/**
 * arm64_check - check what this machine needs, beyond that files are there
 * @spec:  what the user asked for
 * @error: out
 *
 * Return: 0 or -1.
 */
int arm64_check(const struct vm_spec *spec, struct vm_error *error)
{
	struct arm64_place place;
	const char *option = NULL;

	if (spec->disk)
		option = "--disk";
	else if (spec->vtl1)
		option = "--vtl1";
	else if (spec->hypervisor_log)
		option = "--hypervisor-log";
	if (option)
		return vm_fail(error, HEKIVM_E_USAGE, "%s: not of the machine arm64", option);
	if (!vm_accel_is_tcg(spec->accel))
		return vm_fail(error, HEKIVM_E_ACCEL, "the machine arm64 runs in TCG only");
	return spec->hypervisor ? arm64_place(spec, &place, error) : check_plain(spec, error);
}

static uint64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static bool is_elf(const char *path)
{
	static const char magic[4] = { 0x7f, 'E', 'L', 'F' };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char bytes[4];
	bool elf;

	if (fd < 0)
		return false;
	elf = read(fd, bytes, sizeof(bytes)) == sizeof(bytes) &&
	      !memcmp(bytes, magic, sizeof(magic));
	close(fd);
	return elf;
}

static uint64_t round_up(uint64_t bytes)
{
	return (bytes + 2 * MIB - 1) & ~(2 * MIB - 1);
}

/**
 * arm64_place - where a guest under the hypervisor and its files lie
 * @spec:  the VM
 * @place: out
 * @error: out
 *
 * Return: 0 or -1.
 */
int arm64_place(const struct vm_spec *spec, struct arm64_place *place, struct vm_error *error)
{
	uint64_t end, size;

	memset(place, 0, sizeof(*place));
	place->start = spec->address ? spec->address : ADDRESS_DEFAULT;
	end = place->start + spec->memory * MIB;
	place->file = round_up(end) > FILE_FIRST ? round_up(end) : FILE_FIRST;
	place->file_size = file_size(spec->kernel);
	place->ram = (unsigned int)((round_up(place->file + place->file_size) - RAM_START) / MIB);
	if (place->ram < IMAGE_RAM && !is_elf(spec->hypervisor))
		place->ram = IMAGE_RAM;
	if (!spec->initramfs)
		return 0;
	size = file_size(spec->initramfs);
	if (size >= spec->memory * MIB || ((end - size) & ~(2 * MIB - 1)) <= place->start)
		return vm_fail(error, HEKIVM_E_INITRAMFS, "%s: no room in %u MiB", spec->initramfs,
			       spec->memory);
	place->initrd = (end - size) & ~(2 * MIB - 1);
	place->initrd_size = size;
	return 0;
}

/**
 * arm64_options - the command line of the hypervisor: its options, and the guest's words
 * @spec:  the VM
 * @place: where all lies
 *
 * Return: the text, to be freed, or NULL without memory.
 */
char *arm64_options(const struct vm_spec *spec, const struct arm64_place *place)
{
	char *text, initrd[80] = "";

	if (place->initrd)
		snprintf(initrd, sizeof(initrd), " initrd=%#jx initrd-size=%ju",
			 (uintmax_t)place->initrd, (uintmax_t)place->initrd_size);
	if (asprintf(&text, "load=%#jx memory=%u file=%#jx file-size=%ju%s %s -- %s",
		     (uintmax_t)place->start, spec->memory, (uintmax_t)place->file,
		     (uintmax_t)place->file_size, initrd,
		     spec->hypervisor_cmdline ? spec->hypervisor_cmdline : "", spec->cmdline) < 0)
		return NULL;
	return text;
}

/**
 * arm64_verdict - what the hypervisor has said at its end
 * @console: the log; the machine was turned off
 *
 * Return: the status, or -1 when its last line is another one.
 */
int arm64_verdict(const struct vm_log *console)
{
	char tail[HEKIVM_TAIL_MAX], rest;
	const char *line;
	unsigned int status;

	log_tail(console, tail, sizeof(tail));
	line = strrchr(tail, '\n');
	line = line ? line + 1 : tail;
	if (sscanf(line, "hypervisor: exit %3u%c", &status, &rest) != 1 || status > 255)
		return -1;
	return (int)status;
}
