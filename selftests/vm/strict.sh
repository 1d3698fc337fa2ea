#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernel execution under grade enforce: with exec=strict a system goes on working and executes
# nothing new; with exec=jit new code runs, which is what that policy says.

. "$(dirname "$0")/lib.sh"
need_heki
[ "$(status grade)" = enforce ] || skip_all "needs grade enforce"
ATTACK=/sys/module/heki_attack/parameters
policy=$(status exec_policy)

run_new_code() {
	(echo 1 >"$ATTACK/run") 2>/dev/null
}

ran() {
	cut -d ' ' -f 1 "$ATTACK/run"
}

if [ "$policy" = jit ]; then
	plan 3
	check "a module that is signed loads" modload finit "$DATA/heki_attack.ko"
	check "new code runs" run_new_code
	equal "it says so" 1 "$(ran)"
	finish
fi
plan 17
equal "exec=strict" strict "$policy"
check "a module that is signed loads" modload finit "$DATA/heki_attack.ko"
check "a stock module loads" modprobe ext4
check "and goes" rmmod ext4
check "a static key flips" sh -c "echo 1 >/proc/sys/kernel/sched_schedstats"
check "and back" sh -c "echo 0 >/proc/sys/kernel/sched_schedstats"
check "a CPU goes" sh -c "echo 0 >/sys/devices/system/cpu/cpu1/online"
check "and comes again" sh -c "echo 1 >/sys/devices/system/cpu/cpu1/online"
refused=$(counter client_patches_refused)
if bpf_fentry vfs_statx >/dev/null 2>&1; then
	fail "a new BPF program is refused"
else
	pass "a new BPF program is refused"
fi
equal "where it was to be verified" $((refused + 1)) "$(counter client_patches_refused)"
equal "one of two functions as well" EPERM "$(bpf_call)"
equal "where it was to be verified too" $((refused + 2)) "$(counter client_patches_refused)"
check "a static key flips after it" sh -c "echo 1 >/proc/sys/kernel/sched_schedstats"
check "and back again" sh -c "echo 0 >/proc/sys/kernel/sched_schedstats"
intercepts=$(status intercepts)
: >/tmp/attacker-dies
if run_new_code; then
	fail "new code does not run"
else
	pass "new code does not run"
fi
equal "it has not" 0 "$(ran)"
equal "VTL1 was asked once" $((intercepts + 1)) "$(status intercepts)"
finish
