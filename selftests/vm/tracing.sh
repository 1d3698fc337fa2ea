#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# With patches=report the function tracer, kprobes and BPF programs at functions work in the audit
# grade: what VTL1 has no patch for is counted, not stopped, and the audit is clean once they are
# off.

. "$(dirname "$0")/lib.sh"
need_heki
plan 12

TRACE=/sys/kernel/tracing

traced() {
	echo 0 >"$TRACE/tracing_on"
	grep -c "$1" "$TRACE/trace"
}

violations=$(status violations)
echo nop >"$TRACE/current_tracer"
echo 'vfs_*' >"$TRACE/set_ftrace_filter"
check "function tracer on" sh -c "echo function >$TRACE/current_tracer"
echo 1 >"$TRACE/tracing_on"
cat /proc/version >/dev/null
holds "it traces" "$(traced vfs_read)" -gt 0
check "function tracer off" sh -c "echo nop >$TRACE/current_tracer"
echo >"$TRACE/set_ftrace_filter"
audit_clean "audit after the function tracer"

echo >"$TRACE/trace"
check "kprobe in" sh -c "echo 'p:heki_test vfs_statx' >$TRACE/kprobe_events"
echo 1 >"$TRACE/events/kprobes/heki_test/enable"
echo 1 >"$TRACE/tracing_on"
stat /proc >/dev/null
holds "it hits" "$(traced heki_test)" -gt 0
echo 0 >"$TRACE/events/kprobes/heki_test/enable"
check "kprobe out" sh -c "echo >$TRACE/kprobe_events"
audit_clean "audit after the kprobe"
check "BPF program at the entry of a function" bpf_fentry vfs_statx
audit_clean "audit after the BPF program"
equal "nothing was refused where it was asked for" 0 "$(counter client_patches_refused)"
equal "no violation" "$violations" "$(status violations)"
finish
