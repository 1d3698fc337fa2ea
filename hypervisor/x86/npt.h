/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nested page tables of a VTL: guest physical addresses map one to one, with the access that a page
 * leaves to the VTL.
 *
 * Two trees stand for each VTL where user and kernel execution are told apart without help from the
 * processor: in the first, pages are executable that the kernel may execute; in the second, those
 * that only user mode may.  Outside the hypervisor's memory everything is mapped at start in pages
 * of 2 MiB; a page is split when a 4 KiB page in it differs from the default, and joined again when
 * none does any more.
 */
#ifndef HV_NPT_H
#define HV_NPT_H

#include "memory.h"

enum npt_tree { NPT_KERNEL, NPT_USER, NPT_TREES };

struct npt {
	struct lock lock;
	uint64_t root[NPT_TREES]; /* 0: no such tree */
	struct pool *pool;
	uint32_t *others; /* by page of the pool: entries of a last table that are not default */
	uint32_t retired; /* joined tables that a processor may still walk: index + 1, then by @others */
	uint8_t access;	  /* default, HV_MAP_* */
	uint64_t overlay; /* address of a page that shows another one, ~0 for none */
	uint8_t overlay_access; /* of what it hides */
	uint32_t split;
};

/**
 * npt_pages() - how many pages a set of tables can need at most
 * @map: the machine's memory
 * @trees: of which that can be split everywhere
 *
 * Return: the number.
 */
uint32_t npt_pages(const struct memory_map *map, uint32_t trees);

/**
 * npt_init() - make the tables of a VTL
 * @npt: filled in; @pool and @others are set
 * @map: the machine's memory; the hypervisor's is left out
 * @trees: 1 or 2
 */
void npt_init(struct npt *npt, const struct memory_map *map, uint32_t trees);

/**
 * struct npt_change - giving pages of RAM another access
 * @npt: the tables
 * @access: HV_MAP_*
 * @lost: not 0 when rights were taken away, so that other processors must forget what they know
 * @bits: an entry with that access, less its address, by tree
 * @plain: the same with the default access
 * @base: the 2 MiB whose tables are at hand
 * @above: entries of those tables
 * @table: they themselves
 * @others: their entries that are not default
 */
struct npt_change {
	struct npt *npt;
	uint8_t access;
	uint64_t lost;
	uint64_t bits[NPT_TREES];
	uint64_t plain[NPT_TREES];
	uint64_t base;
	uint64_t *above[NPT_TREES];
	uint64_t *table[NPT_TREES];
	uint32_t *others[NPT_TREES];
};

/**
 * npt_begin() - begin to change the access to pages
 * @c: filled in
 * @npt: the tables; locked by the caller, until the last change is made
 * @access: HV_MAP_*
 */
void npt_begin(struct npt_change *c, struct npt *npt, uint32_t access);

/**
 * npt_change() - change the access to pages of the same 2 MiB
 * @c: from npt_begin()
 * @base: start of the 2 MiB
 * @pages: numbers of the pages in it, all of which are RAM; overwritten
 * @n: how many
 *
 * Return: 0; negative when there is no page for a table.
 */
int npt_change(struct npt_change *c, uint64_t base, uint16_t *pages, uint32_t n);

/**
 * npt_retired() - take the list of tables that have been joined
 * @npt: the tables; locked by the caller since it changed them
 *
 * Return: the list, for npt_release().
 */
uint32_t npt_retired(struct npt *npt);

/**
 * npt_release() - give back tables that have been joined
 * @npt: the tables
 * @retired: from npt_retired(); all processors have forgotten what they knew since
 */
void npt_release(struct npt *npt, uint32_t retired);

/**
 * npt_access() - the access that a VTL has to a page
 * @npt: the tables
 * @gpa: an address in the page
 *
 * Return: HV_MAP_*; 0 for what is not mapped.
 */
uint32_t npt_access(const struct npt *npt, uint64_t gpa);

/**
 * npt_default() - give all RAM another default access
 * @npt: the tables, of which no page differs from the default so far; locked by the caller
 * @map: the machine's memory
 * @access: HV_MAP_*, with HV_MAP_READ
 *
 * Return: false when there is no page for a table; some pages have the new access then.
 */
bool npt_default(struct npt *npt, const struct memory_map *map, uint32_t access);

/**
 * npt_map_device() - map the 1 GiB around an address of a device
 * @npt: the tables
 * @gpa: the address, above all RAM
 *
 * Return: false when there is no page for a table.
 */
bool npt_map_device(struct npt *npt, uint64_t gpa);

/**
 * npt_fix() - set the access to a page of a device, before any level runs
 * @npt: the tables
 * @gpa: of the page
 * @access: HV_MAP_*
 */
void npt_fix(struct npt *npt, uint64_t gpa, uint32_t access);

/**
 * npt_overlay() - show a page of the hypervisor's, readable and executable, or end that
 * @npt: the tables; locked by the caller
 * @gpa: where, ~0 to show it nowhere
 * @hpa: the page
 *
 * All processors must forget what they know of the tables then.
 *
 * Return: false when there is no page for a table; nothing is shown then.
 */
bool npt_overlay(struct npt *npt, uint64_t gpa, uint64_t hpa);

#endif /* HV_NPT_H */
