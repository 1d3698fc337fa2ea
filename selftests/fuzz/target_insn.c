// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's decoder: one instruction behind a byte that chooses the mode. */
#include "insn.h"
#include "world.h"

#define RIP 0xffffffff81000000ull

void target_seeds(void)
{
	static const uint8_t store[] = { INSN_64, 0x47, 0x89, 0x4c, 0xe5, 0x80 };
	static const uint8_t immediate[] = { INSN_64, 0xc7, 0x05, 0, 1, 0, 0, 7, 0, 0, 0 };
	static const uint8_t load[] = { INSN_64, 0x66, 0x0f, 0xbe, 0x02 };
	static const uint8_t vector[] = { INSN_64, 0x62, 0xf1, 0xfe, 0x48, 0x7f, 0x03 };
	static const uint8_t table[] = { INSN_32, 0x66, 0x0f, 0x01, 0x15, 0, 0x7c, 0, 0 };
	static const uint8_t address[] = { INSN_16, 0x26, 0xa3, 0x34, 0x12 };

	seed("store", store, sizeof(store));
	seed("immediate", immediate, sizeof(immediate));
	seed("load", load, sizeof(load));
	seed("vector", vector, sizeof(vector));
	seed("table", table, sizeof(table));
	seed("address", address, sizeof(address));
}

/* Decodes a copy that ends where the bytes end. */
static int decode(const uint8_t *bytes, size_t n, enum insn_mode mode, struct insn *insn)
{
	uint8_t *copy = malloc(n ? n : 1);
	int ret;

	CHECK(copy);
	memcpy(copy, bytes, n);
	ret = insn_decode(copy, n, mode, RIP, insn);
	free(copy);
	return ret;
}

static bool is_register(uint8_t number, enum insn_mode mode)
{
	return number < (mode == INSN_64 ? 16 : 8);
}

static bool is_size(uint8_t bytes)
{
	return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

static void check_memory(const struct insn *insn, enum insn_mode mode)
{
	CHECK(insn->base == INSN_NO_REGISTER || is_register(insn->base, mode));
	CHECK(insn->index == INSN_NO_REGISTER || is_register(insn->index, mode));
	CHECK(is_size(insn->scale) && insn->segment < 6);
	CHECK(is_size(insn->address_size) && insn->address_size > 1);
	if (insn->kind == INSN_LGDT || insn->kind == INSN_LIDT)
		CHECK_EQUAL(insn->size, mode == INSN_64 ? 10 : 6);
	else
		CHECK(is_size(insn->size));
}

static void check_operands(const struct insn *insn, enum insn_mode mode)
{
	bool moves = insn->kind >= INSN_STORE && insn->kind <= INSN_EXCHANGE;

	CHECK(insn->kind <= INSN_XSETBV && insn->cr <= 8);
	CHECK(insn->reg == INSN_NO_REGISTER || is_register(insn->reg, mode));
	CHECK(!insn->high_byte || (insn->reg < 4 && insn->reg_size == 1));
	CHECK(!moves || (insn->memory && is_size(insn->reg_size)));
	CHECK(insn->reg != INSN_NO_REGISTER || (insn->kind != INSN_LOAD &&
						insn->kind != INSN_EXCHANGE));
	CHECK(insn->kind != INSN_LOAD || insn->size <= insn->reg_size);
	CHECK(insn->kind != INSN_OTHER || (!insn->memory && insn->reg == INSN_NO_REGISTER));
	if (insn->memory)
		check_memory(insn, mode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum insn_mode mode = size ? data[0] % 3 : INSN_64;
	const uint8_t *bytes = data + (size > 0);
	size_t n = size - (size > 0);
	struct insn insn, again;
	int ret = decode(bytes, n, mode, &insn);

	if (ret) {
		CHECK(ret == -INSN_E_SHORT || ret == -INSN_E_INVALID);
		CHECK(!insn.length && (ret == -INSN_E_INVALID || n < INSN_LENGTH_MAX));
		return 0;
	}
	CHECK(insn.length && insn.length <= n && insn.length <= INSN_LENGTH_MAX);
	check_operands(&insn, mode);
	/* What follows the instruction has no say; without its last byte it is none. */
	CHECK_OK(decode(bytes, insn.length, mode, &again));
	CHECK_EQUAL(again.length, insn.length);
	CHECK_EQUAL(again.kind, insn.kind);
	CHECK_EQUAL(decode(bytes, insn.length - 1u, mode, &again), -INSN_E_SHORT);
	return 0;
}
