// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way to VTL1.
 *
 * A transport is found when the client is loaded and held until it is gone: VTL1 in a trust level of
 * its own (hyperv.c), or else vtl1_shim.ko, the core in a module of this kernel.
 */
#include "internal.h"

#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/kmod.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "../vtl1_shim/kmod/vtlcall.h"
#include "trace.h"

static typeof(&heki_vtlcall) shim_vtlcall;

static int shim_attach(void)
{
	shim_vtlcall = symbol_request(heki_vtlcall);
	return shim_vtlcall ? 0 : -ENODEV;
}

static void shim_detach(void)
{
	symbol_put(heki_vtlcall);
}

static void shim_call(struct heki_vtlcall_regs *regs)
{
	shim_vtlcall(regs);
}

static const struct client_transport shim = {
	.name = "shim",
	.attach = shim_attach,
	.detach = shim_detach,
	.call = shim_call,
};

/* In the order in which they are tried: one that enforces comes before one that audits. */
static const struct client_transport *const transports[] = { &client_hyperv, &shim };

static const struct client_transport *transport;

/* One that is there and fails is not passed over for a weaker one. */
int client_transport_init(void)
{
	size_t i;
	int error;

	for (i = 0; i < ARRAY_SIZE(transports); i++) {
		error = transports[i]->attach();
		if (!error) {
			transport = transports[i];
			return 0;
		}
		if (error != -ENODEV) {
			pr_err("VTL1 is there, but cannot be used: transport %s, error %d\n",
			       transports[i]->name, error);
			return error;
		}
	}
	pr_err("no VTL1 here: start this kernel under a hypervisor with VTL1, or install vtl1_shim.ko\n");
	return -ENODEV;
}

void client_transport_exit(void)
{
	transport->detach();
}

const char *client_transport_name(void)
{
	return transport->name;
}

const char *client_call_name(u32 id)
{
	switch (id) {
#define CALL_NAME(id, name, handler, phase, context, arguments)                                    \
	case id:                                                                                   \
		return #name;
	HEKI_CALLS(CALL_NAME)
#undef CALL_NAME
	default:
		return "?";
	}
}

const char *client_error_name(u32 error)
{
	static const char *const names[HEKI_ERROR_COUNT] = {
		[HEKI_OK] = "none",
#define ERROR_NAME(name, number, text) [HEKI_E_##name] = #name,
		HEKI_ERRORS(ERROR_NAME)
#undef ERROR_NAME
	};

	return error < ARRAY_SIZE(names) ? names[error] : "?";
}

/* One entry into VTL1. */
static int call_enter(u32 id, u64 p0, u64 p1, u64 p2)
{
	struct heki_vtlcall_regs regs = { .rdi = id, .rsi = p0, .rdx = p1, .r8 = p2 };
	int result;

	transport->call(&regs);
	/* Only these 32 bits count. */
	result = (int)regs.r8;
	client_count(CLIENT_COUNT_calls);
	if (trace_heki_call_enabled())
		client_trace_call(id, p0, p1, p2, result);
	return result;
}

static bool call_is_long(u32 id)
{
	switch (id) {
#define CALL_LONG(id, name, handler, phase, context, arguments)                                    \
	case id:                                                                                   \
		return HEKI_CONTEXT_##context == HEKI_CONTEXT_LONG;
	HEKI_CALLS(CALL_LONG)
#undef CALL_LONG
	default:
		return false;
	}
}

/* For a slot; who unloads a module waits for its users in a way of his own. */
#define BUSY_TRIES 250
#define BUSY_WAIT_MS 20

static bool call_waits(u32 id, unsigned int *tries)
{
	if (id == HEKI_CALL_UNLOAD_MODULE || ++*tries > BUSY_TRIES)
		return false;
	client_count(CLIENT_COUNT_calls_waited);
	msleep(BUSY_WAIT_MS);
	return true;
}

static int call_long(u32 id, u64 p0, u64 p1, u64 p2)
{
	unsigned int tries = 0;
	int result;

	for (;;) {
		result = call_enter(id, p0, p1, p2);
		if (result == -EAGAIN)
			client_count(CLIENT_COUNT_calls_continued);
		else if (result != -EBUSY || !call_waits(id, &tries))
			return result;
		cond_resched();
	}
}

static int call_counted(int result)
{
	if (result < 0)
		client_count(CLIENT_COUNT_calls_failed);
	return result;
}

int client_call_atomic(u32 id, u64 p0, u64 p1, u64 p2)
{
	return call_counted(call_enter(id, p0, p1, p2));
}

int client_call(u32 id, u64 p0, u64 p1, u64 p2)
{
	if (!call_is_long(id))
		return client_call_atomic(id, p0, p1, p2);
	return call_counted(call_long(id, p0, p1, p2));
}

int client_reply(u32 id, u64 p1, u64 p2, void *page)
{
	int result = client_call(id, __pa(page), p1, p2);

	return result < 0 ? result : 0;
}

/* The newest refusal of a call among the records of one reply. */
static bool refusal_pick(const struct heki_list_reply *reply, u32 id,
			 struct heki_log_record *record)
{
	const struct heki_log_record *records = (const void *)(reply + 1);
	u32 fit = (HEKI_PAGE_SIZE - sizeof(*reply)) / sizeof(*records);
	u32 i, n = min(reply->count, fit);
	bool found = false;

	if (reply->entry_size != sizeof(*records))
		return false;
	for (i = 0; i < n; i++) {
		if (records[i].event == HEKI_LOG_REFUSAL && (!id || records[i].call == id)) {
			*record = records[i];
			found = true;
		}
	}
	return found;
}

/* A refusal may be followed by records of other VPs, but not by many. */
#define REFUSAL_DEPTH 32

bool client_refusal(u32 id, struct heki_log_record *record)
{
	union {
		struct heki_stats_reply stats;
		struct heki_list_reply list;
	} *page = (void *)get_zeroed_page(GFP_KERNEL);
	bool found = false;
	u64 cursor;

	if (!page)
		return false;
	if (client_reply(HEKI_CALL_STATS, 0, 0, page))
		goto out;
	cursor = page->stats.log_written;
	cursor = cursor > REFUSAL_DEPTH ? cursor - REFUSAL_DEPTH : 1;
	while (cursor && !client_reply(HEKI_CALL_LIST, HEKI_LIST_LOG, cursor, page)) {
		found |= refusal_pick(&page->list, id, record);
		if (page->list.next_cursor <= cursor)
			break;
		cursor = page->list.next_cursor;
	}
out:
	free_page((unsigned long)page);
	return found;
}
