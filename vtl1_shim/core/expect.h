/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The one place that knows which bytes an address range of a module must hold: its signed ELF file
 * laid out, relocated, and at each site one of the encodings that its kernel may put there.
 */
#ifndef HEKI_CORE_EXPECT_H
#define HEKI_CORE_EXPECT_H

#include "account.h"
#include "sites.h"

/**
 * struct module_map - the memory of a module in VTL0, by module memory type
 * @va:    first byte
 * @pages: number, 0 when there is none
 * @pa:    physical address of each page
 */
struct module_map {
	uint64_t va[HEKI_MOD_MEM_TYPES];
	uint64_t pages[HEKI_MOD_MEM_TYPES];
	uint64_t *pa[HEKI_MOD_MEM_TYPES];
};

/* Physical address of byte @offset of a memory type. */
static inline struct gpa map_gpa(const struct module_map *map, uint32_t type, uint64_t offset)
{
	return gpa(map->pa[type][offset >> HEKI_PAGE_SHIFT] + (offset & HEKI_PAGE_MASK));
}

/* Copy from a module's memory; 0, or -HEKI_E_COPY_FROM_VTL0 (also when it is out of bounds). */
int map_read(struct call *c, const struct module_map *map, uint32_t type, uint64_t offset, void *to,
	     uint64_t n);

/* What a symbol stands for: @value from the base of @base, or by itself. */
#define VALUE_ABSOLUTE 8 /* @value is the address */
#define VALUE_NONE 9 /* no address in VTL0's kernel: not usable */

struct symbol_value {
	uint64_t value;
	uint32_t base; /* < ELF_BASES, or VALUE_* */
};

/**
 * struct expect - what a module must look like
 * @c:       the call that validates it
 * @token:   its own
 * @elf:     its file, laid out
 * @map:     its memory
 * @sites:   its rewritable places
 * @size:    bytes by memory type
 * @base:    address by memory type and of the per-CPU section
 * @known:   whether that address is known; of absent init memory and of the per-CPU section it is
 *           taken from the first use, and all other uses must agree
 * @live:    init memory is gone
 * @image:   expected bytes of the memory types that are compared, whole pages
 * @guest:   a copy of what is there
 * @values:  by symbol
 * @deps:    tokens of the modules whose exports are used
 * @deps_count: their number
 * @kernel:  what was sent of the kernel, or NULL
 * @thunks:  without that: where the kernel's thunks are, as far as is known
 * @relocations: relocations that were recomputed in compared memory
 * @text_bytes:  compared bytes of executable sections
 * @account:     compared bytes by what explains them
 */
struct expect {
	struct call *c;
	uint32_t token;
	struct elf *elf;
	const struct module_map *map;
	struct site_list sites;
	uint64_t size[HEKI_MOD_MEM_TYPES];
	uint64_t base[ELF_BASES];
	bool known[ELF_BASES];
	bool live;
	uint8_t *image[HEKI_MOD_MEM_TYPES];
	uint8_t *guest[HEKI_MOD_MEM_TYPES];
	struct symbol_value *values;
	uint32_t *deps;
	uint32_t deps_count;
	const struct kernel_snapshot *kernel;
	struct kernel_thunks thunks;
	uint32_t relocations;
	uint32_t text_bytes;
	struct account account;
};

/**
 * expect_layout() - lay out a module's sections and find its sites
 * @e: with @c, @token, @elf, @map, @live set, the rest zero
 *
 * The memory that VTL0 sent must be what the loader makes for these sections.
 *
 * Return: 0, -HEKI_E_MODULE_LAYOUT, ELF_FORMAT, NO_MEMORY
 */
int expect_layout(struct expect *e);

/**
 * expect_compare() - compare a module's memory with what it must hold
 * @e: after expect_layout(); the memory is frozen
 *
 * Return: 0; -HEKI_E_MODULE_DIFFERS with section, offset and bytes of the first difference as text
 * and its address in VTL0; -HEKI_E_MODULE_SYMBOL, MODULE_RELOCATION, COPY_FROM_VTL0, NO_MEMORY
 */
int expect_compare(struct expect *e);

/* The section that holds byte @offset of a memory type, or NULL for padding. */
const struct elf_section *expect_section(const struct expect *e, uint32_t type, uint64_t offset);

/* Address in VTL0 of byte @offset of a section whose base is known. */
static inline uint64_t expect_va(const struct expect *e, uint32_t section, uint64_t offset)
{
	const struct elf_section *s = &e->elf->sections[section];

	return e->base[s->memory] + s->offset + offset;
}

/* Refuse with MODULE_DIFFERS: @n bytes at @offset of @type, expected and found. */
int expect_differs(const struct expect *e, uint32_t type, uint64_t offset, const uint8_t *expected,
		   const uint8_t *found, size_t n);

/* reloc.c: give every symbol its value; MODULE_SYMBOL, NO_MEMORY. */
int reloc_symbols(struct expect *e);
/* Find bases that only the module's own bytes tell. */
void reloc_bases(struct expect *e);
/* Relocate the images; MODULE_RELOCATION. */
int reloc_apply(struct expect *e);
/* Relocations of a section that need a base which nothing has told. */
uint32_t reloc_count_unknown(const struct expect *e, const struct elf_section *s);
/* Address of a symbol; false when it has none or its base is not known. */
bool reloc_value(const struct expect *e, uint32_t symbol, uint64_t *value);

/* sorted.c: take over tables that the kernel sorted, after comparing them as sets. */
int sorted_compare(struct expect *e);
/* Whether the kernel sorts a section in place. */
bool sorted_section(const struct elf_section *s);

/* exact.c: whether the module's per-CPU section may lie there, as far as the kernel is known. */
bool exact_percpu(const struct expect *e, uint64_t base);

/*
 * exact.c: whether the kernel rewrites the module in ways that can be judged; MODULE_CALL_THUNK,
 * MODULE_ITS.
 */
int forms_supported(const struct expect *e);

/*
 * forms.c: take over what stands at sites and is legal there. With a snapshot of the kernel that is what it
 * must have written, and a site where it has not is made to differ.
 */
void forms_compare(struct expect *e);

/*
 * The patch site of a site; false: it has none. For a jump label with the jump that its kernel
 * computes; for static calls with the first byte that tells a call from a tail call.
 */
bool site_patch(const struct expect *e, const struct site *s, struct patch_site *out);

#endif /* HEKI_CORE_EXPECT_H */
