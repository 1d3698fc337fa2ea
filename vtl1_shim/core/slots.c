// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Bounded residency. A call that takes long is served on a fiber of the host's, which it leaves
 * when an entry has done its share of work; the entry answers EAGAIN. The same call, made again on
 * any VP, goes on where it was.
 *
 * Trust boundary: VTL0 decides when it continues a call, and whether. All of a call's state is in
 * its slot and in tables; its parameters were copied. One that is not continued while others come
 * is abandoned: the entries of others drive it to its end, a share each, and what it did is undone.
 * No clock is needed for that. The end of a module, or of its init, is not undone; its result waits
 * for whoever comes back, as the same call made anew would find a token that is used up.
 * Locks: HEKI_LOCK_TABLES for the states of slots; none is held while a call is suspended.
 */
#include "slots.h"

/* So many entries of others for each slot, and a suspended call counts as abandoned. */
#define PATIENCE 16u

static bool is_long(uint32_t index)
{
	static const bool longs[HEKI_CALL_COUNT] = {
#define SLOTS_LONG(id, name, handler, phase, context, arguments)                                   \
	[HEKI_INDEX_##name] = HEKI_CONTEXT_##context == HEKI_CONTEXT_LONG,
		HEKI_CALLS(SLOTS_LONG)
#undef SLOTS_LONG
	};

	return index < HEKI_CALL_COUNT && longs[index];
}

bool slots_wanted(const struct heki_core *core, uint32_t index)
{
	return core->continues && is_long(index);
}

bool slots_same(const struct slot *slot, const struct call *c)
{
	return slot->call.id == c->id && !memcmp(slot->call.p, c->p, sizeof(c->p));
}

static struct slot *find(struct heki_core *core, const struct call *c)
{
	struct slot *slot = core->slots;
	uint32_t i;

	for (i = 0; i < core->limits.slots; i++, slot++)
		if (slot->state != SLOT_FREE && slots_same(slot, c))
			return slot;
	return NULL;
}

/* Calls whose token is used up by them. */
static bool takes_token(const struct call *c)
{
	return c->id == HEKI_CALL_FREE_MODULE_INIT || c->id == HEKI_CALL_UNLOAD_MODULE;
}

/* Whether others have brought this call to its end meanwhile; it is told once. */
static bool was_done(struct heki_core *core, const struct call *c)
{
	struct slot *slot = core->slots;
	uint32_t i;

	if (!takes_token(c))
		return false;
	for (i = 0; i < core->limits.slots; i++, slot++) {
		if (slot->done_id == c->id && slot->done_token == c->p[0]) {
			slot->done_id = 0;
			return true;
		}
	}
	return false;
}

/* The oldest gives way. */
static void note_done(struct heki_core *core, const struct call *c)
{
	struct slot *slot = &core->slots[core->next_done++ % core->limits.slots];

	slot->done_id = c->id;
	slot->done_token = c->p[0];
}

static bool is_stale(const struct heki_core *core, const struct slot *slot)
{
	if (slot->state != SLOT_SUSPENDED)
		return false;
	return slot->call.abandoned ||
	       core->entries - slot->seen > (uint64_t)PATIENCE * core->limits.slots;
}

/* A slot to serve instead of a new call, or a free one; NULL when there is neither. */
static struct slot *pick(struct heki_core *core)
{
	struct slot *slot = core->slots;
	struct slot *unused = NULL;
	uint32_t i;

	for (i = 0; i < core->limits.slots; i++, slot++) {
		if (is_stale(core, slot)) {
			core->stats.abandoned += !slot->call.abandoned;
			slot->call.abandoned = true;
			return slot;
		}
		if (slot->state == SLOT_FREE && !unused)
			unused = slot;
	}
	return unused;
}

static void take(struct heki_core *core, struct slot *slot, const struct call *c)
{
	struct heki_budget *b = &core->slots_budget;

	slot->call = *c;
	slot->call.slot = (uint32_t)(slot - core->slots) + 1;
	if (++b->used > b->peak)
		b->peak = b->used;
}

int slots_enter(struct heki_core *core, const struct call *c, struct slot **out)
{
	struct slot *slot;
	bool fresh = false;
	int rc = 0;

	core_lock(core);
	core->entries++;
	slot = find(core, c);
	if (slot && slot->state == SLOT_RUNNING) {
		rc = -HEKI_E_BUSY;
		goto out;
	}
	if (!slot && was_done(core, c))
		goto out;
	if (!slot)
		slot = pick(core);
	if (!slot) {
		rc = -HEKI_E_NO_SLOT;
		goto out;
	}
	fresh = slot->state == SLOT_FREE;
	if (fresh)
		take(core, slot, c);
	slot->state = SLOT_RUNNING;
	slot->call.vp = c->vp;
out:
	core_unlock(core);
	if (fresh)
		core->ops->fiber_start(core->host, slot->call.slot - 1);
	*out = slot;
	return rc;
}

bool slots_run(struct heki_core *core, struct slot *slot)
{
	if (core->ops->fiber_resume(core->host, slot->call.slot - 1))
		return true;
	core_lock(core);
	core->stats.continued++;
	slot->seen = core->entries;
	slot->state = SLOT_SUSPENDED;
	core_unlock(core);
	return false;
}

void slots_leave(struct heki_core *core, struct slot *slot, bool told)
{
	core_lock(core);
	if (!told && slot->result >= 0 && takes_token(&slot->call))
		note_done(core, &slot->call);
	slot->state = SLOT_FREE;
	core->slots_budget.used--;
	core_unlock(core);
}

void slots_note(struct call *c)
{
	struct heki_budget *b = &c->core->entry_budget;
	uint64_t pages = (c->work + HEKI_PAGE_MASK) >> HEKI_PAGE_SHIFT;

	core_lock(c->core);
	b->used = (uint32_t)min_u64(pages, 0xffffffffu);
	if (b->used > b->peak)
		b->peak = b->used;
	core_unlock(c->core);
	c->work = 0;
}

void call_work(struct call *c, uint64_t n)
{
	const uint64_t share = (uint64_t)c->core->limits.entry_pages << HEKI_PAGE_SHIFT;

	if (c->slot && c->work && c->work + n > share) {
		slots_note(c);
		c->core->ops->fiber_suspend(c->core->host, c->slot - 1);
	}
	c->work += c->slot ? min_u64(n, share) : n;
}

void call_copy(struct call *c, void *to, const void *from, size_t n)
{
	size_t at;
	size_t part;

	for (at = 0; at < n; at += part) {
		part = (size_t)min_u64(n - at, WORK_PART);
		call_work(c, WORK_COPY(part));
		memcpy((uint8_t *)to + at, (const uint8_t *)from + at, part);
	}
}

void call_clear(struct call *c, void *to, size_t n)
{
	size_t at;
	size_t part;

	for (at = 0; at < n; at += part) {
		part = (size_t)min_u64(n - at, WORK_PART);
		call_work(c, WORK_COPY(part));
		memset((uint8_t *)to + at, 0, part);
	}
}

void heki_core_fiber(struct heki_core *core, uint32_t fiber)
{
	struct slot *slot = &core->slots[fiber];

	slot->result = dispatch_serve(&slot->call);
}
