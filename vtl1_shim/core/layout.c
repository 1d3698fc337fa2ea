// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Where the kernel's module loader puts each section.
 *
 * Trust boundary: the section headers are those of a signed file; sizes are bounded here all the
 * same. Locks: none.
 */
#include "elf64.h"

/* The flag by which the loader marks what becomes read-only after a module's init. */
#define SHF_RO_AFTER_INIT 0x00200000u

/* Sections that the loader looks for by name, 0 for none. */
struct named {
	uint32_t modinfo;
	uint32_t versions;
	uint32_t percpu;
	uint32_t ro_after_init;
	uint32_t jump_table;
};

/* The order of the tests is that of the loader's passes. */
static uint32_t memory_type(uint64_t flags, bool init)
{
	if (flags & ELF_SHF_EXEC)
		return init ? HEKI_MOD_INIT_TEXT : HEKI_MOD_TEXT;
	if (!(flags & ELF_SHF_WRITE))
		return init ? HEKI_MOD_INIT_RODATA : HEKI_MOD_RODATA;
	if (flags & SHF_RO_AFTER_INIT)
		return HEKI_MOD_RO_AFTER_INIT;
	return init ? HEKI_MOD_INIT_DATA : HEKI_MOD_DATA;
}

static int refuse_section(struct call *c, const struct elf_section *s, const char *why)
{
	text_clear(c);
	text_str(c, s->name);
	text_str(c, why);
	return refuse(c, HEKI_E_MODULE_LAYOUT, s->data.n);
}

static int place(struct call *c, struct elf_section *s, bool ro_after_init,
		 uint64_t size[HEKI_MOD_MEM_TYPES])
{
	uint64_t flags = s->flags | (ro_after_init ? SHF_RO_AFTER_INIT : 0);
	bool init = str_prefix(s->name, ".init");
	uint64_t *total;

	if ((flags & ELF_SHF_EXEC) && (flags & ELF_SHF_WRITE))
		return refuse_section(c, s, ": writable and executable");
	s->memory = memory_type(flags, init);
	if (init && s->memory == HEKI_MOD_RO_AFTER_INIT)
		return refuse_section(c, s, ": init memory that is read-only after init");
	if (s->align > HEKI_PAGE_SIZE)
		return refuse_section(c, s, ": aligned to more than a page");
	total = &size[s->memory];
	s->offset = (*total + s->align - 1) & ~(s->align - 1);
	if (s->data.n > LAYOUT_MAX || s->offset + s->data.n > LAYOUT_MAX)
		return refuse_section(c, s, ": too large");
	*total = s->offset + s->data.n;
	return 0;
}

int layout_sections(struct call *c, struct elf *elf, uint64_t size[HEKI_MOD_MEM_TYPES])
{
	const struct named named = {
		.modinfo = elf_find(elf, ".modinfo"),
		.versions = elf_find(elf, "__versions"),
		.percpu = elf_find(elf, ".data..percpu"),
		.ro_after_init = elf_find(elf, ".data..ro_after_init"),
		.jump_table = elf_find(elf, "__jump_table"),
	};
	int ret = 0;
	uint32_t i;

	memset(size, 0, HEKI_MOD_MEM_TYPES * sizeof(*size));
	for (i = 1; i < elf->count && !ret; i++) {
		struct elf_section *s = &elf->sections[i];

		if (!(s->flags & ELF_SHF_ALLOC) || i == named.modinfo || i == named.versions)
			continue;
		if (i == named.percpu)
			s->memory = ELF_MEMORY_PERCPU;
		else
			ret = place(c, s, i == named.ro_after_init || i == named.jump_table, size);
	}
	return ret;
}
