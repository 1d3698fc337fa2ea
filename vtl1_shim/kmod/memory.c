// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest physical memory, as the kernel that is both VTL0 and the host sees it: read through its
 * direct map, written through windows.
 *
 * Trust: none of this keeps VTL0 out. The checks are those that a VTL1 with memory of its own makes,
 * so that a verdict is the same here and there. Locks: none; any context but NMI.
 */
#include "shim.h"

#include <linux/mm.h>
#include <linux/uaccess.h>

#define READ_EACH(type, to, from, n, missing)                                                      \
	for (; (n) >= sizeof(type); (n) -= sizeof(type)) {                                         \
		__get_kernel_nofault(to, from, type, missing);                                     \
		(to) += sizeof(type);                                                              \
		(from) += sizeof(type);                                                            \
	}

/*
 * A page can be missing from the direct map, memory or not. What the kernel's function does, for
 * less than it costs; page faults need not be disabled for an address of the kernel's.
 */
static __always_inline int read_few(u8 *to, const u8 *from, size_t n)
{
	READ_EACH(u64, to, from, n, missing);
	READ_EACH(u32, to, from, n, missing);
	READ_EACH(u8, to, from, n, missing);
	return 0;
missing:
	return -1;
}

/* A patch, or the bytes of a site, where nearly all of them are: the way of text patches. */
static __always_inline bool is_usual(u64 pa, size_t n)
{
	return n - 1 < 32 && offset_in_page(pa) + n <= PAGE_SIZE &&
	       shim_page_is_usual(pa >> PAGE_SHIFT);
}

static noinline int read_any(struct gpa pa, void *to, size_t n)
{
	if (!shim_is_ram(NULL, pa, n))
		return -1;
	return copy_from_kernel_nofault(to, __va(pa.v), n) ? -1 : 0;
}

int shim_read(void *host, struct gpa pa, void *to, size_t n)
{
	if (is_usual(pa.v, n))
		return read_few(to, __va(pa.v), n);
	return read_any(pa, to, n);
}

/* What is missing from the direct map is not to be touched through a window either. */
static __always_inline bool is_mapped(u64 pa)
{
	u8 probe;

	return !read_few(&probe, __va(pa), sizeof(probe));
}

static bool all_mapped(u64 pa, size_t n)
{
	u64 end = pa + n;

	for (; pa < end; pa = (pa & PAGE_MASK) + PAGE_SIZE)
		if (!is_mapped(pa))
			return false;
	return true;
}

static noinline int write_any(struct gpa pa, const u8 *from, size_t n)
{
	size_t part;

	if (!shim_is_ram(NULL, pa, n) || !all_mapped(pa.v, n))
		return -1;
	for (; n; n -= part, from += part, pa.v += part) {
		part = min_t(size_t, n, PAGE_SIZE - offset_in_page(pa.v));
		shim_window_write(pa.v >> PAGE_SHIFT, offset_in_page(pa.v), from, part);
	}
	return 0;
}

int shim_write(void *host, struct gpa pa, const void *from, size_t n)
{
	if (!is_usual(pa.v, n))
		return write_any(pa, from, n);
	if (!is_mapped(pa.v))
		return -1;
	return shim_window_write(pa.v >> PAGE_SHIFT, offset_in_page(pa.v), from, n);
}

/* Nothing is protected here, and so nothing has to be taken from RAM. */
bool shim_ram_range(void *host, uint32_t i, struct gpa *start, uint64_t *n)
{
	return false;
}

bool shim_splits_exec(void *host)
{
	return false;
}

/*
 * Audit: the core's ledger records what VTL0 may do, and AUDIT compares contents with it. Nothing
 * can be enforced against the kernel that this host is a part of.
 */
int shim_protect(void *host, struct gpa pa, uint64_t pages, uint32_t attributes)
{
	return shim_is_ram(host, pa, pages << PAGE_SHIFT) ? 0 : -1;
}
