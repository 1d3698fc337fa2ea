// SPDX-License-Identifier: GPL-2.0-only
/* Each named error of the contract is reached by some test; runs last. */
#include "host.h"
#include "test.h"

/* Errors that cannot be reached here, and why. */
static const struct {
	uint32_t error;
	const char *why;
} unreachable[] = {
	{ HEKI_E_CODE_PAGE_OFFSET, "only a VTL1 with a hypercall page has code page offsets" },
	{ HEKI_E_INTERNAL, "only a VTL1 of its own outlives a fault" },
};

static const char *reason(uint32_t error)
{
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(unreachable); i++)
		if (unreachable[i].error == error)
			return unreachable[i].why;
	return NULL;
}

static void each_error_is_reached(void)
{
	unsigned int missing = 0;

	if (tally->partial)
		test_skip("only some of the tests were run");
	for (uint32_t error = 1; error < HEKI_ERROR_COUNT; error++) {
		if (tally->errors[error] && reason(error)) {
			test_note("%s is said to be unreachable", heki_error_name(error));
			missing++;
		} else if (!tally->errors[error] && !reason(error)) {
			test_note("no test reaches %s", heki_error_name(error));
			missing++;
		} else if (reason(error)) {
			test_note("%s: %s", heki_error_name(error), reason(error));
		}
	}
	CHECK_EQUAL(missing, 0);
}

static void each_call_is_made(void)
{
	static const char *const names[] = {
#define CALL_NAME(id, name, handler, phase, context, arguments) #name,
		HEKI_CALLS(CALL_NAME)
#undef CALL_NAME
	};

	if (tally->partial)
		test_skip("only some of the tests were run");
	for (uint32_t i = 0; i < HEKI_CALL_COUNT; i++)
		if (!tally->calls[i])
			test_fail(__FILE__, __LINE__, "no test calls %s", names[i]);
}

const struct test errors_tests[] = {
	{ "each_error_is_reached", each_error_is_reached },
	{ "each_call_is_made", each_call_is_made },
	{ NULL, NULL },
};
