/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What single text patches and batches of them share.
 */
#ifndef HEKI_CLIENT_TEXT_PATCH_H
#define HEKI_CLIENT_TEXT_PATCH_H

#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "hooks.h"

/* The kernel's two: one copies, the other fills with an int. */
typedef void poke_writer(void *to, const void *from, size_t n);

/* The kernel's own text. */
extern unsigned long client_text_start, client_text_end;

static inline bool text_is_kernel(unsigned long address, size_t n)
{
	return address >= client_text_start && address < client_text_end &&
	       n <= client_text_end - address;
}

static __always_inline u64 text_pa(unsigned long address, bool kernel)
{
	if (kernel)
		return __pa_symbol(address);
	return ((u64)vmalloc_to_pfn((void *)address) << PAGE_SHIFT) | offset_in_page(address);
}

/* Set all of a patch but its code. @kernel: it is of the kernel's own text, else of a module's. */
static __always_inline void text_patch_address(struct heki_patch *patch, unsigned long address,
					       size_t n, bool kernel)
{
	unsigned long last = address + n - 1;

	patch->pa[0] = text_pa(address, kernel);
	patch->pa[1] = 0;
	if (unlikely((address ^ last) & PAGE_MASK))
		patch->pa[1] = text_pa(last & PAGE_MASK, kernel);
	patch->size = n;
}

/* At most HEKI_POKE_MAX bytes: a call would cost more than it does. */
static __always_inline bool text_is(unsigned long address, const u8 *code, size_t n)
{
	const u8 *there = (const u8 *)address;

	while (n--)
		if (READ_ONCE(there[n]) != code[n])
			return false;
	return true;
}

/* text_batch.c */
int client_batch_init(void);
void client_batch_exit(void);


/* What the kernel patches together. */
extern const struct compat_poke_batch *client_patching;

/**
 * client_batch_poke() - have VTL1 write all pokes of a step at the first of them
 * @writer:  of this poke
 * @address: first byte
 * @from:    what @writer takes
 * @n:       bytes, > 0
 *
 * Under text_mutex, as every poke.
 *
 * Return: whether this poke is done: it was in a batch that VTL1 has written
 */
bool client_batch_poke(poke_writer *writer, unsigned long address, const void *from, size_t n);

/* One site is most of what is patched, and no batch. */
static inline bool client_batch_possible(void)
{
	return client_patching->nr > 1;
}

#endif /* HEKI_CLIENT_TEXT_PATCH_H */
