/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual CPUs: each is the physical one with the same index; nothing is scheduled. */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include "config.h"
#include "counters.h"
#include "cpu.h"
#include "device_tree.h"
#include "machine.h"
#include "stage2.h"

#define COUNTERS(X) \
	X(HVC, "hvc") \
	X(SMC, "smc") \
	X(DATA_ABORT, "data_abort") \
	X(INSTRUCTION_ABORT, "instruction_abort") \
	X(SYSREG, "sysreg") \
	X(OTHER, "other") \
	X(EMULATED, "emulated_access") \
	X(INJECTED, "injected") \
	X(RETRIED, "retried") \
	X(CONSOLE, "console_call") \
	X(PROTECT, "protect_call") \
	X(CPU_ON, "cpu_on") \
	X(CPU_OFF, "cpu_off")

enum counter {
#define COUNTER_ID(id, name) COUNT_##id,
	COUNTERS(COUNTER_ID)
#undef COUNTER_ID
	COUNT_COUNT
};

enum vcpu_power {
	VCPU_OFF,
	VCPU_PENDING, /* turned on, not there yet */
	VCPU_ON,
};

/* The HVC instruction's number: what the guest asks for.  A guest that asks for more gets #UNDEF. */
enum call {
	CALL_EXIT, /* leave, code 0 */
	CALL_PUT, /* x0: a character for the console */
	CALL_EXIT_CODE, /* x0: leave with this code, 0 to EXIT_GUEST_MAX */
	CALL_PROTECT, /* x0: address, x1: bytes, x2: rights, fewer than there are; x0: enum stage2_error */
};

struct vcpu {
	/* The start is what the assembly knows: asm.h. */
	uint64_t x[31];
	uint64_t pc;
	uint64_t spsr;
	uint64_t esr;
	uint64_t far;
	uint64_t hpfar;
	/* Here its knowledge ends. */
	uint32_t index;
	enum vcpu_power power; /* under partition.power */
	uint64_t affinity;
	uint64_t entry; /* of the next start */
	uint64_t context;
	uint64_t retry_pc; /* the last fault that was none */
	uint64_t retry_far;
	uint32_t retries; /* of that one */
	uint64_t count[COUNT_COUNT];
};

_Static_assert(__builtin_offsetof(struct vcpu, pc) == VCPU_PC, "VCPU_PC");
_Static_assert(__builtin_offsetof(struct vcpu, esr) == VCPU_ESR, "VCPU_ESR");
_Static_assert(__builtin_offsetof(struct vcpu, hpfar) == VCPU_HPFAR, "VCPU_HPFAR");

/* All there is: one guest. */
struct partition {
	struct machine machine;
	struct guest_config config;
	struct pool pool;
	struct stage2 stage2;
	struct lock power; /* held for a change of a CPU's power */
	struct vcpu vcpu[CPUS_MAX];
	uint32_t warned; /* lines about what the guest may not do */
};

extern struct partition partition;

static inline void vcpu_count(struct vcpu *v, enum counter id)
{
	v->count[id]++;
}

/**
 * vcpu_init() - set this CPU's registers for its guest, as after a reset
 * @v: the CPU's
 */
void vcpu_init(struct vcpu *v);

/**
 * vcpu_run() - run the guest
 * @v: this CPU's, with its first registers
 */
_Noreturn void vcpu_run(struct vcpu *v);

/**
 * guest_ends() - the guest has left, or cannot go on
 * @code: with what the machine ends
 */
_Noreturn void guest_ends(uint32_t code);

/**
 * guest_warns() - whether a line about the guest may be printed
 *
 * A guest cannot fill the console: some lines, then none.
 *
 * Return: true when it may.
 */
bool guest_warns(void);

/**
 * inject_undefined() - the guest's instruction, at its PC, is undefined for it
 * @v: this CPU's
 *
 * Stops the guest when it has no vectors that could be entered.
 */
void inject_undefined(struct vcpu *v);

/**
 * inject_abort() - what the guest's instruction has done fails
 * @v: this CPU's, after an abort
 * @status: the fault's status code for EL1
 *
 * Stops the guest when it has no vectors that could be entered.
 */
void inject_abort(struct vcpu *v, uint32_t status);

/* Exits: what they do is told where they are defined. */
void exit_abort(struct vcpu *v);
void exit_smc(struct vcpu *v);

void guest_enter(struct vcpu *v);
void ap_start(void);

#endif /* HV_VCPU_H */
