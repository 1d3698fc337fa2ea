/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The partition and its virtual processors. Each VP is a physical CPU, with a VMCB for each level;
 * what the levels share is in the VP, or stays in the processor.
 *
 * Locks: partition.lock for what the partition has; a VP's own state is only touched by its CPU, but
 * for what is marked.
 */
#ifndef HV_VP_H
#define HV_VP_H

#include <hyperv/cpu.h>
#include <hyperv/hypercall.h>
#include <hyperv/registers.h>
#include <hyperv/vsm.h>

#include "cpu.h"
#include "npt.h"
#include "vmcb.h"

#define VTLS 2u
#define VPS_MAX 64u
#define VP_STACK 16384u

/* General registers, in the order of their encoding. */
enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, GPRS };

enum vp_state { VP_ABSENT, VP_WAIT_SIPI, VP_STARTING, VP_RUNNING };

/* What other CPUs ask of a VP; bits of vp->requests. */
#define REQUEST_FLUSH 1u
#define REQUEST_INIT 2u
#define REQUEST_SIPI 4u
#define REQUEST_NMI 8u
#define REQUEST_STARTUP 32u /* of its own: tell VTL1 of @startups */
#define REQUEST_CONTEXT 16u /* start with the registers in @context */

/* What is counted, by VP. */
#define COUNTERS(X) \
	X(CPUID, "cpuid") \
	X(MSR, "msr") \
	X(IO, "io") \
	X(CR, "cr") \
	X(TABLE, "table_register") \
	X(HYPERCALL, "hypercall") \
	X(VTL_CALL, "vtl_call") \
	X(VTL_RETURN, "vtl_return") \
	X(APIC, "apic_write") \
	X(NESTED_FAULT, "nested_fault") \
	X(TREE_SWITCH, "execution_switch") \
	X(NMI, "nmi") \
	X(OTHER, "other") \
	X(INTERCEPT, "intercept") \
	X(REFUSED, "refused") \
	X(SHOOTDOWN, "shootdown") \
	X(PROTECTED, "protected_pages")

enum counter {
#define COUNTER_ID(id, name) COUNT_##id,
	COUNTERS(COUNTER_ID)
#undef COUNTER_ID
	COUNT_COUNT
};

/* What a VP has for each level. */
struct vp_vtl {
	struct vmcb *vmcb;
	bool enabled;
	bool vina_raised;
	uint64_t vp_assist;
	uint64_t scontrol;
	uint64_t siefp;
	uint64_t simp;
	uint64_t sint[HV_MESSAGE_SLOTS];
	uint64_t vina;
	uint64_t tsc_aux;
};

struct vp {
	uint64_t gpr[GPRS]; /* RAX and RSP are in the VMCB */
	struct vp_vtl vtl[VTLS];
	struct vmcb *vmcb; /* of the level that runs */
	uint8_t level;
	struct hv_vp_assist_page *assist; /* of VTL1, NULL without one */
	bool user_tree; /* VTL0 runs by the tree for user mode */
	bool first_entry; /* of VTL0, with the registers in @start */
	uint32_t index;
	uint32_t apic_id;
	uint64_t apic_base;
	uint32_t apic_logical; /* as the guest set them: which logical addresses are its */
	bool apic_cluster;

	uint64_t secure_config; /* HV_VSM_SECURE_CONFIG_*, of VTL1 for VTL0 */

	/* What VTL1 has asked to be told of VTL0. */
	uint64_t cr_control;
	uint64_t cr0_mask;
	uint64_t cr4_mask;
	uint64_t misc_mask;
	uint8_t *msr_map;

	struct hv_message message; /* waits until VTL1 has emptied its slot */
	bool message_waits;

	/* Written by other CPUs too. */
	uint32_t state;
	uint32_t requests;
	uint32_t kicked;
	uint32_t in_guest;
	uint32_t sipi_vector;

	/* The VPs that this one wants to start, by bits, as long as VTL1 has no message of it; where. */
	uint64_t startups;
	uint8_t startup_vector[VPS_MAX];

	uint64_t entries;
	uint64_t invalid; /* @entries when it last could not be run, and where */
	uint64_t invalid_rip;
	bool flush;
	uint64_t start[GPRS];
	struct hv_initial_vp_context context;
	uint64_t count[COUNT_COUNT];
	uint64_t spent[COUNT_COUNT]; /* cycles between exit and entry, by what was counted last */
	uint64_t exited; /* time of the last exit */
	uint8_t last;
	uint8_t *stack;
} __attribute__((aligned(64)));

/* What the guest sees of the hypervisor, by level. */
struct partition_vtl {
	struct npt npt;
	bool enabled;
	uint64_t guest_os_id;
	uint64_t hypercall;
};

struct partition {
	struct lock lock;
	struct memory_map map;
	struct pool pool;
	struct partition_vtl vtl[VTLS];
	uint64_t config;	/* HV_VSM_PARTITION_*, of VTL1 */
	bool mbec_offered;	/* user and kernel execution can be told apart */
	bool mbec_enabled;	/* by whoever enabled VTL1 */
	bool vtl1_started;	/* on some VP */
	uint64_t vtl1_start;
	uint64_t vtl1_end;
	uint64_t features; /* of the CPU, FEATURE_* */
	uint64_t tsc_frequency; /* Hz, 0 when not known */
	uint64_t apic_frequency;
	bool counters; /* VTL0 may have the counters printed */
	uint8_t *io_map;
	uint8_t *open_map; /* intercepts nothing but what no level may touch: VTL1's MSRs */
	uint32_t vps;
	struct vp vp[VPS_MAX];
};

#define FEATURE_NEXT_RIP BIT(0)
#define FEATURE_DECODE BIT(1)
#define FEATURE_X2APIC BIT(2)

extern struct partition partition;

/* Registers that VMRUN leaves alone: FS, GS, TR, LDTR, and what SYSCALL and SYSENTER use. */
static inline void vmcb_save(struct vmcb *vmcb)
{
	__asm__ volatile("vmsave %0" : : "a"(vmcb) : "memory");
}

static inline void vmcb_load(struct vmcb *vmcb)
{
	__asm__ volatile("vmload %0" : : "a"(vmcb) : "memory");
}

static inline struct vmcb *vp_vmcb(struct vp *vp)
{
	return vp->vmcb;
}

/* Count an exit, or what came of one. */
static inline void vp_count(struct vp *vp, enum counter id)
{
	vp->count[id]++;
	vp->last = (uint8_t)id;
}

static inline uint64_t vp_get(struct vp *vp, enum gpr r)
{
	if (r == RAX)
		return vp_vmcb(vp)->rax;
	return r == RSP ? vp_vmcb(vp)->rsp : vp->gpr[r];
}

static inline void vp_put(struct vp *vp, enum gpr r, uint64_t v)
{
	if (r == RAX)
		vp_vmcb(vp)->rax = v;
	else if (r == RSP)
		vp_vmcb(vp)->rsp = v;
	else
		vp->gpr[r] = v;
}

/**
 * vp_init() - make the VMCBs of a VP
 * @vp: of partition.vp, zero but for @index, @apic_id and @msr_map
 */
void vp_init(struct vp *vp);

/**
 * vp_context() - give a level of a VP its first registers
 * @vp: the VP
 * @vtl: the level
 * @context: the registers
 */
void vp_context(struct vp *vp, uint32_t vtl, const struct hv_initial_vp_context *context);

/**
 * vp_run() - run a VP for ever
 * @vp: of this CPU
 */
_Noreturn void vp_run(struct vp *vp);

/**
 * vp_exception() - let the VP's current level take an exception when it goes on
 * @vp: the VP
 * @vector: of the exception
 * @has_code: whether an error code is pushed
 * @code: the error code
 */
void vp_exception(struct vp *vp, uint8_t vector, bool has_code, uint32_t code);

/* #GP(0) and #UD. */
void vp_fault(struct vp *vp);
void vp_undefined(struct vp *vp);

/**
 * vp_refused() - count and tell that something is refused to the current level of a VP
 * @vp: the VP
 * @what: kind of access, one word or more
 * @which: number of what is accessed: an address, a port, a register, a call
 * @value: what was to be written, or the status of a call
 */
void vp_refused(struct vp *vp, const char *what, uint64_t which, uint64_t value);

/* The same, and the level takes a general protection fault. */
void vp_refuse(struct vp *vp, const char *what, uint64_t which, uint64_t value);

/**
 * vp_skip() - go behind the instruction that caused the exit
 * @vp: the VP
 * @length: of the instruction, where the processor does not say where the next one is
 */
void vp_skip(struct vp *vp, uint32_t length);

/**
 * vp_start() - start a VP that waits for it
 * @vp: the VP
 * @context: its first registers in VTL0
 *
 * Return: false when it does not wait.
 */
bool vp_start(struct vp *vp, const struct hv_initial_vp_context *context);

/* Ask something of another VP, and make it look. */
void vp_request(struct vp *vp, uint32_t request);

/**
 * vp_shootdown() - make all VPs forget what they know of the nested tables
 * @self: the caller's VP
 *
 * When it returns, no VP runs any more with what it knew before. No lock is held by the caller that
 * another CPU waits for in a guest.
 */
void vp_shootdown(struct vp *self);

/* What VTL1 wants to be told changes which instructions of VTL0 exit. */
void vp_intercepts(struct vp *vp);

/* The nested tables that the current level of a VP runs by. */
void vp_use_tree(struct vp *vp, bool user);

/* apic.c */
/* The timer of this CPU's APIC, before a guest has it: it counts down, and interrupts nobody. */
void apic_timer_start(uint32_t count);
uint32_t apic_timer_left(void);
void apic_init(struct vp *vp);
void apic_start(struct vp *vp, uint64_t page);
void apic_kick(const struct vp *vp);
void apic_write_fault(struct vp *vp, uint64_t gpa);
bool apic_write_icr(struct vp *vp, uint64_t icr, bool x2apic);
bool apic_vector_ok(struct vp *vp, uint32_t v);
bool apic_write_base(struct vp *vp, uint64_t v);

/* device.c: do a write of VTL0 to the page of a device in its place; false when @gpa lies in none. */
bool device_write_fault(struct vp *vp, uint64_t gpa);

/* cpuid.c, msr.c, io.c, control.c */
void exit_cpuid(struct vp *vp);
void exit_msr(struct vp *vp);
void exit_io(struct vp *vp);
void exit_control(struct vp *vp);
void exit_table_register(struct vp *vp);
void exit_xsetbv(struct vp *vp);
void io_map_init(uint8_t *map);
void counters_print(uint32_t mark);
void msr_map_init(uint8_t *map, bool vtl0);
void msr_map_set(uint8_t *map, uint32_t msr, bool read, bool write);
void msr_watch(struct vp *vp);
_Noreturn void machine_reset(void);

/* hypercall.c, vsm.c, registers.c, translate.c */
void exit_hypercall(struct vp *vp);

/**
 * struct hypercall - a call being made
 * @vp:    the caller
 * @in:    its input; VTL1's is in its own memory, VTL0's a copy
 * @out:   room for its output
 * @low:   first 8 bytes of a fast input
 * @high:  second
 * @start: first element
 * @count: elements
 * @done:  set to where the handler came to
 */
struct hypercall {
	struct vp *vp;
	const uint8_t *in;
	uint8_t *out;
	uint64_t low;
	uint64_t high;
	uint32_t start;
	uint32_t count;
	uint32_t done;
};

void vtl_call(struct vp *vp);
void vtl_return(struct vp *vp);
void vtl_switch(struct vp *vp, uint32_t level);
void vtl_enter(struct vp *vp, enum hv_vtl_entry_reason reason);
bool vsm_access_ok(uint32_t access);
bool control_cr3_ok(uint64_t v);
bool control_cr4_ok(uint64_t v);
bool control_rflags_ok(uint64_t v);
bool msr_pat_ok(uint64_t v);
bool control_write_cr0(struct vmcb *vmcb, uint64_t v);
bool control_write_cr4(struct vmcb *vmcb, uint64_t v);
bool msr_write_efer(struct vmcb *vmcb, uint64_t v);
enum hv_status call_modify_protection(struct hypercall *h);
enum hv_status call_enable_partition_vtl(struct hypercall *h);
enum hv_status call_enable_vp_vtl(struct hypercall *h);
enum hv_status call_start_vp(struct hypercall *h);
enum hv_status call_get_registers(struct hypercall *h);
enum hv_status call_set_registers(struct hypercall *h);
enum hv_status call_translate(struct hypercall *h);
enum hv_status call_vp_index(struct hypercall *h);
bool hypercall_page(struct vp *vp, uint64_t value);
#define HYPERCALL_CALL_OFFSET 0x10u
#define HYPERCALL_RETURN_OFFSET 0x20u

/* synic.c: intercept messages to VTL1. False: there is no VTL1 to be told. */
bool intercept_memory(struct vp *vp, uint64_t gpa, uint8_t access);
bool intercept_msr(struct vp *vp, uint32_t msr, bool write);
bool intercept_register(struct vp *vp, uint32_t name, uint64_t low, uint64_t high, uint32_t length);
void intercept_startup(struct vp *vp, uint32_t target);
bool synic_read(struct vp *vp, uint32_t msr, uint64_t *v);
bool synic_write(struct vp *vp, uint32_t msr, uint64_t v);

/* walk.c: the guest's own page tables and memory. */
enum walk_result { WALK_OK, WALK_NOT_PRESENT, WALK_PRIVILEGE, WALK_UNMAPPED };

struct insn;

/**
 * walk() - translate an address by the page tables of a level
 * @vmcb: the level's registers
 * @vtl: the level
 * @gva: linear address
 * @flags: HV_TRANSLATE_*
 * @gpa: set to the guest physical address
 *
 * Return: WALK_OK, or why there is no translation.
 */
enum walk_result walk(const struct vmcb *vmcb, uint32_t vtl, uint64_t gva, uint64_t flags,
		      uint64_t *gpa);

/**
 * guest_memory() - guest memory that a level may access
 * @vtl: the level
 * @gpa: its address
 * @size: bytes, not across a page
 * @access: what it must have, HV_MAP_*
 *
 * Return: where it is, NULL when the level may not.
 */
void *guest_memory(uint32_t vtl, uint64_t gpa, uint64_t size, uint32_t access);

/* Decode the instruction at RIP of the current level; false when that is not possible. */
bool guest_decode(struct vp *vp, struct insn *insn);
/* Read the memory operand of an instruction, insn->size bytes. */
bool guest_operand(struct vp *vp, const struct insn *insn, uint8_t *to);

#endif /* HV_VP_H */
