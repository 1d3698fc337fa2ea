/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Offsets and numbers that assembly and C share; vp.h asserts them.
 */
#ifndef VTL1_IMAGE_ASM_H
#define VTL1_IMAGE_ASM_H

/* struct vtl0_regs */
#define REGS_RAX 0x00
#define REGS_RCX 0x08
#define REGS_RDX 0x10
#define REGS_RBX 0x18
#define REGS_RBP 0x20
#define REGS_RSI 0x28
#define REGS_RDI 0x30
#define REGS_R8 0x38
#define REGS_R9 0x40
#define REGS_R10 0x48
#define REGS_R11 0x50
#define REGS_R12 0x58
#define REGS_R13 0x60
#define REGS_R14 0x68
#define REGS_R15 0x70
#define REGS_CR2 0x78

/* struct vp, which GS points to */
#define VP_RETURN_STUB 0x08
#define VP_ASSIST 0x10
#define VP_GUARD 0x18
#define VP_REGS 0x20

/* struct hv_vp_assist_page */
#define ASSIST_RAX 0x10
#define ASSIST_RCX 0x18

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18

#define TRAP_STUB_SIZE 16
#define TRAP_VECTORS 256

#endif /* VTL1_IMAGE_ASM_H */
