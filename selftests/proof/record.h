/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record of calls: what VTL0 asked of a core, every byte that the core read meanwhile, and what it
 * answered.  Enough to repeat the calls on another core.
 *
 * A record is a run of chunks.  In a guest they lie anywhere in its memory, each at a page boundary,
 * and say so themselves; in a file they follow each other, ascending by number.  A chunk holds whole
 * events, each a head and its bytes, which are padded to 8.  All numbers are little-endian.
 *
 * Events carry the number of their call, from 1, since calls on several processors overlap.
 */
#ifndef SELFTESTS_PROOF_RECORD_H
#define SELFTESTS_PROOF_RECORD_H

#include <heki/calls.h>

#define RECORD_MAGIC "HEKI record of calls, version 1"

/**
 * struct record_chunk - the head of a chunk
 * @magic:  RECORD_MAGIC, NUL-terminated
 * @pa:     where it lies in the guest
 * @number: from 0
 * @size:   bytes with this head
 * @used:   of these, by this head and events
 */
struct record_chunk {
	char magic[32];
	uint64_t pa;
	uint64_t number;
	uint64_t size;
	uint64_t used;
};
HEKI_ASSERT_SIZE(struct record_chunk, 64);

enum record_event_type {
	RECORD_CALL = 1, /* bytes: struct heki_vtlcall_regs; value: VP */
	RECORD_READ = 2, /* bytes: what was read; value: physical address */
	RECORD_REGS = 3, /* bytes: struct heki_vp_regs; value: VP */
	RECORD_RESULT = 4 /* no bytes; value: r8 */
};

/**
 * struct record_event - the head of an event
 * @type:  enum record_event_type
 * @call:  number of its call
 * @value: by type
 * @n:     bytes that follow, before padding
 */
struct record_event {
	uint32_t type;
	uint32_t call;
	uint64_t value;
	uint64_t n;
};
HEKI_ASSERT_SIZE(struct record_event, 24);

/* More bytes than any event has. */
#define RECORD_EVENT_MAX 65536u
#define RECORD_CHUNK_SIZE (1u << 20)

#endif /* SELFTESTS_PROOF_RECORD_H */
