/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * One call: its parameters, its scratch memory, what its log record will say.
 */
#ifndef HEKI_CORE_CALL_H
#define HEKI_CORE_CALL_H

#include "core.h"

struct arena_chunk;

/**
 * struct arena - scratch memory of one call, dropped whole when the call ends
 * @core: the core; an arena with only this set is an empty one
 * @head: chunks; the one that is being filled is the first
 * @kib:  of all chunks
 *
 * Chunks come from the host and are counted against the budget of all calls. The structure is
 * small because each call, the atomic ones included, has one on its stack.
 */
struct arena {
	struct heki_core *core;
	struct arena_chunk *head;
	uint32_t kib;
};

/**
 * struct call - a call that is being served
 * @core:  the core
 * @id:    call id
 * @index: its place in the call table; HEKI_CALL_COUNT for one that is not there
 * @slot:  its slot, counted from 1; 0: it is served in one entry
 * @abandoned: nobody will take its result: end soon, undo
 * @work:  bytes hashed or compared, or as much work, in this entry
 * @p:     parameters (rsi, rdx, r8)
 * @vp:    calling VP
 * @arena: scratch memory
 * @address: what a refusal is about: an address, a token, an index; for the log record
 * @name:  module name for the log record, NUL-padded; what follows an empty one is undefined
 * @text:  details for the log record, the same
 *
 * A handler returns a result >= 0 or -HEKI_E_*; dispatch makes the log record, the counters and
 * the errno of it.
 */
struct call {
	struct heki_core *core;
	uint32_t id;
	uint32_t index;
	uint32_t slot;
	bool abandoned;
	uint64_t work;
	uint64_t p[3];
	uint32_t vp;
	struct arena arena;
	uint64_t address;
	char name[HEKI_MODULE_NAME_LEN];
	char text[HEKI_LOG_TEXT];
};

/**
 * arena_alloc() - zeroed scratch memory, aligned to 16, until the end of the call
 * @a: the arena
 * @n: bytes, > 0
 *
 * Return: memory, or NULL: answer NO_MEMORY
 */
void *arena_alloc(struct arena *a, size_t n);

/* arena_alloc() of an array, with the multiplication checked. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* Drop everything; made by dispatch. */
void arena_drop(struct arena *a);

/* Memory whose bytes the caller writes before it reads them. */
void *arena_raw(struct arena *a, size_t n);

/**
 * call_work() - say how much work comes next
 * @c: the call
 * @n: bytes that will be hashed or compared, or work that takes as long
 *
 * When this entry has done its share the call is suspended here, and goes on in the entry that
 * continues it: on another VP maybe, and with tables that others have changed meanwhile. No lock may be
 * held.
 */
void call_work(struct call *c, uint64_t n);

/* In a loop of cheap steps: call_work() once for @steps of them. */
static inline void call_work_every(struct call *c, uint64_t step, uint64_t steps, uint64_t n)
{
	if (!(step % steps))
		call_work(c, n);
}

/* memcpy() and memset(, 0) of what may be long, with call_work() on the way. */
void call_copy(struct call *c, void *to, const void *from, size_t n);
void call_clear(struct call *c, void *to, size_t n);

/* What work other than hashing and comparing counts for, in bytes. */
#define WORK_COPY(n) ((n) / 8) /* copy, clear */
#define WORK_PART (64u << 10) /* bytes handled between two calls of call_work() at most */
#define WORK_FRAME 256ull /* change access to a page */
#define WORK_LOOKUP 256ull /* find, enter or remove a symbol, a site, a dependency */
#define WORK_ITEM 64ull /* look at a range, a relocation, an entry of a table */
#define WORK_PUBLIC_KEY (64ull << HEKI_PAGE_SHIFT) /* an entry of its own */

/* Text for the log record: each appends and cuts at the end of c->text. */
void text_clear(struct call *c);
void text_str(struct call *c, const char *s);
void text_hex(struct call *c, uint64_t v);
void text_dec(struct call *c, uint64_t v);
void text_bytes(struct call *c, const uint8_t *p, size_t n);
/* Set c->name, cut and NUL-padded. */
void call_name(struct call *c, const char *name);
/* Put both into a record that is zero there. */
void call_words(const struct call *c, struct heki_log_record *record);
/* Set c->address and return -error: return refuse(c, HEKI_E_TOKEN, token); */
static inline int refuse(struct call *c, enum heki_error error, uint64_t address)
{
	c->address = address;
	return -(int)error;
}

/* Most ranges of one call: a 64 MiB ELF buffer without two neighbouring pages takes 16384. */
#define RANGES_MAX 65536

/* Ranges copied in from VTL0. */
struct range_list {
	struct heki_range *r;
	uint32_t n;
};

/**
 * ranges_copy_in() - copy a page chain of VTL0's and check it
 * @c:       the call
 * @first:   physical address of the first heki_page
 * @nranges: ranges that VTL0 declares over the whole chain
 * @list:    filled; lives in the arena
 *
 * Each page is read once. Checked here: at most RANGES_MAX ranges; alignment; that the chain has
 * exactly the declared number of ranges, at least one a page, and ends there; no cycle; all of it
 * VTL0's RAM; of each range: canonical va, valid pa <= epa, RAM that is VTL0's and not VTL1's; that
 * all of them together are no longer than what can be owned and copied.
 * Types, emptiness and alignment of ranges are the caller's to check. The address of a refusal is
 * the offending one.
 *
 * Return: 0, -HEKI_E_INPUT_ADDRESS, NOT_ALIGNED, PAGES_COPY, PAGE_CHAIN, TOO_MANY_RANGES,
 * PHYS_ADDRESS, VIRT_ADDRESS, RANGE, NO_MEMORY
 */
int ranges_copy_in(struct call *c, uint64_t first, uint64_t nranges, struct range_list *list);

/* Sort ranges by physical (or virtual) address, ascending. */
void ranges_sort_pa(struct call *c, struct range_list *list);
void ranges_sort_va(struct call *c, struct range_list *list);

/**
 * ranges_bytes() - copy the contents of all ranges of one type
 * @c:     the call
 * @list:  ranges
 * @type:  their attributes value
 * @limit: most bytes
 * @over:  error when there are more
 * @out:   the bytes, in the arena; n = 0 and p = NULL when there is no such range
 *
 * The ranges follow each other in @list order and must run on in virtual addresses.
 *
 * Return: 0, -HEKI_E_DISCONTIGUOUS, -@over, -HEKI_E_COPY_FROM_VTL0, -HEKI_E_NO_MEMORY
 */
int ranges_bytes(struct call *c, const struct range_list *list, uint64_t type, uint64_t limit,
		 enum heki_error over, struct span *out);

/* Copy the bytes of one range: 0, -HEKI_E_COPY_FROM_VTL0. */
int ranges_copy_bytes(struct call *c, const struct heki_range *r, uint8_t *to);

/**
 * reply() - write a reply to a page of VTL0's
 * @c:    the call
 * @pa:   page-aligned address of VTL0's RAM that is not protected
 * @data: bytes
 * @n:    at most HEKI_PAGE_SIZE
 *
 * Return: 0, -HEKI_E_NOT_ALIGNED, -HEKI_E_PHYS_ADDRESS, -HEKI_E_OVERLAP (it is protected: VTL1 is
 * no means of writing there), -HEKI_E_COPY_TO_VTL0
 */
int reply(struct call *c, uint64_t pa, const void *data, size_t n);

/* The same under HEKI_LOCK_TABLES: what is written may lie in tables. */
int reply_locked(struct call *c, uint64_t pa, const void *data, size_t n);

#define HEKI_HANDLER(id, name, handler, phase, context, arguments) int call_##handler(struct call *c);
HEKI_CALLS(HEKI_HANDLER)
#undef HEKI_HANDLER

#endif /* HEKI_CORE_CALL_H */
