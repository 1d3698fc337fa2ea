// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The one entrance of VTL0: table look-up, phase gate, handler, then the log record, the counters
 * and the errno of a refusal.
 *
 * Trust boundary: all registers are VTL0's. Locks: takes HEKI_LOCK_TABLES for gates.
 * A long call is served on a fiber, over several entries; see slots.c.
 */
#include "slots.h"

struct call_entry {
	uint32_t id;
	uint32_t phase;
	uint32_t context;
	int (*handler)(struct call *c);
};

static const struct call_entry calls[HEKI_CALL_COUNT] = {
#define CALL_ENTRY(number, name, suffix, open, context, arguments)                                 \
	[HEKI_INDEX_##name] = { number, HEKI_PHASE_##open, HEKI_CONTEXT_##context, call_##suffix },
	HEKI_CALLS(CALL_ENTRY)
#undef CALL_ENTRY
};

/* An atomic call is open at any time, alone with what it changes, and takes no scratch memory. */
#define CALL_ATOMIC(number, name, suffix, open, context, arguments)                                \
	HEKI_ASSERT(HEKI_CONTEXT_##context != HEKI_CONTEXT_ATOMIC ||                               \
		    HEKI_PHASE_##open == HEKI_PHASE_ANY);
HEKI_CALLS(CALL_ATOMIC)
#undef CALL_ATOMIC

static uint32_t find(uint64_t id)
{
	switch (id) {
#define CALL_FIND(number, name, suffix, open, context, arguments)                                  \
	case number:                                                                               \
		return HEKI_INDEX_##name;
	HEKI_CALLS(CALL_FIND)
#undef CALL_FIND
	default:
		return HEKI_CALL_COUNT;
	}
}

int call_optee_message(struct call *c)
{
	return refuse(c, HEKI_E_NOT_SUPPORTED, c->p[0]);
}

/*
 * Calls that enter certificates and hashes run one at a time: LOAD_KDATA can then undo what it
 * entered by going back to the counts it began with. So does PROTECT_MEMORY, which undoes what it
 * entered from the head of the kernel's frames.
 */
static bool *exclusive(const struct call *c)
{
	switch (c->id) {
	case HEKI_CALL_LOAD_KDATA:
	case HEKI_CALL_COPY_SECONDARY_KEY:
	case HEKI_CALL_REVOKE:
		return &c->core->keys_busy;
	case HEKI_CALL_PROTECT_MEMORY:
		return &c->core->kernel_busy;
	default:
		return NULL;
	}
}

static int gate(struct call *c, bool *busy)
{
	struct heki_core *core = c->core;
	int rc = 0;

	core_lock(core);
	if (calls[c->index].phase == HEKI_PHASE_BOOT && core->end_of_boot)
		rc = -HEKI_E_AFTER_END_OF_BOOT;
	else if (busy && *busy)
		rc = -HEKI_E_BUSY;
	else if (busy)
		*busy = true;
	core_unlock(core);
	return rc;
}

static void note_scratch(struct call *c)
{
	uint32_t *most = &c->core->stats.scratch_kib[c->index];

	if (c->arena.kib > *most)
		*most = c->arena.kib;
}

int dispatch_serve(struct call *c)
{
	struct heki_core *core = c->core;
	bool *busy = exclusive(c);
	int rc = 0;

	if (busy || calls[c->index].phase == HEKI_PHASE_BOOT)
		rc = gate(c, busy);
	if (rc)
		return rc;
	rc = calls[c->index].handler(c);
	if (!busy && !c->arena.head)
		return rc;
	core_lock(core);
	note_scratch(c);
	if (busy)
		*busy = false;
	core_unlock(core);
	arena_drop(&c->arena);
	return rc;
}

/* No lock: these are counted here alone, and each by itself. */
static void count_one(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void count(struct heki_core *core, uint32_t index, uint32_t error)
{
	struct heki_stats_reply *stats = &core->stats;

	if (index < HEKI_CALL_COUNT)
		count_one(&stats->calls[index]);
	if (index < HEKI_CALL_COUNT && error)
		count_one(&stats->refusals[index]);
	count_one(&stats->errors[error]);
}

static void log_refusal(const struct call *c, uint32_t error)
{
	struct heki_log_record record = {
		.address = c->address,
		.call = c->id,
		.event = HEKI_LOG_REFUSAL,
		.error = error,
	};

	if (is_text_patch(c->id) && log_omit(c->core))
		return;
	call_words(c, &record);
	log_write(c->core, &record);
}

/* The end of a call: counters, the record of a refusal, what VTL0 reads. */
static uint64_t conclude(struct call *c, int rc)
{
	uint32_t error = rc < 0 ? (uint32_t)-rc : HEKI_OK;

	if (error >= HEKI_ERROR_COUNT)
		error = HEKI_E_PARAMETER;
	count(c->core, c->index, error);
	if (error)
		log_refusal(c, error);
	return (uint64_t)(int64_t)(error ? -heki_error_errno(error) : rc);
}

static uint64_t finish(struct call *c, int rc)
{
	if (c->work)
		slots_note(c);
	return conclude(c, rc);
}

/* One entry of a long call. */
static uint64_t serve_slot(struct call *c)
{
	struct heki_core *core = c->core;
	uint64_t again = (uint64_t)(int64_t)-heki_error_errno(HEKI_E_AGAIN);
	struct slot *slot;
	uint64_t result;
	bool lost;
	int rc;

	rc = slots_enter(core, c, &slot);
	if (rc)
		return finish(c, rc);
	if (!slot)
		return 0;
	if (!slots_run(core, slot))
		return again;
	lost = slot->call.abandoned && (slot->result < 0 || !slots_same(slot, c));
	result = finish(&slot->call, slot->result);
	slots_leave(core, slot, !lost);
	/* An abandoned call that has only given something back is done: who came back for it is told. */
	return lost ? again : result;
}

/* Most calls never write a word: what holds them is not cleared. */
static void call_init(struct call *c, struct heki_core *core, const struct heki_vtlcall_regs *regs)
{
	c->core = core;
	c->id = (uint32_t)regs->rdi;
	c->index = find(regs->rdi);
	c->p[0] = regs->rsi;
	c->p[1] = regs->rdx;
	c->p[2] = regs->r8;
	c->vp = core->ops->vp(core->host);
	c->address = 0;
	c->name[0] = '\0';
	c->text[0] = '\0';
}

/* What an atomic call has no use for. */
static void call_init_long(struct call *c)
{
	c->slot = 0;
	c->abandoned = false;
	c->work = 0;
	c->arena = (struct arena){ .core = c->core };
}

void heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs)
{
	struct call c HEKI_UNINITIALIZED;

	call_init(&c, core, regs);
	if (c.index < HEKI_CALL_COUNT && calls[c.index].context == HEKI_CONTEXT_ATOMIC) {
		regs->r8 = conclude(&c, calls[c.index].handler(&c));
		return;
	}
	call_init_long(&c);
	if (c.index == HEKI_CALL_COUNT)
		regs->r8 = finish(&c, refuse(&c, HEKI_E_UNKNOWN_CALL, regs->rdi));
	else if (slots_wanted(core, c.index))
		regs->r8 = serve_slot(&c);
	else
		regs->r8 = finish(&c, dispatch_serve(&c));
}
