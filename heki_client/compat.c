// SPDX-License-Identifier: GPL-2.0-only
/*
 * Differences between the kernels that the client is built for; the only file with #if.
 */
#include <linux/mm.h>
#include <linux/version.h>

#include <asm/cpufeature.h>

#include "compat.h"

u64 compat_snapshot_flags(void)
{
	u64 flags = 0;

#ifdef X86_FEATURE_CALL_DEPTH
	if (boot_cpu_has(X86_FEATURE_CALL_DEPTH))
		flags |= HEKI_SNAPSHOT_CALL_DEPTH;
#endif
#ifdef X86_FEATURE_INDIRECT_THUNK_ITS
	if (boot_cpu_has(X86_FEATURE_INDIRECT_THUNK_ITS))
		flags |= HEKI_SNAPSHOT_ITS;
#endif
	return flags;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)

void compat_module_memory(const struct module *mod, struct compat_memory mem[HEKI_MOD_MEM_TYPES])
{
	/* enum heki_module_memory_type is numbered as this kernel's enum mod_mem_type. */
	static_assert(MOD_TEXT == (int)HEKI_MOD_TEXT && MOD_DATA == (int)HEKI_MOD_DATA &&
		      MOD_RODATA == (int)HEKI_MOD_RODATA &&
		      MOD_RO_AFTER_INIT == (int)HEKI_MOD_RO_AFTER_INIT &&
		      MOD_INIT_TEXT == (int)HEKI_MOD_INIT_TEXT &&
		      MOD_INIT_DATA == (int)HEKI_MOD_INIT_DATA &&
		      MOD_INIT_RODATA == (int)HEKI_MOD_INIT_RODATA);
	unsigned int type;

	for (type = 0; type < HEKI_MOD_MEM_TYPES; type++) {
		mem[type].base = mod->mem[type].base;
		mem[type].size = mod->mem[type].base ? mod->mem[type].size : 0;
	}
}

#else

static void memory_part(struct compat_memory *part, void *base, size_t start, size_t end)
{
	part->base = base ? base + start : NULL;
	part->size = base ? PAGE_ALIGN(end) - start : 0;
}

/* One allocation holds text, rodata, ro_after_init and data, in this order. */
void compat_module_memory(const struct module *mod, struct compat_memory mem[HEKI_MOD_MEM_TYPES])
{
	const struct module_layout *core = &mod->core_layout, *init = &mod->init_layout;

	memory_part(&mem[HEKI_MOD_TEXT], core->base, 0, core->text_size);
	memory_part(&mem[HEKI_MOD_RODATA], core->base, core->text_size, core->ro_size);
	memory_part(&mem[HEKI_MOD_RO_AFTER_INIT], core->base, core->ro_size,
		    core->ro_after_init_size);
	memory_part(&mem[HEKI_MOD_DATA], core->base, core->ro_after_init_size, core->size);
	memory_part(&mem[HEKI_MOD_INIT_TEXT], init->base, 0, init->text_size);
	memory_part(&mem[HEKI_MOD_INIT_RODATA], init->base, init->text_size, init->ro_size);
	memory_part(&mem[HEKI_MOD_INIT_DATA], init->base, init->ro_size, init->size);
}

#endif
