#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The function tracer over all functions: every call site of the kernel is patched, back and forth.
# With QEMU 7.2 this needs one host thread for all CPUs (hekivm --accel tcg-single).

. "$(dirname "$0")/lib.sh"
need_heki
plan 6

TRACE=/sys/kernel/tracing

violations=$(status violations)
dropped=$(status log_dropped)
echo >"$TRACE/set_ftrace_filter"
echo 1 >"$TRACE/tracing_on"
check "on" sh -c "echo function >$TRACE/current_tracer"
echo 0 >"$TRACE/tracing_on"
holds "it traces" "$(grep -c 'sys' "$TRACE/trace")" -gt 0
check "off" sh -c "echo nop >$TRACE/current_tracer"
audit_clean "audit"
equal "what was in the log before is there" "$dropped" "$(status log_dropped)"
equal "no violation" "$violations" "$(status violations)"
finish
