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
void patches_remove(struct heki_core *core, struct chain *chain);

/**
 * patches_parse() - read a patch buffer: runs of [heki_patch_info, heki_patch x patch_index]
 * @c:    the call
 * @data: the copied buffer
 * @each: called for each patch with its type; stops at the first error
 * @context: passed to @each
 *
 * Every header and every patch counts; sizes, straddling and padding are checked.
 *
 * Return: 0, -HEKI_E_PATCH_FORMAT, or what @each returned
 */
int patches_parse(struct call *c, struct span data,
		  int (*each)(struct call *c, uint32_t type, const struct heki_patch *patch,
			      void *context),
		  void *context);

/* The NOP of @size bytes as the kernel writes it (2: 66 90, 5: 0f 1f 44 00 00); false: no such. */
bool patch_nop(uint8_t size, uint8_t *out);

/**
 * patch_state_legal() - may these bytes stand at the site, between steps included?
 * @core:  the core
 * @site:  the site
 * @bytes: site->size bytes that are there
 *
 * Legal: one of the final encodings; or INT3 first and the tail of one of them.
 */
bool patch_state_legal(struct heki_core *core, const struct patch_site *site, const uint8_t *bytes);

/**
 * patch_canonical() - replace what stands at the sites of a page by a fixed value
 * @core: the core
 * @pfn:  the page
 * @page: a copy of its bytes
 * @check: each site's state is judged with patch_state_legal(); the number of illegal ones is
 *         returned. Sites that begin in the page before are made canonical, not judged.
 */
unsigned int patch_canonical(struct heki_core *core, uint64_t pfn, uint8_t *page, uint32_t *sites);

#endif /* HEKI_CORE_PATCHES_H */
