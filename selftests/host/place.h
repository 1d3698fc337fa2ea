/* SPDX-License-Identifier: GPL-2.0-only */
/* A module in a guest's memory, and what VTL0 sends of it. */
#ifndef SELFTESTS_HOST_PLACE_H
#define SELFTESTS_HOST_PLACE_H

#include "loader.h"
#include "vtl0.h"

/**
 * struct placed - a loaded module
 * @g:      its guest
 * @l:      the loader's view of it; its bytes are what was placed
 * @pa:     by memory type, addresses of the pages, which are scattered
 * @ranges: what VALIDATE_MODULE sends: memory types in order, then the file, then the patch list
 * @list:   the patch list
 * @file:   the file; @elf_pa where it is
 * @elf:    index of the file's range
 * @patch:  index of the patch list's range, when there are patches
 */
struct placed {
	struct guest *g;
	struct loader l;
	uint64_t *pa[LOADER_TYPES];
	struct ranges ranges;
	struct patches list;
	struct file file;
	uint64_t elf_pa;
	size_t elf;
	size_t patch;
};

/* Of functions of the kernel that are not exported. */
#define A_FUNCTION (KERNEL_VA + 0x40)
#define FTRACE_CALLER (KERNEL_VA + 0x80)
#define SRSO_RETURN_THUNK (KERNEL_VA + 0xc0)

/* Load a file as the kernel would; symbols come from what the core knows and from the kernel. */
void place_file(struct guest *g, struct placed *m, const struct file *f, unsigned int profile,
		uint64_t base);
/* The same by a kernel of which all is known. */
void place_exact(struct guest *g, struct placed *m, const struct file *f, unsigned int profile,
		 const struct heki_snapshot *exact, const uint64_t *pv_ops);
/* place_file() with a file of build/testdata. */
void place(struct guest *g, struct placed *m, const char *name);
void unplace(struct placed *m);

/* VALIDATE_MODULE: token or error. */
int validate(struct placed *m);
/* validate() must fail and change nothing. */
int validate_refused(struct placed *m);

/* Address of a byte of a memory type, and the byte. */
uint64_t placed_pa(const struct placed *m, uint32_t type, uint64_t offset);
uint8_t *placed_at(struct placed *m, uint32_t type, uint64_t offset);
/* Physical address of a virtual one. */
uint64_t placed_va_pa(const struct placed *m, uint64_t va);
/* Whether the memory of this type holds what the loader put there. */
bool placed_intact(struct placed *m, uint32_t type);

/* The first range of a type; the test fails when there is none. */
struct heki_range *first_of(struct placed *m, uint64_t type);
/* Leave a range out. */
void drop_range(struct placed *m, struct heki_range *r);

/* Leave the init memory's ranges out. */
void drop_init_ranges(struct placed *m);
/* Add what VTL0 says of a module that has no file. */
void place_info(struct placed *m, const char *name);

int unload(struct guest *g, int token);
int free_init(struct guest *g, int token);

#endif /* SELFTESTS_HOST_PLACE_H */
