/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A strict reader of relocatable x86-64 ELF files: kernel modules. It works on a copy in VTL1's
 * memory; every offset, count, size and string is checked against that copy.
 */
#ifndef HEKI_CORE_ELF64_H
#define HEKI_CORE_ELF64_H

#include "call.h"

#define ELF_SHT_SYMTAB 2
#define ELF_SHT_STRTAB 3
#define ELF_SHT_RELA 4
#define ELF_SHT_NOBITS 8
#define ELF_SHT_REL 9

#define ELF_SHF_WRITE 0x1u
#define ELF_SHF_ALLOC 0x2u
#define ELF_SHF_EXEC 0x4u

#define ELF_SHN_UNDEF 0
#define ELF_SHN_RESERVED 0xff00u
#define ELF_SHN_LIVEPATCH 0xff20u
#define ELF_SHN_ABS 0xfff1u

#define ELF_STB_WEAK 2
#define ELF_STT_FUNC 2

/* Limits of this reader, above what any module of a distribution has. */
#define ELF_SECTIONS_MAX 4096u
#define ELF_SYMBOLS_MAX (1u << 20)
#define ELF_NAME_MAX 512u

/* Where the kernel's loader puts a section: a module memory type, or one of these. */
#define ELF_MEMORY_PERCPU 7 /* the per-CPU section, which has a base of its own */
#define ELF_MEMORY_NONE 8 /* not loaded */
#define ELF_BASES 8 /* memory types and per-CPU */

/**
 * struct elf_section - a section header, checked
 * @name:   NUL-terminated, shorter than ELF_NAME_MAX
 * @data:   its bytes; p is NULL for NOBITS, n is its size all the same
 * @flags:  ELF_SHF_*
 * @align:  a power of two, at least 1
 * @type:   ELF_SHT_*
 * @link:   section
 * @info:   section, for ELF_SHT_RELA
 * @entsize: bytes of an entry, as the file says
 * @rela:   index of the section that holds its relocations, 0 for none
 * @memory: set by layout_sections(): module memory type or ELF_MEMORY_*
 * @relocated: set by reloc_apply(): bytes that its relocations wrote
 * @offset: set by layout_sections(): from the start of that memory
 */
struct elf_section {
	const char *name;
	struct span data;
	uint64_t flags;
	uint64_t align;
	uint32_t type;
	uint32_t link;
	uint32_t info;
	uint32_t entsize;
	uint32_t rela;
	uint32_t memory;
	uint32_t relocated;
	uint64_t offset;
};

/**
 * struct elf - a file that was read
 * @file:     all bytes, without the appended signature
 * @sections: all, the empty first one included
 * @count:    their number
 * @symbols_count: entries of the symbol table
 * @symbols:  raw symbol table
 * @strings:  its names, ending in NUL
 */
struct elf {
	struct span file;
	struct elf_section *sections;
	uint32_t count;
	uint32_t symbols_count;
	const uint8_t *symbols;
	struct span strings;
};

struct elf_symbol {
	const char *name;
	uint64_t value;
	uint32_t section; /* < elf->count, or ELF_SHN_* */
	bool weak;
	bool function;
};

struct elf_rela {
	uint64_t offset;
	uint64_t addend;
	uint32_t type;
	uint32_t symbol;
};

/**
 * elf_parse() - read a module
 * @c:    the call; its arena takes the section table
 * @file: the copy, without signature
 * @elf:  filled; points into @file
 *
 * Return: 0, -HEKI_E_ELF_FORMAT (address: offset in the file, text: what is wrong),
 * -HEKI_E_MODULE_LIVEPATCH, -HEKI_E_NO_MEMORY
 */
int elf_parse(struct call *c, struct span file, struct elf *elf);

/* The first allocated section of this name, as the kernel finds it; 0 when there is none. */
uint32_t elf_find(const struct elf *elf, const char *name);

/* Symbol @index, which is below elf->symbols_count: the parser has checked all of them. */
struct elf_symbol elf_symbol(const struct elf *elf, uint32_t index);

/* Relocations of a section and one of them; their symbols are in the table. */
#define ELF_RELA_SIZE 24u

static inline uint32_t elf_relas(const struct elf *elf, const struct elf_section *s)
{
	return s->rela ? (uint32_t)(elf->sections[s->rela].data.n / ELF_RELA_SIZE) : 0;
}

static inline struct elf_rela elf_rela(const struct elf *elf, const struct elf_section *s,
				       uint32_t index)
{
	const uint8_t *p = elf->sections[s->rela].data.p + (size_t)index * ELF_RELA_SIZE;

	return (struct elf_rela){ get_le64(p), get_le64(p + 16), get_le32(p + 8), get_le32(p + 12) };
}

/**
 * elf_modinfo() - the value of a key in .modinfo
 * @elf: the module
 * @key: without '='
 *
 * Return: NUL-terminated value, or NULL
 */
const char *elf_modinfo(const struct elf *elf, const char *key);

size_t str_length(const char *s);
bool str_equal(const char *a, const char *b);
bool str_prefix(const char *s, const char *prefix);

/**
 * layout_sections() - place sections as the kernel's loader does
 * @c:    the call, for the text of a refusal
 * @elf:  memory and offset of every section are set
 * @size: bytes by module memory type, not rounded
 *
 * The loaders before and since Linux 6.4 differ in how they allocate; inside a memory type, which
 * starts on a page, offsets are the same. DATA and INIT_DATA are followed by symbol tables that the
 * kernel makes there: their sizes are lower bounds.
 *
 * Return: 0, or -HEKI_E_MODULE_LAYOUT for sections aligned to more than a page, of more than
 * LAYOUT_MAX bytes together, or placed differently by the two loaders
 */
int layout_sections(struct call *c, struct elf *elf, uint64_t size[HEKI_MOD_MEM_TYPES]);

#define LAYOUT_MAX (256ull << 20)

#endif /* HEKI_CORE_ELF64_H */
