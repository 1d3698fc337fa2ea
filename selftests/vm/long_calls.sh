#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Long calls are cut and continued: two loaders at once and a static key that is flipped all the
# while do not get in each other's way, and no entry does more than its share.

. "$(dirname "$0")/lib.sh"
need_heki
plan 11

flip_until() {
	while [ ! -e "$1" ]; do
		sysctl -qw kernel.sched_schedstats=1 || return 1
		sysctl -qw kernel.sched_schedstats=0 || return 1
		echo flip >>/tmp/flips
	done
}

settle
before=$(table_use)
continued=$(status continued)
refused=$(status modules_refused)
pokes=$(refused_pokes)
rm -f /tmp/done /tmp/flips

flip_until /tmp/done &
flipper=$!
taskset 1 modprobe ext4 &
one=$!
taskset 2 modprobe jfs &
two=$!
wait $one
equal "a module on the first CPU" 0 $?
wait $two
equal "a module on the second CPU" 0 $?
: >/tmp/done
wait $flipper
equal "the key was flipped" 0 $?
holds "more than once" "$(wc -l </tmp/flips)" -gt 1

holds "calls were continued" "$(status continued)" -gt $((continued + 20))
equal "none was abandoned" 0 "$(status abandoned)"
holds "no entry did more than its share" "$(counter budget.entry_pages.peak)" -le \
	"$(counter budget.entry_pages.limit)"
equal "no module refused" "$refused" "$(status modules_refused)"
equal "no poke refused" "$pokes" "$(refused_pokes)"
modprobe -r ext4
modprobe -r jfs
settle
equal "nothing is left" "$before" "$(table_use)"
audit_clean "audit"
finish
