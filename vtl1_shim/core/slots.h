/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Long calls: the slots in which they live from their first entry to their last.
 */
#ifndef HEKI_CORE_SLOTS_H
#define HEKI_CORE_SLOTS_H

#include "call.h"

enum slot_state {
	SLOT_FREE,
	SLOT_RUNNING, /* an entry is serving it */
	SLOT_SUSPENDED
};

/**
 * struct slot - a long call
 * @call:   the call
 * @result: of its handler, once that has returned
 * @state:  enum slot_state, under HEKI_LOCK_TABLES; the rest is whose entry made it RUNNING
 * @seen:   core->entries when it was suspended
 * @done_token: token of a call that entries of others have brought to its end, in any slot; under
 *          HEKI_LOCK_TABLES, as the next
 * @done_id: its id, 0 for none
 */
struct slot {
	struct call call;
	int result;
	uint32_t state;
	uint64_t seen;
	uint64_t done_token;
	uint32_t done_id;
};

/* Whether VTL0 continues calls and this one can take long. */
bool slots_wanted(const struct heki_core *core, uint32_t index);

/**
 * slots_enter() - find the slot that an entry serves
 * @core: the core
 * @c:    the call as it came in
 * @out:  a slot, RUNNING: that of @c, or of a call that nobody continues (then abandoned is set);
 *        NULL when others have brought @c to its end, with the result 0
 *
 * Return: 0, -HEKI_E_BUSY: another VP is serving this very call, -HEKI_E_NO_SLOT
 */
int slots_enter(struct heki_core *core, const struct call *c, struct slot **out);

/* Whether this is the call of a slot that is in use. */
bool slots_same(const struct slot *slot, const struct call *c);

/* Serve it for one entry; true when the call has come to its end. */
bool slots_run(struct heki_core *core, struct slot *slot);

/* Give the slot of a call that has come to its end back; @told: its caller reads its result. */
void slots_leave(struct heki_core *core, struct slot *slot, bool told);

/* Note the work of an entry that ends. */
void slots_note(struct call *c);

/* The handler of a call with what comes before and after; see dispatch.c. */
int dispatch_serve(struct call *c);

#endif /* HEKI_CORE_SLOTS_H */
