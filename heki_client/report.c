// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling people: messages, tracepoints, audit records.
 */
#include "internal.h"

#include <linux/audit.h>
#include <linux/ctype.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static DEFINE_RATELIMIT_STATE(report_limit, 5 * HZ, 20);

/* A module chooses its name: it must not make up records of the audit log with it. */
static void name_clean(char to[HEKI_MODULE_NAME_LEN], const char *name)
{
	char *p;

	strscpy(to, name, HEKI_MODULE_NAME_LEN);
	for (p = to; *p; p++)
		if (!isgraph(*p) || *p == '"')
			*p = '?';
}

void client_report(const char *what, const char *name, int error, const char *text)
{
	char clean[HEKI_MODULE_NAME_LEN];

	name_clean(clean, name);
	client_count(CLIENT_COUNT_reports);
	trace_heki_refusal(what, clean, error, text);
	if (__ratelimit(&report_limit))
		pr_warn("%s %s: error %d: %s\n", what, clean, error, text);
	audit_log(NULL, GFP_ATOMIC, AUDIT_KERNEL_OTHER, "heki_client: event=%s name=%s error=%d",
		  what, clean, error);
}

void client_trace_call(u32 id, u64 p0, u64 p1, u64 p2, int result)
{
	const u64 p[3] = { p0, p1, p2 };

	trace_heki_call(client_call_name(id), p, result);
}

void client_trace_module(const char *name, const char *event, int result)
{
	char clean[HEKI_MODULE_NAME_LEN];

	name_clean(clean, name);
	trace_heki_module(clean, event, result);
}
