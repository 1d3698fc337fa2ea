/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that the guest's assembly and C share. */
#ifndef SELFTESTS_IMAGE_GUEST_ASM_H
#define SELFTESTS_IMAGE_GUEST_ASM_H

#define GUEST_CPUS 3
#define GUEST_STACK 16384
#define GUEST_AP_PAGE 0x8000
#define GUEST_CR4 0x620 /* PAE, OSFXSR, OSXMMEXCPT */

/* struct guest_regs */
#define GREG_RAX 0x00
#define GREG_RCX 0x08
#define GREG_RDX 0x10
#define GREG_RBX 0x18
#define GREG_RBP 0x20
#define GREG_RSI 0x28
#define GREG_RDI 0x30
#define GREG_R8 0x38
#define GREG_R9 0x40
#define GREG_R10 0x48
#define GREG_R11 0x50
#define GREG_R12 0x58
#define GREG_R13 0x60
#define GREG_R14 0x68
#define GREG_R15 0x70
#define GREG_CR2 0x78
#define GREG_DR0 0x80
#define GREG_XMM0 0x88
#define GREG_XMM15 0x98

#endif /* SELFTESTS_IMAGE_GUEST_ASM_H */
