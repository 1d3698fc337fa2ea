// SPDX-License-Identifier: GPL-2.0-only
/*
 * The named errors and the ways in which a VM ends: their texts and exit codes.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hekivm.h"
#include "jsontext.h"

static const struct {
	const char *name;
	int exit;
	int verb_exit;
	const char *message;
} errors[] = {
	[HEKIVM_OK] = { "ok", 0, 0, "" },
#define HEKIVM_ERROR_ROW(name, text, code, verb, message)                                          \
	[HEKIVM_E_##name] = { text, code, verb, message },
	HEKIVM_ERRORS(HEKIVM_ERROR_ROW)
#undef HEKIVM_ERROR_ROW
};

static const struct {
	const char *name;
	const char *state;
	int exit;
} ends[] = {
#define VM_END_ROW(name, text, state, code) [VM_END_##name] = { text, state, code },
	VM_ENDS(VM_END_ROW)
#undef VM_END_ROW
};

/**
 * vm_fail - note an error
 * @error:  where
 * @code:   which
 * @format: the thing that it is about, as of printf()
 *
 * Return: -1, so that a caller can return it.
 */
int vm_fail(struct vm_error *error, enum hekivm_error_code code, const char *format, ...)
{
	va_list args;

	error->code = code;
	error->signal = 0;
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	return -1;
}

/**
 * vm_fail_signal - note a signal that ended us before the VM was started
 * @error:  where
 * @signal: which
 *
 * Return: -1, so that a caller can return it.
 */
int vm_fail_signal(struct vm_error *error, int signal)
{
	vm_fail(error, HEKIVM_E_CANCELLED, "%s", strsignal(signal));
	error->signal = signal;
	return -1;
}

/**
 * vm_error_name - the stable name of an error
 * @code: which
 *
 * Return: the name.
 */
const char *vm_error_name(enum hekivm_error_code code)
{
	return errors[code].name;
}

/**
 * vm_error_report - tell the user of an error
 * @error: what
 * @json:  as JSON on the standard output too
 *
 * Return: the exit code of "run".
 */
int vm_error_report(const struct vm_error *error, bool json)
{
	const char *message = errors[error->code].message;
	int code = error->signal ? 128 + error->signal : errors[error->code].exit;
	json_t *object;

	fprintf(stderr, "hekivm: %s: %s\n", message, error->what);
	if (!json)
		return code;
	object = json_pack("{s:i, s:{s:s, s:s, s:o}}", "schema_version", HEKIVM_SCHEMA_VERSION,
			   "error", "name", errors[error->code].name, "message", message, "what",
			   json_any(error->what));
	if (object) {
		json_dumpf(object, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(object);
	}
	return code;
}

/**
 * vm_error_exit - the exit code of a verb other than "run"
 * @error: why it failed
 *
 * Return: one of enum hekivm_verb_exit, or 128 + the signal.
 */
int vm_error_exit(const struct vm_error *error)
{
	return error->signal ? 128 + error->signal : errors[error->code].verb_exit;
}

/**
 * vm_end_name - the stable name of an end
 * @end: which
 *
 * Return: the name.
 */
const char *vm_end_name(enum vm_end end)
{
	return ends[end].name;
}

/**
 * vm_end_known - is there an end of this name?
 * @name: the name
 *
 * Return: true when a VM can end so.
 */
bool vm_end_known(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!strcmp(ends[i].name, name))
			return true;
	}
	return false;
}

/**
 * vm_end_state - the state that a VM is in after an end
 * @end: which
 *
 * Return: "stopped" or "failed".
 */
const char *vm_end_state(enum vm_end end)
{
	return ends[end].state;
}

/**
 * vm_end_exit - the exit code after a run
 * @result: how it ended
 *
 * Return: the guest's status when there was a verdict, 128 + the signal when a signal ended it,
 * otherwise one of enum hekivm_exit.
 */
int vm_end_exit(const struct vm_result *result)
{
	if (result->end == VM_END_VERDICT)
		return result->status;
	if (result->end == VM_END_CANCELLED)
		return 128 + result->signal;
	return ends[result->end].exit;
}
