/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The userspace host of the core: a model of a guest's physical memory and of what VTL0 may do
 * with each page.  For tests, fuzzers, benchmarks and offline checks.
 *
 * Memory is one run of pages from address 0, each of which is RAM, VTL1's own, or no memory at
 * all.  In the enforce grade guest_store() obeys the permissions as a processor would; in the
 * audit grade everything that VTL0 writes goes through.
 *
 * Threads: each stands for the VP of guest_set_vp(); the core may be called from several at once.
 * Triggers and page kinds are set while no call runs.
 */
#ifndef HEKI_USER_GUEST_H
#define HEKI_USER_GUEST_H

#include <pthread.h>

#include "fiber.h"
#include "host.h"

/* Host operations that can be counted, made to fail, and hooked. */
enum guest_op {
	GUEST_READ,
	GUEST_WRITE,
	GUEST_IS_RAM,
	GUEST_SPLITS_EXEC,
	GUEST_PROTECT,
	GUEST_ALLOC,
	GUEST_VP_ENABLE,
	GUEST_VP_UP,
	GUEST_READ_REGS,
	GUEST_PIN_REGS,
	GUEST_HASH_BEGIN, /* each digest begins once */
	GUEST_HASH_UPDATE,
	GUEST_HASH_END,
	GUEST_HASH_COPY,
	GUEST_VERIFY,
	GUEST_CERT_CHECK,
	GUEST_UNLOCK, /* cannot fail; a hook behind it comes between two steps of a call */
	GUEST_SUSPEND, /* cannot fail; a hook comes before a long call is suspended */
	GUEST_OP_COUNT
};

enum guest_page {
	GUEST_NOTHING, /* a hole, or a device's registers */
	GUEST_RAM,
	GUEST_VTL1 /* VTL1's own memory */
};

#define GUEST_VPS 8
#define GUEST_HOOKS 4
#define GUEST_FIBERS 16

struct guest;

/**
 * struct guest_hook - something that happens at an operation, as if another VP did it
 * @run:     what happens; NULL: the slot is free
 * @context: passed to it
 * @op:      operation
 * @nth:     at which use since the last guest_clear(), from 1; 0: at each
 * @after:   after the operation instead of before
 */
struct guest_hook {
	void (*run)(struct guest *g, void *context);
	void *context;
	enum guest_op op;
	uint64_t nth;
	bool after;
};

struct guest_vp {
	bool present; /* the model has it: VTL1 can be brought up there */
	bool enabled;
	bool up;
	bool pinned;
	bool restarted; /* since vp_restarted was last asked */
	struct heki_vp_regs regs;
};

/* The fiber of a slot. */
struct guest_fiber {
	struct guest *guest;
	bool active; /* its function has begun and not returned */
	struct fiber fiber;
};

/**
 * struct guest - a guest and its core
 * @core:   the core
 * @size:   bytes of physical address space, whole pages
 * @ram:    their contents
 * @kind:   by page, enum guest_page
 * @access: by page, HEKI_ATTR_READ | WRITE | EXEC of VTL0
 * @count:  uses of each operation since the last guest_clear()
 * @fail:   the use of each operation that fails, from 1; 0: none
 * @hooks:  see struct guest_hook
 * @vp:     virtual processors
 * @scratch: bytes of scratch memory that the core holds
 * @fibers: of long calls
 * @continues: guest_call() continues calls that answer EAGAIN, as a client does
 * @splits_exec: the model's processor can let users execute what the kernel may not
 * @misuse: the first breach of host.h by the core, or NULL: lock order, sleeping where it may
 *          not, writing where nothing of VTL0's is
 * @ops:    the operations, one set a guest so that a test may change one
 * @locks:  by enum heki_lock
 * @core_memory: what the core lives in
 * @core_size: its bytes
 * @next_page: what guest_pages() hands out next
 */
struct guest {
	struct heki_core *core;
	uint64_t size;
	uint8_t *ram;
	uint8_t *kind;
	uint8_t *access;
	uint64_t count[GUEST_OP_COUNT];
	uint64_t fail[GUEST_OP_COUNT];
	struct guest_hook hooks[GUEST_HOOKS];
	struct guest_vp vp[GUEST_VPS];
	uint64_t scratch;
	struct guest_fiber fibers[GUEST_FIBERS];
	bool continues;
	bool splits_exec;
	const char *misuse;
	struct heki_host_ops ops;
	pthread_mutex_t locks[HEKI_LOCK_COUNT];
	void *core_memory;
	size_t core_size;
	uint64_t next_page; /* of guest_pages() */
};

/**
 * guest_create() - make a guest whose memory is all RAM, and its core
 * @grade:  audit or enforce
 * @size:   bytes of memory, whole pages
 * @limits: budgets of the core; at most GUEST_FIBERS slots
 *
 * With HEKI_TEST_CONTINUES in the environment the guest continues long calls from its start, and an
 * entry does the work of that many pages at most.
 *
 * Return: the guest, or NULL when there is no memory
 */
struct guest *guest_create(enum heki_grade grade, uint64_t size, const struct heki_limits *limits);
void guest_destroy(struct guest *g);

/* Say what the pages of [@pa, @pa + @n) are. */
void guest_set_kind(struct guest *g, uint64_t pa, uint64_t n, enum guest_page kind);

/**
 * guest_pages() - set aside pages of RAM that nothing else uses
 * @g:     the guest
 * @pages: number, > 0
 *
 * Return: address of the first, or 0 when no run of that length is left
 */
uint64_t guest_pages(struct guest *g, uint64_t pages);

/* The bytes behind an address that the caller knows to be memory. */
static inline void *guest_at(struct guest *g, uint64_t pa)
{
	return g->ram + pa;
}

/* What VTL0 may do with the page of @pa. */
static inline uint32_t guest_access(const struct guest *g, uint64_t pa)
{
	return g->access[pa >> HEKI_PAGE_SHIFT];
}

/* A write by VTL0's processor: 0, or -1 when a page may not be written; then nothing was. */
int guest_store(struct guest *g, uint64_t pa, const void *from, size_t n);

/* Which VP the calling thread is; 0 at first. */
void guest_set_vp(uint32_t vp);
uint32_t guest_current_vp(void);

/* Forget counts, failures and hooks. */
void guest_clear(struct guest *g);
/* Add a hook. */
void guest_add_hook(struct guest *g, const struct guest_hook *hook);
/* Whether the calling thread holds a lock of the core's: a hook may make no call then. */
bool guest_locked(void);

/* Let the core cut long calls, and guest_call() continue them: 0, or what QUERY answers. */
int guest_continue(struct guest *g);

/* One entry: a long call may answer EAGAIN. */
int32_t guest_enter(struct guest *g, uint64_t id, uint64_t p0, uint64_t p1, uint64_t p2);

/**
 * guest_call() - one vtlcall on the calling thread's VP
 * @g:  the guest
 * @id: call id
 * @p0: rsi
 * @p1: rdx
 * @p2: r8
 *
 * Return: r8 as VTL0 reads it, a 32-bit int
 */
int32_t guest_call(struct guest *g, uint64_t id, uint64_t p0, uint64_t p1, uint64_t p2);

#endif /* HEKI_USER_GUEST_H */
