/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels that the client is built for.
 */
#ifndef HEKI_CLIENT_COMPAT_H
#define HEKI_CLIENT_COMPAT_H

#include <linux/elf.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/version.h>

#include <heki/data.h>

/*
 * Functions of the kernel are taken over by name, so no compiler sees that one of them has other
 * arguments in a later kernel. On PREEMPT_RT, locks that are taken while text is patched sleep.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error "heki_client is for Linux 6.1 to 6.12"
#endif
#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error "heki_client redirects functions by DYNAMIC_FTRACE_WITH_ARGS"
#endif
#ifdef CONFIG_PREEMPT_RT
#error "heki_client is not for kernels with PREEMPT_RT"
#endif

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

/**
 * struct compat_smp_locks - the LOCK prefixes of the kernel or of a module
 * @mod:       the module, NULL: the kernel
 * @name:      for messages
 * @locks:     offsets from the entry itself, 0: none
 * @locks_end: end of them
 * @text:      where the prefixes that change lie
 * @text_end:  end of that
 * @next:      in the kernel's list smp_alt_modules, under text_mutex
 *
 * The kernel's struct smp_alt_module, private to it; the same since 2.6.18.
 */
struct compat_smp_locks {
	struct module *mod;
	char *name;
	const s32 *locks;
	const s32 *locks_end;
	u8 *text;
	u8 *text_end;
	struct list_head next;
};

/**
 * struct compat_poke - a site of the kernel's batch patching
 * @offset: of its first byte, from _stext
 * @disp:   for the emulation
 * @len:    bytes; 6 for a conditional jump, of which @text holds the last five
 * @opcode: for the emulation
 * @text:   what is to stand there
 * @old:    the first byte that stood there
 *
 * The kernel's struct text_poke_loc, private to it; the same since 6.0.
 */
struct compat_poke {
	s32 offset;
	s32 disp;
	u8 len;
	u8 opcode;
	u8 text[HEKI_POKE_MAX];
	u8 old;
};
static_assert(sizeof(struct compat_poke) == 16);

/**
 * struct compat_poke_batch - what the kernel is patching, under text_mutex
 * @vec:  the sites
 * @nr:   number of them
 * @refs: not 0 while they are being patched
 *
 * The kernel's struct bp_patching_desc, private to it; bp_desc is one since 6.0.
 */
struct compat_poke_batch {
	const struct compat_poke *vec;
	int nr;
	atomic_t refs;
};

/* Those of a snapshot's flags whose features later kernels have only. */
u64 compat_snapshot_flags(void);

/* The setter of where a traced function goes on was renamed in 6.12. */
#ifndef ftrace_regs_set_instruction_pointer
#define compat_set_ip(fregs, ip) ftrace_instruction_pointer_set(fregs, ip)
#else
#define compat_set_ip(fregs, ip) ftrace_regs_set_instruction_pointer(fregs, ip)
#endif

/* A tracepoint's string field: its source was named twice up to 6.9. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define compat_assign_str(field, source) __assign_str(field)
#else
#define compat_assign_str(field, source) __assign_str(field, source)
#endif

#endif /* HEKI_CLIENT_COMPAT_H */
