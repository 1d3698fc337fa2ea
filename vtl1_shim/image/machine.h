/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the loader tells of the machine, in a Linux zero page.
 */
#ifndef VTL1_IMAGE_MACHINE_H
#define VTL1_IMAGE_MACHINE_H

#include "types.h"

#define MACHINE_CPUS_MAX 512
#define MACHINE_RAM_MAX 128

/* Memory that the loader has mapped, and page tables are made in; its own pages come first. */
#define MACHINE_MAPPED (16ull << 20)
#define MACHINE_IMAGE (2ull << 20)

struct ram {
	struct gpa start;
	uint64_t size;
};

/**
 * struct machine - the machine
 * @base: VTL1's own memory, 2 MiB aligned
 * @size: its bytes, page aligned
 * @command_line: where the command line is
 * @cpus: possible CPUs, 1 .. MACHINE_CPUS_MAX
 * @rams: ranges of VTL0's RAM
 * @ram:  the ranges; none touches VTL1's own memory
 */
struct machine {
	struct pa base;
	uint64_t size;
	struct pa command_line;
	uint32_t cpus;
	uint32_t rams;
	struct ram ram[MACHINE_RAM_MAX];
};

/**
 * machine_read() - read the zero page and the command line that it points to
 * @m:    filled
 * @page: the zero page
 *
 * Return: NULL, or what is wrong
 */
const char *machine_read(struct machine *m, const uint8_t *page);

/**
 * machine_is_vtl0() - whether bytes are all VTL0's RAM
 * @m:  the machine
 * @at: first byte
 * @n:  bytes, > 0
 *
 * Ranges that adjoin count as one only when the loader says so in one entry.
 */
bool machine_is_vtl0(const struct machine *m, struct gpa at, uint64_t n);

#endif /* VTL1_IMAGE_MACHINE_H */
