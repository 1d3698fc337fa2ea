/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the state of HEKI means, in plain words.
 */
#ifndef HEKICTL_GRADE_H
#define HEKICTL_GRADE_H

#include "out.h"

/**
 * struct verdict - the state in words
 * @name:     for --json: violated, off, waiting, failed, watched, enforced, unknown
 * @headline: one line
 * @meaning:  what it means
 * @advice:   what to keep in mind, or NULL
 */
struct verdict {
	const char *name;
	enum color color;
	const char *headline;
	const char *meaning;
	const char *advice;
};

/* The verdict over the keys of "status". */
const struct verdict *grade_verdict(const struct hekifs_record *status);

/* Whether the verdict is that something is wrong: a violation, a lock that failed. */
bool grade_is_bad(const struct hekifs_record *status);

/* What this grade does not stop; ended by NULL. */
const char *const *grade_limits(const struct hekifs_record *status);

/* Whether grade= of "status" has this value. */
bool grade_is(const struct hekifs_record *status, const char *grade);

#endif /* HEKICTL_GRADE_H */
