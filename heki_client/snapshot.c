// SPDX-License-Identifier: GPL-2.0-only
/*
 * The snapshot: what decides how this kernel rewrites modules and where it may be patched to call,
 * and no ELF file holds.
 *
 * Taken when the kernel is final. Symbols that a kernel does not have stand for mechanisms that it
 * does not have. Trust boundary: sent before end of boot; VTL1 checks the form and keeps it.
 * Locks: none; what is read no longer changes.
 */
#include "internal.h"

#include <linux/percpu.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/paravirt_types.h>

#include "compat.h"

DEFINE_STATIC_CALL_NULL(snapshot_lookup, kallsyms_lookup_size_offset);

/* What mcount sites call; tracers themselves are called from there. */
static const char *const tracers[] = { "ftrace_caller", "ftrace_regs_caller" };

/**
 * struct client_snapshot - what is sent, in pages of its own
 * @data:    as VTL1 wants it
 * @tracers: addresses
 * @pv_ops:  a copy of the kernel's
 * @head:    of what follows
 * @offsets: where functions start
 */
struct client_snapshot {
	struct heki_snapshot data;
	u64 tracers[ARRAY_SIZE(tracers)];
	u64 pv_ops[sizeof(struct paravirt_patch_template) / sizeof(u64)];
	struct heki_functions head;
	u32 offsets[];
};

/* A value of one of the kernel's variables; 0 when it has no such variable. */
static u64 variable(const char *name, size_t size)
{
	void *at = (void *)client_symbol(name);
	u64 value = 0;

	if (at)
		memcpy(&value, at, size);
	return value;
}

static u64 one_of(const char *name, const char *other)
{
	unsigned long address = client_symbol(name);

	return address ? address : client_symbol(other);
}

static u64 snapshot_flags(u64 return_thunk)
{
	u64 flags = compat_snapshot_flags();

	if (boot_cpu_has(X86_FEATURE_RETPOLINE))
		flags |= HEKI_SNAPSHOT_RETPOLINE;
	if (boot_cpu_has(X86_FEATURE_RETPOLINE_LFENCE))
		flags |= HEKI_SNAPSHOT_LFENCE;
	if (return_thunk && return_thunk == client_symbol("its_return_thunk"))
		flags |= HEKI_SNAPSHOT_ITS_RETURNS;
	if (variable("uniproc_patched", sizeof(bool)))
		flags |= HEKI_SNAPSHOT_UNIPROCESSOR;
	return flags;
}

static u64 return_thunk(void)
{
	u64 thunk;

	if (!boot_cpu_has(X86_FEATURE_RETHUNK))
		return 0;
	thunk = variable("x86_return_thunk", sizeof(unsigned long));
	return thunk ? thunk : client_symbol("__x86_return_thunk");
}

/* Behind the kernel's own per-CPU data lies the chunk that is kept for those of modules. */
static void percpu_fill(struct heki_snapshot *s)
{
	u64 start = client_symbol("__per_cpu_start"), end = client_symbol("__per_cpu_end");

	s->percpu_start = ALIGN(end, sizeof(u32)) - start;
	s->percpu_end = s->percpu_start + PERCPU_MODULE_RESERVE;
}

static void data_fill(struct heki_snapshot *s)
{
	static_assert(NCAPINTS + NBUGINTS <= HEKI_FEATURE_WORDS_MAX);

	s->return_thunk = return_thunk();
	s->flags = snapshot_flags(s->return_thunk);
	s->thunks = client_symbol("__x86_indirect_thunk_array");
	s->jump_thunks = client_symbol("__x86_indirect_jump_thunk_array");
	s->call_thunks = client_symbol("__x86_indirect_call_thunk_array");
	percpu_fill(s);
	s->pv_ops = (u64)&pv_ops;
	s->pv_nop = one_of("nop_func", "_paravirt_nop");
	s->pv_bug = one_of("BUG_func", "paravirt_BUG");
	s->feature_words = NCAPINTS + NBUGINTS;
	memcpy(s->features, boot_cpu_data.x86_capability,
	       (NCAPINTS + NBUGINTS) * sizeof(s->features[0]));
}

/* Fewer bytes of text for a function than any kernel has on average: 270 on 6.1. */
#define FUNCTION_BYTES 32

/*
 * Starts of functions, ascending: each symbol ends where the next one begins. What starts with a
 * one-byte NOP is room in front of a function that has a symbol of its own.
 */
static int functions_take(struct client_snapshot *s, unsigned long start, unsigned long end,
			  u32 most)
{
	unsigned long at = start, size, offset;

	s->head.base = start;
	while (at < end && static_call(snapshot_lookup)(at, &size, &offset) && size > offset) {
		if (!offset && *(const u8 *)at != 0x90) {
			if (s->head.count == most)
				return -E2BIG;
			s->offsets[s->head.count++] = at - start;
		}
		at += size - offset;
	}
	return 0;
}

static int snapshot_add(struct client_ranges *ranges, const struct client_snapshot *s)
{
	int error;

	error = client_ranges_add(ranges, &s->data, sizeof(s->data), HEKI_KDATA_SNAPSHOT);
	if (!error)
		error = client_ranges_add(ranges, s->tracers, sizeof(s->tracers),
					  HEKI_KDATA_TRACERS);
	if (!error)
		error = client_ranges_add(ranges, s->pv_ops, sizeof(s->pv_ops),
					  HEKI_KDATA_PV_OPS);
	if (!error)
		error = client_ranges_add(ranges, &s->head,
					  sizeof(s->head) + s->head.count * sizeof(s->offsets[0]),
					  HEKI_KDATA_FUNCTIONS);
	return error;
}

static int snapshot_take(struct client_ranges *ranges, unsigned long start, unsigned long end,
			 void **buffer)
{
	u32 most = (end - start) / FUNCTION_BYTES;
	struct client_snapshot *s = vzalloc(struct_size(s, offsets, most));
	int error;
	size_t i;

	*buffer = s;
	if (!s)
		return -ENOMEM;
	data_fill(&s->data);
	memcpy(s->pv_ops, &pv_ops, sizeof(s->pv_ops));
	for (i = 0; i < ARRAY_SIZE(tracers); i++) {
		s->tracers[i] = client_symbol(tracers[i]);
		if (!s->tracers[i])
			return -ENOENT;
	}
	error = functions_take(s, start, end, most);
	return error ? error : snapshot_add(ranges, s);
}

int client_snapshot_add(struct client_ranges *ranges, void **buffer)
{
	unsigned long start, end, lookup;
	const struct client_want want[] = {
		{ "_text", &start },
		{ "_etext", &end },
		{ "kallsyms_lookup_size_offset", &lookup },
	};
	int error;

	*buffer = NULL;
	if (!(client.features & HEKI_FEATURE_SNAPSHOT))
		return 0;
	error = client_symbols(want, ARRAY_SIZE(want));
	if (error)
		return error;
	static_call_update(snapshot_lookup, (typeof(&kallsyms_lookup_size_offset))lookup);
	return snapshot_take(ranges, start, end, buffer);
}
