#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# hypervisor.sh - in a VM: a stock kernel in VTL0 finds Hyper-V and what works on bare metal works

. "$(dirname "$0")/lib.sh"

cpus=$(grep -c '^processor' /proc/cpuinfo)
count=10
[ "$cpus" = 1 ] || count=12
plan "$count"

port() {
	dd if=/dev/port bs=1 skip="$(($1))" count=1 2>/dev/null | od -An -tx1 | tr -d ' '
}

set_port() {
	printf '%b' "\\x$2" | dd of=/dev/port bs=1 seek="$(($1))" conv=notrunc 2>/dev/null
}

# Each CPU is made to say where it is by an NMI.
backtraces() {
	dmesg -c >/dev/null
	echo l >/proc/sysrq-trigger
	sleep 1
	[ "$(dmesg | grep -c 'NMI backtrace for cpu')" = "$cpus" ]
}

forks() {
	i=0
	while [ $i -lt 200 ]; do
		/bin/true || return 1
		i=$((i + 1))
	done
}

off_and_on() {
	for _ in 1 2 3; do
		echo 0 >/sys/devices/system/cpu/cpu1/online &&
			[ "$(grep -c '^processor' /proc/cpuinfo)" = $((cpus - 1)) ] &&
			echo 1 >/sys/devices/system/cpu/cpu1/online &&
			[ "$(grep -c '^processor' /proc/cpuinfo)" = "$cpus" ] || return 1
	done
}

unhandled() {
	dmesg | grep -E 'unchecked MSR|general protection|Uhhuh|NMI received for unknown'
}

check "the kernel detects Hyper-V" sh -c "dmesg | grep -q 'Hypervisor detected: Microsoft Hyper-V'"
check "what is offered is what the hypervisor has" \
	sh -c "dmesg | grep -q 'privilege flags low 0x8060, high 0x30000'"
check "the processor has no SVM" sh -c "! grep -wq svm /proc/cpuinfo"
check "the clock source is the time stamp counter" \
	grep -qx tsc /sys/devices/system/clocksource/clocksource0/current_clocksource
fails "no refused access was made while booting" 1 unhandled
check "each CPU takes an NMI" backtraces
check "single steps are as many as instructions" steps
check "200 programs start and end" forks
set_port 0x510 00
check "the firmware's configuration is closed" [ "$(port 0x511)" = ff ]
check "the hypervisor's console is not there" [ "$(port 0x2fd)" = ff ]
if [ "$cpus" != 1 ]; then
	check "a CPU goes off and on three times" off_and_on
	check "and takes NMIs again" backtraces
fi
finish
