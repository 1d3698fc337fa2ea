/* SPDX-License-Identifier: GPL-2.0-only */
/* The device tree: what the machine is, and the tree that the guest gets. */
#ifndef HV_DEVICE_TREE_H
#define HV_DEVICE_TREE_H

#include "config.h"
#include "machine.h"
#include "memory.h"

#define OPTIONS_MAX 1024u
#define REGIONS_MAX 64u
#define TREE_ROOM (1 * MIB)

struct region {
	uint64_t start;
	uint64_t size;
};

struct machine {
	struct memory_map ram; /* all RAM and the hypervisor */
	char options[OPTIONS_MAX]; /* the hypervisor's */
	char words[OPTIONS_MAX]; /* the guest's command line */
	uint64_t initrd; /* that the boot loader has loaded */
	uint64_t initrd_size;
	uint64_t cpus[CPUS_MAX]; /* their affinity */
	uint32_t n_cpus;
	struct region device[REGIONS_MAX]; /* that the guest may reach */
	uint32_t n_devices;
	struct region hidden[REGIONS_MAX]; /* known, and not open: reads as zero, writes are ignored */
	uint32_t n_hidden;
};

/**
 * device_tree_read() - take from the tree what the machine is
 * @m: filled in
 * @tree: where the tree lies; 0 when a loader has said nothing, so it is at the start of RAM
 *
 * The command line's words before "--" are the hypervisor's options; without "--" it has none.
 * Stops the machine with EXIT_TREE when the tree is damaged, or lacks what is needed.
 */
void device_tree_read(struct machine *m, uint64_t tree);

/**
 * device_tree_write() - write the guest's tree to the start of RAM
 * @m: the machine
 * @c: the guest: its memory is all that the tree names, without the hypervisor's; its initrd
 *
 * Devices that the guest may not reach are disabled in it.
 *
 * Return: where it lies.
 */
uint64_t device_tree_write(const struct machine *m, const struct guest_config *c);

#endif /* HV_DEVICE_TREE_H */
