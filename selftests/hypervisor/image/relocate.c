// SPDX-License-Identifier: GPL-2.0-only
/* Self-relocation. */
#include "relocate.h"
#include "suites.h"

#define SIZE 64

static uint8_t *image;

static int relocate_one(uint64_t offset, uint64_t info, int64_t addend)
{
	struct rela r = { offset, info, addend };

	image = malloc(SIZE); /* of this size, so that ASan sees a write behind it */
	memset(image, 0xee, SIZE);
	return relocate(image, SIZE, &r, &r + 1);
}

static void relative(void)
{
	CHECK_EQUAL(relocate_one(8, RELA_RELATIVE, 0x20), 0);
	CHECK_EQUAL(get_le64(image + 8), (uintptr_t)image + 0x20);
	CHECK_EQUAL(image[7], 0xee);
	CHECK_EQUAL(image[16], 0xee);
}

static void unaligned_and_last(void)
{
	CHECK_EQUAL(relocate_one(3, RELA_RELATIVE, -1), 0);
	CHECK_EQUAL(get_le64(image + 3), (uintptr_t)image - 1);
	CHECK_EQUAL(relocate_one(SIZE - 8, RELA_RELATIVE, 0), 0);
	CHECK_EQUAL(get_le64(image + SIZE - 8), (uintptr_t)image);
}

static void several(void)
{
	struct rela r[] = { { 0, RELA_RELATIVE, 1 }, { 16, RELA_RELATIVE, 2 } };

	image = calloc(1, SIZE);
	CHECK_EQUAL(relocate(image, SIZE, r, r + 2), 0);
	CHECK_EQUAL(get_le64(image), (uintptr_t)image + 1);
	CHECK_EQUAL(get_le64(image + 16), (uintptr_t)image + 2);
	CHECK_EQUAL(relocate(image, SIZE, r, r), 0);
}

static void other_types(void)
{
	CHECK_EQUAL(relocate_one(0, 0, 0), -1); /* NONE */
	CHECK_EQUAL(relocate_one(0, 1, 0), -1); /* 64 */
	CHECK_EQUAL(relocate_one(0, 6, 0), -1); /* GLOB_DAT */
	CHECK_EQUAL(relocate_one(0, 37, 0), -1); /* IRELATIVE */
	CHECK_EQUAL(relocate_one(0, RELA_RELATIVE | 1ull << 32, 0), -1); /* with a symbol */
	CHECK_EQUAL(image[0], 0xee);
}

static void outside(void)
{
	CHECK_EQUAL(relocate_one(SIZE, RELA_RELATIVE, 0), -1);
	CHECK_EQUAL(relocate_one(SIZE - 7, RELA_RELATIVE, 0), -1);
	CHECK_EQUAL(relocate_one(~0ull, RELA_RELATIVE, 0), -1);
	CHECK_EQUAL(relocate_one(~0ull - 7, RELA_RELATIVE, 0), -1);
}

const struct test relocate_tests[] = {
	{ "relative", relative },
	{ "unaligned_and_last", unaligned_and_last },
	{ "several", several },
	{ "other_types", other_types },
	{ "outside", outside },
	{ NULL, NULL },
};
