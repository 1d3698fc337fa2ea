/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The places of a module's text that its kernel legitimately rewrites, found from the tables of
 * the signed ELF file.
 */
#ifndef HEKI_CORE_SITES_H
#define HEKI_CORE_SITES_H

#include "elf64.h"

/* X(NAME, table or what it is found by) */
#define SITE_KINDS(X)                                                                              \
	X(ALTERNATIVE, ".altinstructions")                                                         \
	X(PARAVIRT, ".parainstructions")                                                           \
	X(RETPOLINE, ".retpoline_sites")                                                           \
	X(RETURN, ".return_sites")                                                                 \
	X(CALL, ".call_sites")                                                                     \
	X(ENDBR, ".ibt_endbr_seal")                                                                \
	X(SMP_LOCK, ".smp_locks")                                                                  \
	X(MCOUNT, "__mcount_loc")                                                                  \
	X(STATIC_CALL, ".static_call_sites")                                                       \
	X(JUMP_LABEL, "__jump_table")                                                              \
	X(TRAMPOLINE, ".static_call.text")

enum site_kind {
#define SITE_ENUM(name, table) SITE_##name,
	SITE_KINDS(SITE_ENUM)
#undef SITE_ENUM
	SITE_KIND_COUNT
};

/**
 * struct site - one rewritable place
 * @offset:  in @section
 * @other:   jump label: offset of the target; alternative: of the replacement
 * @section: the section, executable and loaded
 * @other_section: section of @other
 * @kind:    enum site_kind
 * @length:  bytes that may change
 * @other_length: alternative: bytes of the replacement
 * @tail:    static call: a jump, not a call
 * @entry:   its index in the table
 */
struct site {
	uint64_t offset;
	uint64_t other;
	uint32_t section;
	uint32_t other_section;
	uint32_t entry;
	uint8_t kind;
	uint8_t length;
	uint8_t other_length;
	bool tail;
};

struct site_list {
	struct site *s;
	uint32_t n;
	uint32_t count[SITE_KIND_COUNT];
	uint32_t first[SITE_KIND_COUNT]; /* sites of a kind follow each other from here */
	uint32_t alt_entry; /* bytes of an alternative's entry, 0 when there is none */
};

/**
 * sites_collect() - find all sites
 * @c:     the call; its arena takes the list
 * @elf:   a module whose sections are laid out
 * @sites: filled
 *
 * Places come from the relocations of the tables, so they need no addresses. The size of an
 * alternative's entry differs between kernels; it is what the relocations of the table show.
 *
 * Return: 0, -HEKI_E_ELF_FORMAT, -HEKI_E_NO_MEMORY
 */
int sites_collect(struct call *c, const struct elf *elf, struct site_list *sites);

/* The section of a kind's table. */
const char *site_table(enum site_kind kind);

#endif /* HEKI_CORE_SITES_H */
