/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VTL0 as the host tests play it: a small kernel in guest memory, and builders for what it sends.
 */
#ifndef SELFTESTS_HOST_VTL0_H
#define SELFTESTS_HOST_VTL0_H

#include "core.h"
#include "guest.h"
#include "test.h"

/* Where things are in every test's guest. */
#define RAM_BYTES (96ull << 20)
#define HOLE_PA 0xa0000ull
#define HOLE_BYTES 0x60000ull
#define VTL1_PA (80ull << 20)
#define VTL1_BYTES (1ull << 20)
#define SCRATCH_PA (RAM_BYTES - HEKI_PAGE_SIZE) /* of patch_text() and patch_batch() */

#define DIRECT_MAP 0xffff888000000000ull
#define KERNEL_VA 0xffffffff81000000ull
#define MODULES_VA 0xffffffffc0000000ull

/* A guest with hole and VTL1's memory; ended by vtl0_end(), which checks what must always hold. */
struct guest *vtl0_start(enum heki_grade grade);
struct guest *vtl0_start_limits(enum heki_grade grade, const struct heki_limits *limits);
void vtl0_end(struct guest *g);
/* Budgets that are ample for the tests and small to scan. */
extern const struct heki_limits test_limits;

/**
 * vtlcall() - one vtlcall, with the checks that hold for each
 *
 * A refusal must be counted, be in the log with this call's id, error and VP, and have the errno
 * of its name; locks dropped, scratch memory given back, VTL1's memory untouched.
 *
 * Return: a value >= 0, or minus enum heki_error
 */
int vtlcall(struct guest *g, uint64_t id, uint64_t p0, uint64_t p1, uint64_t p2);
/* The newest record of VTL1's log. */
const struct heki_log_record *last_log(struct guest *g);

/* --- ranges --- */

struct ranges {
	struct heki_range *r;
	size_t n;
	size_t room;
};

void add_range(struct ranges *list, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t attributes);
void drop_ranges(struct ranges *list);
/* Write the chain of pages to guest memory; address of the first. */
uint64_t put_ranges(struct guest *g, const struct ranges *list);
/* put_ranges() and the call. */
int call_ranges(struct guest *g, uint64_t id, const struct ranges *list, uint64_t p2);
/* A call with one range. */
int call_range(struct guest *g, uint64_t id, uint64_t pa, uint64_t bytes, uint64_t attributes);
/* Put bytes into fresh pages, as if from the direct map; address. */
uint64_t put_bytes(struct guest *g, const void *bytes, size_t n);
/* put_bytes() and a call with one range of exactly these bytes. */
int call_bytes(struct guest *g, uint64_t id, const void *bytes, size_t n, uint64_t attributes);

/* --- patches --- */

struct patches {
	uint8_t *bytes;
	size_t n;
	size_t header; /* offset of the current header */
};

void add_patch_header(struct patches *p, uint32_t type);
/* The code's page split follows from pa; @next is the second page, used when it straddles. */
void add_patch(struct patches *p, uint64_t pa, uint64_t next, const uint8_t *code, uint8_t size);
struct heki_patch make_patch(uint64_t pa, uint64_t next, const uint8_t *code, uint8_t size);
void drop_patches(struct patches *p);
/* PATCH_TEXT with these bytes. */
int patch_text(struct guest *g, uint64_t pa, uint64_t next, const uint8_t *code, uint8_t size);
/* PATCH_TEXT_BATCH with these patches. */
int patch_batch(struct guest *g, const struct heki_patch *patches, uint32_t n);
/* The jump of 5 or 2 bytes from @va to @target. */
void make_jump(uint64_t va, uint64_t target, uint8_t size, uint8_t *code);
extern const uint8_t nop2[2], nop5[5];

/* --- files --- */

struct file {
	uint8_t *p;
	size_t n;
};

/* A file of build/testdata; the test fails when it is not there. */
struct file load_file(const char *name);
/* Any file; p = NULL when it is not there. */
struct file load_path(const char *path);
void drop_file(struct file *f);

/* --- the kernel --- */

#define KERNEL_TEXT_PAGES 8 /* or more, when exports need it */
#define KERNEL_RODATA_PAGES 16

/**
 * struct kernel - a small kernel: text, rodata with symbol tables, patch sites
 * @text:   physical address of its text, @text_pages; mapped at KERNEL_VA
 * @rodata: physical address; mapped at @rodata_va
 * @strings: where the next name goes, offset in rodata
 * @plain, @gpl: symbols of each table
 * @info:   what KERNEL_INFO says
 * @sites:  the patch buffer of PATCH_INFO
 */
struct kernel {
	uint64_t text;
	uint32_t text_pages;
	uint64_t rodata;
	uint64_t rodata_va;
	uint32_t rodata_pages;
	uint32_t strings;
	uint32_t plain;
	uint32_t gpl;
	struct heki_kernel_info info;
	struct patches sites;
};

/* Symbols by number; each gets KERNEL_VA + value for its value. */
struct export {
	const char *name;
	uint64_t value;
	bool gpl;
};

/* Lay out the kernel in guest memory with these exports (NULL: a few of its own). */
void kernel_make(struct guest *g, struct kernel *k, const struct export *exports, size_t count);
/* Ranges of LOAD_KDATA for the symbols. */
void kernel_symbol_ranges(struct guest *g, const struct kernel *k, struct ranges *list);
/* PROTECT_MEMORY of text (R+X) and rodata (R), both immutable. */
int kernel_protect(struct guest *g, const struct kernel *k);
/* A patch site of @size bytes at this offset of the text; writes its NOP there. */
void kernel_site(struct guest *g, struct kernel *k, uint32_t offset, uint8_t size);
/* LOAD_KDATA of the given certificate file, symbols and sites, then kernel_protect(). */
void kernel_load(struct guest *g, struct kernel *k, const char *certificates);
void kernel_load_bytes(struct guest *g, struct kernel *k, const struct file *certificates);
/* With a few sites: kernel_load(), LOCK_REGS on two VPs. */
void kernel_start(struct guest *g, struct kernel *k);
/* kernel_make() with few exports, kernel_start(), end of boot. */
void kernel_boot(struct guest *g, struct kernel *k);
void kernel_drop(struct kernel *k);

/* --- snapshots --- */

struct snapshot;

/* All that calls may change: VTL1's tables, VTL0's permissions. */
struct snapshot *snapshot_take(struct guest *g);
/* Fails the test when the state is not the same now; frees it. */
void snapshot_check(struct guest *g, struct snapshot *s);
void snapshot_drop(struct snapshot *s);
/* Fails the test when the tables contradict each other. */
void tables_check(struct guest *g);

#endif /* SELFTESTS_HOST_VTL0_H */
