/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of tests, one a file, in the order in which they run. */
#ifndef SELFTESTS_HOST_SUITES_H
#define SELFTESTS_HOST_SUITES_H

#include "test.h"

extern const struct test calls_tests[], ranges_tests[], kdata_tests[], symbols_tests[];
extern const struct test kdata_keys_tests[], kdata_snapshot_tests[], exact_tests[];
extern const struct test protect_tests[], patch_tests[], patch_batch_tests[];
extern const struct test smp_locks_tests[], modules_tests[];
extern const struct test module_early_tests[], module_files_tests[], module_memory_tests[];
extern const struct test sorted_tests[], real_tests[];
extern const struct test kexec_tests[], kexec_slots_tests[], keys_tests[], regs_tests[];
extern const struct test ring_tests[], policy_tests[], query_tests[], slots_tests[];
extern const struct test injection_tests[], known_faults_tests[], property_tests[];
extern const struct test crypto_tests[], errors_tests[];

static const struct suite suites[] = {
	{ "calls", calls_tests },
	{ "ranges", ranges_tests },
	{ "kdata", kdata_tests },
	{ "kdata_keys", kdata_keys_tests },
	{ "kdata_snapshot", kdata_snapshot_tests },
	{ "symbols", symbols_tests },
	{ "protect", protect_tests },
	{ "patch", patch_tests },
	{ "patch_batch", patch_batch_tests },
	{ "smp_locks", smp_locks_tests },
	{ "modules", modules_tests },
	{ "module_early", module_early_tests },
	{ "module_files", module_files_tests },
	{ "module_memory", module_memory_tests },
	{ "sorted", sorted_tests },
	{ "exact", exact_tests },
	{ "real", real_tests },
	{ "kexec", kexec_tests },
	{ "kexec_slots", kexec_slots_tests },
	{ "keys", keys_tests },
	{ "regs", regs_tests },
	{ "ring", ring_tests },
	{ "policy", policy_tests },
	{ "query", query_tests },
	{ "slots", slots_tests },
	{ "injection", injection_tests },
	{ "known_faults", known_faults_tests },
	{ "property", property_tests },
	{ "crypto", crypto_tests },
	{ "errors", errors_tests }, /* last: judges what the others reached */
	{ NULL, NULL },
};

#endif /* SELFTESTS_HOST_SUITES_H */
