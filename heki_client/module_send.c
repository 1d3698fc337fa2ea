// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VTL1 is told of a module: its memory by type, its file, its patch sites.
 *
 * VTL1 takes none of it on trust: it checks the patch sites against the tables of the signed file.
 */
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "modules.h"

#define JMP8_SIZE 2
#define JMP32_SIZE 5

static struct mutex *text_lock;

int client_module_send_init(void)
{
	text_lock = (struct mutex *)client_symbol("text_mutex");
	if (!text_lock)
		pr_err("this kernel has no symbol text_mutex\n");
	return text_lock ? 0 : -ENOENT;
}

static u64 module_pa(unsigned long address)
{
	return ((u64)vmalloc_to_pfn((void *)address) << PAGE_SHIFT) | offset_in_page(address);
}

/* Jump or NOP of which size? The table does not say, the text does. 0: neither. */
static unsigned int jump_size(unsigned long address)
{
	switch (*(const u8 *)address) {
	case 0xe9:
	case 0x0f:
		return JMP32_SIZE;
	case 0xeb:
	case 0x66:
		return JMP8_SIZE;
	}
	return 0;
}

static int jump_patch(const struct jump_entry *entry, struct heki_patch *patch)
{
	unsigned long code = jump_entry_code(entry);
	unsigned int size = jump_size(code);
	s32 displacement = jump_entry_target(entry) - (code + size);

	if (!size)
		return -EILSEQ;
	memset(patch, 0, sizeof(*patch));
	patch->pa[0] = module_pa(code);
	if (offset_in_page(code) + size > PAGE_SIZE)
		patch->pa[1] = module_pa(PAGE_ALIGN(code));
	patch->size = size;
	patch->code[0] = size == JMP8_SIZE ? 0xeb : 0xe9;
	/* Little-endian: the low byte is the displacement of the short form. */
	memcpy(patch->code + 1, &displacement, size - 1);
	return 0;
}

/**
 * struct patch_buffer - the run of patches that is sent
 * @info: header and patches, vmalloc memory; NULL when there are none
 * @size: bytes
 */
struct patch_buffer {
	struct heki_patch_info *info;
	size_t size;
};

/* Sites of init text are left out: nothing patches them after COMING that has to pass VTL1. */
static int jump_patches(const struct module *mod, struct patch_buffer *buffer)
{
	const struct jump_entry *entry = mod->jump_entries;
	const struct jump_entry *end = entry + mod->num_jump_entries;
	struct heki_patch *patch;
	u64 count = 0;
	int err = 0;

	if (!mod->num_jump_entries)
		return 0;
	buffer->info = vzalloc(sizeof(*buffer->info) + mod->num_jump_entries * sizeof(*patch));
	if (!buffer->info)
		return -ENOMEM;
	patch = (struct heki_patch *)(buffer->info + 1);
	mutex_lock(text_lock);
	for (; !err && entry < end; entry++) {
		if (!jump_entry_is_init(entry))
			err = jump_patch(entry, &patch[count++]);
	}
	mutex_unlock(text_lock);
	buffer->info->type = HEKI_PATCH_JUMP_LABEL;
	buffer->info->patch_index = count;
	buffer->info->max_patch_count = count;
	buffer->size = count ? sizeof(*buffer->info) + count * sizeof(*patch) : 0;
	return err;
}

static struct heki_module_info *module_info(const struct client_module *m)
{
	struct heki_module_info *info = kzalloc(sizeof(*info), GFP_KERNEL);

	if (!info)
		return NULL;
	strscpy(info->name, m->name, sizeof(info->name));
	info->ksymtab = (u64)m->mod->syms;
	info->ksymtab_gpl = (u64)m->mod->gpl_syms;
	info->num = m->mod->num_syms;
	info->num_gpl = m->mod->num_gpl_syms;
	info->percpu = (__force u64)m->mod->percpu;
	return info;
}

static int add_parts(struct client_ranges *ranges, const struct client_module *m)
{
	unsigned int type;
	int err;

	for (type = 0; type < HEKI_MOD_MEM_TYPES; type++) {
		err = client_ranges_add(ranges, m->mem[type].base, m->mem[type].size, type);
		if (err)
			return err;
	}
	return 0;
}

/* VTL1 reads all other sites from the file, where there is one. */
static int add_patches(struct client_ranges *ranges, const struct client_module *m, u32 flags,
		       void **buffer)
{
	const struct compat_memory *text = &m->mem[HEKI_MOD_TEXT];
	struct patch_buffer jumps = {};
	int err;

	if (flags & HEKI_MODULE_UNVERIFIED)
		return client_patch_sites_module(ranges, m->mod, text->base, text->size, buffer);
	err = jump_patches(m->mod, &jumps);
	*buffer = jumps.info;
	return err ? err : client_ranges_add(ranges, jumps.info, jumps.size, HEKI_MOD_PATCH);
}

int client_module_send(struct client_module *m, const void *elf, size_t size, u32 flags)
{
	struct heki_module_info *info = module_info(m);
	struct client_ranges ranges;
	void *patches = NULL;
	int err = -ENOMEM;

	client_ranges_init(&ranges);
	if (!info)
		goto out;
	err = add_parts(&ranges, m);
	if (!err)
		err = client_ranges_add(&ranges, elf, size, HEKI_MOD_ELF_BUFFER);
	if (!err)
		err = add_patches(&ranges, m, flags, &patches);
	if (!err)
		err = client_ranges_add(&ranges, info, sizeof(*info), HEKI_MOD_INFO);
	if (err)
		goto out;
	err = client_ranges_call(&ranges, HEKI_CALL_VALIDATE_MODULE, flags);
	client_trace_module(m->name, err < 0 ? "refused" : "validated", err);
	if (err > 0) {
		WRITE_ONCE(m->token, err);
		err = 0;
	}
out:
	client_ranges_free(&ranges);
	vfree(patches);
	kfree(info);
	return err;
}

void client_module_judge(const void *elf, size_t size)
{
	struct heki_log_record record;
	struct client_ranges ranges;
	int err;

	client_ranges_init(&ranges);
	err = client_ranges_add(&ranges, elf, size, HEKI_MOD_ELF_BUFFER);
	if (!err)
		err = client_ranges_call(&ranges, HEKI_CALL_VALIDATE_MODULE, 0);
	client_ranges_free(&ranges);
	if (err > 0)
		client_call(HEKI_CALL_UNLOAD_MODULE, err, 0, 0);
	else if (client_refusal(HEKI_CALL_VALIDATE_MODULE, &record))
		client_report("module", record.name, err, record.text);
}

void client_module_refused(const struct client_module *m, int err)
{
	struct heki_log_record record;
	const char *text = "";

	/* Another module may have been refused since: take only a record of this one. */
	if (client_refusal(HEKI_CALL_VALIDATE_MODULE, &record) &&
	    (!record.name[0] || !strncmp(record.name, m->name, sizeof(record.name))))
		text = record.text;
	client_report("module", m->name, err, text);
}
