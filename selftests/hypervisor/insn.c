// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the hypervisor's decoder.  Without an argument: known answers and every form of address,
 * KTAP, last line "N passed, N failed".  With "lengths": each line of standard input holds the bytes
 * of one 64-bit instruction in hexadecimal, and behind a tab its text; prints those whose length is
 * another, then the counts; the status tells whether all were right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insn_cases.h"

static unsigned int passed, failed;

static void result(bool ok, const char *what, const char *name, enum insn_mode mode)
{
	static const char *const modes[] = { "16 bits", "32 bits", "64 bits" };

	ok ? passed++ : failed++;
	printf("%sok %u %s: %s, %s\n", ok ? "" : "not ", passed + failed, what, name, modes[mode]);
}

/* Decodes a copy that ends where the bytes end, so that a read behind them is found. */
static int decode(const uint8_t *bytes, size_t n, enum insn_mode mode, struct insn *insn)
{
	uint8_t *copy = malloc(n ? n : 1);
	int ret;

	if (!copy)
		abort();
	memcpy(copy, bytes, n);
	ret = insn_decode(copy, n, mode, INSN_RIP, insn);
	free(copy);
	return ret;
}

static bool same(const struct insn *a, const struct insn *b)
{
	return a->kind == b->kind && a->length == b->length && a->size == b->size &&
	       a->reg == b->reg && a->reg_size == b->reg_size && a->high_byte == b->high_byte &&
	       a->sign_extend == b->sign_extend && a->cr == b->cr &&
	       a->immediate == b->immediate && a->memory == b->memory && a->base == b->base &&
	       a->index == b->index && a->scale == b->scale && a->segment == b->segment &&
	       a->displacement == b->displacement && a->address_size == b->address_size;
}

static void print(const char *what, const struct insn *insn)
{
	printf("# %s kind %d length %u size %u reg %u reg_size %u high %d sign %d cr %u imm %#llx memory %d base %u index %u scale %u segment %u displacement %#llx address_size %u\n",
	       what, insn->kind, insn->length, insn->size, insn->reg, insn->reg_size,
	       insn->high_byte, insn->sign_extend, insn->cr, (unsigned long long)insn->immediate,
	       insn->memory, insn->base, insn->index, insn->scale, insn->segment,
	       (unsigned long long)insn->displacement, insn->address_size);
}

/* The instruction, whatever follows it; and no instruction while a byte of it is missing. */
static bool decodes_to(const uint8_t *bytes, size_t n, enum insn_mode mode,
		       const struct insn *expected)
{
	uint8_t more[INSN_LENGTH_MAX + 16];
	struct insn insn;
	size_t short_of;

	for (short_of = 0; short_of < n; short_of++)
		if (decode(bytes, short_of, mode, &insn) != -INSN_E_SHORT || insn.length)
			return false;
	memset(more, 0xf0, sizeof(more));
	memcpy(more, bytes, n);
	if (decode(more, sizeof(more), mode, &insn) || !same(&insn, expected))
		return false;
	if (decode(bytes, n, mode, &insn) || !same(&insn, expected)) {
		print("expected", expected);
		print("got", &insn);
		return false;
	}
	return true;
}

static void known_answers(void)
{
	for (const struct insn_case *c = insn_cases; c->name; c++) {
		struct insn expected = c->expected;

		expected.length = (uint8_t)c->n;
		result(decodes_to(c->bytes, c->n, c->mode, &expected), "known answer", c->name,
		       c->mode);
	}
}

static void others(void)
{
	for (const struct insn_bytes *c = insn_others; c->name; c++) {
		struct insn expected = {
			.kind = INSN_OTHER,
			.length = (uint8_t)c->n,
			.reg = INSN_NO_REGISTER,
			.base = INSN_NO_REGISTER,
			.index = INSN_NO_REGISTER,
			.scale = 1,
		};

		result(decodes_to(c->bytes, c->n, c->mode, &expected), "only a length", c->name,
		       c->mode);
	}
}

static void invalid(void)
{
	for (const struct insn_bytes *c = insn_invalid; c->name; c++) {
		struct insn insn;
		int ret = decode(c->bytes, c->n, c->mode, &insn);

		result(ret == -INSN_E_INVALID && !insn.length, "invalid", c->name, c->mode);
	}
}

/* A store of 32 bits by its encoding: REX, ModRM and SIB, in 64-bit mode. */
struct form {
	uint8_t rex, modrm, sib;
};

/* Takes a displacement whose bytes are all 0x81. */
static void displace(struct insn *insn, unsigned int bytes)
{
	insn->length += bytes;
	if (bytes)
		insn->displacement += bytes == 1 ? -0x7f : (int32_t)0x81818181;
}

static void expect_sib(struct insn *insn, const struct form *form)
{
	uint8_t mod = form->modrm >> 6, base = form->sib & 7, index = (form->sib >> 3) & 7;

	insn->length++;
	index |= (form->rex & 2) << 2;
	if (index != 4) {
		insn->index = index;
		insn->scale = (uint8_t)(1 << (form->sib >> 6));
	}
	if (base == 5 && !mod) {
		displace(insn, 4);
		return;
	}
	insn->base = base | (form->rex & 1) << 3;
	/* The stack segment by default; REX makes other registers of the same bits. */
	insn->segment = insn->base == 4 || insn->base == 5 ? 2 : 3;
}

/* The manual's tables, anew. */
static void expect_form(struct insn *insn, const struct form *form)
{
	uint8_t mod = form->modrm >> 6, rm = form->modrm & 7;

	*insn = (struct insn){
		.kind = INSN_STORE, .length = 3, .size = 4, .reg_size = 4, .memory = true,
		.reg = ((form->modrm >> 3) & 7) | (form->rex & 4) << 1,
		.base = INSN_NO_REGISTER, .index = INSN_NO_REGISTER, .scale = 1, .segment = 3,
		.address_size = 8,
	};
	if (rm == 4) {
		expect_sib(insn, form);
	} else if (rm == 5 && !mod) {
		displace(insn, 4);
		insn->displacement += INSN_RIP + insn->length;
	} else {
		insn->base = rm | (form->rex & 1) << 3;
		insn->segment = insn->base == 5 ? 2 : 3;
	}
	if (mod)
		displace(insn, mod == 1 ? 1 : 4);
}

static bool check_form(const struct form *form)
{
	uint8_t bytes[] = { 0x40 | form->rex, 0x89, form->modrm, 0x81, 0x81, 0x81, 0x81, 0x81 };
	struct insn expected;

	if ((form->modrm & 7) == 4)
		bytes[3] = form->sib;
	expect_form(&expected, form);
	if (decodes_to(bytes, expected.length, INSN_64, &expected))
		return true;
	printf("# rex %#x modrm %#x sib %#x\n", form->rex, form->modrm, form->sib);
	return false;
}

static void every_form(void)
{
	bool ok = true;

	for (unsigned int rex = 0; rex < 8; rex++) {
		for (unsigned int i = 0; i < 0xc0 * 0x100; i++) {
			struct form form = { (uint8_t)rex, (uint8_t)(i >> 8), (uint8_t)i };

			if ((form.modrm & 7) != 4 && form.sib)
				continue;
			ok &= check_form(&form);
		}
	}
	result(ok, "form", "every ModRM, SIB and REX", INSN_64);
}

/* What 16-bit ModRM bytes mean. */
static void every_short_form(void)
{
	static const uint8_t bases[] = { 3, 3, 5, 5, 6, 7, 5, 3 };
	static const uint8_t indices[] = { 6, 7, 6, 7, 255, 255, 255, 255 };
	bool ok = true;

	for (unsigned int modrm = 0; modrm < 0xc0; modrm++) {
		uint8_t bytes[] = { 0x89, (uint8_t)modrm, 0x81, 0x81 };
		unsigned int mod = modrm >> 6, rm = modrm & 7;
		struct insn expected = {
			.kind = INSN_STORE, .length = 2, .size = 2, .reg = (modrm >> 3) & 7,
			.reg_size = 2, .memory = true, .base = bases[rm], .index = indices[rm],
			.scale = 1, .segment = bases[rm] == 5 ? 2 : 3, .address_size = 2,
		};

		if (!mod && rm == 6) {
			mod = 2;
			expected.base = INSN_NO_REGISTER;
			expected.segment = 3;
		}
		expected.length += mod;
		if (mod)
			expected.displacement = mod == 1 ? -0x7f : (int16_t)0x8181;
		ok &= decodes_to(bytes, expected.length, INSN_16, &expected);
	}
	result(ok, "form", "every ModRM", INSN_16);
}

static size_t parse_hex(const char *text, uint8_t *bytes, size_t max)
{
	size_t n = 0;
	int used;
	unsigned int value;

	while (n < max && sscanf(text, " %2x%n", &value, &used) == 1) {
		bytes[n++] = (uint8_t)value;
		text += used;
	}
	return n;
}

static int compare_lengths(void)
{
	unsigned int right = 0, wrong = 0;
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		uint8_t bytes[INSN_LENGTH_MAX];
		char *text = strchr(line, '\t');
		struct insn insn;
		size_t n;

		if (text)
			*text = '\0';
		n = parse_hex(line, bytes, sizeof(bytes));
		if (!decode(bytes, n, INSN_64, &insn) && insn.length == n) {
			right++;
			continue;
		}
		wrong++;
		printf("# length %u, not %zu: %s%s", insn.length, n, line,
		       text ? text + 1 : "\n");
	}
	printf("# %u instructions, %u with another length\n", right + wrong, wrong);
	return wrong || !right;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "lengths"))
		return compare_lengths();
	printf("KTAP version 1\n");
	known_answers();
	others();
	invalid();
	every_form();
	every_short_form();
	printf("1..%u\n", passed + failed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
