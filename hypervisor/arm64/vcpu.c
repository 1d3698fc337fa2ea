// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual CPU's registers, its run loop, and the exits that are simple.
 *
 * Trust boundary: all registers are the guest's.  The guest's EL1 state stays in the processor: with
 * one guest there is nothing to change it for.
 */
#include "vcpu.h"

#define WARNINGS 32u
#define VMID 1ull
#define SVE_LENGTHS 0xfull

static const char *const names[COUNT_COUNT] = {
#define COUNTER_NAME(id, name) [COUNT_##id] = name,
	COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};

bool guest_warns(void)
{
	return __atomic_fetch_add(&partition.warned, 1, __ATOMIC_RELAXED) < WARNINGS;
}

void guest_ends(uint32_t code)
{
	const struct counters counters = {
		.names = names,
		.kinds = COUNT_COUNT,
		.cpus = partition.machine.n_cpus,
		.count = partition.vcpu[0].count,
		.stride = sizeof(partition.vcpu[0]),
	};

	machine_ends();
	if (partition.config.counters) {
		counters_print_all(&counters, 0);
		counters_print_pool(&partition.pool, 0);
	}
	machine_exit(code);
}

/* --- registers --- */

static bool has_pointer_authentication(void)
{
	uint64_t isar1 = read_sysreg("id_aa64isar1_el1");

	return id_field(isar1, ISAR1_APA_SHIFT) || id_field(isar1, ISAR1_API_SHIFT) ||
	       id_field(isar1, ISAR1_GPA_SHIFT) || id_field(isar1, ISAR1_GPI_SHIFT) ||
	       id_field(read_sysreg(REG_ISAR2), ISAR2_APA3_SHIFT);
}

/* SCXTNUM_EL0 and SCXTNUM_EL1, which the guest's EL1 sees announced. */
static bool has_context_numbers(void)
{
	uint32_t csv2 = id_field(read_sysreg("id_aa64pfr0_el1"), PFR0_CSV2_SHIFT);

	return csv2 > 1 ||
	       (csv2 == 1 && id_field(read_sysreg("id_aa64pfr1_el1"), PFR1_CSV2_FRAC_SHIFT) > 1);
}

static uint32_t matrix_version(void)
{
	return id_field(read_sysreg("id_aa64pfr1_el1"), PFR1_SME_SHIFT);
}

/* Vectors and matrices are the guest's, of all lengths. */
static void open_vectors(void)
{
	bool sve = id_field(read_sysreg("id_aa64pfr0_el1"), PFR0_SVE_SHIFT);
	uint32_t sme = matrix_version();

	write_sysreg("cptr_el2", CPTR_RES1 & ~(sve ? CPTR_TZ : 0) & ~(sme ? CPTR_TSM : 0));
	isb();
	if (sve)
		write_sysreg(REG_ZCR, SVE_LENGTHS);
	if (sme)
		write_sysreg(REG_SMCR, SVE_LENGTHS | SMCR_FA64 | (sme > 1 ? SMCR_EZT0 : 0));
}

/* What the guest sees announced does not trap; a reset may have left anything in these registers. */
static void open_extensions(void)
{
	uint64_t mmfr3 = read_sysreg(REG_MMFR3);
	bool copies = id_field(read_sysreg(REG_ISAR2), ISAR2_MOPS_SHIFT);
	uint64_t fine = (matrix_version() ? HFG_SME : 0) |
			(id_field(mmfr3, MMFR3_S1PIE_SHIFT) ? HFG_S1PIE : 0) |
			(id_field(mmfr3, MMFR3_S1POE_SHIFT) ? HFG_S1POE : 0);

	if (id_field(read_sysreg("id_aa64mmfr0_el1"), MMFR0_FGT_SHIFT)) {
		write_sysreg(REG_HFGRTR, fine);
		write_sysreg(REG_HFGWTR, fine);
		write_sysreg(REG_HFGITR, 0);
		write_sysreg(REG_HDFGRTR, 0);
		write_sysreg(REG_HDFGWTR, 0);
	}
	if (id_field(read_sysreg("id_aa64mmfr1_el1"), MMFR1_HCX_SHIFT))
		write_sysreg(REG_HCRX, (matrix_version() ? HCRX_SMPME : 0) |
					       (copies ? HCRX_MSCEN : 0) |
					       (id_field(mmfr3, MMFR3_TCRX_SHIFT) ? HCRX_TCR2EN : 0));
}

static void open_counters(void)
{
	uint32_t pmu = id_field(read_sysreg("id_aa64dfr0_el1"), DFR0_PMU_SHIFT);

	/* All event counters are the guest's. */
	write_sysreg("mdcr_el2", pmu && pmu != 0xf ? read_sysreg("pmcr_el0") >> 11 & 0x1f : 0);
	/* The physical counter and timer as well; the virtual ones without an offset. */
	write_sysreg("cnthctl_el2", 3);
	write_sysreg("cntvoff_el2", 0);
}

static void set_translation(void)
{
	uint64_t range = min_u64(read_sysreg("id_aa64mmfr0_el1") & 0xf, 5);

	write_sysreg("vtcr_el2", VTCR_BITS | range << VTCR_PS_SHIFT);
	write_sysreg("vttbr_el2", partition.stage2.root | VMID << VTTBR_VMID_SHIFT);
	isb();
	/* What an earlier owner of this number left in the TLBs of this CPU. */
	__asm__ volatile("tlbi vmalls12e1; dsb nsh; isb" : : : "memory");
}

void vcpu_init(struct vcpu *v)
{
	uint64_t hcr = HCR_RW | HCR_VM | HCR_TSC | HCR_TIDCP;

	if (has_pointer_authentication())
		hcr |= HCR_API | HCR_APK;
	if (id_field(read_sysreg("id_aa64pfr1_el1"), PFR1_MTE_SHIFT) > 1)
		hcr |= HCR_ATA;
	if (has_context_numbers())
		hcr |= HCR_ENSCXT;
	set_translation();
	open_vectors();
	open_extensions();
	open_counters();
	write_sysreg("hcr_el2", hcr);
	write_sysreg("hstr_el2", 0);
	write_sysreg(REG_ICC_SRE_EL2, 0xf);
	write_sysreg("vpidr_el2", read_sysreg("midr_el1"));
	write_sysreg("vmpidr_el2", read_sysreg("mpidr_el1"));
	write_sysreg("sctlr_el1", SCTLR_EL1_RESET);
	write_sysreg("vbar_el1", 0);
	write_sysreg("cntkctl_el1", 0);
	write_sysreg("cntv_ctl_el0", 0);
	write_sysreg("cntp_ctl_el0", 0);
	isb();
	memset(v->x, 0, sizeof(v->x));
	v->spsr = SPSR_DAIF | SPSR_EL1H;
}

/* --- exits --- */

/* Rights can only be taken away, and of the guest's own memory only. */
static uint64_t protect(struct vcpu *v)
{
	uint64_t start = v->x[0];
	uint64_t size = v->x[1];
	uint32_t rights = (uint32_t)v->x[2];
	const struct guest_config *c = &partition.config;

	vcpu_count(v, COUNT_PROTECT);
	if (v->x[2] & ~(uint64_t)STAGE2_RIGHTS || start < c->load || size > c->memory ||
	    start - c->load > c->memory - size)
		return STAGE2_RANGE;
	return stage2_take(&partition.stage2, start, size, rights);
}

static void exit_hvc(struct vcpu *v)
{
	switch (v->esr & ESR_IMM16) {
	case CALL_EXIT:
		guest_ends(0);
	case CALL_PUT:
		vcpu_count(v, COUNT_CONSOLE);
		console_print_char((char)v->x[0]);
		break;
	case CALL_EXIT_CODE:
		guest_ends(v->x[0] <= EXIT_GUEST_MAX ? (uint32_t)v->x[0] : EXIT_GUEST_MAX);
	case CALL_PROTECT:
		v->x[0] = protect(v);
		break;
	default:
		v->pc -= 4; /* it is behind the instruction */
		inject_undefined(v);
		break;
	}
}

/* Registers of the implementation, of SPE and the like: the guest does not have them. */
static void exit_sysreg(struct vcpu *v)
{
	if (guest_warns())
		console_print("hypervisor: system register 0x%lx at 0x%lx: undefined",
			      v->esr & ISS_SYSREG_NAME, v->pc);
	inject_undefined(v);
}

static void exit_other(struct vcpu *v)
{
	if (guest_warns())
		console_print("hypervisor: ESR 0x%lx at 0x%lx: undefined", v->esr, v->pc);
	inject_undefined(v);
}

static void handle_exit(struct vcpu *v)
{
	switch (v->esr >> ESR_EC_SHIFT & 0x3f) {
	case EC_HVC64:
		vcpu_count(v, COUNT_HVC);
		exit_hvc(v);
		break;
	case EC_SMC64:
		vcpu_count(v, COUNT_SMC);
		exit_smc(v);
		break;
	case EC_DABT_LOW:
		vcpu_count(v, COUNT_DATA_ABORT);
		exit_abort(v);
		break;
	case EC_IABT_LOW:
		vcpu_count(v, COUNT_INSTRUCTION_ABORT);
		exit_abort(v);
		break;
	case EC_SYSREG:
		vcpu_count(v, COUNT_SYSREG);
		exit_sysreg(v);
		break;
	default:
		vcpu_count(v, COUNT_OTHER);
		exit_other(v);
		break;
	}
}

void vcpu_run(struct vcpu *v)
{
	while (true) {
		guest_enter(v);
		if (machine_ending())
			machine_park();
		handle_exit(v);
	}
}
