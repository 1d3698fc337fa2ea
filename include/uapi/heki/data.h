/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Structures and enumerations that VTL0 passes to VTL1, little-endian, 4 KiB pages.
 */
#ifndef _UAPI_HEKI_DATA_H
#define _UAPI_HEKI_DATA_H

#include "types.h"

/**
 * struct heki_range - a run of guest memory
 * @va:  virtual address in VTL0, canonical
 * @pa:  guest physical address
 * @epa: end, exclusive, >= @pa
 * @attributes: by call: memory attributes, or a kdata, module memory or kexec type
 */
struct heki_range {
	uint64_t va;
	uint64_t pa;
	uint64_t epa;
	uint64_t attributes;
} __attribute__((packed));
HEKI_ASSERT_SIZE(struct heki_range, 32);
HEKI_ASSERT_OFFSET(struct heki_range, va, 0);
HEKI_ASSERT_OFFSET(struct heki_range, pa, 8);
HEKI_ASSERT_OFFSET(struct heki_range, epa, 16);
HEKI_ASSERT_OFFSET(struct heki_range, attributes, 24);

#define HEKI_MAX_RANGES 127

/**
 * struct heki_page - one page of ranges
 * @next:    VTL0's own pointer, never followed by VTL1
 * @next_pa: physical address of the next page, 0 at the end
 * @nranges: ranges in this page, 1 .. HEKI_MAX_RANGES
 * @ranges:  the ranges
 * @padding: 0
 */
struct heki_page {
	uint64_t next;
	uint64_t next_pa;
	uint64_t nranges;
	struct heki_range ranges[HEKI_MAX_RANGES];
	uint64_t padding;
};
HEKI_ASSERT_SIZE(struct heki_page, 4096);
HEKI_ASSERT_OFFSET(struct heki_page, next_pa, 8);
HEKI_ASSERT_OFFSET(struct heki_page, nranges, 16);
HEKI_ASSERT_OFFSET(struct heki_page, ranges, 24);
HEKI_ASSERT(HEKI_MAX_RANGES == (HEKI_PAGE_SIZE - 24) / sizeof(struct heki_range));

/* Memory attributes. */
#define HEKI_ATTR_READ 1u
#define HEKI_ATTR_WRITE 2u
#define HEKI_ATTR_EXEC 4u
#define HEKI_ATTR_IMMUTABLE 8u
#define HEKI_ATTR_ALL 15u

enum heki_kdata_type {
	HEKI_KDATA_SYSTEM_CERTS = 0,
	HEKI_KDATA_REVOCATION_CERTS = 1,
	HEKI_KDATA_BLOCKLIST_HASHES = 2,
	HEKI_KDATA_KERNEL_INFO = 3,
	HEKI_KDATA_KERNEL_DATA = 4,
	HEKI_KDATA_PATCH_INFO = 5,
	HEKI_KDATA_KEXEC_TRAMPOLINE = 6,
	HEKI_KDATA_KEXEC_CERTS = 0x100, /* ours: trust anchors for kexec, DER */
	HEKI_KDATA_SNAPSHOT = 0x101, /* ours: one struct heki_snapshot */
	HEKI_KDATA_FUNCTIONS = 0x102, /* ours: struct heki_functions and its offsets */
	HEKI_KDATA_TRACERS = 0x103, /* ours: uint64_t addresses that mcount sites may call */
	HEKI_KDATA_PV_OPS = 0x104 /* ours: uint64_t values of the kernel's pv_ops, in their order */
};
#define HEKI_KDATA_UNKNOWN 0xffffffffffffffffull

enum heki_module_memory_type {
	HEKI_MOD_TEXT = 0,
	HEKI_MOD_DATA = 1,
	HEKI_MOD_RODATA = 2,
	HEKI_MOD_RO_AFTER_INIT = 3,
	HEKI_MOD_INIT_TEXT = 4,
	HEKI_MOD_INIT_DATA = 5,
	HEKI_MOD_INIT_RODATA = 6,
	HEKI_MOD_ELF_BUFFER = 7,
	HEKI_MOD_PATCH = 8,
	HEKI_MOD_INFO = 0x100 /* ours: one struct heki_module_info */
};
#define HEKI_MOD_MEM_TYPES 7 /* TEXT .. INIT_RODATA */
#define HEKI_MOD_UNKNOWN 0xffffffffffffffffull

/*
 * PAGES ranges of a normal image are the pages that its segments wait in, in the order of the
 * segments and page by page, before any others; those of a crash image are its segments' own pages.
 */
enum heki_kexec_type {
	HEKI_KEXEC_IMAGE = 0,
	HEKI_KEXEC_KERNEL_BLOB = 1,
	HEKI_KEXEC_PAGES = 2,
	HEKI_KEXEC_SEGMENTS = 0x100 /* ours: an array of struct heki_kexec_segment */
};
#define HEKI_KEXEC_UNKNOWN 0xffffffffffffffffull

#define HEKI_POKE_MAX 5

/**
 * struct heki_patch - a text patch
 * @pa:      physical address of the first byte; start of the second page, or 0
 * @size:    bytes, 1 .. HEKI_POKE_MAX
 * @code:    the bytes
 * @padding: 0
 */
struct heki_patch {
	uint64_t pa[2];
	uint8_t size;
	uint8_t code[HEKI_POKE_MAX];
	uint8_t padding[2];
};
HEKI_ASSERT_SIZE(struct heki_patch, 24);
HEKI_ASSERT_OFFSET(struct heki_patch, size, 16);
HEKI_ASSERT_OFFSET(struct heki_patch, code, 17);

#define HEKI_PATCH_BATCH_MAX 170

/**
 * struct heki_patch_batch - one page of text patches: a step of the kernel's batch patching
 * @count:   patches, 1 .. HEKI_PATCH_BATCH_MAX
 * @padding: 0
 * @patches: the patches, in the order in which they are written; each site comes once
 */
struct heki_patch_batch {
	uint32_t count;
	uint32_t padding[3];
	struct heki_patch patches[HEKI_PATCH_BATCH_MAX];
};
HEKI_ASSERT_SIZE(struct heki_patch_batch, 4096);
HEKI_ASSERT_OFFSET(struct heki_patch_batch, patches, 16);
HEKI_ASSERT(HEKI_PATCH_BATCH_MAX == (HEKI_PAGE_SIZE - 16) / sizeof(struct heki_patch));

enum heki_patch_type {
	HEKI_PATCH_JUMP_LABEL = 0, /* code is the jump; the NOP of that size is implied */
	HEKI_PATCH_STATIC_CALL = 0x100, /* ours: code is what stands there, or will after boot */
	HEKI_PATCH_MCOUNT = 0x101, /* ours: code is what stands there */
	HEKI_PATCH_TRACER_CALL = 0x102, /* ours: where a tracer's trampoline calls the tracer */
	HEKI_PATCH_SMP_LOCK = 0x103 /* ours: one byte, a LOCK prefix or a DS prefix in its place */
};
#define HEKI_PATCH_UNKNOWN 0xffffffffu

/**
 * struct heki_patch_info - header in front of @patch_index patches
 * @type:            enum heki_patch_type
 * @padding:         0
 * @list:            VTL0's own
 * @mod:             VTL0's own
 * @patch_index:     patches that follow, 1 .. @max_patch_count
 * @max_patch_count: room that VTL0 made
 */
struct heki_patch_info {
	uint32_t type;
	uint32_t padding;
	uint64_t list[2];
	uint64_t mod;
	uint64_t patch_index;
	uint64_t max_patch_count;
};
HEKI_ASSERT_SIZE(struct heki_patch_info, 48);
HEKI_ASSERT_OFFSET(struct heki_patch_info, list, 8);
HEKI_ASSERT_OFFSET(struct heki_patch_info, mod, 24);
HEKI_ASSERT_OFFSET(struct heki_patch_info, patch_index, 32);
HEKI_ASSERT_OFFSET(struct heki_patch_info, max_patch_count, 40);

/**
 * struct heki_kernel_info - where the kernel's symbol tables lie
 * @ksymtab_start:     first plain export
 * @ksymtab_end:       end of them, exclusive
 * @ksymtab_gpl_start: first GPL export
 * @ksymtab_gpl_end:   end of them, exclusive
 *
 * VTL0 virtual addresses inside the KERNEL_DATA ranges.  Architecture data may follow and is
 * ignored.
 */
struct heki_kernel_info {
	uint64_t ksymtab_start;
	uint64_t ksymtab_end;
	uint64_t ksymtab_gpl_start;
	uint64_t ksymtab_gpl_end;
};
HEKI_ASSERT_SIZE(struct heki_kernel_info, 32);

/**
 * struct heki_kernel_symbol - the kernel's PREL32 struct kernel_symbol
 * @value_offset:     to the exported address
 * @name_offset:      to the name
 * @namespace_offset: to the namespace's name, or 0
 *
 * Each offset is relative to its own field's address and may be negative.
 */
struct heki_kernel_symbol {
	int32_t value_offset;
	int32_t name_offset;
	int32_t namespace_offset;
};
HEKI_ASSERT_SIZE(struct heki_kernel_symbol, 12);

/* Flags of a snapshot. */
#define HEKI_SNAPSHOT_RETPOLINE (1ull << 0) /* indirect branches go through thunks */
#define HEKI_SNAPSHOT_LFENCE (1ull << 1) /* LFENCE stands in front of them, no thunk is used */
#define HEKI_SNAPSHOT_CALL_DEPTH (1ull << 2) /* calls go through thunks in front of functions */
#define HEKI_SNAPSHOT_ITS (1ull << 3) /* thunk pages for branches in lower halves of lines */
#define HEKI_SNAPSHOT_ITS_RETURNS (1ull << 4) /* returns in upper halves of lines need no thunk */
#define HEKI_SNAPSHOT_UNIPROCESSOR (1ull << 5) /* LOCK prefixes were taken out */
#define HEKI_SNAPSHOT_FLAGS 0x3full

#define HEKI_FEATURE_WORDS_MAX 32
#define HEKI_TRACERS_MAX 16
#define HEKI_PV_OPS_MAX 128

/**
 * struct heki_snapshot - what decides how this kernel rewrites modules, and no ELF file holds
 * @flags:         HEKI_SNAPSHOT_*
 * @return_thunk:  where returns jump to; 0: they are plain returns
 * @thunks:        the array of thunks by register that files branch to, 0: none
 * @jump_thunks:   the array that indirect jumps are sent to with CALL_DEPTH, else 0
 * @call_thunks:   the same for calls
 * @percpu_start:  where per-CPU sections of modules may lie, as per-CPU addresses
 * @percpu_end:    end of that, exclusive
 * @pv_ops:        address of pv_ops, 0: the kernel has none
 * @pv_nop:        the function whose calls are taken out
 * @pv_bug:        the function that is called where pv_ops holds NULL
 * @feature_words: words in use, 1 .. HEKI_FEATURE_WORDS_MAX
 * @padding:       0
 * @features:      CPU feature and bug bits as the kernel numbers them, that choose alternatives
 */
struct heki_snapshot {
	uint64_t flags;
	uint64_t return_thunk;
	uint64_t thunks;
	uint64_t jump_thunks;
	uint64_t call_thunks;
	uint64_t percpu_start;
	uint64_t percpu_end;
	uint64_t pv_ops;
	uint64_t pv_nop;
	uint64_t pv_bug;
	uint32_t feature_words;
	uint32_t padding;
	uint32_t features[HEKI_FEATURE_WORDS_MAX];
};
HEKI_ASSERT_SIZE(struct heki_snapshot, 216);
HEKI_ASSERT_OFFSET(struct heki_snapshot, percpu_start, 40);
HEKI_ASSERT_OFFSET(struct heki_snapshot, feature_words, 80);
HEKI_ASSERT_OFFSET(struct heki_snapshot, features, 88);

/**
 * struct heki_functions - head of FUNCTIONS: where functions of the kernel start
 * @base:    address that the offsets count from
 * @count:   uint32_t offsets that follow, strictly ascending
 * @padding: 0
 */
struct heki_functions {
	uint64_t base;
	uint32_t count;
	uint32_t padding;
};
HEKI_ASSERT_SIZE(struct heki_functions, 16);
HEKI_ASSERT_OFFSET(struct heki_functions, count, 8);

#define HEKI_SYMBOL_NAME_MAX 512 /* with its NUL */
#define HEKI_BLOCKLIST_RECORD 133 /* "tbs:" or "bin:" and hex, NUL-padded */
#define HEKI_BLOCKLIST_MAX 400
#define HEKI_ELF_MAX (64u << 20)
#define HEKI_MODULE_NAME_LEN 56

/**
 * struct heki_module_info - what VTL0 says of a module; needed with HEKI_MODULE_UNVERIFIED
 * @name:        the module's name, NUL-padded
 * @ksymtab:     virtual address of its plain exports, in its memory, or 0
 * @ksymtab_gpl: the same for its GPL exports
 * @num:         number of plain exports
 * @num_gpl:     number of GPL exports
 * @percpu:      base of its per-CPU section (mod->percpu), or 0
 */
struct heki_module_info {
	char name[HEKI_MODULE_NAME_LEN];
	uint64_t ksymtab;
	uint64_t ksymtab_gpl;
	uint32_t num;
	uint32_t num_gpl;
	uint64_t percpu;
};
HEKI_ASSERT_SIZE(struct heki_module_info, 88);

#define HEKI_KEXEC_SEGMENT_MAX 16

/**
 * struct heki_kexec_segment - where a kexec segment will lie
 * @mem:   destination physical address
 * @memsz: its size there
 * @bufsz: bytes of content, <= @memsz
 * @flags: HEKI_SEGMENT_*
 */
struct heki_kexec_segment {
	uint64_t mem;
	uint64_t memsz;
	uint64_t bufsz;
	uint64_t flags;
};
HEKI_ASSERT_SIZE(struct heki_kexec_segment, 32);
#define HEKI_SEGMENT_KERNEL 1u /* holds the kernel of the signed blob */

#endif /* _UAPI_HEKI_DATA_H */
