// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on what is protected in memory: a byte is changed, each time another one or another way.
 */
#include <linux/errno.h>

#include "attacks.h"

/**
 * struct memory - a byte and a way to it
 * @target: tells where the byte is
 * @write:  changes it
 */
struct memory {
	unsigned long (*target)(void);
	int (*write)(unsigned long at, u8 value);
};

static unsigned long changed;
static u8 before;

static int memory_run(const struct attack *attack, struct result *result)
{
	const struct memory *memory = attack->data;

	changed = memory->target();
	if (!changed)
		return -ENODEV;
	before = *(volatile u8 *)changed;
	result->address = physical(changed);
	result->error = memory->write(changed, before ^ 1);
	result->effect = *(volatile u8 *)changed != before;
	return 0;
}

static void memory_undo(const struct attack *attack)
{
	const struct memory *memory = attack->data;

	memory->write(changed, before);
}

#define MEMORY(case, where, way)                                                                   \
	{ case, memory_run, memory_undo,                                                           \
	  &(const struct memory){ target_##where, write_by_##way } }

const struct attack memory_attacks[] = {
	MEMORY("text-direct-map", text, direct_map),
	MEMORY("text-vmap", text, vmap),
	MEMORY("text-page-table", text, page_table),
	MEMORY("text-poking-alias", text, poking_alias),
	MEMORY("text-set-memory-rw", text, set_memory),
	MEMORY("text-cr0-wp", text, cr0),
	MEMORY("rodata", rodata, vmap),
	MEMORY("rodata-page-table", rodata, page_table),
	MEMORY("syscall-table", syscall_table, vmap),
	MEMORY("idt-table", idt, vmap),
	MEMORY("ksymtab", ksymtab, vmap),
	MEMORY("jump-table", jump_table, vmap),
	MEMORY("ro-after-init", ro_after_init, vmap),
	MEMORY("trampoline", trampoline, direct_map),
	MEMORY("module-text", own_text, vmap),
	MEMORY("module-text-set-memory-rw", own_text, set_memory),
	MEMORY("module-rodata", own_rodata, vmap),
	MEMORY("module-ro-after-init", own_ro_after_init, vmap),
	MEMORY("stock-module-text", module_text, vmap),
	MEMORY("stock-module-rodata", module_rodata, vmap),
	MEMORY("client-text", client_text, vmap),
	MEMORY("client-rodata", client_rodata, vmap),
	MEMORY("client-hook", client_hook, vmap),
	MEMORY("client-data", client_data, vmap),
	{ }
};
