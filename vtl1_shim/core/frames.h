/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The ledger of protected frames: who owns a page of VTL0's memory and what VTL0 may do there.
 *
 * Functions take HEKI_LOCK_TABLES themselves unless they say otherwise.
 */
#ifndef HEKI_CORE_FRAMES_H
#define HEKI_CORE_FRAMES_H

#include "siphash.h"
#include "slab.h"

#define FRAME_NO_KIND 0xff

/* States of hashed. */
#define FRAME_HASHED 1
#define FRAME_REPORTED 2 /* the same, and its violation is in the log already */

struct frame {
	struct node node;
	uint64_t pfn;
	uint32_t owner; /* token or HEKI_OWNER_* */
	uint8_t attributes; /* HEKI_ATTR_*, what VTL0 may do */
	uint8_t kind; /* enum heki_module_memory_type, or FRAME_NO_KIND */
	uint8_t hashed; /* FRAME_HASHED: digest is valid, AUDIT compares it */
	uint8_t padding;
	uint8_t digest[SIPHASH128]; /* with patch sites made canonical */
};

/* What AUDIT finds in a page. */
struct page_digest {
	uint8_t digest[SIPHASH128];
	uint32_t sites; /* judged */
	uint32_t illegal; /* of these, in a state that no patch leads to */
};

struct heki_core;
struct call;
struct range_list;

/**
 * frames_claim() - own pages and set VTL0's access to them
 * @c:     the call
 * @chain: frames of this owner; grows by @pages
 * @owner: token or HEKI_OWNER_*
 * @pa:    first page, aligned
 * @pages: number, > 0
 * @attributes: HEKI_ATTR_* with or without IMMUTABLE
 * @kind:  module memory type, or FRAME_NO_KIND
 *
 * Pages claimed before an error stay in @chain: the caller releases it. Nobody else changes it.
 *
 * Return: 0, -HEKI_E_OVERLAP when a page has an owner already or is not VTL0's to protect,
 * -HEKI_E_NO_MEMORY, -HEKI_E_HYPERCALL
 */
int frames_claim(struct call *c, struct chain *chain, uint32_t owner, struct gpa pa,
		 uint64_t pages, uint32_t attributes, uint8_t kind);

/**
 * frames_change() - set other attributes for the frames of some kinds
 * @c:     the call
 * @chain: frames of one owner; nobody else changes it
 * @kinds: bit mask over module memory types
 * @attributes: new ones
 *
 * Return: 0, or -HEKI_E_HYPERCALL: the caller sets the old ones again, some have been changed
 */
int frames_change(struct call *c, struct chain *chain, uint32_t kinds, uint32_t attributes);

#define FRAMES_ALL 0xffffffffu

/**
 * frames_release() - give pages back with the default access
 * @c:     the call
 * @chain: frames of one owner; those released leave it
 * @kinds: bit mask over module memory types, or FRAMES_ALL
 *
 * Nobody else changes @chain meanwhile; the lock is dropped now and then.
 * Cannot fail: a host that refuses is logged as a violation and the frame is forgotten.
 */
void frames_release(struct call *c, struct chain *chain, uint32_t kinds);

/**
 * frames_restrict() - from now on VTL0's kernel executes only what has an owner and is executable
 * @c: the call
 *
 * Other VPs may claim and release pages meanwhile.
 *
 * Return: 0, or -HEKI_E_HYPERCALL: some pages are as they were
 */
int frames_restrict(struct call *c);

/* Frames of @chain by kind. */
uint32_t frames_count(struct heki_core *core, const struct chain *chain, uint8_t kind);

/* A copy of the frame that holds @pa; false when nobody owns it. */
bool frames_find(struct heki_core *core, struct gpa pa, struct frame *out);

/* Whether any page of [@pa, @pa + @n) is owned with less than the default access. */
bool frames_protected(struct heki_core *core, struct gpa pa, uint64_t n);

/* The same under HEKI_LOCK_TABLES. */
bool frames_protected_locked(struct heki_core *core, struct gpa pa, uint64_t n);

/* The frame of a page, or NULL. Under HEKI_LOCK_TABLES. */
struct frame *frames_at(struct heki_core *core, uint64_t pfn);

/**
 * frames_protect() - give frames of the kernel the access of sorted ranges
 * @c:    the call, a refusal's address is set
 * @list: page-aligned, not empty, sorted by pa; what overlaps has equal attributes
 *
 * Pages without an owner are claimed for HEKI_OWNER_KERNEL; pages that are the kernel's or the
 * kexec trampoline's change, unless they are immutable. All or nothing at the end; meanwhile other
 * VPs see some of it. Calls of this one come one at a time (see exclusive() in dispatch.c).
 *
 * Return: 0, -HEKI_E_OVERLAP, IMMUTABLE, NO_MEMORY, HYPERCALL, AFTER_END_OF_BOOT, AGAIN when the
 * call is abandoned
 */
int frames_protect(struct call *c, const struct range_list *list);

/**
 * frames_digest() - keyed hash of a page with its patch sites made canonical
 * @core: the core
 * @pfn:  the page
 * @page: HEKI_PAGE_SIZE bytes of scratch memory
 * @out:  filled
 * @locked: read with HEKI_LOCK_TABLES held, so that no patch is half written by VTL1
 *
 * Return: 0, or -HEKI_E_COPY_FROM_VTL0
 */
int frames_digest(struct heki_core *core, uint64_t pfn, uint8_t *page, struct page_digest *out,
		  bool locked);

/**
 * frames_record() - in the audit grade, hash what VTL0 may not write
 * @c:     the call
 * @chain: frames of one owner
 * @kinds: bit mask over module memory types, or FRAMES_ALL
 *
 * Takes no lock while hashing. A no-op in the enforce grade. The kernel's own frames are recorded
 * at SIGNAL_END_OF_BOOT, because only then all patch sites are known.
 *
 * Return: 0, -HEKI_E_COPY_FROM_VTL0, -HEKI_E_NO_MEMORY
 */
int frames_record(struct call *c, struct chain *chain, uint32_t kinds);

#endif /* HEKI_CORE_FRAMES_H */
