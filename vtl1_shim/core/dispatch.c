// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The one entrance of VTL0: table look-up, phase gate, handler, then the log record, the counters
 * and the errno of a refusal.
 *
 * Trust boundary: all registers are VTL0's. Locks: takes HEKI_LOCK_TABLES for gates.
 */
#include "call.h"

struct call_entry {
	uint32_t id;
	uint32_t phase;
	int (*handler)(struct call *c);
};

static const struct call_entry calls[HEKI_CALL_COUNT] = {
#define CALL_ENTRY(number, name, suffix, open, context, arguments)                                 \
	[HEKI_INDEX_##name] = { number, HEKI_PHASE_##open, call_##suffix },
	HEKI_CALLS(CALL_ENTRY)
#undef CALL_ENTRY
};

static const struct call_entry *find(uint64_t id)
{
	switch (id) {
#define CALL_FIND(number, name, suffix, open, context, arguments)                                  \
	case number:                                                                               \
		return &calls[HEKI_INDEX_##name];
	HEKI_CALLS(CALL_FIND)
#undef CALL_FIND
	default:
		return NULL;
	}
}

int call_optee_message(struct call *c)
{
	return refuse(c, HEKI_E_NOT_SUPPORTED, c->p[0]);
}

/*
 * Calls that enter certificates and hashes run one at a time: LOAD_KDATA can then undo what it
 * entered by going back to the counts it began with.
 */
static bool changes_keys(uint32_t id)
{
	return id == HEKI_CALL_LOAD_KDATA || id == HEKI_CALL_COPY_SECONDARY_KEY ||
	       id == HEKI_CALL_REVOKE;
}

static int gate(struct call *c, const struct call_entry *entry, bool keys)
{
	struct heki_core *core = c->core;
	int rc = 0;

	core_lock(core);
	if (entry->phase == HEKI_PHASE_BOOT && core->end_of_boot)
		rc = -HEKI_E_AFTER_END_OF_BOOT;
	else if (keys && core->keys_busy)
		rc = -HEKI_E_BUSY;
	else if (keys)
		core->keys_busy = true;
	core_unlock(core);
	return rc;
}

static int serve(struct call *c, const struct call_entry *entry)
{
	bool keys = changes_keys(c->id);
	int rc = 0;

	if (keys || entry->phase == HEKI_PHASE_BOOT)
		rc = gate(c, entry, keys);
	if (rc)
		return rc;
	rc = entry->handler(c);
	if (c->arena.head)
		arena_drop(&c->arena);
	if (!keys)
		return rc;
	core_lock(c->core);
	c->core->keys_busy = false;
	core_unlock(c->core);
	return rc;
}

/* No lock: these are counted here alone, and each by itself. */
static void count_one(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void count(struct heki_core *core, const struct call_entry *entry, uint32_t error)
{
	struct heki_stats_reply *stats = &core->stats;
	size_t index = entry ? (size_t)(entry - calls) : 0;

	if (entry)
		count_one(&stats->calls[index]);
	if (entry && error)
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

	call_words(c, &record);
	log_write(c->core, &record);
}

/* Most calls never write a word: what holds them is not cleared. */
static void call_init(struct call *c, struct heki_core *core, const struct heki_vtlcall_regs *regs)
{
	c->core = core;
	c->id = (uint32_t)regs->rdi;
	c->p[0] = regs->rsi;
	c->p[1] = regs->rdx;
	c->p[2] = regs->r8;
	c->vp = core->ops->vp(core->host);
	c->arena = (struct arena){ .core = core };
	c->address = 0;
	c->name[0] = '\0';
	c->text[0] = '\0';
}

void heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs)
{
	const struct call_entry *entry = find(regs->rdi);
	struct call c HEKI_UNINITIALIZED;
	uint32_t error = HEKI_OK;
	int rc;

	call_init(&c, core, regs);
	rc = entry ? serve(&c, entry) : refuse(&c, HEKI_E_UNKNOWN_CALL, regs->rdi);
	if (rc < 0)
		error = (uint32_t)-rc;
	if (error >= HEKI_ERROR_COUNT)
		error = HEKI_E_PARAMETER;
	count(core, entry, error);
	if (error)
		log_refusal(&c, error);
	regs->r8 = (uint64_t)(int64_t)(error ? -heki_error_errno(error) : rc);
}
