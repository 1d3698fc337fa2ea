// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder's face for the hypervisor: Zydis finds the instruction and its operands, this keeps
 * what the emulation needs.  What an instruction means is decided by its mnemonic and the kinds of
 * its operands, never by its bytes.
 */
#include "insn.h"

#include <Zydis/Decoder.h>

#include "base.h"

#define OPERANDS 2 /* of each instruction that is more than a length here */

/* Everything that one call knows. */
struct decoding {
	ZydisDecoder decoder;
	ZydisDecoderContext context;
	ZydisDecodedInstruction instruction;
	ZydisDecodedOperand operands[OPERANDS];
	uint64_t rip;
};

/* Runs of registers in Zydis's numbering: where each begins, what it is called here. */
static const struct register_run {
	uint8_t first, last, number, size;
	bool high_byte;
} register_runs[] = {
	{ ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL, 0, 1, false },
	{ ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH, 0, 1, true },
	{ ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B, 4, 1, false },
	{ ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W, 0, 2, false },
	{ ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D, 0, 4, false },
	{ ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15, 0, 8, false },
};

/* Moves are told apart by their operands. */
static const struct {
	uint16_t mnemonic;
	uint8_t kind;
	bool sign_extend;
} mnemonics[] = {
	{ ZYDIS_MNEMONIC_MOV, INSN_LOAD, false },
	{ ZYDIS_MNEMONIC_MOVZX, INSN_LOAD, false },
	{ ZYDIS_MNEMONIC_MOVSX, INSN_LOAD, true },
	{ ZYDIS_MNEMONIC_MOVSXD, INSN_LOAD, true },
	{ ZYDIS_MNEMONIC_XCHG, INSN_EXCHANGE, false },
	{ ZYDIS_MNEMONIC_CLTS, INSN_CLTS, false },
	{ ZYDIS_MNEMONIC_LMSW, INSN_LMSW, false },
	{ ZYDIS_MNEMONIC_LGDT, INSN_LGDT, false },
	{ ZYDIS_MNEMONIC_LIDT, INSN_LIDT, false },
	{ ZYDIS_MNEMONIC_LLDT, INSN_LLDT, false },
	{ ZYDIS_MNEMONIC_LTR, INSN_LTR, false },
	{ ZYDIS_MNEMONIC_CPUID, INSN_CPUID, false },
	{ ZYDIS_MNEMONIC_RDMSR, INSN_RDMSR, false },
	{ ZYDIS_MNEMONIC_WRMSR, INSN_WRMSR, false },
	{ ZYDIS_MNEMONIC_VMMCALL, INSN_VMMCALL, false },
	{ ZYDIS_MNEMONIC_XSETBV, INSN_XSETBV, false },
};

_Static_assert(ZYDIS_REGISTER_CS == ZYDIS_REGISTER_ES + 1 &&
	       ZYDIS_REGISTER_SS == ZYDIS_REGISTER_ES + 2 &&
	       ZYDIS_REGISTER_DS == ZYDIS_REGISTER_ES + 3 &&
	       ZYDIS_REGISTER_FS == ZYDIS_REGISTER_ES + 4 &&
	       ZYDIS_REGISTER_GS == ZYDIS_REGISTER_ES + 5, "segments are numbered as in encodings");
_Static_assert(ZYDIS_REGISTER_R15 <= UINT8_MAX, "a run's ends fit");

static const struct register_run *run_of(ZydisRegister reg)
{
	for (size_t i = 0; i < ARRAY_SIZE(register_runs); i++)
		if (reg >= register_runs[i].first && reg <= register_runs[i].last)
			return &register_runs[i];
	return NULL;
}

static bool is_memory(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY;
}

static bool is_general(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && run_of(operand->reg.value);
}

static bool is_control(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       operand->reg.value >= ZYDIS_REGISTER_CR0 &&
	       operand->reg.value <= ZYDIS_REGISTER_CR15;
}

static enum insn_kind kind_of_move(const ZydisDecodedOperand *to, const ZydisDecodedOperand *from)
{
	bool immediate = from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

	if (is_memory(to) && (is_general(from) || immediate))
		return INSN_STORE;
	/* MOVSXD to 16 bits differs from maker to maker, and nobody uses it. */
	if (is_general(to) && is_memory(from) && from->size <= to->size)
		return INSN_LOAD;
	if (is_control(to))
		return INSN_MOV_TO_CR;
	if (is_control(from))
		return INSN_MOV_FROM_CR;
	return INSN_OTHER;
}

static enum insn_kind kind_of(const struct decoding *d, bool *sign_extend)
{
	enum insn_kind kind = INSN_OTHER;

	for (size_t i = 0; i < ARRAY_SIZE(mnemonics); i++) {
		if (mnemonics[i].mnemonic != d->instruction.mnemonic)
			continue;
		kind = mnemonics[i].kind;
		*sign_extend = mnemonics[i].sign_extend;
		break;
	}
	if (kind == INSN_LOAD)
		return kind_of_move(&d->operands[0], &d->operands[1]);
	if (kind == INSN_EXCHANGE && !is_memory(&d->operands[0]))
		return INSN_OTHER;
	return kind;
}

static uint8_t register_number(ZydisRegister reg)
{
	const struct register_run *run = run_of(reg);

	return run ? (uint8_t)(reg - run->first + run->number) : INSN_NO_REGISTER;
}

static void set_register(struct insn *insn, ZydisRegister reg)
{
	const struct register_run *run = run_of(reg);

	if (!run) {
		insn->cr = (uint8_t)(reg - ZYDIS_REGISTER_CR0);
		return;
	}
	insn->reg = register_number(reg);
	insn->reg_size = run->size;
	insn->high_byte = run->high_byte;
}

static void set_memory(struct insn *insn, const struct decoding *d,
		       const ZydisDecodedOperand *operand)
{
	uint64_t displacement = (uint64_t)operand->mem.disp.value;

	if (operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP)
		displacement += d->rip + insn->length;
	insn->memory = true;
	insn->size = (uint8_t)(operand->size / 8);
	insn->base = register_number(operand->mem.base);
	insn->index = register_number(operand->mem.index);
	if (insn->index != INSN_NO_REGISTER)
		insn->scale = operand->mem.scale;
	insn->segment = (uint8_t)(operand->mem.segment - ZYDIS_REGISTER_ES);
	insn->displacement = (int64_t)displacement;
	insn->address_size = d->instruction.address_width / 8;
}

static void set_immediate(struct insn *insn, const struct decoding *d)
{
	uint64_t sign = 1ull << (d->instruction.raw.imm[0].size - 1);
	uint64_t value = d->instruction.raw.imm[0].value.u & (sign | (sign - 1));

	insn->immediate = (value ^ sign) - sign;
}

/* What the operands do not say by themselves. */
static void set_sizes(struct insn *insn, const struct decoding *d)
{
	switch (insn->kind) {
	case INSN_LMSW:
	case INSN_LLDT:
	case INSN_LTR:
		insn->size = 2;
		break;
	case INSN_LGDT:
	case INSN_LIDT:
		insn->reg_size = d->instruction.operand_width / 8;
		break;
	case INSN_STORE:
		insn->reg_size = insn->size;
		break;
	default:
		break;
	}
}

static void set_operands(struct insn *insn, const struct decoding *d)
{
	for (size_t i = 0; i < OPERANDS; i++) {
		const ZydisDecodedOperand *operand = &d->operands[i];

		switch (operand->type) {
		case ZYDIS_OPERAND_TYPE_REGISTER:
			set_register(insn, operand->reg.value);
			break;
		case ZYDIS_OPERAND_TYPE_MEMORY:
			set_memory(insn, d, operand);
			break;
		case ZYDIS_OPERAND_TYPE_IMMEDIATE:
			set_immediate(insn, d);
			break;
		default:
			break;
		}
	}
	set_sizes(insn, d);
}

static void set_mode(ZydisDecoder *decoder, enum insn_mode mode)
{
	static const struct {
		ZydisMachineMode machine;
		ZydisStackWidth stack;
	} modes[] = {
		[INSN_16] = { ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16 },
		[INSN_32] = { ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32 },
		[INSN_64] = { ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64 },
	};

	ZydisDecoderInit(decoder, modes[mode].machine, modes[mode].stack);
	/* AMD's processors obey an operand size prefix of near branches in 64-bit mode. */
	ZydisDecoderEnableMode(decoder, ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
}

static ZyanStatus decode(struct decoding *d, const uint8_t *bytes, size_t n)
{
	ZyanStatus status;
	uint8_t count;

	status = ZydisDecoderDecodeInstruction(&d->decoder, &d->context, bytes, n, &d->instruction);
	if (!ZYAN_SUCCESS(status))
		return status;
	/* Flags and registers that the instruction implies come behind what is written in it. */
	count = d->instruction.operand_count_visible;
	return ZydisDecoderDecodeOperands(&d->decoder, &d->context, &d->instruction, d->operands,
					  count < OPERANDS ? count : OPERANDS);
}

int insn_decode(const uint8_t *bytes, size_t n, enum insn_mode mode, uint64_t rip,
		struct insn *insn)
{
	struct decoding d = { .rip = rip };
	bool sign_extend = false;
	ZyanStatus status;

	*insn = (struct insn){
		.reg = INSN_NO_REGISTER,
		.base = INSN_NO_REGISTER,
		.index = INSN_NO_REGISTER,
		.scale = 1,
	};
	if (n > INSN_LENGTH_MAX)
		n = INSN_LENGTH_MAX;
	set_mode(&d.decoder, mode);
	status = decode(&d, bytes, n);
	if (status == ZYDIS_STATUS_NO_MORE_DATA && n < INSN_LENGTH_MAX)
		return -INSN_E_SHORT;
	if (!ZYAN_SUCCESS(status))
		return -INSN_E_INVALID;
	insn->length = d.instruction.length;
	insn->kind = kind_of(&d, &sign_extend);
	if (insn->kind == INSN_OTHER)
		return 0;
	insn->sign_extend = sign_extend;
	set_operands(insn, &d);
	return 0;
}
