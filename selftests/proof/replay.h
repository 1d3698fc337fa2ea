/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Repeating recorded calls on the core in userspace.
 */
#ifndef SELFTESTS_PROOF_REPLAY_H
#define SELFTESTS_PROOF_REPLAY_H

#include "core.h"
#include "guest.h"
#include "record.h"

/* An event, and its bytes in the record. */
struct event {
	struct record_event head;
	const uint8_t *bytes;
};

/**
 * struct recorded_call - a call and what belongs to it
 * @regs:   as VTL0 set them
 * @vp:     calling VP
 * @result: r8 that VTL0 got
 * @end:    place of its result among all events; calls are repeated in the order of these
 * @events: its reads and registers, @n of them, in order
 * @n:      number
 * @done:   it has a result
 */
struct recorded_call {
	struct heki_vtlcall_regs regs;
	uint32_t vp;
	int32_t result;
	size_t end;
	struct event *events;
	size_t n;
	bool done;
};

/**
 * struct recording - all calls of a record, in the order in which they ended
 * @bytes: the file
 * @size:  its bytes
 * @calls: calls
 * @n:     number
 */
struct recording {
	uint8_t *bytes;
	size_t size;
	struct recorded_call *calls;
	size_t n;
};

/* End the program with a message. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Memory that is there. */
void *must(void *p);

/* Read a record; a hole in it ends the program. */
void recording_load(const char *path, struct recording *r);
void recording_drop(struct recording *r);

/* Gather the chunks in an image of a guest's memory and write them as a file. */
void record_extract(const char *image, const char *path);

/* A core in the audit grade with room for all that a guest of 4 GiB can have. */
struct guest *replay_start(void);

/* Put what the core will read where it will read it. */
void replay_prepare(struct guest *g, const struct recorded_call *c);

/* Make the call as it is; its result. */
int32_t replay_call(struct guest *g, const struct recorded_call *c);

/* The record that the core wrote last to its log. */
const struct heki_log_record *replay_log(const struct guest *g);

#endif /* SELFTESTS_PROOF_REPLAY_H */
