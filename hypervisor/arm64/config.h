/* SPDX-License-Identifier: GPL-2.0-only */
/* What the hypervisor is told about its guest. */
#ifndef HV_CONFIG_H
#define HV_CONFIG_H

#include "base.h"

#define CONFIG_LOAD 0x48000000ull
#define CONFIG_MEMORY (128 * MIB)

enum guest_kind {
	GUEST_AUTO, /* told by the file's first bytes */
	GUEST_FLAT,
	GUEST_ELF,
	GUEST_IMAGE,
};

struct guest_config {
	uint64_t load; /* where the guest's memory starts, and the guest is placed */
	uint64_t memory; /* bytes */
	uint64_t entry; /* 0: what the file says, the load address of a flat one */
	enum guest_kind kind;
	uint64_t file; /* where the file lies; the load address when it is in its place already */
	uint64_t file_size; /* bytes; 0 when that is not known */
	uint64_t initrd;
	uint64_t initrd_size; /* 0: none */
	bool counters; /* printed at the end */
	bool dump; /* the Stage-2 tables are printed at start */
	bool stop; /* what the guest may not do stops it: nothing is injected */
};

/**
 * guest_config_read() - read the options
 * @c: filled in, with the defaults for what the options do not name
 * @options: words
 *
 * Stops the machine with EXIT_CONFIG when an option is unknown, or a value no good.
 */
void guest_config_read(struct guest_config *c, const char *options);

/* Options that open devices, in the order of the names in allow=. */
#define OPTION_ALLOW "allow="

#endif /* HV_CONFIG_H */
