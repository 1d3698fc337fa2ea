/* SPDX-License-Identifier: GPL-2.0-only */
/* The processor: system registers, barriers, calls of the firmware. */
#ifndef HV_CPU_H
#define HV_CPU_H

#include "base.h"
#include "encoding.h"

#define read_sysreg(name)                                        \
	({                                                       \
		uint64_t read_v;                                 \
		__asm__ volatile("mrs %0, " name : "=r"(read_v)); \
		read_v;                                          \
	})

#define write_sysreg(name, v) __asm__ volatile("msr " name ", %0" : : "r"((uint64_t)(v)) : "memory")

/* Names that the assembler of Debian 12 does not know without an architecture's extension. */
#define REG_HFGRTR "s3_4_c1_c1_4"
#define REG_HFGWTR "s3_4_c1_c1_5"
#define REG_HFGITR "s3_4_c1_c1_6"
#define REG_HDFGRTR "s3_4_c3_c1_4"
#define REG_HDFGWTR "s3_4_c3_c1_5"
#define REG_HCRX "s3_4_c1_c2_2"
#define REG_ZCR "s3_4_c1_c2_0"
#define REG_SMCR "s3_4_c1_c2_6"
#define REG_ISAR2 "s3_0_c0_c6_2"
#define REG_MMFR3 "s3_0_c0_c7_3"
#define REG_ICC_SRE_EL2 "s3_4_c12_c9_5"

static inline uint32_t mmio_read(uint64_t at)
{
	uint32_t v;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(at) : "memory");
	return v;
}

static inline void mmio_write(uint64_t at, uint32_t v)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(v), "r"(at) : "memory");
}

static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static inline void wait_interrupt(void)
{
	__asm__ volatile("wfi" : : : "memory");
}

/* A field of four bits of an ID register. */
static inline uint32_t id_field(uint64_t id, uint32_t shift)
{
	return (uint32_t)(id >> shift & 0xf);
}

/* Affinity fields as PSCI names a CPU by them. */
static inline uint64_t mpidr_affinity(uint64_t mpidr)
{
	return mpidr & 0xff00ffffffull;
}

/**
 * translate_stage1() - the guest's own translation for a read at EL1, AT S1E1R
 * @address: the guest's
 *
 * The guest's tables may lie where reading them is an external abort, an exception of the hypervisor's
 * own: that has failed, too.
 *
 * Return: what PAR_EL1 was then; it is the guest's again.
 */
uint64_t translate_stage1(uint64_t address);

/* The same through Stage-2, AT S12E1R. */
uint64_t translate_both(uint64_t address);

/**
 * firmware() - an SMC
 * @function: of SMCCC
 * @a1: first argument
 * @a2: second
 * @a3: third
 *
 * Return: what the firmware leaves in x0.
 */
uint64_t firmware(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);

#endif /* HV_CPU_H */
