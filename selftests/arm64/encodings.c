// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bits of registers and descriptors against the values of the Arm Architecture Reference Manual
 * (DDI 0487), chapters D8 (tables) and D19 (registers), and of PSCI (DEN0022).
 */
#include "check.h"
#include "encoding.h"

#define BITS(high, low) ((~0ull >> (63 - (high))) & (~0ull << (low)))

static void registers(void)
{
	/* HCR_EL2: VM 0, TWI 13, TSC 19, TIDCP 20, TVM 26, TRVM 30, RW 31, APK 40, API 41, EnSCXT 53, ATA 56 */
	CHECK(HCR_VM == 0x1 && HCR_TSC == 0x80000 && HCR_TIDCP == 0x100000);
	CHECK(HCR_TWI == 0x2000 && HCR_TRVM == 0x40000000);
	CHECK(HCR_TVM == 0x4000000 && HCR_RW == 0x80000000);
	CHECK(HCR_APK == 0x10000000000 && HCR_API == 0x20000000000);
	CHECK(HCR_ENSCXT == 0x20000000000000 && HCR_ATA == 0x100000000000000);
	/* VTCR_EL2: T0SZ 5:0, SL0 7:6, IRGN0 9:8, ORGN0 11:10, SH0 13:12, TG0 15:14, PS 18:16 */
	CHECK(VTCR_BITS == 0x80003559);
	CHECK((VTCR_BITS & BITS(5, 0)) == 64 - 39);
	CHECK((VTCR_BITS & BITS(7, 6)) >> 6 == 1);
	CHECK((VTCR_BITS & BITS(15, 14)) == 0);
	CHECK(!(VTCR_BITS & BITS(18, 16)) && VTCR_PS_SHIFT == 16 && VTTBR_VMID_SHIFT == 48);
	/* TCR_EL2 with E2H 0: T0SZ 5:0, IRGN0 9:8, ORGN0 11:10, SH0 13:12, RES1 23 and 31 */
	CHECK(TCR_EL2_BITS == 0x80803519 && TCR_EL2_PS_SHIFT == 16);
	/* Attr1 0xff: write-back, non-transient, read- and write-allocate; Attr0 0x04: Device-nGnRE */
	CHECK(MAIR_BITS == 0xff04);
	/* SCTLR_EL2 with E2H 0: RES1 4, 5, 11, 16, 18, 22, 23, 28, 29 */
	CHECK(SCTLR_EL2_OFF == 0x30c50830);
	CHECK((SCTLR_EL2_ON ^ SCTLR_EL2_OFF) == 0x8100d); /* M 0, C 2, SA 3, I 12, WXN 19 */
	CHECK(SCTLR_EL1_RESET == 0x30d00800 && SCTLR_EL1_SPAN == 0x800000);
	/* CPTR_EL2 with E2H 0: RES1 13, 12, 9, 8, 7:0; TZ 8, TSM 12; TFP 10 and TTA 20 are 0 */
	CHECK(CPTR_RES1 == 0x33ff && CPTR_TZ == 0x100 && CPTR_TSM == 0x1000);
	/* HFGRTR_EL2: nSMPRI_EL1 54, nTPIDR2_EL0 55, nPIRE0_EL1 57, nPIR_EL1 58, nPOR_EL0 59, nPOR_EL1 60 */
	CHECK(HFG_SME == BITS(55, 54) && HFG_S1PIE == BITS(58, 57) && HFG_S1POE == BITS(60, 59));
	/* HCRX_EL2: SMPME 5, MSCEn 11, TCR2En 14 */
	CHECK(HCRX_SMPME == 0x20 && HCRX_MSCEN == 0x800 && HCRX_TCR2EN == 0x4000);
	/* SMCR_EL2: EZT0 30, FA64 31 */
	CHECK(SMCR_EZT0 == 0x40000000 && SMCR_FA64 == 0x80000000);
}

static void id_registers(void)
{
	CHECK(PFR0_CSV2_SHIFT == 56 && PFR1_CSV2_FRAC_SHIFT == 32);
	CHECK(PFR0_SVE_SHIFT == 32 && PFR1_MTE_SHIFT == 8 && PFR1_SME_SHIFT == 24);
	CHECK(MMFR0_FGT_SHIFT == 56 && DFR0_PMU_SHIFT == 8);
	CHECK(MMFR1_PAN_SHIFT == 20 && MMFR1_XNX_SHIFT == 28 && MMFR1_HCX_SHIFT == 40);
	CHECK(ISAR1_APA_SHIFT == 4 && ISAR1_API_SHIFT == 8 && ISAR1_GPA_SHIFT == 24);
	CHECK(ISAR1_GPI_SHIFT == 28 && ISAR2_APA3_SHIFT == 12 && ISAR2_MOPS_SHIFT == 16);
	CHECK(!MMFR3_TCRX_SHIFT && MMFR3_S1PIE_SHIFT == 8 && MMFR3_S1POE_SHIFT == 16);
}

static void syndromes(void)
{
	CHECK(ESR_EC_SHIFT == 26 && ESR_IL == 0x2000000);
	CHECK(EC_UNKNOWN == 0 && EC_HVC64 == 0x16 && EC_SMC64 == 0x17 && EC_SYSREG == 0x18);
	CHECK(EC_IABT_LOW == 0x20 && EC_IABT_CUR == 0x21 && EC_DABT_LOW == 0x24 && EC_DABT_CUR == 0x25);
	/* What an HVC #0 of a guest was seen to give. */
	CHECK(((uint64_t)EC_HVC64 << ESR_EC_SHIFT | ESR_IL) == 0x5a000000);
	CHECK(ISS_ISV == 0x1000000 && ISS_SRT_SHIFT == 16 && ISS_CM == 0x100);
	CHECK(ISS_S1PTW == 0x80 && ISS_WNR == 0x40);
	CHECK(FSC_TRANSLATION == 4 && FSC_ACCESS_FLAG == 8 && FSC_PERMISSION == 0xc);
	CHECK(FSC_EXTERNAL == 0x10 && FSC_EXTERNAL_WALK == 0x14);
	/* Seen for a write to a page without write permission: 0x9381004f. */
	CHECK((0x9381004f >> ESR_EC_SHIFT & 0x3f) == EC_DABT_LOW);
	CHECK((0x9381004f & FSC_KIND) == FSC_PERMISSION && 0x9381004f & ISS_WNR);
	/* Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, CRm 4:1 */
	CHECK(ISS_SYSREG_NAME == (BITS(21, 10) | BITS(4, 1)));
	/* HPFAR_EL2.FIPA 43:4 is bits 51:12 of the address */
	CHECK(HPFAR_FIPA == BITS(43, 4) && HPFAR_TO_IPA_SHIFT == 8);
	CHECK(PAR_FAILED == 1 && PAR_ADDRESS == BITS(51, 12));
}

static void states(void)
{
	CHECK(SPSR_EL1H == 5 && SPSR_EL1T == 4 && SPSR_EL0T == 0 && SPSR_AARCH32 == 0x10);
	CHECK(SPSR_DAIF == 0x3c0 && SPSR_BTYPE == 0xc00 && SPSR_SSBS == 0x1000);
	CHECK(SPSR_IL == 0x100000 && SPSR_SS == 0x200000 && SPSR_PAN == 0x400000);
	CHECK(SPSR_UAO == 0x800000 && SPSR_TCO == 0x2000000);
	CHECK(VECTOR_EL1H == 0x200 && VECTOR_EL0_64 == 0x400 && VECTOR_EL0_32 == 0x600);
}

static void descriptors(void)
{
	/* Stage 2: MemAttr 5:2, S2AP 7:6, SH 9:8, AF 10, XN 54:53 */
	CHECK(S2_VALID == 1 && S2_TABLE == 2 && S2_AP_READ == 0x40 && S2_AP_WRITE == 0x80);
	CHECK(S2_MEMATTR_MASK == 0x3c && S2_MEMATTR_NORMAL == 0x3c && S2_MEMATTR_DEVICE == 4);
	CHECK(S2_SH_INNER == 0x300 && S2_AF == 0x400 && S2_XN_SHIFT == 53);
	CHECK(S2_XN_NONE == 0 && S2_XN_KERNEL == 1 && S2_XN_ALL == 2 && S2_XN_USER == 3);
	CHECK(S2_ADDRESS == BITS(47, 12));
	/* Stage 1: AttrIndx 4:2, AP[2] 7, AP[1] 6 (RES1 at EL2), SH 9:8, AF 10, XN 54 */
	CHECK(S1_BLOCK == 1 && S1_TABLE == 3 && S1_PAGE == 3 && S1_ATTR_NORMAL == 4);
	CHECK(S1_READ_ONLY == 0x80 && S1_AP_RES1 == 0x40 && S1_SH_INNER == 0x300);
	CHECK(S1_AF == 0x400 && S1_XN == 0x40000000000000);
}

static void psci(void)
{
	CHECK(PSCI_VERSION == 0x84000000 && PSCI_CPU_SUSPEND == 0x84000001);
	CHECK(PSCI_CPU_OFF == 0x84000002 && (PSCI_CPU_ON | SMCCC_64) == 0xc4000003);
	CHECK((PSCI_AFFINITY_INFO | SMCCC_64) == 0xc4000004 && PSCI_MIGRATE_INFO_TYPE == 0x84000006);
	CHECK(PSCI_SYSTEM_OFF == 0x84000008 && PSCI_SYSTEM_RESET == 0x84000009);
	CHECK(PSCI_FEATURES == 0x8400000a && PSCI_1_1 == 0x10001 && SMCCC_1_1 == 0x10001);
	CHECK(PSCI_NOT_SUPPORTED == -1 && PSCI_INVALID_PARAMETERS == -2 && PSCI_DENIED == -3);
	CHECK(PSCI_ALREADY_ON == -4 && PSCI_ON_PENDING == -5 && PSCI_INVALID_ADDRESS == -9);
}

void test_encodings(void)
{
	test("encodings: registers of EL2", registers);
	test("encodings: ID registers", id_registers);
	test("encodings: syndromes", syndromes);
	test("encodings: saved state, vectors", states);
	test("encodings: descriptors", descriptors);
	test("encodings: PSCI", psci);
}
