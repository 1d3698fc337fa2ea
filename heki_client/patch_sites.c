// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites in text that the kernel itself goes on patching: jump labels, static calls, calls of the
 * function tracer, LOCK prefixes.
 *
 * They are sent of the kernel, and of modules whose file VTL1 does not get. Each site is sent with
 * the code that stands there now, or, for a jump label, with its jump. Init text is gone when they
 * are sent, its sites are left out.
 *
 * Locks: text_mutex while text is read, so that no site is half-way through a change; ftrace_lock
 * outside of it, as ftrace takes them, for the records of ftrace.
 */
#include "internal.h"

#include <linux/jump_label.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/static_call.h>
#include <linux/vmalloc.h>
#include <asm/text-patching.h>

#include "compat.h"

/* Where the sites of a kernel or module are listed, and the text that they lie in. */
struct site_tables {
	const struct module *owner; /* NULL: the kernel */
	unsigned long text;
	unsigned long text_end;
	struct jump_entry *jumps;
	struct jump_entry *jumps_end;
	struct static_call_site *calls;
	struct static_call_site *calls_end;
	unsigned long trampolines; /* of static calls: text that holds them */
	unsigned long trampolines_end;
};

struct collector {
	const struct site_tables *tables;
	const struct compat_smp_locks *locks; /* NULL: there are none that will change */
	void *buffer;
	size_t used;
	size_t size;
	unsigned long left_out; /* sites whose form no patch can hold */
};

/* A run of sites of one type in the buffer. */
struct section {
	struct heki_patch_info *info;
	struct heki_patch *patches;
};

static int section_begin(struct collector *c, u32 type, size_t most, struct section *section)
{
	size_t need = sizeof(*section->info) + most * sizeof(*section->patches);

	if (need > c->size - c->used)
		return -ENOSPC;
	section->info = c->buffer + c->used;
	section->patches = (void *)(section->info + 1);
	section->info->type = type;
	section->info->max_patch_count = most;
	return 0;
}

/* An empty section would not be valid. */
static void section_end(struct collector *c, struct section *section)
{
	if (section->info->patch_index)
		c->used += sizeof(*section->info) +
			   section->info->patch_index * sizeof(*section->patches);
	else
		memset(section->info, 0, sizeof(*section->info));
}

static bool in_text(const struct collector *c, unsigned long va, size_t size)
{
	return va >= c->tables->text && va + size <= c->tables->text_end;
}

static void section_add(struct section *section, unsigned long va, const u8 *code, size_t size)
{
	struct heki_patch *patch = &section->patches[section->info->patch_index++];
	unsigned long second = PAGE_ALIGN_DOWN(va + size - 1);

	patch->pa[0] = client_phys(va);
	if (second != PAGE_ALIGN_DOWN(va))
		patch->pa[1] = client_phys(second);
	patch->size = size;
	memcpy(patch->code, code, size);
}

/* The jump of a jump label: its size is that of what stands there. */
static void jump_add(struct collector *c, struct section *section, struct jump_entry *entry)
{
	unsigned long va = jump_entry_code(entry);
	s32 distance = jump_entry_target(entry) - va;
	u8 code[JMP32_INSN_SIZE];

	if (jump_entry_is_init(entry) || !in_text(c, va, JMP8_INSN_SIZE))
		return;
	switch (*(const u8 *)va) {
	case JMP32_INSN_OPCODE:
	case 0x0f: /* NOP of 5 bytes */
		distance -= JMP32_INSN_SIZE;
		code[0] = JMP32_INSN_OPCODE;
		memcpy(code + 1, &distance, sizeof(distance));
		section_add(section, va, code, JMP32_INSN_SIZE);
		break;
	case JMP8_INSN_OPCODE:
	case 0x66: /* NOP of 2 bytes */
		code[0] = JMP8_INSN_OPCODE;
		code[1] = distance - JMP8_INSN_SIZE;
		section_add(section, va, code, JMP8_INSN_SIZE);
		break;
	default:
		c->left_out++;
	}
}

static int jumps_collect(struct collector *c)
{
	struct section section;
	struct jump_entry *entry;
	int error;

	error = section_begin(c, HEKI_PATCH_JUMP_LABEL, c->tables->jumps_end - c->tables->jumps,
			      &section);
	if (error)
		return error;
	for (entry = c->tables->jumps; entry < c->tables->jumps_end; entry++)
		jump_add(c, &section, entry);
	section_end(c, &section);
	return 0;
}

/* Five bytes that stand at a site. */
static void present_add(struct collector *c, struct section *section, unsigned long va)
{
	const u8 *code = (const u8 *)va;

	if (!in_text(c, va, HEKI_POKE_MAX))
		return;
	/* A conditional jump takes six bytes, one more than a patch holds. */
	if (code[0] == 0x0f && (code[1] & 0xf0) == 0x80)
		c->left_out++;
	else
		section_add(section, va, code, HEKI_POKE_MAX);
}

/* A LOCK prefix, and what stands for it while one CPU is online. */
#define LOCK_PREFIX_BYTE 0xf0
#define DS_PREFIX_BYTE 0x3e

/* Trampolines of static calls end in this instruction, ud1 %esp, %ecx. */
static const u8 trampoline_end[] = { 0x0f, 0xb9, 0xcc };

#define TRAMPOLINE_SIZE (HEKI_POKE_MAX + sizeof(trampoline_end))
#define TRAMPOLINE_ALIGN 4

static size_t trampolines_walk(struct collector *c, struct section *section)
{
	unsigned long va = ALIGN(c->tables->trampolines, TRAMPOLINE_ALIGN);
	size_t n = 0;

	while (va + TRAMPOLINE_SIZE <= c->tables->trampolines_end) {
		if (memcmp((void *)va + HEKI_POKE_MAX, trampoline_end, sizeof(trampoline_end))) {
			va += TRAMPOLINE_ALIGN;
			continue;
		}
		if (section)
			present_add(c, section, va);
		va += TRAMPOLINE_SIZE;
		n++;
	}
	return n;
}

static int calls_collect(struct collector *c, size_t trampolines)
{
	struct static_call_site *call;
	struct section section;
	int error;

	error = section_begin(c, HEKI_PATCH_STATIC_CALL,
			      c->tables->calls_end - c->tables->calls + trampolines, &section);
	if (error)
		return error;
	for (call = c->tables->calls; call < c->tables->calls_end; call++)
		present_add(c, &section, (unsigned long)&call->addr + call->addr);
	trampolines_walk(c, &section);
	section_end(c, &section);
	return 0;
}

DEFINE_STATIC_CALL_NULL(records_start, ftrace_rec_iter_start);
DEFINE_STATIC_CALL_NULL(records_next, ftrace_rec_iter_next);
DEFINE_STATIC_CALL_NULL(records_record, ftrace_rec_iter_record);

static struct mutex *records_lock, *text_lock;
static struct list_head *locks_list; /* of struct compat_smp_locks; NULL: a kernel without */
static const bool *locks_patched;

static int records_prepare(void)
{
	unsigned long start, next, record, records_mutex, text_mutex_at;
	const struct client_want want[] = {
		{ "ftrace_rec_iter_start", &start },
		{ "ftrace_rec_iter_next", &next },
		{ "ftrace_rec_iter_record", &record },
		{ "ftrace_lock", &records_mutex },
		{ "text_mutex", &text_mutex_at },
	};
	int error;

	if (text_lock)
		return 0;
	error = client_symbols(want, ARRAY_SIZE(want));
	if (error)
		return error;
	static_call_update(records_start, (typeof(&ftrace_rec_iter_start))start);
	static_call_update(records_next, (typeof(&ftrace_rec_iter_next))next);
	static_call_update(records_record, (typeof(&ftrace_rec_iter_record))record);
	records_lock = (struct mutex *)records_mutex;
	text_lock = (struct mutex *)text_mutex_at;
	locks_list = (struct list_head *)client_symbol("smp_alt_modules");
	locks_patched = (const bool *)client_symbol("uniproc_patched");
	return 0;
}

/* Where the tracers' common trampolines call the tracer. */
static const char *const tracer_calls[] = { "ftrace_call", "ftrace_regs_call" };

/* in_text() picks the records of this kernel or module out of all. */
static size_t mcount_walk(struct collector *c, struct section *section)
{
	struct ftrace_rec_iter *iter;
	unsigned long va;
	size_t n = 0;

	for (iter = static_call(records_start)(); iter; iter = static_call(records_next)(iter)) {
		va = static_call(records_record)(iter)->ip;
		if (section)
			present_add(c, section, va);
		n += in_text(c, va, HEKI_POKE_MAX);
	}
	return n;
}

static int mcount_collect(struct collector *c, size_t most)
{
	struct section section;
	int error;

	error = section_begin(c, HEKI_PATCH_MCOUNT, most, &section);
	if (error)
		return error;
	mcount_walk(c, &section);
	section_end(c, &section);
	return 0;
}

static int tracers_collect(struct collector *c)
{
	bool known = client.features & HEKI_FEATURE_SNAPSHOT;
	struct section section;
	unsigned long va;
	size_t i;
	int error;

	error = section_begin(c, known ? HEKI_PATCH_TRACER_CALL : HEKI_PATCH_MCOUNT,
			      ARRAY_SIZE(tracer_calls), &section);
	if (error)
		return error;
	for (i = 0; i < ARRAY_SIZE(tracer_calls); i++) {
		va = client_symbol(tracer_calls[i]);
		if (va)
			present_add(c, &section, va);
	}
	section_end(c, &section);
	return 0;
}

/*
 * A kernel that found one CPU has taken the LOCK prefixes out, and puts them back when a second one
 * comes, never again after that. What it keeps for this lives as long as the text.
 */
static const struct compat_smp_locks *locks_find(const struct module *owner)
{
	const struct compat_smp_locks *locks;

	if (!(client.features & HEKI_FEATURE_SMP_LOCKS) || !locks_list || !locks_patched ||
	    !*locks_patched)
		return NULL;
	list_for_each_entry(locks, locks_list, next) {
		if (locks->mod == owner)
			return locks;
	}
	return NULL;
}

static size_t locks_count(const struct collector *c)
{
	return c->locks ? c->locks->locks_end - c->locks->locks : 0;
}

/* What is no prefix any more lies under an alternative: the kernel leaves it alone. */
static void lock_add(const struct collector *c, struct section *section, const s32 *entry)
{
	const u8 *at = (const u8 *)entry + *entry;

	if (*entry && at >= c->locks->text && at < c->locks->text_end &&
	    (*at == LOCK_PREFIX_BYTE || *at == DS_PREFIX_BYTE))
		section_add(section, (unsigned long)at, at, 1);
}

static int locks_collect(struct collector *c)
{
	struct section section;
	const s32 *entry;
	int error;

	if (!c->locks)
		return 0;
	error = section_begin(c, HEKI_PATCH_SMP_LOCK, locks_count(c), &section);
	if (error)
		return error;
	for (entry = c->locks->locks; entry < c->locks->locks_end; entry++)
		lock_add(c, &section, entry);
	section_end(c, &section);
	return 0;
}

static int sections_collect(struct collector *c, size_t trampolines, size_t mcount)
{
	int error;

	mutex_lock(text_lock);
	error = jumps_collect(c);
	if (!error)
		error = calls_collect(c, trampolines);
	if (!error)
		error = mcount_collect(c, mcount);
	if (!error)
		error = tracers_collect(c);
	if (!error)
		error = locks_collect(c);
	mutex_unlock(text_lock);
	return error;
}

static int buffer_collect(struct collector *c)
{
	const struct site_tables *t = c->tables;
	size_t trampolines, mcount, n;
	int error = -ENOMEM;

	mutex_lock(text_lock);
	c->locks = locks_find(t->owner);
	mutex_unlock(text_lock);
	mutex_lock(records_lock);
	trampolines = trampolines_walk(c, NULL);
	mcount = mcount_walk(c, NULL);
	n = t->jumps_end - t->jumps + (t->calls_end - t->calls) + trampolines + mcount +
	    ARRAY_SIZE(tracer_calls) + locks_count(c);
	c->size = 5 * sizeof(struct heki_patch_info) + n * sizeof(struct heki_patch);
	c->buffer = vzalloc(c->size);
	if (c->buffer)
		error = sections_collect(c, trampolines, mcount);
	mutex_unlock(records_lock);
	return error;
}

static int sites_add(struct client_ranges *ranges, const struct site_tables *tables, u64 attributes,
		     void **buffer)
{
	struct collector c = { .tables = tables };
	int error;

	error = records_prepare();
	if (error)
		return error;
	error = buffer_collect(&c);
	*buffer = c.buffer;
	if (error)
		return error;
	if (c.left_out)
		pr_info("%lu patch sites of another form left out\n", c.left_out);
	return client_ranges_add(ranges, c.buffer, c.used, attributes);
}

int client_patch_sites_kernel(struct client_ranges *ranges, void **buffer)
{
	unsigned long jumps, jumps_end, calls, calls_end;
	struct site_tables tables = { .owner = NULL };
	const struct client_want want[] = {
		{ "_text", &tables.text },
		{ "_etext", &tables.text_end },
		{ "__start___jump_table", &jumps },
		{ "__stop___jump_table", &jumps_end },
		{ "__start_static_call_sites", &calls },
		{ "__stop_static_call_sites", &calls_end },
		{ "__static_call_text_start", &tables.trampolines },
		{ "__static_call_text_end", &tables.trampolines_end },
	};
	int error;

	error = client_symbols(want, ARRAY_SIZE(want));
	if (error)
		return error;
	tables.jumps = (struct jump_entry *)jumps;
	tables.jumps_end = (struct jump_entry *)jumps_end;
	tables.calls = (struct static_call_site *)calls;
	tables.calls_end = (struct static_call_site *)calls_end;
	return sites_add(ranges, &tables, HEKI_KDATA_PATCH_INFO, buffer);
}

int client_patch_sites_module(struct client_ranges *ranges, const struct module *mod,
			      const void *text, size_t size, void **buffer)
{
	const struct site_tables tables = {
		.owner = mod,
		.text = (unsigned long)text,
		.text_end = (unsigned long)text + size,
		.jumps = mod->jump_entries,
		.jumps_end = mod->jump_entries + mod->num_jump_entries,
		.calls = mod->static_call_sites,
		.calls_end = mod->static_call_sites + mod->num_static_call_sites,
		.trampolines = (unsigned long)text,
		.trampolines_end = (unsigned long)text + size,
	};

	return sites_add(ranges, &tables, HEKI_MOD_PATCH, buffer);
}
