/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the parts of VALIDATE_MODULE share.
 */
#ifndef HEKI_CORE_VALIDATE_H
#define HEKI_CORE_VALIDATE_H

#include "expect.h"

/**
 * struct validation - a module that is being validated
 * @c:      the call
 * @module: its slot, state VALIDATING and busy, so that nobody else touches it
 * @token:  of that slot
 * @flags:  HEKI_MODULE_*
 * @ranges: as VTL0 sent them
 * @map:    its memory
 * @has_info: @info was sent
 * @info:   what VTL0 says of it
 * @elf:    its file
 * @expect: what it must look like
 */
struct validation {
	struct call *c;
	struct module *module;
	uint32_t token;
	uint32_t flags;
	struct range_list ranges;
	struct module_map map;
	bool has_info;
	struct heki_module_info info;
	struct elf elf;
	struct expect expect;
};

/**
 * map_build() - check the ranges of a module and find its memory and its description
 * @v: @c, @flags and @ranges are set
 *
 * Ranges of one memory type follow each other by virtual address in the order they were sent.
 *
 * Return: 0, -HEKI_E_MODULE_MEMORY_TYPE, NOT_ALIGNED, RANGE, VIRT_ADDRESS, DISCONTIGUOUS, OVERLAP,
 * PARAMETER, NO_MEMORY, COPY_FROM_VTL0
 */
int map_build(struct validation *v);

/* The memory type and offset of an address; false when it is not the module's. */
bool map_find(const struct module_map *map, uint64_t va, uint32_t *type, uint64_t *offset);

/**
 * map_claim() - own all memory of the module and set the access of each type
 * @v: @map and @module are set
 *
 * What was claimed before an error is left to the caller to release.
 *
 * Return: 0, -HEKI_E_OVERLAP, NO_MEMORY, HYPERCALL
 */
int map_claim(struct validation *v);

/**
 * signature_split() - find the signature that is appended to a module
 * @c:       the call
 * @file:    the whole file
 * @content: what is signed: @file without the signature; all of it when there is none
 * @cms:     the signature
 *
 * Return: 0, -HEKI_E_NO_SIGNATURE, -HEKI_E_SIGNATURE_FORMAT
 */
int signature_split(struct call *c, struct span file, struct span *content, struct span *cms);

/* Enter the module's patch sites; NO_MEMORY, PATCH_LIST. */
int module_patches_enter(struct validation *v);

/* Compare the list that VTL0 sent with the module's own jump table; PATCH_LIST, PATCH_FORMAT. */
int module_patches_check(struct validation *v);

/* Enter the sites that VTL0 lists of a module without a file, before end of boot. */
int module_patches_take(struct validation *v);

/* Enter exports, from the file's relocations; NO_MEMORY, SYMBOL... */
int module_exports_enter(struct validation *v);

/* Enter exports of a module without a file, from its memory. */
int module_exports_take(struct validation *v);

/* Enter what the module depends on; MODULE_SYMBOL when it has gone meanwhile, NO_MEMORY. */
int module_deps_enter(struct validation *v);

/* Forget what a module depends on. */
void module_deps_remove(struct heki_core *core, struct module *m);

#endif /* HEKI_CORE_VALIDATE_H */
