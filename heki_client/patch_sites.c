// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites in the kernel's text that the kernel itself goes on patching: jump labels, static calls,
 * calls of the function tracer.
 *
 * Each site is sent with the code that stands there now, or, for a jump label, with its jump. Init
 * text is gone when they are sent, its sites are left out.
 *
 * Locks: text_mutex while text is read, so that no site is half-way through a change; ftrace_lock
 * outside of it, as ftrace takes them, for the records of ftrace.
 */
#include "internal.h"

#include <linux/jump_label.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/text-patching.h>

/* A run of sites of one type in the buffer. */
struct section {
	struct heki_patch_info *info;
	struct heki_patch *patches;
};

struct collector {
	void *buffer;
	size_t used;
	size_t size;
	unsigned long text;
	unsigned long text_end;
	unsigned long left_out; /* sites whose form no patch can hold */
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
	return va >= c->text && va + size <= c->text_end;
}

static void section_add(struct section *section, unsigned long va, const u8 *code, size_t size)
{
	struct heki_patch *patch = &section->patches[section->info->patch_index++];
	unsigned long last = va + size - 1;

	patch->pa[0] = __pa(va);
	if (PAGE_ALIGN_DOWN(last) != PAGE_ALIGN_DOWN(va))
		patch->pa[1] = __pa(PAGE_ALIGN_DOWN(last));
	patch->size = size;
	memcpy(patch->code, code, size);
}

/* The jump of a jump label: its size is that of what stands there. */
static void jump_add(struct collector *c, struct section *section, struct jump_entry *entry)
{
	unsigned long va = jump_entry_code(entry);
	s32 distance = jump_entry_target(entry) - va;
	u8 code[JMP32_INSN_SIZE];

	if (jump_entry_is_init(entry) || !in_text(c, va, sizeof(code)))
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
	unsigned long start, end;
	const struct client_want want[] = {
		{ "__start___jump_table", &start },
		{ "__stop___jump_table", &end },
	};
	struct section section;
	struct jump_entry *entry;
	int error;

	error = client_symbols(want, ARRAY_SIZE(want));
	if (error)
		return error;
	error = section_begin(c, HEKI_PATCH_JUMP_LABEL, (end - start) / sizeof(*entry), &section);
	if (error)
		return error;
	for (entry = (void *)start; entry < (struct jump_entry *)end; entry++)
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

/* Trampolines of static calls end in this instruction, ud1 %esp, %ecx. */
static const u8 trampoline_end[] = { 0x0f, 0xb9, 0xcc };

#define TRAMPOLINE_SIZE (HEKI_POKE_MAX + sizeof(trampoline_end))
#define TRAMPOLINE_ALIGN 4

static void trampolines_add(struct collector *c, struct section *section, unsigned long start,
			    unsigned long end)
{
	unsigned long va = ALIGN(start, TRAMPOLINE_ALIGN);

	while (va + TRAMPOLINE_SIZE <= end) {
		if (memcmp((void *)va + HEKI_POKE_MAX, trampoline_end, sizeof(trampoline_end))) {
			va += TRAMPOLINE_ALIGN;
			continue;
		}
		present_add(c, section, va);
		va += TRAMPOLINE_SIZE;
	}
}

static int static_calls_collect(struct collector *c)
{
	unsigned long start, end, text, text_end;
	const struct client_want want[] = {
		{ "__start_static_call_sites", &start },
		{ "__stop_static_call_sites", &end },
		{ "__static_call_text_start", &text },
		{ "__static_call_text_end", &text_end },
	};
	struct static_call_site *site;
	struct section section;
	size_t most;
	int error;

	error = client_symbols(want, ARRAY_SIZE(want));
	if (error)
		return error;
	most = (end - start) / sizeof(*site) + (text_end - text) / TRAMPOLINE_SIZE;
	error = section_begin(c, HEKI_PATCH_STATIC_CALL, most, &section);
	if (error)
		return error;
	for (site = (void *)start; site < (struct static_call_site *)end; site++)
		present_add(c, &section, (unsigned long)&site->addr + site->addr);
	trampolines_add(c, &section, text, text_end);
	section_end(c, &section);
	return 0;
}

DEFINE_STATIC_CALL_NULL(records_start, ftrace_rec_iter_start);
DEFINE_STATIC_CALL_NULL(records_next, ftrace_rec_iter_next);
DEFINE_STATIC_CALL_NULL(records_record, ftrace_rec_iter_record);

static int records_prepare(struct mutex **lock)
{
	unsigned long start, next, record, mutex;
	const struct client_want want[] = {
		{ "ftrace_rec_iter_start", &start },
		{ "ftrace_rec_iter_next", &next },
		{ "ftrace_rec_iter_record", &record },
		{ "ftrace_lock", &mutex },
	};
	int error = client_symbols(want, ARRAY_SIZE(want));

	if (error)
		return error;
	static_call_update(records_start, (typeof(&ftrace_rec_iter_start))start);
	static_call_update(records_next, (typeof(&ftrace_rec_iter_next))next);
	static_call_update(records_record, (typeof(&ftrace_rec_iter_record))record);
	*lock = (struct mutex *)mutex;
	return 0;
}

/* Where the tracers' common trampolines call the tracer. */
static const char *const tracer_calls[] = { "ftrace_call", "ftrace_regs_call" };

/* Sites of modules are not the kernel's: in_text() leaves them out. */
static int mcount_collect(struct collector *c, size_t most)
{
	struct ftrace_rec_iter *iter;
	struct section section;
	unsigned long va;
	size_t i;
	int error;

	error = section_begin(c, HEKI_PATCH_MCOUNT, most + ARRAY_SIZE(tracer_calls), &section);
	if (error)
		return error;
	for (iter = static_call(records_start)(); iter; iter = static_call(records_next)(iter))
		present_add(c, &section, static_call(records_record)(iter)->ip);
	for (i = 0; i < ARRAY_SIZE(tracer_calls); i++) {
		va = client_symbol(tracer_calls[i]);
		if (va)
			present_add(c, &section, va);
	}
	section_end(c, &section);
	return 0;
}

static size_t mcount_count(void)
{
	struct ftrace_rec_iter *iter;
	size_t n = 0;

	for (iter = static_call(records_start)(); iter; iter = static_call(records_next)(iter))
		n++;
	return n;
}

/* More than the tables of any kernel hold beside those of ftrace, which are counted. */
#define OTHER_SITES_MAX 100000

static int collect_all(struct collector *c, struct mutex *text_lock)
{
	size_t mcount = mcount_count();
	int error;

	c->size = (mcount + OTHER_SITES_MAX) * sizeof(struct heki_patch);
	c->buffer = vzalloc(c->size);
	if (!c->buffer)
		return -ENOMEM;
	mutex_lock(text_lock);
	error = jumps_collect(c);
	if (!error)
		error = static_calls_collect(c);
	if (!error)
		error = mcount_collect(c, mcount);
	mutex_unlock(text_lock);
	if (c->left_out)
		pr_info("%lu patch sites of another form left out\n", c->left_out);
	return error;
}

/**
 * client_patch_sites_add() - collect the sites of the kernel
 * @ranges: receives the ranges of the buffer
 * @buffer: the buffer; to be freed with vfree() after the call, on errors too
 *
 * Return: 0 or -errno
 */
int client_patch_sites_add(struct client_ranges *ranges, void **buffer)
{
	struct mutex *records_lock;
	struct collector c = {};
	unsigned long text_lock;
	const struct client_want want[] = {
		{ "_text", &c.text },
		{ "_etext", &c.text_end },
		{ "text_mutex", &text_lock },
	};
	int error;

	error = client_symbols(want, ARRAY_SIZE(want));
	if (!error)
		error = records_prepare(&records_lock);
	if (error)
		return error;
	mutex_lock(records_lock);
	error = collect_all(&c, (struct mutex *)text_lock);
	mutex_unlock(records_lock);
	*buffer = c.buffer;
	if (error)
		return error;
	return client_ranges_add(ranges, c.buffer, c.used, HEKI_KDATA_PATCH_INFO);
}
