/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Hypercall codes, inputs and status codes (TLFS "Hypercall Interface" and the calls' own pages). */
#ifndef _HYPERV_HYPERCALL_H
#define _HYPERV_HYPERCALL_H

#include "types.h"

/* The input value in RCX. */
#define HV_CALL_CODE_MASK 0xffffull
#define HV_CALL_FAST (1ull << 16)
#define HV_CALL_VARIABLE_SHIFT 17 /* size of the variable header, in 8 bytes */
#define HV_CALL_VARIABLE_MASK (0x3ffull << HV_CALL_VARIABLE_SHIFT)
#define HV_CALL_NESTED (1ull << 31)
#define HV_CALL_REP_COUNT_SHIFT 32
#define HV_CALL_REP_START_SHIFT 48
#define HV_CALL_REP_MASK 0xfffull
#define HV_CALL_RESERVED ((0xfull << 27) | (0xfull << 44) | (0xfull << 60))

/* The result in RAX. */
#define HV_RESULT_STATUS_MASK 0xffffull
#define HV_RESULT_REP_SHIFT 32

enum hv_call {
	HV_CALL_MODIFY_VTL_PROTECTION_MASK = 0x000c,
	HV_CALL_ENABLE_PARTITION_VTL = 0x000d,
	HV_CALL_ENABLE_VP_VTL = 0x000f,
	HV_CALL_VTL_CALL = 0x0011,
	HV_CALL_VTL_RETURN = 0x0012,
	HV_CALL_GET_VP_REGISTERS = 0x0050,
	HV_CALL_SET_VP_REGISTERS = 0x0051,
	HV_CALL_TRANSLATE_VIRTUAL_ADDRESS = 0x0052,
	HV_CALL_START_VIRTUAL_PROCESSOR = 0x0099,
	HV_CALL_GET_VP_INDEX_FROM_APIC_ID = 0x009a,
};

enum hv_status {
	HV_STATUS_SUCCESS = 0x00,
	HV_STATUS_INVALID_HYPERCALL_CODE = 0x02,
	HV_STATUS_INVALID_HYPERCALL_INPUT = 0x03,
	HV_STATUS_INVALID_ALIGNMENT = 0x04,
	HV_STATUS_INVALID_PARAMETER = 0x05,
	HV_STATUS_ACCESS_DENIED = 0x06,
	HV_STATUS_INVALID_PARTITION_STATE = 0x07,
	HV_STATUS_OPERATION_DENIED = 0x08,
	HV_STATUS_INSUFFICIENT_MEMORY = 0x0b,
	HV_STATUS_INVALID_PARTITION_ID = 0x0d,
	HV_STATUS_INVALID_VP_INDEX = 0x0e,
	HV_STATUS_INVALID_VP_STATE = 0x15,
	HV_STATUS_INVALID_REGISTER_VALUE = 0x50,
	HV_STATUS_VTL_ALREADY_ENABLED = 0x86,
};

/* HV_INPUT_VTL: target in bits 0-3, and whether it counts. */
#define HV_INPUT_VTL_TARGET_MASK 0x0fu
#define HV_INPUT_VTL_USE_TARGET 0x10u

/* Map flags, the access that a lower VTL keeps. */
#define HV_MAP_READ 1u
#define HV_MAP_WRITE 2u
#define HV_MAP_KERNEL_EXECUTE 4u
#define HV_MAP_USER_EXECUTE 8u
#define HV_MAP_ALL 15u

struct hv_modify_vtl_protection_mask {
	uint64_t partition;
	uint32_t map_flags;
	uint8_t vtl;
	uint8_t reserved[3];
	uint64_t pfns[];
};
HV_ASSERT_SIZE(struct hv_modify_vtl_protection_mask, 16);

/* What fits into an input page. */
#define HV_MODIFY_VTL_PROTECTION_MASK_MAX 510

#define HV_ENABLE_PARTITION_VTL_MBEC 1u

struct hv_enable_partition_vtl {
	uint64_t partition;
	uint8_t vtl;
	uint8_t flags;
	uint8_t reserved[6];
};
HV_ASSERT_SIZE(struct hv_enable_partition_vtl, 16);

struct hv_segment {
	uint64_t base;
	uint32_t limit;
	uint16_t selector;
	uint16_t attributes; /* type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D 14, G 15 */
};
HV_ASSERT_SIZE(struct hv_segment, 16);

struct hv_table {
	uint16_t pad[3];
	uint16_t limit;
	uint64_t base;
};
HV_ASSERT_SIZE(struct hv_table, 16);

struct hv_initial_vp_context {
	uint64_t rip;
	uint64_t rsp;
	uint64_t rflags;
	struct hv_segment cs;
	struct hv_segment ds;
	struct hv_segment es;
	struct hv_segment fs;
	struct hv_segment gs;
	struct hv_segment ss;
	struct hv_segment tr;
	struct hv_segment ldtr;
	struct hv_table idtr;
	struct hv_table gdtr;
	uint64_t efer;
	uint64_t cr0;
	uint64_t cr3;
	uint64_t cr4;
	uint64_t pat;
};
HV_ASSERT_SIZE(struct hv_initial_vp_context, 224);
HV_ASSERT_OFFSET(struct hv_initial_vp_context, tr, 120);
HV_ASSERT_OFFSET(struct hv_initial_vp_context, efer, 184);

/* Input of HvCallEnableVpVtl and HvCallStartVirtualProcessor. */
struct hv_enable_vp_vtl {
	uint64_t partition;
	uint32_t vp;
	uint8_t vtl;
	uint8_t reserved[3];
	struct hv_initial_vp_context context;
};
HV_ASSERT_SIZE(struct hv_enable_vp_vtl, 240);

struct hv_get_vp_registers {
	uint64_t partition;
	uint32_t vp;
	uint8_t vtl;
	uint8_t reserved[3];
	uint32_t names[];
};
HV_ASSERT_SIZE(struct hv_get_vp_registers, 16);

struct hv_register_value {
	uint64_t low;
	uint64_t high;
};
HV_ASSERT_SIZE(struct hv_register_value, 16);

struct hv_register_assoc {
	uint32_t name;
	uint32_t reserved[3];
	struct hv_register_value value;
};
HV_ASSERT_SIZE(struct hv_register_assoc, 32);

struct hv_set_vp_registers {
	uint64_t partition;
	uint32_t vp;
	uint8_t vtl;
	uint8_t reserved[3];
	struct hv_register_assoc elements[];
};
HV_ASSERT_SIZE(struct hv_set_vp_registers, 16);

#define HV_TRANSLATE_READ (1ull << 0)
#define HV_TRANSLATE_WRITE (1ull << 1)
#define HV_TRANSLATE_EXECUTE (1ull << 2)
#define HV_TRANSLATE_PRIVILEGE_EXEMPT (1ull << 3)
#define HV_TRANSLATE_SET_BITS (1ull << 4)
#define HV_TRANSLATE_TLB_INHIBIT (1ull << 5)
#define HV_TRANSLATE_SUPERVISOR (1ull << 6)
#define HV_TRANSLATE_USER (1ull << 7)
#define HV_TRANSLATE_ENFORCE_SMAP (1ull << 8)
#define HV_TRANSLATE_OVERRIDE_SMAP (1ull << 9)
#define HV_TRANSLATE_VTL_SHIFT 56

struct hv_translate_virtual_address {
	uint64_t partition;
	uint32_t vp;
	uint32_t reserved;
	uint64_t flags;
	uint64_t gva_page;
};
HV_ASSERT_SIZE(struct hv_translate_virtual_address, 32);

enum hv_translate_result {
	HV_TRANSLATED = 0,
	HV_TRANSLATE_NOT_PRESENT = 1,
	HV_TRANSLATE_PRIVILEGE = 2,
	HV_TRANSLATE_BAD_FLAGS = 3,
	HV_TRANSLATE_UNMAPPED = 4,
	HV_TRANSLATE_NO_READ = 5,
	HV_TRANSLATE_NO_WRITE = 6,
	HV_TRANSLATE_OVERLAY = 7,
	HV_TRANSLATE_INTERCEPT = 8,
};

struct hv_translate_result_output {
	uint64_t result;
	uint64_t gpa_page;
};
HV_ASSERT_SIZE(struct hv_translate_result_output, 16);

struct hv_get_vp_index_from_apic_id {
	uint64_t partition;
	uint8_t vtl;
	uint8_t reserved[7];
	uint32_t apic_ids[];
};
HV_ASSERT_SIZE(struct hv_get_vp_index_from_apic_id, 16);

#endif /* _HYPERV_HYPERCALL_H */
