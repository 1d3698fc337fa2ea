/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share: small guests that are made once and put back before each run, a
 * reader of the input, calls with the checks that must hold after each.
 */
#ifndef SELFTESTS_FUZZ_WORLD_H
#define SELFTESTS_FUZZ_WORLD_H

#include "call.h"
#include "kimage.h"
#include "place.h"

#define WORLD_MODULES 2
#define WORLD_PENDING 4
#define WORLD_PAGES 24 /* nobody's */
#define WORLD_RAM (2ull << 20)
#define WORLD_LOCK 0x400u /* in the text of a kernel that is not booted: LOCK prefixes, taken out */
#define WORLD_LOCKS 4u
#define WORLD_VTL1 0x1c0000ull
#define WORLD_VTL1_BYTES 0x10000ull

/**
 * struct world - a guest and what it looked like at first
 * @g:      the guest
 * @booted: kernel, certificates and patch sites are loaded, end of boot is signalled
 * @early:  the same, but for the end of boot
 * @k:      its kernel
 * @m:      modules in its memory, not validated, the last range is HEKI_MOD_INFO; only when booted
 * @image:  kexec images in its memory, not validated; only when booted
 * @pages:  address of WORLD_PAGES pages that nobody owns
 * @first:  the guest's fields, memory, access and core as they were
 * @call:   the call that runs, 0: none
 * @entries: of each call, after which VTL0 leaves it; 0: none is left. Only when VTL1 cuts calls
 * @pending: calls that were left
 */
struct world_pending {
	uint64_t id;
	uint64_t p[3];
};

struct world {
	struct guest *g;
	bool booted;
	bool early;
	struct kernel k;
	struct placed m[WORLD_MODULES];
	struct image image[2];
	uint64_t pages;
	struct {
		struct guest g;
		uint8_t *ram;
		uint8_t *access;
		uint8_t *core;
	} first;
	uint64_t call;
	unsigned int entries;
	struct world_pending pending[WORLD_PENDING];
};

/* The world of this kind, as it was at first. Signatures are really verified. */
struct world *world_get(enum heki_grade grade, bool booted);

/* A booted world before the end of boot, when VTL0 is believed in more. */
struct world *world_get_early(enum heki_grade grade);

/* From here on every signature verifies: what is behind the check has to hold by itself. */
void world_trust_all(struct world *w);

struct input;

/* The kernel is known from here on, as the input has it. */
void world_know(struct world *w, struct input *in);

/**
 * world_call() - one vtlcall, with the checks of vtlcall() and world_check()
 *
 * A call that fails must have changed nothing.
 *
 * Return: a value >= 0, or minus a named error
 */
int world_call(struct world *w, uint64_t id, uint64_t p0, uint64_t p1, uint64_t p2);

/* Told of each call before it is made; NULL: nobody is. */
extern void (*world_tell)(const struct world *w, uint64_t id, const uint64_t *p);

/* From here on VTL1 cuts its calls, and VTL0 continues them. */
void world_continue(struct world *w);
/* Go on with a call that was left, for @entries at most. */
void world_resume(struct world *w, unsigned int which, unsigned int entries);
/* Leave all calls for good: the entries of others must bring them to their ends. */
void world_abandon(struct world *w);

/**
 * world_patch() - one PATCH_TEXT
 * @w:     the world
 * @at:    where VTL0 puts the structure: a page that holds no text
 * @patch: the structure
 *
 * When it succeeds, exactly its bytes must stand where it says, otherwise nothing may have changed:
 * on its two pages and in the kernel's text.
 *
 * Return: as world_call()
 */
int world_patch(struct world *w, uint64_t at, const struct heki_patch *patch);

#define WORLD_BATCH 8

/* The same for one PATCH_TEXT_BATCH, of WORLD_BATCH patches at most if it is to be accepted. */
int world_patch_batch(struct world *w, uint64_t at, const struct heki_patch_batch *batch);

/* world_call() with ranges. */
int world_ranges(struct world *w, uint64_t id, const struct ranges *list, uint64_t p2);

/*
 * Tables agree with each other and with VTL0's permissions; VTL1's memory is untouched; of a
 * booted guest the kernel's text stays what it was but for legal patches.
 */
void world_check(struct world *w);

/* A call for functions that take one, and its end. */
struct call world_begin(struct world *w);
void world_end(struct world *w, struct call *c);

/* Whether @inner lies in @outer. */
bool span_inside(struct span inner, struct span outer);

/* The input of a run; zeros behind its end. */
struct input {
	const uint8_t *p;
	size_t n;
};

uint8_t input_u8(struct input *in);
uint16_t input_u16(struct input *in);
uint64_t input_u64(struct input *in);
/* At most @n bytes. */
struct span input_bytes(struct input *in, size_t n);

/* Write a seed of this target when seeds are asked for. */
void seed(const char *name, const void *bytes, size_t n);

/* Of each target: write its seeds. */
void target_seeds(void);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* SELFTESTS_FUZZ_WORLD_H */
