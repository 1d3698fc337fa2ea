/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module memory as the core itself expects it, so that validation goes all the way.
 */
#ifndef SELFTESTS_FUZZ_FILL_H
#define SELFTESTS_FUZZ_FILL_H

#include "validate.h"
#include "world.h"

/**
 * fill_expected() - write what the core expects of a module where VTL0 would have loaded it
 * @w:   the world
 * @c:   a call of it
 * @elf: the file, laid out
 * @map: its memory
 *
 * Sites that the core finds are checked to be in their sections.
 *
 * Return: whether the memory fits the file; only then anything was written
 */
bool fill_expected(struct world *w, struct call *c, struct elf *elf, const struct module_map *map);

/* Put a file and the signature of another, which a host that trusts all accepts, into @list. */
void fill_add_file(struct world *w, struct ranges *list, struct span file);

#endif /* SELFTESTS_FUZZ_FILL_H */
