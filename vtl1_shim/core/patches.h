/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Precomputed text patches by physical address, and what may stand at such a site.
 *
 * Functions take HEKI_LOCK_TABLES themselves unless they say otherwise.
 */
#ifndef HEKI_CORE_PATCHES_H
#define HEKI_CORE_PATCHES_H

#include "slab.h"

struct heki_core;
struct call;

struct patch_site {
	struct gpa pa; /* first byte */
	struct gpa next; /* start of the second page, 0 when it does not straddle */
	struct gva va; /* first byte in VTL0, for the targets of calls; 0 when unknown */
	uint32_t owner;
	uint32_t type; /* enum heki_patch_type */
	uint8_t size;
	uint8_t code[HEKI_POKE_MAX];
};

/**
 * struct patch_step - a step of PATCH_TEXT or of PATCH_TEXT_BATCH
 * @patch:  VTL0's patch, copied once
 * @site:   the site that it is about
 * @offset: first byte of the site that is written
 * @size:   bytes that are written
 * @now:    what stands there, site.size bytes
 * @after:  what will stand there
 */
struct patch_step {
	const struct heki_patch *patch;
	struct patch_site site;
	uint8_t offset;
	uint8_t size;
	uint8_t now[8];
	uint8_t after[8];
};

/* Of a node; a site that straddles two pages takes two. */
#define PATCH_NODE_SIZE 40

/**
 * patches_add() - enter a site
 * @core:  the core
 * @chain: sites of this owner
 * @site:  checked by the caller: inside memory that is or becomes R+X
 *
 * Return: 0, -HEKI_E_NO_MEMORY, -HEKI_E_PATCH_LIST when a site overlaps another
 */
int patches_add(struct heki_core *core, struct chain *chain, const struct patch_site *site);

/* The site that starts at @pa; false when there is none. */
bool patches_find(struct heki_core *core, struct gpa pa, struct patch_site *out);

/* Remove all sites of an owner. */
void patches_remove(struct call *c, struct chain *chain);

/**
 * patches_prune() - drop the kernel's sites that no page of its text holds
 * @c: the call, after end of boot: the chain no longer grows
 *
 * Each of them is a violation; the first few are logged one by one.
 */
void patches_prune(struct call *c);

/**
 * patches_next() - walk over all sites, of all owners
 * @core:  the core
 * @index: node to start at, 1 for the first; moved to that of the site found
 * @out:   the site
 *
 * Under HEKI_LOCK_TABLES. Return: false at the end
 */
bool patches_next(struct heki_core *core, uint32_t *index, struct patch_site *out);

/**
 * patches_find_step() - the site that a step is about
 * @core:   the core
 * @pa:     first byte that the step writes
 * @out:    the site; of a jump label of the kernel's without va, which nothing is judged by
 * @offset: 0: the step begins at the site; 1: it is the tail, which may begin on the second page
 *
 * Under HEKI_LOCK_TABLES. Return: false when there is none
 */
bool patches_find_step(struct heki_core *core, struct gpa pa, struct patch_site *out,
		       uint8_t *offset);

/* Bytes of the site that lie on its first page. */
static inline uint8_t patch_split(const struct patch_site *site)
{
	uint64_t room = HEKI_PAGE_SIZE - (site->pa.v & HEKI_PAGE_MASK);

	return room < site->size ? (uint8_t)room : site->size;
}

/* Sites of one byte are written at once, without INT3 in between. */
static inline bool patch_has_tail(const struct patch_site *site)
{
	return site->size > 1;
}

/* Read what stands at a site; 0 or -1. Atomic. */
int patch_read(struct heki_core *core, const struct patch_site *site, uint8_t *bytes);

/**
 * patch_write() - write a part of a site
 * @core:   the core
 * @site:   the site
 * @now:    all bytes of it that are there
 * @bytes:  all bytes of it that are to be there
 * @offset: first byte to write
 * @n:      bytes to write
 *
 * Atomic. Under HEKI_LOCK_TABLES. Return: 0, or -1 with nothing changed
 */
int patch_write(struct heki_core *core, const struct patch_site *site, const uint8_t *now,
		const uint8_t *bytes, uint8_t offset, uint8_t n);

/**
 * patches_parse() - read a patch buffer: runs of [heki_patch_info, heki_patch x patch_index]
 * @c:    the call
 * @data: the copied buffer
 * @each: called for each patch with its type; stops at the first error
 * @context: passed to @each
 *
 * Every header and every patch counts; sizes, straddling and padding are checked, and that the
 * code is one that a site of this type can have (patch_code_valid()).
 *
 * Return: 0, -HEKI_E_PATCH_FORMAT, or what @each returned
 */
int patches_parse(struct call *c, struct span data,
		  int (*each)(struct call *c, uint32_t type, const struct heki_patch *patch,
			      void *context),
		  void *context);

/* Form of a heki_patch: sizes, second page, padding. */
static inline bool patch_well_formed(const struct heki_patch *patch)
{
	uint64_t room = HEKI_PAGE_SIZE - (patch->pa[0] & HEKI_PAGE_MASK);
	bool straddles = patch->size > room;

	if (!patch->pa[0] || !phys_valid(patch->pa[0]) || !phys_valid(patch->pa[1]))
		return false;
	if (!patch->size || patch->size > HEKI_POKE_MAX)
		return false;
	if (patch->padding[0] || patch->padding[1] || !page_aligned(patch->pa[1]))
		return false;
	/* The second page may not be the first again: the site would overlap itself. */
	return straddles == (patch->pa[1] != 0) && patch->pa[1] != page_down(patch->pa[0]);
}

/* Whether @code may be entered as a site of this type. */
bool patch_code_valid(uint32_t type, uint8_t size, const uint8_t *code);

/* Whether a byte is a LOCK prefix, or the DS prefix that stands for one. */
bool patch_is_lock(uint8_t byte);

/**
 * patch_check_lock() - one must stand where a LOCK prefix is listed
 * @core: the core
 * @site: any site
 *
 * Which of the two forms it has may have changed since it was listed.
 *
 * Return: 0 (also for sites of other types), -HEKI_E_PATCH_LIST, -HEKI_E_COPY_FROM_VTL0
 */
int patch_check_lock(struct heki_core *core, const struct patch_site *site);

/* May these bytes be what a patch ends with? Under HEKI_LOCK_TABLES. */
bool patch_final_legal(struct heki_core *core, const struct patch_site *site, const uint8_t *bytes);

/* May bytes[1..] be the tail of such an end, whatever bytes[0] is? Under HEKI_LOCK_TABLES. */
bool patch_tail_legal(struct heki_core *core, const struct patch_site *site, const uint8_t *bytes);

#define PATCH_INT3 0xcc

/**
 * patch_state_legal() - may these bytes stand at the site, between steps included?
 * @core:  the core
 * @site:  the site
 * @bytes: site->size bytes that are there
 *
 * Legal: one of the final encodings; or INT3 first and the tail of one of them.
 */
bool patch_state_legal(struct heki_core *core, const struct patch_site *site, const uint8_t *bytes);

/* The same under HEKI_LOCK_TABLES. */
bool patch_state_legal_locked(struct heki_core *core, const struct patch_site *site,
			      const uint8_t *bytes);

/**
 * patch_canonical() - replace what stands at the sites of a page by a fixed value
 * @core: the core
 * @pfn:  the page
 * @page: a copy of its bytes
 * @sites: out: sites that begin in this page
 *
 * Each of these is judged with patch_state_legal(). Sites that begin in the page before are made
 * canonical, not judged.
 *
 * Return: the number of sites in an illegal state
 */
unsigned int patch_canonical(struct heki_core *core, uint64_t pfn, uint8_t *page, uint32_t *sites);

/* The same under HEKI_LOCK_TABLES. */
unsigned int patch_canonical_locked(struct heki_core *core, uint64_t pfn, uint8_t *page,
				    uint32_t *sites);

#endif /* HEKI_CORE_PATCHES_H */
