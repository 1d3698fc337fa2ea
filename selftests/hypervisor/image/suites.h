/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SELFTESTS_IMAGE_SUITES_H
#define SELFTESTS_IMAGE_SUITES_H

#include "test.h"

extern const struct test heap_tests[];
extern const struct test hypercall_tests[];
extern const struct test scratch_tests[];
extern const struct test machine_tests[];
extern const struct test pagetable_tests[];
extern const struct test relocate_tests[];

#endif /* SELFTESTS_IMAGE_SUITES_H */
