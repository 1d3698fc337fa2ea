/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * VTL1's memory, its address space, and copies from and to VTL0.
 */
#ifndef VTL1_IMAGE_MEMORY_H
#define VTL1_IMAGE_MEMORY_H

#include "machine.h"

struct vp;

/**
 * memory_init() - make the address space: the image by its sections, free memory, nothing else
 * @m: the machine; must stay
 *
 * The tables are not loaded yet.
 *
 * Return: 0, or -1 without memory
 */
int memory_init(const struct machine *m);

/* The root of the address space, for CR3. */
struct pa memory_root(void);

/* The tables are loaded: all of VTL1's memory can be taken from now on. */
void memory_loaded(void);

/**
 * memory_take() - take memory, for ever
 * @pages: how many
 *
 * Return: zeroed memory, NULL when there is none
 */
void *memory_take(uint64_t pages);

/**
 * memory_stack() - take a stack, above a page that no access may reach
 * @pages: its size
 *
 * The page below is one once the tables are loaded anew.
 *
 * Return: its end, NULL without memory
 */
uint8_t *memory_stack(uint64_t pages);

/**
 * memory_rest() - take all memory that is left
 * @pages: how many
 *
 * Return: its start; with no particular contents
 */
uint8_t *memory_rest(uint64_t *pages);

/**
 * memory_window() - the window of a VP, through which it copies VTL0's memory
 * @index:  VP index
 * @window: its address
 *
 * Return: its page-table entry, NULL without memory
 */
uint64_t *memory_window(uint32_t index, uint8_t **window);

/**
 * copy_from_vtl0() - copy VTL0's memory in
 * @vp:   the VP that runs this
 * @to:   VTL1's memory
 * @from: VTL0's
 * @n:    bytes
 *
 * Return: 0; -1 when a byte is not VTL0's RAM or cannot be read
 */
int copy_from_vtl0(struct vp *vp, void *to, struct gpa from, size_t n);

/**
 * copy_to_vtl0() - copy to VTL0's memory, whatever VTL0 may do there
 * @vp:   the VP that runs this
 * @to:   VTL0's memory
 * @from: VTL1's
 * @n:    bytes
 *
 * Return: 0; -1 when a byte is not VTL0's RAM or cannot be written
 */
int copy_to_vtl0(struct vp *vp, struct gpa to, const void *from, size_t n);

/**
 * copy_bytes() - copy where an access may fault
 * @to:   to
 * @from: from
 * @n:    bytes
 *
 * Return: 0, or -1 after a fault; some bytes may be copied then
 */
int copy_bytes(void *to, const void *from, size_t n);

/* stubs.S: the instruction that may fault, and where it goes on then. */
extern const uint8_t copy_bytes_access[];
extern const uint8_t copy_bytes_fault[];

#endif /* VTL1_IMAGE_MEMORY_H */
