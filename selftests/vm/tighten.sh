#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# patches=report becomes strict while the system runs: what was there goes on and can be taken away,
# nothing new comes.

. "$(dirname "$0")/lib.sh"
need_heki
plan 14

TRACE=/sys/kernel/tracing
P=/sys/module/heki_client/parameters

# attached FILE: the program that writes there is at its function
attached() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		grep -q attached "$1" && return
		sleep 0.5
	done
	return 1
}

# faults: what the kernel says of its own mistakes
faults() {
	dmesg | grep -cE 'WARNING:|BUG:|Oops'
}

equal "policy" report "$(cat $P/patches)"
check "kprobe in" sh -c "echo 'p:heki_old vfs_statx' >$TRACE/kprobe_events"
bpf_fentry vfs_statx stay >/tmp/first &
first=$!
check "BPF program at a function" attached /tmp/first
bpf_fentry vfs_statx stay >/tmp/second &
second=$!
check "another at the same" attached /tmp/second
before=$(faults)
check "patches can be tightened" sh -c "echo strict >$P/patches"
fails "kprobe registered before cannot be switched on" 1 \
	sh -c "echo 1 >$TRACE/events/kprobes/heki_old/enable"
fails "no new kprobe" 1 sh -c "echo 'p:heki_new vfs_open' >>$TRACE/kprobe_events"
# The kernel would take it out of the code that calls both, which it cannot change any more.
kill $first
wait $first
sleep 1
check "the function works with one gone" stat /
check "that one stays is told" sh -c "dmesg | grep -q 'heki_client: patching .*a BPF program stays'"
kill $second
wait $second
sleep 1
check "and with both gone" stat /
equal "the kernel has nothing to complain of" "$before" "$(faults)"
check "kprobe out" sh -c "echo >$TRACE/kprobe_events"
fails "patches cannot be loosened" 1 sh -c "echo report >$P/patches"
audit_clean "audit"
finish
