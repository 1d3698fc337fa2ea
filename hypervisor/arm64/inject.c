// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions for the guest's EL1, as the processor would have taken them there.
 *
 * Trust boundary: where the vectors are is the guest's choice. Locks: that of the tables, while the
 * processor walks them.
 */
#include "vcpu.h"

/* What stays of the state when an exception is taken: flags, DIT, and what EL1 has chosen itself. */
#define SPSR_KEPT (0xf0000000ull | BIT(24) | SPSR_PAN)

static uint64_t vector_offset(uint64_t spsr)
{
	if (spsr & SPSR_AARCH32)
		return VECTOR_EL0_32;
	switch (spsr & SPSR_MODE) {
	case SPSR_EL1H:
		return VECTOR_EL1H;
	case SPSR_EL1T:
		return VECTOR_EL1T;
	default:
		return VECTOR_EL0_64;
	}
}

static uint64_t new_state(uint64_t spsr)
{
	uint64_t sctlr = read_sysreg("sctlr_el1");
	bool pan = id_field(read_sysreg("id_aa64mmfr1_el1"), MMFR1_PAN_SHIFT);
	bool mte = id_field(read_sysreg("id_aa64pfr1_el1"), PFR1_MTE_SHIFT) > 1;
	uint64_t state = (spsr & SPSR_KEPT) | SPSR_DAIF | SPSR_EL1H;

	if (spsr & SPSR_AARCH32)
		state &= ~BIT(24);
	if (pan && !(sctlr & SCTLR_EL1_SPAN))
		state |= SPSR_PAN;
	if (sctlr >> SCTLR_EL1_DSSBS & 1)
		state |= SPSR_SSBS;
	return state | (mte ? SPSR_TCO : 0);
}

/* Whether the guest may execute there: without vectors an injected exception would never end. */
static bool can_enter(uint64_t address)
{
	uint64_t result;

	/* An entry that another CPU is splitting is not there for a while. */
	lock(&partition.stage2.lock);
	result = translate_both(address);
	unlock(&partition.stage2.lock);
	return !(result & PAR_FAILED) &&
	       stage2_allows(&partition.stage2, result & PAR_ADDRESS, STAGE2_KERNEL_EXECUTE);
}

static void inject(struct vcpu *v, uint64_t esr)
{
	uint64_t vector = read_sysreg("vbar_el1") + vector_offset(v->spsr);

	if (partition.config.stop || !can_enter(vector)) {
		console_print("hypervisor: the guest cannot go on at 0x%lx: ESR 0x%lx, FAR 0x%lx",
			      v->pc, v->esr, v->far);
		guest_ends(EXIT_ACCESS);
	}
	vcpu_count(v, COUNT_INJECTED);
	write_sysreg("elr_el1", v->pc);
	write_sysreg("spsr_el1", v->spsr);
	write_sysreg("esr_el1", esr);
	v->pc = vector;
	v->spsr = new_state(v->spsr);
}

void inject_undefined(struct vcpu *v)
{
	inject(v, (uint64_t)EC_UNKNOWN << ESR_EC_SHIFT | ESR_IL);
}

void inject_abort(struct vcpu *v, uint32_t status)
{
	bool fetch = (v->esr >> ESR_EC_SHIFT & 0x3f) == EC_IABT_LOW;
	bool same = (v->spsr & SPSR_MODE) != SPSR_EL0T && !(v->spsr & SPSR_AARCH32);
	uint64_t class = fetch ? EC_IABT_LOW : EC_DABT_LOW;
	uint64_t iss = status | (fetch ? 0 : v->esr & (ISS_CM | ISS_WNR));

	write_sysreg("far_el1", v->far);
	inject(v, (class + same) << ESR_EC_SHIFT | (v->esr & ESR_IL) | iss);
}
