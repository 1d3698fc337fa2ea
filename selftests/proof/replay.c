// SPDX-License-Identifier: GPL-2.0-only
/* Repeating recorded calls on the core in userspace. */
#include <string.h>

#include "replay.h"

#define GUEST_SIZE (4ull << 30)

struct guest *replay_start(void)
{
	struct heki_limits limits = HEKI_LIMITS_DEFAULT;
	struct guest *g;

	limits.vps = GUEST_VPS;
	g = must(guest_create(HEKI_GRADE_AUDIT, GUEST_SIZE, &limits));
	g->continues = true;
	return g;
}

static void put_read(struct guest *g, const struct event *e)
{
	if (!in_bounds(e->head.value, e->head.n, g->size))
		die("a read of %#llx", (unsigned long long)e->head.value);
	memcpy(guest_at(g, e->head.value), e->bytes, e->head.n);
}

static void put_regs(struct guest *g, const struct event *e)
{
	if (e->head.value >= GUEST_VPS || e->head.n != sizeof(g->vp[0].regs))
		die("registers of VP %llu", (unsigned long long)e->head.value);
	memcpy(&g->vp[e->head.value].regs, e->bytes, sizeof(g->vp[0].regs));
}

/* Backwards: of bytes that were read twice the core judged the first. */
void replay_prepare(struct guest *g, const struct recorded_call *c)
{
	for (size_t i = c->n; i--;) {
		if (c->events[i].head.type == RECORD_READ)
			put_read(g, &c->events[i]);
		else
			put_regs(g, &c->events[i]);
	}
}

int32_t replay_call(struct guest *g, const struct recorded_call *c)
{
	const struct heki_vtlcall_regs *r = &c->regs;

	guest_set_vp(c->vp);
	return guest_call(g, r->rdi, r->rsi, r->rdx, r->r8);
}

const struct heki_log_record *replay_log(const struct guest *g)
{
	const struct log_ring *log = &g->core->log;

	return &log->records[(log->written - 1) % log->capacity];
}
