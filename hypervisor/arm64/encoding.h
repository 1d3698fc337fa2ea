/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bits of registers and descriptors, as the Arm Architecture Reference Manual (DDI 0487) has them.
 * Constants only, for assembly and C: a test on the host compares them with the manual's values.
 */
#ifndef HV_ENCODING_H
#define HV_ENCODING_H

#ifdef __ASSEMBLER__
#define ARM_BIT(n) (1 << (n))
#else
#define ARM_BIT(n) (1ull << (n))
#endif

/* HCR_EL2 */
#define HCR_VM ARM_BIT(0)
#define HCR_TWI ARM_BIT(13)
#define HCR_TSC ARM_BIT(19)
#define HCR_TIDCP ARM_BIT(20)
#define HCR_TVM ARM_BIT(26)
#define HCR_TRVM ARM_BIT(30)
#define HCR_RW ARM_BIT(31)
#define HCR_APK ARM_BIT(40)
#define HCR_API ARM_BIT(41)
#define HCR_ENSCXT ARM_BIT(53)

/* VTCR_EL2: 39 bits from a level-1 table, 4 KiB, cached, inner shareable. */
#define VTCR_T0SZ(v) (v)
#define VTCR_SL0_LEVEL1 (1 << 6)
#define VTCR_IRGN0_WB (1 << 8)
#define VTCR_ORGN0_WB (1 << 10)
#define VTCR_SH0_INNER (3 << 12)
#define VTCR_TG0_4K (0 << 14)
#define VTCR_PS_SHIFT 16
#define VTCR_RES1 ARM_BIT(31)
#define VTCR_T0SZ_39 VTCR_T0SZ(25)
#define VTCR_BITS (VTCR_RES1 | VTCR_T0SZ_39 | VTCR_SL0_LEVEL1 | VTCR_IRGN0_WB | VTCR_ORGN0_WB | \
		   VTCR_SH0_INNER | VTCR_TG0_4K)

/* VTTBR_EL2 */
#define VTTBR_VMID_SHIFT 48

/* TCR_EL2, its layout without virtualization host extensions. */
#define TCR_EL2_T0SZ_39 25
#define TCR_EL2_IRGN0_WB (1 << 8)
#define TCR_EL2_ORGN0_WB (1 << 10)
#define TCR_EL2_SH0_INNER (3 << 12)
#define TCR_EL2_PS_SHIFT 16
#define TCR_EL2_RES1 (ARM_BIT(31) | ARM_BIT(23))
#define TCR_EL2_BITS (TCR_EL2_RES1 | TCR_EL2_T0SZ_39 | TCR_EL2_IRGN0_WB | TCR_EL2_ORGN0_WB | \
		      TCR_EL2_SH0_INNER)

/* MAIR_EL2: attribute 0 is Device-nGnRE, 1 is normal memory, write-back. */
#define MAIR_BITS 0xff04

/* SCTLR_EL2 */
#define SCTLR_M ARM_BIT(0)
#define SCTLR_C ARM_BIT(2)
#define SCTLR_SA ARM_BIT(3)
#define SCTLR_I ARM_BIT(12)
#define SCTLR_WXN ARM_BIT(19)
#define SCTLR_EL2_RES1 0x30c50830
#define SCTLR_EL2_OFF SCTLR_EL2_RES1
#define SCTLR_EL2_ON (SCTLR_EL2_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I | SCTLR_WXN)
#define SCTLR_EL1_SPAN ARM_BIT(23)
#define SCTLR_EL1_RESET 0x30d00800 /* MMU and caches off, little-endian */
#define SCTLR_EL1_DSSBS 44

/* Stage-1 descriptors of EL2. */
#define S1_VALID ARM_BIT(0)
#define S1_TABLE 3
#define S1_PAGE 3
#define S1_BLOCK 1
#define S1_ATTR_NORMAL (1 << 2)
#define S1_AP_RES1 ARM_BIT(6)
#define S1_READ_ONLY ARM_BIT(7)
#define S1_SH_INNER (3 << 8)
#define S1_AF ARM_BIT(10)
#define S1_XN ARM_BIT(54)

/* Stage-2 descriptors. */
#define S2_VALID ARM_BIT(0)
#define S2_TABLE ARM_BIT(1) /* at levels 1 and 2; at level 3 every valid entry has it */
#define S2_MEMATTR_MASK (0xf << 2)
#define S2_MEMATTR_DEVICE (1 << 2) /* Device-nGnRE */
#define S2_MEMATTR_NORMAL (0xf << 2) /* write-back, inner and outer */
#define S2_AP_READ ARM_BIT(6)
#define S2_AP_WRITE ARM_BIT(7)
#define S2_SH_INNER (3 << 8)
#define S2_AF ARM_BIT(10)
#define S2_XN_SHIFT 53
#define S2_XN_NONE 0 /* EL1 and EL0 may execute */
#define S2_XN_KERNEL 1 /* only EL0 may */
#define S2_XN_ALL 2
#define S2_XN_USER 3 /* only EL1 may */
#define S2_ADDRESS 0x0000fffffffff000ull

/* ESR_EL2 */
#define ESR_EC_SHIFT 26
#define ESR_IL ARM_BIT(25)
#define EC_WFX 0x01
#define EC_FP 0x07
#define EC_ILLEGAL 0x0e
#define EC_HVC64 0x16
#define EC_SMC64 0x17
#define EC_SYSREG 0x18
#define EC_IABT_LOW 0x20
#define EC_IABT_CUR 0x21
#define EC_DABT_LOW 0x24
#define EC_DABT_CUR 0x25
#define EC_UNKNOWN 0x00
#define ESR_IMM16 0xffff
#define ISS_ISV ARM_BIT(24)
#define ISS_SRT_SHIFT 16
#define ISS_SF ARM_BIT(15)
#define ISS_FNV ARM_BIT(10)
#define ISS_CM ARM_BIT(8)
#define ISS_S1PTW ARM_BIT(7)
#define ISS_WNR ARM_BIT(6)
#define ISS_FSC 0x3f
#define FSC_TRANSLATION 0x04 /* and the level */
#define FSC_ACCESS_FLAG 0x08
#define FSC_PERMISSION 0x0c
#define FSC_EXTERNAL 0x10
#define FSC_EXTERNAL_WALK 0x14
#define FSC_KIND 0x3c
#define ISS_SYSREG_READ ARM_BIT(0)
#define ISS_SYSREG_RT_SHIFT 5
#define ISS_SYSREG_NAME 0x3ffc1e /* Op0, Op2, Op1, CRn, CRm */

/* HPFAR_EL2 */
#define HPFAR_FIPA 0xffffffffff0ull
#define HPFAR_TO_IPA_SHIFT 8

/* PAR_EL1 */
#define PAR_FAILED ARM_BIT(0)
#define PAR_ADDRESS 0x000ffffffffff000ull

/* SPSR */
#define SPSR_MODE 0x0f
#define SPSR_EL1H 0x05
#define SPSR_EL1T 0x04
#define SPSR_EL0T 0x00
#define SPSR_AARCH32 ARM_BIT(4)
#define SPSR_DAIF (0xf << 6)
#define SPSR_BTYPE (3 << 10)
#define SPSR_SSBS ARM_BIT(12)
#define SPSR_ALLINT ARM_BIT(13)
#define SPSR_IL ARM_BIT(20)
#define SPSR_SS ARM_BIT(21)
#define SPSR_PAN ARM_BIT(22)
#define SPSR_UAO ARM_BIT(23)
#define SPSR_TCO ARM_BIT(25)

/* Offsets of EL1's vectors. */
#define VECTOR_EL1T 0x000
#define VECTOR_EL1H 0x200
#define VECTOR_EL0_64 0x400
#define VECTOR_EL0_32 0x600

/* Fields of ID registers, by their lowest bit. */
#define PFR0_SVE_SHIFT 32
#define PFR0_CSV2_SHIFT 56
#define PFR1_MTE_SHIFT 8
#define PFR1_SME_SHIFT 24
#define PFR1_CSV2_FRAC_SHIFT 32
#define MMFR0_FGT_SHIFT 56
#define MMFR1_PAN_SHIFT 20
#define MMFR1_XNX_SHIFT 28
#define MMFR1_HCX_SHIFT 40
#define MMFR3_TCRX_SHIFT 0
#define MMFR3_S1PIE_SHIFT 8
#define MMFR3_S1POE_SHIFT 16
#define DFR0_PMU_SHIFT 8
#define ISAR1_APA_SHIFT 4
#define ISAR1_API_SHIFT 8
#define ISAR1_GPA_SHIFT 24
#define ISAR1_GPI_SHIFT 28
#define ISAR2_APA3_SHIFT 12
#define ISAR2_MOPS_SHIFT 16

/* CPTR_EL2 without virtualization host extensions. */
#define CPTR_RES1 0x33ff /* TZ and TSM among them where there is no SVE, no SME */
#define CPTR_TZ ARM_BIT(8)
#define CPTR_TSM ARM_BIT(12)

/* HCR_EL2's tags. */
#define HCR_ATA ARM_BIT(56)

/* HFGRTR_EL2 and HFGWTR_EL2, HCRX_EL2: bits that trap while they are 0. */
#define HFG_SME (ARM_BIT(54) | ARM_BIT(55)) /* nSMPRI_EL1, nTPIDR2_EL0 */
#define HFG_S1PIE (ARM_BIT(57) | ARM_BIT(58)) /* nPIRE0_EL1, nPIR_EL1 */
#define HFG_S1POE (ARM_BIT(59) | ARM_BIT(60)) /* nPOR_EL0, nPOR_EL1 */
#define HCRX_SMPME ARM_BIT(5)
#define HCRX_MSCEN ARM_BIT(11)
#define HCRX_TCR2EN ARM_BIT(14)

/* SMCR_EL2 */
#define SMCR_EZT0 ARM_BIT(30)
#define SMCR_FA64 ARM_BIT(31)

/* PSCI and SMCCC, DEN0022 and DEN0028. */
#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0x84000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0x84000003u
#define PSCI_AFFINITY_INFO 0x84000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_64 0x40000000u
#define PSCI_1_1 0x10001u
#define SMCCC_1_1 0x10001u

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED -1
#define PSCI_INVALID_PARAMETERS -2
#define PSCI_DENIED -3
#define PSCI_ALREADY_ON -4
#define PSCI_ON_PENDING -5
#define PSCI_INTERNAL_FAILURE -6
#define PSCI_INVALID_ADDRESS -9
#define PSCI_AFFINITY_ON 0
#define PSCI_AFFINITY_OFF 1
#define PSCI_AFFINITY_ON_PENDING 2
#define PSCI_NO_MIGRATION 2

#endif /* HV_ENCODING_H */
