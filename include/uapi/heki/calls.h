/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The vtlcalls: ids, names, phases and contexts in one table, and the registers of a call.
 */
#ifndef _UAPI_HEKI_CALLS_H
#define _UAPI_HEKI_CALLS_H

#include "types.h"

/* Version of the whole contract of this folder, reported by QUERY. */
#define HEKI_ABI_VERSION 1

/* Phase: whether a call is open after SIGNAL_END_OF_BOOT. */
#define HEKI_PHASE_BOOT 0 /* AFTER_END_OF_BOOT afterwards */
#define HEKI_PHASE_ANY 1

/* Context in which a call may be made. */
#define HEKI_CONTEXT_ATOMIC 0 /* interrupts may be off; never sleeps */
#define HEKI_CONTEXT_SLEEP 1 /* the kernel-module host may sleep */
#define HEKI_CONTEXT_LONG 2 /* the same; may stop with EAGAIN, see HEKI_QUERY_CONTINUES */

/*
 * X(id, NAME, handler suffix, phase, context, arguments), ascending by id.
 *
 * LOCK_REGS answers AFTER_END_OF_BOOT by itself: it stays open once after each start of a VP.
 */
#define HEKI_CALLS(X)                                                                              \
	X(0x1ff00, QUERY, query, ANY, ATOMIC, "reply_pa, flags")                                   \
	X(0x1ff01, STATS, stats, ANY, ATOMIC, "reply_pa")                                          \
	X(0x1ff02, AUDIT, audit, ANY, SLEEP, "reply_pa, cursor")                                   \
	X(0x1ff03, LIST, list, ANY, SLEEP, "reply_pa, kind, cursor")                               \
	X(0x1ff04, REVOKE, revoke, ANY, LONG, "page_pa, nranges")                                  \
	X(0x1ff05, PATCH_TEXT_BATCH, patch_text_batch, ANY, ATOMIC, "batch_pa")                    \
	X(0x1ff06, SET_POLICY, set_policy, BOOT, SLEEP, "policy")                                  \
	X(0x1ffe0, ENABLE_APS_VTL, enable_aps_vtl, ANY, SLEEP, "present_pfn")                      \
	X(0x1ffe1, BOOT_APS, boot_aps, ANY, SLEEP, "online_pfn, signal_pfn")                       \
	X(0x1ffe2, LOCK_REGS, lock_regs, ANY, ATOMIC, "")                                          \
	X(0x1ffe3, SIGNAL_END_OF_BOOT, signal_end_of_boot, ANY, LONG, "")                          \
	X(0x1ffe4, PROTECT_MEMORY, protect_memory, BOOT, LONG, "page_pa, nranges")                 \
	X(0x1ffe5, LOAD_KDATA, load_kdata, BOOT, LONG, "page_pa, nranges")                         \
	X(0x1ffe6, VALIDATE_MODULE, validate_module, ANY, LONG, "page_pa, nranges, flags")         \
	X(0x1ffe7, FREE_MODULE_INIT, free_module_init, ANY, LONG, "token")                         \
	X(0x1ffe8, UNLOAD_MODULE, unload_module, ANY, LONG, "token")                               \
	X(0x1ffe9, COPY_SECONDARY_KEY, copy_secondary_key, ANY, LONG, "page_pa, nranges")          \
	X(0x1ffea, KEXEC_VALIDATE, kexec_validate, ANY, LONG, "page_pa, nranges, crash")           \
	X(0x1ffeb, PATCH_TEXT, patch_text, ANY, ATOMIC, "patch_pa, second_pa")                     \
	X(0x1ffec, ALLOCATE_RINGBUFFER, allocate_ringbuffer, ANY, SLEEP, "pa, size")               \
	X(0x1fff0, OPTEE_MESSAGE, optee_message, ANY, SLEEP, "")

enum heki_call_id {
#define HEKI_CALL_ID(id, name, handler, phase, context, arguments) HEKI_CALL_##name = id,
	HEKI_CALLS(HEKI_CALL_ID)
#undef HEKI_CALL_ID
};

/* Position of a call in the table, which is the index of its counters. */
enum heki_call_index {
#define HEKI_CALL_INDEX(id, name, handler, phase, context, arguments) HEKI_INDEX_##name,
	HEKI_CALLS(HEKI_CALL_INDEX)
#undef HEKI_CALL_INDEX
	HEKI_CALL_COUNT
};

/**
 * struct heki_vtlcall_regs - the registers of a call
 * @rdi: call id
 * @rsi: first parameter
 * @rdx: second parameter
 * @rcx: VTL-call control word, 0
 * @r8:  third parameter; on return the result: >= 0, or minus an errno
 */
struct heki_vtlcall_regs {
	uint64_t rdi;
	uint64_t rsi;
	uint64_t rdx;
	uint64_t rcx;
	uint64_t r8;
};
HEKI_ASSERT_SIZE(struct heki_vtlcall_regs, 40);

/*
 * QUERY flag: VTL0 makes a call of HEKI_CONTEXT_LONG again with the same parameters as long as it
 * answers EAGAIN.  From then on no entry into VTL1 does more than a fixed amount of work.
 */
#define HEKI_QUERY_CONTINUES 0x1u
#define HEKI_QUERY_FLAGS 0x1u

/* SET_POLICY: what VTL1 holds VTL0 to from end of boot on; until then the last call counts. */
#define HEKI_POLICY_EXEC_STRICT 0x1u /* the kernel executes what is protected for it, no more */
#define HEKI_POLICY_PATCHES_TRACING 0x2u /* mcount sites may call the tracers that are known */
#define HEKI_POLICY_ALL 0x3u
#define HEKI_POLICY_DEFAULT HEKI_POLICY_PATCHES_TRACING /* without the call */

/* BOOT_APS: what VTL1 writes for a VP that is ready, one byte a possible CPU. */
#define HEKI_BOOT_TOKEN 0xdc

/* VALIDATE_MODULE flags (ours). */
#define HEKI_MODULE_LIVE 0x1u /* init memory is gone, ro_after_init is sealed; boot phase only */
#define HEKI_MODULE_UNVERIFIED 0x2u /* no ELF: record and protect; boot phase only */
#define HEKI_MODULE_FLAGS 0x3u

#endif /* _UAPI_HEKI_CALLS_H */
