/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of hekictl doctor.
 */
#ifndef HEKICTL_DOCTOR_H
#define HEKICTL_DOCTOR_H

#include "file.h"
#include "hekictl.h"

enum finding { FINDING_OK, FINDING_NOTE, FINDING_MISSING };

/**
 * struct doctor - an examination
 * @run:     the run
 * @root:    "" or the directory of another tree
 * @release: the kernel's release
 * @live:    a kernel runs there; a disk's tree has only files
 * @loaded:  the client's files can be read
 * @status:  "status" of the client, when @loaded
 * @missing: findings of that kind so far
 * @findings: for --json
 */
struct doctor {
	struct run *run;
	const char *root;
	const char *release;
	bool live;
	bool loaded;
	struct hekifs_file status;
	unsigned int missing;
	json_t *findings;
};

/**
 * doctor_say() - a finding
 * @doctor:  the examination
 * @finding: its kind
 * @check:   what was looked at
 * @cure:    what to do, or NULL
 * @format:  what was seen
 */
void doctor_say(struct doctor *doctor, enum finding finding, const char *check, const char *cure,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Path below the root, on the heap; the %s of @format is the release. */
char *doctor_path(const struct doctor *doctor, const char *before, bool release, const char *after);

/* Whether there is a file of this path below the root. */
bool doctor_has(const struct doctor *doctor, const char *before, const char *after);

/* First word of a small file below the root, on the heap; NULL when it cannot be read. */
char *doctor_word(const struct doctor *doctor, const char *path);

/* Groups of checks. */
void doctor_config(struct doctor *doctor);
void doctor_kernel(struct doctor *doctor);
void doctor_modules(struct doctor *doctor);
void doctor_trust(struct doctor *doctor);
void doctor_versions(struct doctor *doctor);

#endif /* HEKICTL_DOCTOR_H */
