/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which instruction a guest was at: its length, and what it would have done, for the few kinds that
 * the hypervisor does in its place.  The bytes are the guest's; nothing in them is trusted.
 *
 * Moves of several words at once (string instructions, repeated or not), pushes, and arithmetic on
 * memory are not among those kinds, nor are moves of segment, debug and vector registers.
 */
#ifndef HV_X86_INSN_H
#define HV_X86_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_LENGTH_MAX 15
#define INSN_NO_REGISTER 0xff

/**
 * enum insn_error - why there is no instruction; insn_decode() returns them negated
 * @INSN_E_SHORT:   the bytes end inside the instruction
 * @INSN_E_INVALID: no instruction begins like this, or it is longer than 15 bytes
 */
enum insn_error {
	INSN_E_SHORT = 1,
	INSN_E_INVALID = 2,
};

/**
 * enum insn_mode - the size of code, from the code segment
 * @INSN_16: real mode, virtual 8086 mode, or a segment of 16 bits
 * @INSN_32: a segment of 32 bits
 * @INSN_64: 64-bit mode
 */
enum insn_mode { INSN_16, INSN_32, INSN_64 };

/**
 * enum insn_kind - what an instruction does
 * @INSN_OTHER:       something else; only its length is known
 * @INSN_STORE:       memory <- general register or immediate
 * @INSN_LOAD:        general register <- memory: MOV, MOVZX, MOVSX, MOVSXD
 * @INSN_EXCHANGE:    XCHG of memory and general register
 * @INSN_MOV_TO_CR:   control register <- general register
 * @INSN_MOV_FROM_CR: general register <- control register
 * @INSN_CLTS:        clears CR0.TS
 * @INSN_LMSW:        CR0 <- two bytes of memory or of a register
 * @INSN_LGDT:        GDTR <- memory
 * @INSN_LIDT:        IDTR <- memory
 * @INSN_LLDT:        LDTR <- two bytes of memory or of a register
 * @INSN_LTR:         TR <- two bytes of memory or of a register
 * @INSN_CPUID:       registers only, like those that follow
 * @INSN_RDMSR:       reads a model specific register
 * @INSN_WRMSR:       writes a model specific register
 * @INSN_VMMCALL:     AMD's hypercall
 * @INSN_XSETBV:      writes an extended control register
 */
enum insn_kind {
	INSN_OTHER,
	INSN_STORE,
	INSN_LOAD,
	INSN_EXCHANGE,
	INSN_MOV_TO_CR,
	INSN_MOV_FROM_CR,
	INSN_CLTS,
	INSN_LMSW,
	INSN_LGDT,
	INSN_LIDT,
	INSN_LLDT,
	INSN_LTR,
	INSN_CPUID,
	INSN_RDMSR,
	INSN_WRMSR,
	INSN_VMMCALL,
	INSN_XSETBV,
};

/**
 * struct insn - an instruction and its operands
 * @kind:         what it does
 * @length:       bytes of it, 1 to 15
 * @size:         bytes of memory that are read or written; of the descriptor of LGDT and LIDT 6 or
 *                10; 2 for LMSW, LLDT and LTR from a register too; else 0
 * @reg:          the general register, 0 to 15 in the order RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI,
 *                R8 and so on; INSN_NO_REGISTER without one, as when the source is an immediate
 * @reg_size:     bytes of that register that are read or written, 1, 2, 4 or 8, of which LMSW, LLDT
 *                and LTR use 2; for LGDT and LIDT the operand size (2: the base has 24 bits)
 * @high_byte:    the register is AH, CH, DH or BH, and @reg is 0 to 3
 * @sign_extend:  what is loaded is extended by its sign to @reg_size, else by zeros
 * @cr:           number of the control register
 * @immediate:    what is stored, extended by its sign, when there is no register
 * @memory:       there is a memory operand, at segment base + address, where the address is
 *                base + index * scale + displacement, truncated to @address_size
 * @base:         register, numbered like @reg, or INSN_NO_REGISTER; the instruction pointer is
 *                already part of @displacement
 * @index:        register or INSN_NO_REGISTER
 * @scale:        1, 2, 4 or 8
 * @segment:      0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS: the one in force, given or by default; 64-bit
 *                mode knows FS and GS, the base of the others is 0 there
 * @displacement: extended by its sign
 * @address_size: bytes of the address: 2, 4 or 8
 */
struct insn {
	enum insn_kind kind;
	uint8_t length;
	uint8_t size;
	uint8_t reg;
	uint8_t reg_size;
	bool high_byte;
	bool sign_extend;
	uint8_t cr;
	uint64_t immediate;
	bool memory;
	uint8_t base, index, scale, segment;
	int64_t displacement;
	uint8_t address_size;
};

/**
 * insn_decode() - decode one instruction
 * @bytes: where it begins
 * @n:     bytes that are there; at most 15 are read
 * @mode:  size of code
 * @rip:   address of the first byte, for operands that are relative to the next instruction
 * @insn:  out
 *
 * Needs about 1 KiB of stack.
 *
 * Return: 0, or -INSN_E_SHORT or -INSN_E_INVALID, with @insn as of no instruction, length 0.
 */
int insn_decode(const uint8_t *bytes, size_t n, enum insn_mode mode, uint64_t rip,
		struct insn *insn);

#endif /* HV_X86_INSN_H */
