/* SPDX-License-Identifier: GPL-2.0-only */
/* Constants that assembly and C share. */
#ifndef HV_ASM_H
#define HV_ASM_H

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE32 0x18

#define CR4_PAE_BIT 0x20
#define MSR_EFER_NUMBER 0xc0000080
#define EFER_BITS 0x1900 /* SVME, NXE, LME */
#define CR0_BITS 0x80010033 /* PG, WP, NE, ET, MP, PE */

#ifndef __ASSEMBLER__
#include "cpu.h"

_Static_assert(EFER_BITS == (EFER_SVME | EFER_NXE | EFER_LME), "EFER_BITS");
#endif

#endif /* HV_ASM_H */
