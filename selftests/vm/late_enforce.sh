#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Late load under grade enforce, with probes within a function of the kernel: one that stands there keeps
# the kernel from being locked, until it is removed; one that is armed while the lock runs does no harm.

. "$(dirname "$0")/lib.sh"
[ "$(cat /etc/heki-mode 2>/dev/null)" = late ] || skip_all "needs a VM with MODE=late"
check_load=$(modprobe heki_client 2>&1) || skip_all "no client: $check_load"
[ "$(status grade)" = enforce ] || skip_all "needs grade enforce"
plan 14

TRACE=/sys/kernel/tracing
ARMED=$TRACE/events/kprobes/heki_test/enable

# Behind the call of ftrace, where an instruction begins
probe() {
	for offset in 9 5 6 7 8 10 11 12 13; do
		echo "p:heki_test vfs_statx+$offset" >$TRACE/kprobe_events && return
	done 2>/dev/null
	return 1
}

arm_and_disarm() {
	while [ ! -e /tmp/stop ]; do
		echo 1 >$ARMED
		echo 0 >$ARMED
	done 2>/dev/null
}

start() {
	hekictl start --cert /tmp/kernel.der
}

check "certificates of the kernel's image" \
	hekictl cert extract "$DATA/vmlinuz" -o /tmp/kernel.der
check "a probe within a function" probe
check "it is armed" sh -c "echo 1 >$ARMED"
fails "the kernel is not locked over it" 1 start
equal "why is said" 1 "$(start 2>&1 | grep -c "^hekictl: lock: a kprobe stands in the kernel's text")"
holds "and where" "$(dmesg | grep -c 'heki_client: lock vfs_statx+0x.* a kprobe stands in text')" -ge 1
equal "nothing was locked" waiting "$(status phase)"
check "it is disarmed" sh -c "echo 0 >$ARMED"
arm_and_disarm &
loop=$!
check "a start while probes come and go" start
equal "locked" locked "$(status phase)"
sleep 1
touch /tmp/stop
wait $loop
fails "a probe is refused" 1 sh -c "echo 1 >$ARMED"
check "the function works" stat /bin/busybox
check "a static key flips" sh -c "echo 1 >/proc/sys/kernel/sched_schedstats"
check "and back" sh -c "echo 0 >/proc/sys/kernel/sched_schedstats"
finish
