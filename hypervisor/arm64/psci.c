// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI for the guest, by SMC.  Its CPUs are turned on and off by the firmware; each starts in the
 * hypervisor.
 *
 * Trust boundary: function and arguments are the guest's. Locks: partition.power around what a CPU's
 * power is, never while it is waited for.
 */
#include "vcpu.h"

#define SUSPEND_POWER_DOWN (BIT(16) | BIT(30))
#define TRIES 10000000u

static struct vcpu *find(uint64_t affinity)
{
	for (uint32_t i = 0; i < partition.machine.n_cpus; i++)
		if (partition.vcpu[i].affinity == affinity)
			return &partition.vcpu[i];
	return NULL;
}

/* A CPU that has said that it is off may still be on its way there. */
static int32_t start(const struct vcpu *target)
{
	int32_t ret = PSCI_ALREADY_ON;

	for (uint32_t i = 0; ret == PSCI_ALREADY_ON && i < TRIES; i++)
		ret = (int32_t)firmware(PSCI_CPU_ON | SMCCC_64, target->affinity, (uint64_t)ap_start,
					target->index);
	return ret ? PSCI_INTERNAL_FAILURE : PSCI_SUCCESS;
}

static int32_t claim(struct vcpu *target, uint64_t entry, uint64_t context)
{
	int32_t ret = PSCI_SUCCESS;

	lock(&partition.power);
	if (target->power == VCPU_ON) {
		ret = PSCI_ALREADY_ON;
	} else if (target->power == VCPU_PENDING) {
		ret = PSCI_ON_PENDING;
	} else {
		target->power = VCPU_PENDING;
		target->entry = entry;
		target->context = context;
	}
	unlock(&partition.power);
	return ret;
}

static void set_power(struct vcpu *v, enum vcpu_power power)
{
	lock(&partition.power);
	v->power = power;
	unlock(&partition.power);
}

static int32_t cpu_on(struct vcpu *v)
{
	struct vcpu *target = find(v->x[1]);
	int32_t ret;

	if (!target)
		return PSCI_INVALID_PARAMETERS;
	if (v->x[2] & 3 || !stage2_allows(&partition.stage2, v->x[2], STAGE2_KERNEL_EXECUTE))
		return PSCI_INVALID_ADDRESS;
	ret = claim(target, v->x[2], v->x[3]);
	if (ret)
		return ret;
	vcpu_count(v, COUNT_CPU_ON);
	ret = start(target);
	if (ret)
		set_power(target, VCPU_OFF);
	return ret;
}

/* Returns only when it is refused: the last CPU stays. */
static int32_t cpu_off(struct vcpu *v)
{
	uint32_t others = 0;

	lock(&partition.power);
	for (uint32_t i = 0; i < partition.machine.n_cpus; i++)
		others += &partition.vcpu[i] != v && partition.vcpu[i].power != VCPU_OFF;
	v->power = others ? VCPU_OFF : VCPU_ON;
	unlock(&partition.power);
	if (!others)
		return PSCI_DENIED;
	vcpu_count(v, COUNT_CPU_OFF);
	firmware(PSCI_CPU_OFF, 0, 0, 0);
	panic("CPU %u does not turn off", v->index);
}

static int32_t affinity_info(const struct vcpu *v)
{
	static const int32_t states[] = {
		[VCPU_OFF] = PSCI_AFFINITY_OFF,
		[VCPU_PENDING] = PSCI_AFFINITY_ON_PENDING,
		[VCPU_ON] = PSCI_AFFINITY_ON,
	};
	const struct vcpu *target = find(v->x[1]);
	int32_t ret;

	if (!target || v->x[2])
		return PSCI_INVALID_PARAMETERS;
	lock(&partition.power);
	ret = states[target->power];
	unlock(&partition.power);
	return ret;
}

/* A CPU that loses nothing is what a power-down state may be as well. */
static int32_t cpu_suspend(const struct vcpu *v)
{
	if (v->x[1] & SUSPEND_POWER_DOWN)
		return PSCI_INVALID_PARAMETERS;
	wait_interrupt();
	return PSCI_SUCCESS;
}

static int32_t features(uint32_t function)
{
	static const uint32_t known[] = {
		PSCI_VERSION, PSCI_CPU_SUSPEND, PSCI_CPU_OFF, PSCI_CPU_ON, PSCI_AFFINITY_INFO,
		PSCI_MIGRATE_INFO_TYPE, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, PSCI_FEATURES,
		SMCCC_VERSION, PSCI_CPU_SUSPEND | SMCCC_64, PSCI_CPU_ON | SMCCC_64,
		PSCI_AFFINITY_INFO | SMCCC_64,
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == function)
			return PSCI_SUCCESS;
	return PSCI_NOT_SUPPORTED;
}

/* By a 32-bit function the arguments are of 32 bits. */
static void narrow(struct vcpu *v)
{
	for (uint32_t i = 1; !(v->x[0] & SMCCC_64) && i <= 3; i++)
		v->x[i] = (uint32_t)v->x[i];
}

static int64_t call(struct vcpu *v)
{
	narrow(v);
	switch ((uint32_t)v->x[0]) {
	case PSCI_VERSION:
		return PSCI_1_1;
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_SUSPEND | SMCCC_64:
		return cpu_suspend(v);
	case PSCI_CPU_OFF:
		return cpu_off(v);
	case PSCI_CPU_ON:
	case PSCI_CPU_ON | SMCCC_64:
		return cpu_on(v);
	case PSCI_AFFINITY_INFO:
	case PSCI_AFFINITY_INFO | SMCCC_64:
		return affinity_info(v);
	case PSCI_MIGRATE_INFO_TYPE:
		return PSCI_NO_MIGRATION;
	case PSCI_SYSTEM_OFF:
		guest_ends(0);
	case PSCI_SYSTEM_RESET:
		guest_ends(EXIT_RESET);
	case PSCI_FEATURES:
		return features((uint32_t)v->x[1]);
	case SMCCC_VERSION:
		return SMCCC_1_1;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

void exit_smc(struct vcpu *v)
{
	v->pc += 4;
	/* Others than SMC #0 are not SMCCC's. */
	v->x[0] = v->esr & ESR_IMM16 ? (uint64_t)PSCI_NOT_SUPPORTED : (uint64_t)call(v);
}
