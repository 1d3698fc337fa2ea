#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# patches=strict, the default: what would patch protected text where VTL1 lists no site is refused
# where it is asked for, and named in the kernel's log; tracepoints and static keys go on.

. "$(dirname "$0")/lib.sh"
need_heki
plan 24

TRACE=/sys/kernel/tracing
P=/sys/module/heki_client/parameters

# refused NAME FILE WORDS: writing must fail with EPERM
refused() {
	refused_output=$(sh -c "echo '$3' >>$TRACE/$2" 2>&1)
	case $refused_output in
	*"Operation not permitted"*) pass "$1" ;;
	*) fail "$1" "no EPERM: $refused_output" ;;
	esac
}

# told NAME INTERFACE: the kernel's log names it
told() {
	check "$1" sh -c "dmesg | grep -q 'heki_client: patching .*$2 refused by HEKI: patches=strict'"
}

equal "policy" strict "$(cat $P/patches)"
equal "status tells it" strict "$(status patches_policy)"
pokes=$(refused_pokes)
before=$(counter client_patches_refused)

refused "kprobe" kprobe_events 'p:heki_test vfs_statx'
told "kprobe is told" register_kprobe
refused "kretprobe" kprobe_events 'r:heki_ret vfs_statx'
holds "no probe is left" -z "$(cat $TRACE/kprobe_events)"

echo vfs_read >$TRACE/set_ftrace_filter
refused "function tracer" current_tracer function
told "function tracer is told" current_tracer
refused "function graph tracer" current_tracer function_graph
refused "function graph tracer again" current_tracer function_graph
told "function graph tracer is told" register_ftrace_graph
equal "no tracer is left" nop "$(cat $TRACE/current_tracer)"
refused "command at a function" set_ftrace_filter vfs_open:traceoff
told "ftrace is told" ftrace
echo >$TRACE/set_ftrace_filter

warnings=$(dmesg | grep -c WARNING:)
fails "stack tracer" 1 sh -c "echo 1 >/proc/sys/kernel/stack_tracer_enabled"
check "that it stays off is no change" sh -c "echo 0 >/proc/sys/kernel/stack_tracer_enabled"
equal "nothing was half registered" "$warnings" "$(dmesg | grep -c WARNING:)"

fails "BPF program at the entry of a function" 2 bpf_fentry vfs_statx
equal "with EPERM" EPERM "$(bpf_fentry vfs_statx)"
holds "all are counted" "$(counter client_patches_refused)" -ge $((before + 8))

echo 1 >$TRACE/events/sched/sched_switch/enable
echo 1 >$TRACE/tracing_on
usleep 100000
echo 0 >$TRACE/tracing_on
holds "tracepoints work" "$(grep -c sched_switch: $TRACE/trace)" -gt 0
echo 0 >$TRACE/events/sched/sched_switch/enable
equal "no patch came as far as VTL1" "$pokes" "$(refused_pokes)"
fails "the policy cannot be loosened" 1 sh -c "echo report >$P/patches"
audit_clean "audit"
finish
