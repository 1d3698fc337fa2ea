/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file of calls: what an input of a fuzz target makes of guest memory and which calls it makes.
 * Written on the host by selftests/fuzz/calls.c, made again in a VM by hostile_replay.c.
 *
 * A row of records, each followed by its bytes.  Addresses in guest memory are those of the small guest
 * of the fuzz targets, from 0 to HOSTILE_RAM; whoever makes the calls has memory of that size.
 */
#ifndef SELFTESTS_VM_HOSTILE_FORMAT_H
#define SELFTESTS_VM_HOSTILE_FORMAT_H

#include <heki/heki.h>

#define HOSTILE_MAGIC 0x31534c4c41434b48ull /* "HKCALLS1" */
#define HOSTILE_RAM (2ull << 20)

/* Of the guest's memory, what is VTL1's. */
#define HOSTILE_VTL1 0x1c0000ull
#define HOSTILE_VTL1_BYTES 0x10000ull

enum hostile_kind {
	HOSTILE_BASE = 1, /* v[0]: number; PAGE records of a guest that inputs start from follow */
	HOSTILE_INPUT = 2, /* v[0]: number of its base; the bytes are its name */
	HOSTILE_PAGE = 3, /* v[0]: address, HEKI_PAGE_SIZE bytes */
	HOSTILE_ADDRESS = 4, /* at v[0] stands the guest address v[1]; v[2]: HOSTILE_START or _END */
	HOSTILE_CALL = 5 /* v[0]: id, v[1..3]: parameters, v[4]: what they are, v[5]: entries, 0: all */
};

/* An address where something begins, or an exclusive end. */
#define HOSTILE_START 0
#define HOSTILE_END 1

/* What parameter n is, in two bits. */
#define HOSTILE_PLAIN 0u
#define HOSTILE_PA 1u
#define HOSTILE_PFN 2u
#define HOSTILE_PARAMETER(n, what) ((what) << 2 * (n))

struct hostile_record {
	uint32_t kind;
	uint32_t n; /* bytes that follow, a multiple of 8 */
	uint64_t v[6];
};
HEKI_ASSERT_SIZE(struct hostile_record, 56);

#endif /* SELFTESTS_VM_HOSTILE_FORMAT_H */
