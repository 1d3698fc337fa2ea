/* SPDX-License-Identifier: GPL-2.0-only */
/* Constants that assembly and C share. */
#ifndef HV_ASM_H
#define HV_ASM_H

#define STACK_PAGES 5 /* the lowest is never mapped */
#define STACK_SIZE (STACK_PAGES * 4096)
#define EMERGENCY_SIZE 4096

/* Offsets in struct vcpu. */
#define VCPU_PC 248
#define VCPU_ESR 264
#define VCPU_HPFAR 280

#endif /* HV_ASM_H */
