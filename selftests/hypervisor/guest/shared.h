/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two test guests say to each other. VTL1 is a servant: each VTL call is one command, with
 * one primitive behind it, so that a test is a sequence that VTL0 writes down.
 */
#ifndef GUEST_SHARED_H
#define GUEST_SHARED_H

#include <hyperv/cpu.h>
#include <hyperv/hypercall.h>
#include <hyperv/registers.h>
#include <hyperv/vsm.h>

#include "machine.h"

/* In RDI; arguments in RSI, RDX, R8; the result comes back in R8. */
enum command {
	COMMAND_NOTHING,
	COMMAND_ATTACH, /* the struct shared of this VP is at RSI */
	COMMAND_HYPERCALL, /* control word RSI, input RDX, output R8; result: RAX */
	COMMAND_RDMSR, /* of RSI; result: the value */
	COMMAND_WRMSR, /* of RSI with RDX */
	COMMAND_READ, /* 8 bytes at RSI */
	COMMAND_WRITE, /* RDX to RSI */
	COMMAND_EXECUTE, /* a call of RSI */
	COMMAND_GET, /* state RSI, enum state */
	COMMAND_SET, /* state RSI to RDX */
	COMMAND_SAVE, /* the extended state to RSI */
	COMMAND_LOAD, /* the extended state from RSI */
	COMMAND_SPIN, /* RSI ticks of the time-stamp counter */
	COMMAND_WAIT, /* until the 32 bits at RSI are no longer RDX, or for PATIENCE */
	COMMAND_PROTECT, /* RDX pages from frame RSI, to R8; result: status and how many */
	COMMAND_REVOKE, /* page frame RSI, to R8; result: whether its first word still changes */
	COMMAND_GET_REGISTER, /* name RSI of level RDX; result: status; value in shared.value */
	COMMAND_SET_REGISTER, /* name RSI of level RDX to shared.value; result: status */
	COMMAND_ENABLE_VP, /* VTL1 on VP RSI; result: status */
	COMMAND_RETURN, /* a VTL return with control RSI; result: its exception */
	COMMAND_CPUID, /* leaf RSI; result in shared.value */
	COMMAND_CHECK, /* registers are the pattern RSI, then become the pattern RSI + 1 */
	COMMAND_INTERRUPTS, /* the next RSI entries let no interrupt in */
	COMMAND_COUNT
};

/* Ticks after which what is waited for will never come. */
#define PATIENCE 30000000000ull

/* What VTL1 does with the next intercepts. */
enum action {
	ACTION_GP, /* inject #GP(0) */
	ACTION_EVENT, /* inject what plan.value says, as HV_REGISTER_PENDING_EVENT0 */
	ACTION_ALLOW, /* give the page the access in plan.value */
	ACTION_SKIP, /* RIP moves by plan.value, or by the length in the message when that is 0 */
	ACTION_WRITE, /* write the register as VTL0 wanted, then skip */
	ACTION_KEEP, /* inject #GP(0) and leave the message in its slot */
	ACTION_LEAVE, /* do nothing and leave the message in its slot */
	ACTION_START, /* start the VP that is to start; a page: full access */
};

#define STARTUPS_MAX 8u

struct plan {
	uint32_t action;
	uint32_t fast; /* return without RAX and RCX */
	uint64_t value;
	uint32_t change; /* which of RAX and RCX VTL0 gets from here: bit 0, bit 1 */
	uint32_t reserved;
	uint64_t rax;
	uint64_t rcx;
};

/* In VTL0's memory, one for each VP. */
struct shared {
	struct plan plan; /* VTL0 writes it */
	struct hv_register_value value;
	/* VTL1 writes these. */
	uint32_t fault; /* the exception of the last command's primitive */
	uint32_t entry_reason;
	uint64_t entries;
	uint64_t intercepts;
	uint64_t empty; /* entries for an interrupt that found no message */
	uint64_t interrupts; /* that VTL1 took at HV_SINT0's vector */
	uint64_t foreign; /* that it took at any other */
	uint64_t bad; /* registers that were not the pattern */
	uint64_t bad_index;
	uint64_t status; /* of the last hypercall that an intercept led to */
	struct hv_message message;
	struct hv_message after; /* what was in the slot after the end of message */
	uint32_t waits; /* VTL1 does, for COMMAND_WAIT */
	uint32_t startups; /* that VTL1 was told of, and which VPs with which vectors */
	uint32_t startup_target[STARTUPS_MAX];
	uint32_t startup_vector[STARTUPS_MAX];
	uint64_t entry_rax; /* as VTL0 left them */
	uint64_t entry_rcx;
	uint64_t start; /* VTL1's memory */
	uint64_t end;
} __attribute__((aligned(4096)));

/* What VTL1 gives another VP's VTL1 to start with, and never changes. */
#define INITIAL_FS_BASE 0x00007f1122334000ull
#define INITIAL_GS_BASE 0xffff887766554000ull
#define INITIAL_PAT 0x0007040600070401ull
#define INITIAL_LDT_BASE 0x123000ull

/* The pattern of registers: those of @enum order by their number, DR0-3, CR2. */
#define PATTERN_DR0 20u
#define PATTERN_CR2 24u

/* Rows of the table of registers: state.c reads and writes them. */
enum state {
	STATE_CR0,
	STATE_CR2,
	STATE_CR3,
	STATE_CR4,
	STATE_DR0,
	STATE_DR1,
	STATE_DR2,
	STATE_DR3,
	STATE_DR6,
	STATE_DR7,
	STATE_XCR0,
	STATE_CR8,
	STATE_RFLAGS,
	STATE_CS,
	STATE_DS,
	STATE_ES,
	STATE_FS,
	STATE_GS,
	STATE_SS,
	STATE_TR,
	STATE_LDTR,
	STATE_GDTR,
	STATE_IDTR,
	STATE_COUNT
};

/**
 * state_get() - read a register
 * @state: which
 *
 * Return: its value; of a segment the selector, of a table the base.
 */
uint64_t state_get(enum state state);

/**
 * state_set() - write a register
 * @state: which, but not CS, SS, TR, GDTR and IDTR
 * @v: the value
 *
 * Return: the exception that it caused, or 0.
 */
uint32_t state_set(enum state state, uint64_t v);

/* x87, SSE and, where there is, AVX: as XSAVE and XRSTOR see them, of the standard form. */
#define EXTENDED_SIZE 4096u
#define EXTENDED_MASK 7u
void extended_init(void);
void extended_save(void *to);
void extended_load(const void *from);
/* Fill a saved image with a pattern; whether an image is that pattern. */
void extended_pattern(void *image, uint64_t seed);
bool extended_is(const void *image, uint64_t seed);

/* --- hypercalls, the same in both levels --- */

#define REP(count, start) ((uint64_t)(count) << 32 | (uint64_t)(start) << 48)
#define STATUS(result) ((result) & HV_RESULT_STATUS_MASK)
#define DONE(result) ((uint32_t)((result) >> HV_RESULT_REP_SHIFT & HV_CALL_REP_MASK))

/**
 * hypercall_init() - establish the hypercall page of the level
 *
 * Return: an exception, or 0.
 */
uint32_t hypercall_init(void);

/* RAX after a hypercall; ~0 when there was an exception: see caught(). */
uint64_t hypercall(uint64_t control, uint64_t in, uint64_t out);

/* Where the code is that calls and returns; the page that holds it. */
extern uint64_t hypercall_call;
extern uint64_t hypercall_return;
extern uint8_t hypercall_page[];

/* HvCallGetVpRegisters and HvCallSetVpRegisters of one register; @vtl is HV_INPUT_VTL. */
uint64_t register_get(uint32_t name, uint8_t vtl, struct hv_register_value *v);
uint64_t register_set(uint32_t name, uint8_t vtl, struct hv_register_value v);

#endif /* GUEST_SHARED_H */
