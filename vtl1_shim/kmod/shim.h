/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the kernel-module host share.
 *
 * host.h comes first: it declares memcpy() and its kin, which the kernel's headers turn into
 * macros later.
 */
#ifndef HEKI_KMOD_SHIM_H
#define HEKI_KMOD_SHIM_H

#include "host.h"

#include <linux/mm.h>
#include <linux/types.h>

#undef pr_fmt
#define pr_fmt(fmt) "vtl1_shim: " fmt

/* ram.c */
int shim_ram_init(void);
void shim_ram_exit(void);
bool shim_is_ram(void *host, struct gpa pa, uint64_t n);
bool shim_is_kexec_target(void *host, struct gpa pa, uint64_t n);
void *shim_alloc(void *host, size_t n);
void shim_free(void *host, void *p, size_t n);

/* The longest range of memory, in page frames: the answer to nearly every question. */
struct shim_ram {
	unsigned long start;
	unsigned long pages;
};
extern struct shim_ram shim_ram;

/*
 * Memory of the core carries the address of this in page->private. The pages are ours, so nobody
 * else uses the field; for VTL0 they are as good as not there.
 */
extern const char shim_mark;

/* Whether a page is memory at all. */
bool shim_page_is_memory(unsigned long pfn);

/* Whether it is in the longest range and VTL0's. Cheap; false says nothing. */
static inline bool shim_page_is_usual(unsigned long pfn)
{
	return pfn - shim_ram.start < READ_ONCE(shim_ram.pages) &&
	       page_private(pfn_to_page(pfn)) != (unsigned long)&shim_mark;
}

/* Whether it is memory of VTL0's. */
static inline bool shim_page_is_guest(unsigned long pfn)
{
	return shim_page_is_usual(pfn) ||
	       (shim_page_is_memory(pfn) &&
		page_private(pfn_to_page(pfn)) != (unsigned long)&shim_mark);
}

/* window.c */
int shim_window_init(void);
void shim_window_exit(void);
/* Write @n bytes at @offset of a page of memory, not beyond its end; 0. Any context but NMI. */
int shim_window_write(unsigned long pfn, size_t offset, const void *from, size_t n);

/* memory.c */
int shim_read(void *host, struct gpa pa, void *to, size_t n);
int shim_write(void *host, struct gpa pa, const void *from, size_t n);
bool shim_ram_range(void *host, uint32_t i, struct gpa *start, uint64_t *n);
bool shim_splits_exec(void *host);
int shim_protect(void *host, struct gpa pa, uint64_t pages, uint32_t attributes);

/* crypto.c */
int shim_crypto_init(void);
void shim_crypto_exit(void);
int shim_hash_begin(void *host, enum heki_hash algorithm, struct heki_hash_state *state);
int shim_hash_update(void *host, struct heki_hash_state *state, const void *bytes, size_t n);
int shim_hash_end(void *host, struct heki_hash_state *state, uint8_t *digest);
int shim_hash_copy(void *host, struct heki_hash_state *to, const struct heki_hash_state *from);
int shim_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		struct span sig);
int shim_cert_check(void *host, struct span cert);

/* cpu.c */
int shim_cpu_init(void);
void shim_cpu_exit(void);
void shim_lock(void *host, enum heki_lock lock);
void shim_unlock(void *host, enum heki_lock lock);
uint64_t shim_time_ns(void *host);
int shim_vp_enable(void *host, uint32_t cpu);
int shim_vp_up(void *host, uint32_t cpu);
bool shim_vp_restarted(void *host, uint32_t vp);
int shim_read_regs(void *host, struct heki_vp_regs *regs);
int shim_pin_regs(void *host);

/* fiber.c */
int shim_fiber_init(struct heki_core *core, u32 count);
void shim_fiber_exit(void);
void shim_fiber_start(void *host, uint32_t fiber);
bool shim_fiber_resume(void *host, uint32_t fiber);
void shim_fiber_suspend(void *host, uint32_t fiber);
uint32_t shim_vp(void *host);

#endif /* HEKI_KMOD_SHIM_H */
