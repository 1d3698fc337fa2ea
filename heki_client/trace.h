/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the client: /sys/kernel/tracing/events/heki/.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM heki

#if !defined(HEKI_CLIENT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define HEKI_CLIENT_TRACE_H

#include <linux/tracepoint.h>

#include "compat.h"

/* A vtlcall was made. */
TRACE_EVENT(heki_call,
	TP_PROTO(const char *call, const u64 *p, int result),
	TP_ARGS(call, p, result),
	TP_STRUCT__entry(
		__string(call, call)
		__array(u64, p, 3)
		__field(int, result)
	),
	TP_fast_assign(
		compat_assign_str(call, call);
		memcpy(__entry->p, p, sizeof(__entry->p));
		__entry->result = result;
	),
	TP_printk("%s(%#llx, %#llx, %#llx) = %d", __get_str(call), __entry->p[0], __entry->p[1],
		  __entry->p[2], __entry->result)
);

/* Something was refused, or is not as it should be. */
TRACE_EVENT(heki_refusal,
	TP_PROTO(const char *what, const char *name, int error, const char *text),
	TP_ARGS(what, name, error, text),
	TP_STRUCT__entry(
		__string(what, what)
		__string(name, name)
		__field(int, error)
		__string(text, text)
	),
	TP_fast_assign(
		compat_assign_str(what, what);
		compat_assign_str(name, name);
		__entry->error = error;
		compat_assign_str(text, text);
	),
	TP_printk("%s %s: error %d: %s", __get_str(what), __get_str(name), __entry->error,
		  __get_str(text))
);

/* A module was validated, refused, sealed or unloaded. */
TRACE_EVENT(heki_module,
	TP_PROTO(const char *name, const char *event, int result),
	TP_ARGS(name, event, result),
	TP_STRUCT__entry(
		__string(name, name)
		__string(event, event)
		__field(int, result)
	),
	TP_fast_assign(
		compat_assign_str(name, name);
		compat_assign_str(event, event);
		__entry->result = result;
	),
	TP_printk("%s %s: %d", __get_str(name), __get_str(event), __entry->result)
);

#endif /* HEKI_CLIENT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
