#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# With patches=tracing under grade enforce the function tracer works, by the trampolines that VTL1
# knows; kprobes and BPF programs at functions are refused.

. "$(dirname "$0")/lib.sh"
need_heki
[ "$(status grade)" = enforce ] || skip_all "needs grade enforce"
plan 10

EPERM=1
TRACE=/sys/kernel/tracing

equal "policy" tracing "$(status patches_policy)"
pokes=$(status patch_refused)
echo nop >"$TRACE/current_tracer"
echo 'vfs_*' >"$TRACE/set_ftrace_filter"
check "function tracer on" sh -c "echo function >$TRACE/current_tracer"
echo 1 >"$TRACE/tracing_on"
cat /proc/version >/dev/null
echo 0 >"$TRACE/tracing_on"
holds "it traces" "$(grep -c vfs_read "$TRACE/trace")" -gt 0
check "function tracer off" sh -c "echo nop >$TRACE/current_tracer"
check "all functions on" sh -c "echo >$TRACE/set_ftrace_filter && echo function >$TRACE/current_tracer"
check "and off" sh -c "echo nop >$TRACE/current_tracer"
equal "no patch was refused" "$pokes" "$(status patch_refused)"
fails "a kprobe is refused" $EPERM sh -c "echo 'p:heki_test vfs_statx' >$TRACE/kprobe_events"
equal "a BPF program at a function as well" EPERM "$(bpf_fentry vfs_statx)"
check "a tracepoint works" sh -c "echo 1 >$TRACE/events/sched/sched_process_fork/enable"
finish
