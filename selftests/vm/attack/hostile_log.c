// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VTL1 says of itself: STATS before and after, and every record of its log in between.
 */
#include "hostile.h"

#include <linux/delay.h>
#include <linux/mm.h>

#define EVENTS 16
#define SETTLE_CALLS 4096
#define SETTLE_TRIES 50

static struct heki_stats_reply before, after;
static u64 next_seq, lost, unreadable;
static u64 events[EVENTS];
static char first_fault[HEKI_LOG_TEXT];

static int stats_get(struct heki_stats_reply *stats)
{
	struct actor *a = &actors[0];
	struct call c = { HEKI_CALL_STATS, { __pa(a->page), 0, 0 } };
	int ret = call_make(a, &c, 0);

	if (!ret)
		memcpy(stats, a->page, sizeof(*stats));
	return ret;
}

int log_start(void)
{
	memset(events, 0, sizeof(events));
	lost = 0;
	if (stats_get(&before))
		return -EIO;
	next_seq = before.log_written + 1;
	return 0;
}

static void take(const struct heki_log_record *r)
{
	lost += r->seq - next_seq;
	next_seq = r->seq + 1;
	if (r->event < EVENTS)
		events[r->event]++;
	else
		unreadable++;
	if (r->event == HEKI_LOG_FAULT && !first_fault[0])
		strscpy(first_fault, r->text, sizeof(first_fault));
}

int log_drain(void)
{
	struct actor *a = &actors[0];
	const struct heki_list_reply *reply = (const void *)a->page;
	const struct heki_log_record *r = (const void *)(reply + 1);
	struct call c = { HEKI_CALL_LIST, { __pa(a->page), HEKI_LIST_LOG, next_seq } };
	u32 i;

	do {
		if (call_make(a, &c, 0))
			return -EIO;
		if (reply->entry_size != sizeof(*r) ||
		    reply->count > (PAGE_SIZE - sizeof(*reply)) / sizeof(*r))
			return -EPROTO;
		for (i = 0; i < reply->count; i++)
			if (r[i].seq >= next_seq)
				take(&r[i]);
		c.p[2] = reply->next_cursor;
	} while (c.p[2]);
	return 0;
}

static int walk(u64 kind, u64 *count)
{
	struct actor *a = &actors[0];
	const struct heki_list_reply *reply = (const void *)a->page;
	struct call c = { HEKI_CALL_LIST, { __pa(a->page), kind, 0 } };
	unsigned int i;

	for (*count = 0, i = 0; i < 100000; i++) {
		if (call_make(a, &c, 0))
			return -EIO;
		*count += reply->count;
		c.p[2] = reply->next_cursor;
		if (!c.p[2])
			return 0;
	}
	return -ELOOP;
}

/* Entries of others drive calls that were left to their ends. */
static void finish_left(void)
{
	struct call c = { HEKI_CALL_VALIDATE_MODULE, { 1, 1, 0 } };
	unsigned int i;

	for (i = 0; i < SETTLE_CALLS; i++) {
		c.p[2] = 1000 + i;
		call_make(&actors[0], &c, 0);
		if (!(i % 64) && log_drain())
			return;
		if (!stats_get(&after) && !after.budgets[HEKI_BUDGET_SLOTS].used)
			return;
	}
}

static u64 sum(const u64 *values, unsigned int from, unsigned int n)
{
	u64 total = 0;

	while (from < n)
		total += values[from++];
	return total;
}

/* STATS with nothing behind it in the log. */
static int settle(void)
{
	unsigned int i;

	for (i = 0; i < SETTLE_TRIES; i++) {
		if (log_drain() || stats_get(&after))
			return -EIO;
		if (after.log_written == next_seq - 1)
			return 0;
		msleep(100);
	}
	return -EBUSY;
}

static int show(char *text, size_t size, int n, const char *key, u64 value)
{
	return n + scnprintf(text + n, size - n, "%s=%llu\n", key, value);
}

static int show_budgets(char *text, size_t size, int n)
{
	static const char *const names[] = {
		[HEKI_BUDGET_MODULES] = "modules", [HEKI_BUDGET_FRAMES] = "frames",
		[HEKI_BUDGET_SYMBOLS] = "symbols", [HEKI_BUDGET_PATCHES] = "patches",
		[HEKI_BUDGET_CERTS] = "certs", [HEKI_BUDGET_DEPS] = "deps",
		[HEKI_BUDGET_SCRATCH_KIB] = "scratch", [HEKI_BUDGET_SLOTS] = "slots",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i])
			n += scnprintf(text + n, size - n, "budget.%s=%u %u\n", names[i],
				       before.budgets[i].used, after.budgets[i].used);
	return n;
}

static int show_walks(char *text, size_t size, int n)
{
	u64 count;

	if (!walk(HEKI_LIST_MODULES, &count))
		n = show(text, size, n, "list.modules", count);
	if (!walk(HEKI_LIST_FRAMES, &count))
		n = show(text, size, n, "list.frames", count);
	if (!walk(HEKI_LIST_PATCHES, &count))
		n = show(text, size, n, "list.patches", count);
	return n;
}

int log_compare(char *text, size_t size)
{
	u64 refusals, errors, omitted;
	int n = 0;

	tokens_drop(&actors[0]);
	finish_left();
	tokens_drop(&actors[0]);
	if (settle())
		return -EIO;
	refusals = events[HEKI_LOG_REFUSAL];
	omitted = after.log_omitted - before.log_omitted;
	errors = sum(after.errors, 1, HEKI_ERROR_COUNT) - sum(before.errors, 1, HEKI_ERROR_COUNT);
	n = show(text, size, n, "refusals", refusals);
	n = show(text, size, n, "omitted", omitted);
	n = show(text, size, n, "errors", errors);
	n = show(text, size, n, "refused_calls", sum(after.refusals, 0, HEKI_CALL_COUNT) +
		 after.errors[HEKI_E_UNKNOWN_CALL]);
	n = show(text, size, n, "all_errors", sum(after.errors, 1, HEKI_ERROR_COUNT));
	n = show(text, size, n, "accepted_calls", sum(after.calls, 0, HEKI_CALL_COUNT) -
		 sum(after.refusals, 0, HEKI_CALL_COUNT));
	n = show(text, size, n, "no_errors", after.errors[HEKI_OK]);
	n = show(text, size, n, "written", after.log_written - before.log_written);
	n = show(text, size, n, "records", sum(events, 0, EVENTS) + lost);
	n = show(text, size, n, "lost", lost);
	n = show(text, size, n, "unreadable", unreadable);
	n = show(text, size, n, "faults", events[HEKI_LOG_FAULT]);
	n = show(text, size, n, "intercepts", events[HEKI_LOG_INTERCEPT]);
	n = show(text, size, n, "counted_intercepts", after.intercepts - before.intercepts);
	n = show(text, size, n, "violations", after.violations - before.violations);
	n = show(text, size, n, "abandoned", after.abandoned - before.abandoned);
	n = show(text, size, n, "entry_pages", after.budgets[HEKI_BUDGET_ENTRY_PAGES].peak);
	n = show_budgets(text, size, n);
	n = show_walks(text, size, n);
	if (first_fault[0])
		n += scnprintf(text + n, size - n, "fault=%s\n", first_fault);
	return n;
}
