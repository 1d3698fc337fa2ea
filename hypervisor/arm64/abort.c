// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data and instruction aborts of Stage-2: an access that the tables do not allow.
 *
 * Trust boundary: the address is the guest's choice, and so is the instruction. Locks: that of the
 * tables, while they are asked.
 */
#include "vcpu.h"

#define RETRIES 100000u

static bool is_fetch(const struct vcpu *v)
{
	return (v->esr >> ESR_EC_SHIFT & 0x3f) == EC_IABT_LOW;
}

static bool from_user(const struct vcpu *v)
{
	return v->spsr & SPSR_AARCH32 || (v->spsr & SPSR_MODE) == SPSR_EL0T;
}

static bool is_walk(const struct vcpu *v)
{
	return v->esr & ISS_S1PTW;
}

/* HPFAR_EL2 says nothing after a permission fault, unless it was a table walk's. */
static bool fault_address(const struct vcpu *v, uint64_t *ipa)
{
	uint64_t result;

	if ((v->esr & FSC_KIND) != FSC_PERMISSION || is_walk(v)) {
		*ipa = (v->hpfar & HPFAR_FIPA) << HPFAR_TO_IPA_SHIFT | (v->far & ~PAGE_MASK);
		return true;
	}
	result = translate_stage1(v->far);
	*ipa = (result & PAR_ADDRESS) | (v->far & ~PAGE_MASK);
	return !(result & PAR_FAILED);
}

static uint32_t needed(const struct vcpu *v)
{
	/* Whatever is mapped can be read: a walk that lacks a right was to note an access in the table. */
	if (is_walk(v))
		return (v->esr & FSC_KIND) == FSC_PERMISSION ? STAGE2_READ | STAGE2_WRITE : STAGE2_READ;
	if (is_fetch(v))
		return from_user(v) ? STAGE2_USER_EXECUTE : STAGE2_KERNEL_EXECUTE;
	/* Cache maintenance counts as a write, and needs to read. */
	return v->esr & ISS_WNR && !(v->esr & ISS_CM) ? STAGE2_WRITE : STAGE2_READ;
}

static bool is_hidden(uint64_t ipa)
{
	const struct machine *m = &partition.machine;

	for (uint32_t i = 0; i < m->n_hidden; i++)
		if (ipa - m->hidden[i].start < m->hidden[i].size)
			return true;
	return false;
}

/* A device that is not there for the guest: reads give 0, writes do nothing. */
static bool emulate(struct vcpu *v, uint64_t ipa)
{
	uint32_t reg = v->esr >> ISS_SRT_SHIFT & 31;

	if (is_fetch(v) || is_walk(v) || !(v->esr & ISS_ISV) || !is_hidden(ipa))
		return false;
	if (!(v->esr & ISS_WNR) && reg != 31)
		v->x[reg] = 0;
	v->pc += 4;
	vcpu_count(v, COUNT_EMULATED);
	return true;
}

/*
 * The fault as EL1 sees it. One at EL0 is not shown as a permission fault: the kernel would find its
 * own tables in order, and try again for ever.
 */
static uint32_t status_of(const struct vcpu *v)
{
	if (is_walk(v))
		return FSC_EXTERNAL_WALK | 3;
	if (from_user(v) || (v->esr & FSC_KIND) != FSC_PERMISSION)
		return FSC_EXTERNAL;
	return FSC_PERMISSION | 3;
}

/*
 * The guest's tables have changed meanwhile, or ours: it tries again. That comes to an end, unless the
 * processor does not walk our tables as they are meant.
 */
static void retry(struct vcpu *v)
{
	vcpu_count(v, COUNT_RETRIED);
	v->retries = v->pc == v->retry_pc && v->far == v->retry_far ? v->retries + 1 : 0;
	v->retry_pc = v->pc;
	v->retry_far = v->far;
	if (v->retries < RETRIES)
		return;
	console_print("hypervisor: a fault without a reason at 0x%lx: ESR 0x%lx, FAR 0x%lx", v->pc,
		      v->esr, v->far);
	guest_ends(EXIT_ACCESS);
}

void exit_abort(struct vcpu *v)
{
	static const char *const kinds[] = { "read", "write", "execution", "table walk" };
	uint32_t kind = is_walk(v) ? 3 : is_fetch(v) ? 2 : !!(v->esr & ISS_WNR);
	uint64_t ipa;

	if (!fault_address(v, &ipa) || stage2_allows(&partition.stage2, ipa, needed(v))) {
		retry(v);
		return;
	}
	if (emulate(v, ipa))
		return;
	if (guest_warns() || partition.config.stop)
		console_print("hypervisor: %s of 0x%lx at 0x%lx (EL%u) denied", kinds[kind], ipa, v->pc,
			      from_user(v) ? 0u : 1u);
	inject_abort(v, status_of(v));
}
