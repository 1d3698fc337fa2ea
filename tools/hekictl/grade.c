// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the state of HEKI means, in plain words.  Says no more than what is true.
 */
#include <string.h>

#include "grade.h"

static const struct verdict verdicts[] = {
	{ "violated", COLOR_BAD, "VIOLATED: protected memory was found changed",
	  "An audit found differences; 'hekictl log' shows where.",
	  "Do not trust this kernel before they are explained." },
	{ "off", COLOR_WARN, "OFF: nothing is protected",
	  "The client was loaded with heki=off.", NULL },
	{ "waiting", COLOR_WARN, "NOT LOCKED YET: nothing is decided",
	  "Everything that happens before the lock is trusted.",
	  "A client that was loaded late is locked by 'hekictl start'." },
	{ "failed", COLOR_BAD, "NOT PROTECTED: the lock failed",
	  "A step of the lock failed; the kernel's log names it.",
	  "Nothing that this kernel does is decided by VTL1." },
	{ "unmet", COLOR_BAD,
	  "NOT PROTECTED: mode=enforce asks for grade enforce, VTL1 offers audit",
	  "What VTL1 refuses is vetoed, but who can write kernel memory can blind it.",
	  "Start this kernel under a hypervisor with VTL1, or ask for less by heki=audit." },
	{ "watched", COLOR_GOOD, "WATCHED: changes are found, not prevented (grade audit)",
	  "VTL1 finds mistakes, policy violations and attackers who do not adapt.",
	  "No security boundary: who looks for it in this kernel can blind it." },
	{ "enforced", COLOR_GOOD, "ENFORCED: changes fail before they take effect (grade enforce)",
	  "VTL1 lives outside of this kernel, which cannot undo what it decided.",
	  "Writes to protected memory and changes of pinned registers fail." },
	{ "unknown", COLOR_WARN, "UNKNOWN: the client does not say its grade",
	  "Do not rely on protection that is not named.", NULL },
};

enum { VIOLATED, OFF, WAITING, FAILED, UNMET, WATCHED, ENFORCED, UNKNOWN };

static const char *const audit_limits[] = {
	"writes to protected memory: they succeed, 'hekictl audit' finds them later",
	"changes of control registers after they were recorded",
	"an attacker in the kernel who switches HEKI off or forges this screen",
	"page-table edits that map other memory at a protected address",
	"attacks on data, and reuse of code that is there",
	"new kernel code in pages of the attacker's own",
	NULL
};

static const char *const enforce_limits[] = {
	"page-table edits that map other memory at a protected address",
	"attacks on data, and reuse of code that is there",
	"new kernel code in pages of the attacker's own, but with exec=strict",
	"anything that happened before the lock",
	NULL
};

static const char *const no_limits[] = { NULL };

static bool is(const struct hekifs_record *status, const char *key, const char *value)
{
	const char *s = hekifs_get(status, key);

	return s && !strcmp(s, value);
}

bool grade_is(const struct hekifs_record *status, const char *grade)
{
	return is(status, "grade", grade);
}

const struct verdict *grade_verdict(const struct hekifs_record *status)
{
	uint64_t n;

	if (hekifs_number(status, "violations", &n) && n)
		return &verdicts[VIOLATED];
	if (is(status, "mode", "off"))
		return &verdicts[OFF];
	if (is(status, "phase", "failed"))
		return &verdicts[FAILED];
	if (is(status, "mode", "enforce") && grade_is(status, "audit"))
		return &verdicts[UNMET];
	if (is(status, "phase", "waiting") || is(status, "end_of_boot", "0"))
		return &verdicts[WAITING];
	if (!is(status, "end_of_boot", "1"))
		return &verdicts[UNKNOWN];
	if (grade_is(status, "audit"))
		return &verdicts[WATCHED];
	if (grade_is(status, "enforce"))
		return &verdicts[ENFORCED];
	return &verdicts[UNKNOWN];
}

bool grade_is_bad(const struct hekifs_record *status)
{
	return grade_verdict(status)->color == COLOR_BAD;
}

const char *const *grade_limits(const struct hekifs_record *status)
{
	if (grade_is(status, "audit"))
		return audit_limits;
	if (grade_is(status, "enforce"))
		return enforce_limits;
	return no_limits;
}
