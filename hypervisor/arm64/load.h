/* SPDX-License-Identifier: GPL-2.0-only */
/* Putting a guest's file where it runs. */
#ifndef HV_LOAD_H
#define HV_LOAD_H

#include "config.h"
#include "memory.h"

/* Why a guest is not loaded: a code to end with, and what to say. */
struct load_error {
	uint32_t code; /* 0: it is loaded */
	const char *text;
};

struct load_result {
	uint64_t entry;
	uint64_t start; /* of what the guest's file fills or clears */
	uint64_t end;
};

/**
 * guest_load() - check a guest's file and place it
 * @c: what is to be loaded, and where
 * @ram: the machine's memory
 * @room: what physical address 0 is for the hypervisor, NULL; elsewhere than in the machine, memory
 *	that stands for it
 * @r: filled in
 *
 * Nothing is written unless all of the guest lies in its memory and on nothing else.
 *
 * Return: what is wrong.
 */
struct load_error guest_load(const struct guest_config *c, const struct memory_map *ram,
			     uint8_t *room, struct load_result *r);

#endif /* HV_LOAD_H */
