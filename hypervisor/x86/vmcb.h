/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual machine control block of AMD SVM (AMD64 manual, volume 2, appendix B). */
#ifndef HV_VMCB_H
#define HV_VMCB_H

#include "base.h"

struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes; /* type 0-3, S 4, DPL 5-6, P 7, AVL 8, L 9, D 10, G 11 */
	uint32_t limit;
	uint64_t base;
};

#define VMCB_INTERCEPT_CR0_READ BIT(0) /* of @cr: reads in bits 0-15, writes in 16-31 */
#define VMCB_INTERCEPT_CR_WRITE(n) BIT(16 + (n))

/* @misc1 */
#define VMCB_INTERCEPT_INTR BIT(0)
#define VMCB_INTERCEPT_NMI BIT(1)
#define VMCB_INTERCEPT_INIT BIT(3)
#define VMCB_INTERCEPT_IDTR_WRITE BIT(10)
#define VMCB_INTERCEPT_GDTR_WRITE BIT(11)
#define VMCB_INTERCEPT_LDTR_WRITE BIT(12)
#define VMCB_INTERCEPT_TR_WRITE BIT(13)
#define VMCB_INTERCEPT_CPUID BIT(18)
#define VMCB_INTERCEPT_INVLPGA BIT(26)
#define VMCB_INTERCEPT_IOIO BIT(27)
#define VMCB_INTERCEPT_MSR BIT(28)
#define VMCB_INTERCEPT_SHUTDOWN BIT(31)

/* @misc2 */
#define VMCB_INTERCEPT_VMRUN BIT(0)
#define VMCB_INTERCEPT_VMMCALL BIT(1)
#define VMCB_INTERCEPT_VMLOAD BIT(2)
#define VMCB_INTERCEPT_VMSAVE BIT(3)
#define VMCB_INTERCEPT_STGI BIT(4)
#define VMCB_INTERCEPT_CLGI BIT(5)
#define VMCB_INTERCEPT_SKINIT BIT(6)
#define VMCB_INTERCEPT_XSETBV BIT(13)

#define VMCB_TLB_NOTHING 0
#define VMCB_TLB_FLUSH_ALL 1

/* @interrupt */
#define VMCB_V_TPR_MASK 0xffull
#define VMCB_V_IRQ BIT(8)
#define VMCB_V_PRIORITY(n) ((uint64_t)(n) << 16)
#define VMCB_V_IGNORE_TPR BIT(20)
#define VMCB_V_INTR_MASKING BIT(24)
#define VMCB_V_VECTOR(n) ((uint64_t)(n) << 32)

#define VMCB_NESTED_PAGING BIT(0)

/* @event, and @exit_interrupt */
#define VMCB_EVENT_VALID BIT(31)
#define VMCB_EVENT_CODE_VALID BIT(11)
#define VMCB_EVENT_TYPE(n) ((uint64_t)(n) << 8)
#define VMCB_EVENT_TYPE_MASK VMCB_EVENT_TYPE(7)
#define VMCB_EVENT_INTERRUPT VMCB_EVENT_TYPE(0)
#define VMCB_EVENT_NMI VMCB_EVENT_TYPE(2)
#define VMCB_EVENT_EXCEPTION VMCB_EVENT_TYPE(3)
#define VMCB_EVENT_CODE(n) ((uint64_t)(n) << 32)

struct vmcb {
	uint32_t cr;
	uint32_t dr;
	uint32_t exceptions;
	uint32_t misc1;
	uint32_t misc2;
	uint8_t reserved_014[0x040 - 0x014];
	uint64_t io_map;
	uint64_t msr_map;
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control;
	uint8_t reserved_05d[3];
	uint64_t interrupt;
	uint64_t interrupt_shadow;
	uint64_t exit_code;
	uint64_t exit_info1;
	uint64_t exit_info2;
	uint64_t exit_interrupt;
	uint64_t nested;
	uint8_t reserved_098[0x0a8 - 0x098];
	uint64_t event;
	uint64_t nested_cr3;
	uint64_t lbr;
	uint32_t clean;
	uint32_t reserved_0c4;
	uint64_t next_rip;
	uint8_t fetched;
	uint8_t bytes[15];
	uint8_t reserved_0e0[0x400 - 0x0e0];

	struct vmcb_segment es;
	struct vmcb_segment cs;
	struct vmcb_segment ss;
	struct vmcb_segment ds;
	struct vmcb_segment fs;
	struct vmcb_segment gs;
	struct vmcb_segment gdtr;
	struct vmcb_segment ldtr;
	struct vmcb_segment idtr;
	struct vmcb_segment tr;
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved_4cc;
	uint64_t efer;
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4;
	uint64_t cr3;
	uint64_t cr0;
	uint64_t dr7;
	uint64_t dr6;
	uint64_t rflags;
	uint64_t rip;
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp;
	uint64_t s_cet;
	uint64_t ssp;
	uint64_t isst_address;
	uint64_t rax;
	uint64_t star;
	uint64_t lstar;
	uint64_t cstar;
	uint64_t sfmask;
	uint64_t kernel_gs_base;
	uint64_t sysenter_cs;
	uint64_t sysenter_esp;
	uint64_t sysenter_eip;
	uint64_t cr2;
	uint8_t reserved_648[0x668 - 0x648];
	uint64_t pat;
	uint8_t reserved_670[0x1000 - 0x670];
};

#define VMCB_ASSERT(member, offset) \
	_Static_assert(offsetof(struct vmcb, member) == (offset), #member)
VMCB_ASSERT(io_map, 0x040);
VMCB_ASSERT(asid, 0x058);
VMCB_ASSERT(tlb_control, 0x05c);
VMCB_ASSERT(exit_code, 0x070);
VMCB_ASSERT(nested, 0x090);
VMCB_ASSERT(event, 0x0a8);
VMCB_ASSERT(nested_cr3, 0x0b0);
VMCB_ASSERT(clean, 0x0c0);
VMCB_ASSERT(next_rip, 0x0c8);
VMCB_ASSERT(es, 0x400);
VMCB_ASSERT(tr, 0x490);
VMCB_ASSERT(cpl, 0x4cb);
VMCB_ASSERT(efer, 0x4d0);
VMCB_ASSERT(cr4, 0x548);
VMCB_ASSERT(rip, 0x578);
VMCB_ASSERT(rsp, 0x5d8);
VMCB_ASSERT(rax, 0x5f8);
VMCB_ASSERT(cr2, 0x640);
VMCB_ASSERT(pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "vmcb");

enum vmcb_exit {
	VMCB_EXIT_CR_READ = 0x000,
	VMCB_EXIT_CR_WRITE = 0x010,
	VMCB_EXIT_EXCEPTION = 0x040,
	VMCB_EXIT_INTR = 0x060,
	VMCB_EXIT_NMI = 0x061,
	VMCB_EXIT_INIT = 0x063,
	VMCB_EXIT_CR0_SEL_WRITE = 0x065,
	VMCB_EXIT_IDTR_WRITE = 0x06a,
	VMCB_EXIT_GDTR_WRITE = 0x06b,
	VMCB_EXIT_LDTR_WRITE = 0x06c,
	VMCB_EXIT_TR_WRITE = 0x06d,
	VMCB_EXIT_CPUID = 0x072,
	VMCB_EXIT_INVLPGA = 0x07a,
	VMCB_EXIT_IOIO = 0x07b,
	VMCB_EXIT_MSR = 0x07c,
	VMCB_EXIT_SHUTDOWN = 0x07f,
	VMCB_EXIT_VMRUN = 0x080,
	VMCB_EXIT_VMMCALL = 0x081,
	VMCB_EXIT_VMLOAD = 0x082,
	VMCB_EXIT_VMSAVE = 0x083,
	VMCB_EXIT_STGI = 0x084,
	VMCB_EXIT_CLGI = 0x085,
	VMCB_EXIT_SKINIT = 0x086,
	VMCB_EXIT_XSETBV = 0x08d,
	VMCB_EXIT_NPF = 0x400,
};
#define VMCB_EXIT_INVALID 0xffffffffffffffffull

/* Of a nested page fault, @exit_info1; @exit_info2 is the guest physical address. */
#define NPF_PRESENT BIT(0)
#define NPF_WRITE BIT(1)
#define NPF_FETCH BIT(4)
#define NPF_FINAL BIT(32) /* by the access itself */
#define NPF_WALK BIT(33) /* by the walk of the guest's own tables */

#endif /* HV_VMCB_H */
