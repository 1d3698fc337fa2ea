/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Virtual secure mode: VP assist page, synthetic messages, intercepts (TLFS "VSM", "Intercepts"). */
#ifndef _HYPERV_VSM_H
#define _HYPERV_VSM_H

#include "types.h"

enum hv_vtl_entry_reason {
	HV_VTL_ENTRY_RESERVED = 0,
	HV_VTL_ENTRY_VTL_CALL = 1,
	HV_VTL_ENTRY_INTERRUPT = 2,
};

struct hv_vp_assist_page {
	uint32_t apic_assist;
	uint32_t reserved;
	/* What the hypervisor tells the VTL, and takes from it, at a switch. */
	uint32_t entry_reason;
	uint8_t vina_asserted;
	uint8_t reserved2[3];
	uint64_t return_rax;
	uint64_t return_rcx;
};
HV_ASSERT_OFFSET(struct hv_vp_assist_page, entry_reason, 8);
HV_ASSERT_OFFSET(struct hv_vp_assist_page, vina_asserted, 12);
HV_ASSERT_OFFSET(struct hv_vp_assist_page, return_rax, 16);
HV_ASSERT_OFFSET(struct hv_vp_assist_page, return_rcx, 24);

/* RCX of a VTL return: RAX and RCX of the lower VTL stay as they are. */
#define HV_VTL_RETURN_FAST 1ull

/* Types of messages. */
#define HV_MESSAGE_NONE 0u
#define HV_MESSAGE_UNMAPPED_GPA 0x80000000u
#define HV_MESSAGE_GPA_INTERCEPT 0x80000001u
#define HV_MESSAGE_MSR_INTERCEPT 0x80010001u
#define HV_MESSAGE_REGISTER_INTERCEPT 0x80010006u
#define HV_MESSAGE_STARTUP_INTERCEPT 0x80010009u

#define HV_MESSAGE_FLAG_PENDING 1u
#define HV_MESSAGE_PAYLOAD 240
#define HV_MESSAGE_SLOTS 16

struct hv_message {
	uint32_t type;
	uint8_t size;
	uint8_t flags;
	uint8_t reserved[2];
	uint64_t sender;
	uint8_t payload[HV_MESSAGE_PAYLOAD];
};
HV_ASSERT_SIZE(struct hv_message, 256);

enum hv_intercept_access { HV_INTERCEPT_READ = 0, HV_INTERCEPT_WRITE = 1, HV_INTERCEPT_EXECUTE = 2 };

#define HV_INTERCEPT_STATE_CPL 0x3u
#define HV_INTERCEPT_STATE_VTL_SHIFT 7

struct hv_intercept_header {
	uint32_t vp;
	uint8_t length_and_cr8; /* of the instruction: low nibble */
	uint8_t access;
	uint16_t state;
	struct {
		uint64_t base;
		uint32_t limit;
		uint16_t selector;
		uint16_t attributes;
	} cs;
	uint64_t rip;
	uint64_t rflags;
};
HV_ASSERT_SIZE(struct hv_intercept_header, 40);

#define HV_MEMORY_INTERCEPT_GVA_VALID 1u
#define HV_MEMORY_INTERCEPT_GVA_GPA_VALID 2u

struct hv_memory_intercept {
	struct hv_intercept_header header;
	uint32_t cache_type;
	uint8_t bytes_count;
	uint8_t info;
	uint8_t tpr;
	uint8_t reserved;
	uint64_t gva;
	uint64_t gpa;
	uint8_t bytes[16];
};
HV_ASSERT_SIZE(struct hv_memory_intercept, 80);
HV_ASSERT_OFFSET(struct hv_memory_intercept, gva, 48);

struct hv_msr_intercept {
	struct hv_intercept_header header;
	uint32_t msr;
	uint32_t reserved;
	uint64_t rdx;
	uint64_t rax;
};
HV_ASSERT_SIZE(struct hv_msr_intercept, 64);

struct hv_register_intercept {
	struct hv_intercept_header header;
	uint8_t flags;
	uint8_t reserved[3];
	uint32_t name;
	uint64_t value_low;
	uint64_t value_high;
};
HV_ASSERT_SIZE(struct hv_register_intercept, 64);
HV_ASSERT_OFFSET(struct hv_register_intercept, value_low, 48);

/* A start-up IPI for a VP. */
struct hv_startup_intercept {
	struct hv_intercept_header header;
	uint32_t target;
	uint32_t vector;
};
HV_ASSERT_SIZE(struct hv_startup_intercept, 48);

#endif /* _HYPERV_VSM_H */
