/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels that the client is built for.
 */
#ifndef HEKI_CLIENT_COMPAT_H
#define HEKI_CLIENT_COMPAT_H

#include <linux/elf.h>
#include <linux/module.h>
#include <linux/version.h>

#include <heki/data.h>

/* A run of a module's memory; size 0 when there is none of its type. */
struct compat_memory {
	void *base;
	size_t size;
};

/**
 * compat_module_memory() - where the parts of a module lie
 * @mod: the module
 * @mem: by enum heki_module_memory_type; page-aligned starts
 */
void compat_module_memory(const struct module *mod, struct compat_memory mem[HEKI_MOD_MEM_TYPES]);

/**
 * struct compat_load_info - beginning of the module loader's struct load_info
 * @name: not set yet at the entry of load_module()
 * @mod:  the same
 * @hdr:  the whole file, uncompressed, with its signature
 * @len:  its size
 *
 * Private to the kernel's loader; these fields have been the same since 6.0.
 */
struct compat_load_info {
	const char *name;
	struct module *mod;
	Elf_Ehdr *hdr;
	unsigned long len;
};

/* A tracepoint's string field: its source was named twice up to 6.9. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define compat_assign_str(field, source) __assign_str(field)
#else
#define compat_assign_str(field, source) __assign_str(field, source)
#endif

#endif /* HEKI_CLIENT_COMPAT_H */
