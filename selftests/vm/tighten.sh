#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# patches=report becomes strict while the system runs: what was there goes on and can be taken away,
# nothing new comes.

. "$(dirname "$0")/lib.sh"
need_heki
plan 8

TRACE=/sys/kernel/tracing
P=/sys/module/heki_client/parameters

equal "policy" report "$(cat $P/patches)"
check "kprobe in" sh -c "echo 'p:heki_old vfs_statx' >$TRACE/kprobe_events"
check "patches can be tightened" sh -c "echo strict >$P/patches"
fails "kprobe registered before cannot be switched on" 1 \
	sh -c "echo 1 >$TRACE/events/kprobes/heki_old/enable"
fails "no new kprobe" 1 sh -c "echo 'p:heki_new vfs_open' >>$TRACE/kprobe_events"
check "kprobe out" sh -c "echo >$TRACE/kprobe_events"
fails "patches cannot be loosened" 1 sh -c "echo report >$P/patches"
audit_clean "audit"
finish
