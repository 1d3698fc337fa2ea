/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * heki_hostile - a VTL0 that sends VTL1 what it should not, for tests only.
 *
 * All memory that is passed is this module's own, protected, or none: a reply that VTL1 writes where it
 * was told to must not damage the kernel that makes the test.
 */
#ifndef SELFTESTS_VM_HOSTILE_H
#define SELFTESTS_VM_HOSTILE_H

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/types.h>

#include "hostile_format.h"

#define HOSTILE_CPUS 2

/* Kernels with IPE warn of files of no kind that they know. */
#define HOSTILE_READING READING_X509_CERTIFICATE

/**
 * struct arena - memory that belongs to this module alone, in one piece
 * @bytes: where it is mapped, HOSTILE_RAM bytes
 * @pa:    its physical address
 */
struct arena {
	u8 *bytes;
	u64 pa;
};

/* Of an arena: chains, replies, patches; memory of modules; files. */
#define ARENA_PAGES 0x0u
#define ARENA_PAGES_END 0x40000u
#define ARENA_MEMORY 0x40000u
#define ARENA_FILES 0x140000u

/**
 * struct actor - who makes calls on a CPU
 * @cpu:    the CPU
 * @random: state of its random numbers
 * @own:    its memory
 * @page:   a page to build things in
 */
struct actor {
	unsigned int cpu;
	u64 random;
	struct arena own;
	void *page;
};

extern struct actor actors[HOSTILE_CPUS];
/* Memory that both use. */
extern struct arena shared;

struct call {
	u64 id;
	u64 p[3];
};

/* What is counted, see counts_show(). */
#define HOSTILE_COUNTS(X)                                                                          \
	X(entries) /* into VTL1 */                                                                 \
	X(calls) /* that came to an end */                                                         \
	X(accepted)                                                                                \
	X(refused)                                                                                 \
	X(left) /* in the middle, for good */                                                      \
	X(inputs) /* of the file of calls */                                                       \
	X(modules) /* that were validated in memory of this module */                              \
	X(registers) /* calls that changed a register */                                           \
	X(results) /* that are no errno of the table */                                            \
	X(stopped) /* writes that VTL1 stopped */                                                  \
	X(undefined) /* instructions, by control words that are not 0 */

enum hostile_count {
#define HOSTILE_COUNT(name) COUNT_##name,
	HOSTILE_COUNTS(HOSTILE_COUNT)
#undef HOSTILE_COUNT
	COUNTS
};

extern atomic64_t counts[COUNTS];

/* Nobody else has spoken to VTL1, and its boot phase does not end. */
extern bool boot_phase;

static inline void count(enum hostile_count which)
{
	atomic64_inc(&counts[which]);
}

/* --- hostile_call.c --- */

int call_init(void);
/* One entry: the result as VTL0 reads it. */
int call_enter(struct actor *a, const struct call *c);
/* Until it has ended, or for @entries when that is not 0. */
int call_make(struct actor *a, const struct call *c, u64 entries);
/* A VTL call with a control word that is not 0. */
void call_odd(u64 control);
/* Tokens that may be given back: this module's own, and what was named. */
void tokens_add(u32 token);
void tokens_drop(struct actor *a);
u64 tokens_any(struct actor *a);
bool tokens_spare(const char *list);

/* --- hostile_memory.c --- */

int memory_init(void);
/* Whether all of it is this module's again. */
bool memory_exit(void);
/* New memory, in place of some that VTL1 keeps for ever. */
int memory_renew(struct actor *a);
/* Like memcpy(); -EFAULT when VTL1 stops it. */
int memory_write(void *to, const void *from, size_t n);
int memory_clear(void *to, size_t n);
bool memory_places(const char *list);
/* Where memory begins that is not this kernel's; VTL1's is the first. */
u64 memory_place(unsigned int index);
/* What VTL1 protects for the kernel. */
int memory_sample(void);
/* Where the log's mirror was then. */
void memory_ring(u64 *pa, u64 *size);
u64 memory_protected(struct actor *a);
/* Any address that does no harm. */
u64 memory_any(struct actor *a);
struct arena *memory_arena(struct actor *a);

u64 random_next(struct actor *a);
u64 random_below(struct actor *a, u64 n);

/* --- hostile_random.c --- */

/* What calls are made with: the file of a signed module, a certificate. */
int random_files(const char *module, const char *cert);
void random_drop(void);
/* Put files into an actor's memory, and clear the rest. */
void random_begin(struct actor *a);
void random_call(struct actor *a);
/* A text patch, which is refused. */
void random_patch(struct actor *a);

/* --- hostile_capture.c --- */

/* Keep the next VALIDATE_MODULE of the client's. */
int capture_start(void);
void capture_stop(void);
void capture_drop(void);
bool capture_there(void);
void capture_send(struct actor *a);

/* --- hostile_replay.c --- */

int replay_load(const char *path);
void replay_drop(void);
unsigned int replay_inputs(void);
void replay_input(struct actor *a, unsigned int index);

/* --- hostile_log.c --- */

/* Where things stand, before the first call. */
int log_start(void);
/* Read all new records. */
int log_drain(void);
/* Bring calls that were left to their ends, then compare all counts; text into @text. */
int log_compare(char *text, size_t size);

#endif /* SELFTESTS_VM_HOSTILE_H */
