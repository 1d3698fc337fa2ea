#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# vtl_calls.sh - in a VM with VTL1: calls on all CPUs at once, beside programs that start and end
#
# In the environment: VTL_CALLS, how many on each CPU (2000).  Options of the hypervisor: counters.

. "$(dirname "$0")/lib.sh"

parameters=/sys/module/vtl_calls/parameters
storms=2
plan 8

storm() {
	while [ ! -e /tmp/stop ]; do
		/bin/true || echo failed >>/tmp/storm
	done
}

# What the hypervisor has counted goes to its console.
mark() {
	printf '%b' "\\0$1" | dd of=/dev/port bs=1 seek="$((0x2f8))" conv=notrunc 2>/dev/null
}

no_stall() {
	! dmesg | grep -E 'soft lockup|rcu.*(stall|self-detected)|hung_task|clocksource.*unstable'
}

check "VTL1 is started on all CPUs" insmod "$DATA/vtl_calls.ko"
: >/tmp/storm
i=0
while [ $i -lt $storms ]; do
	storm &
	i=$((i + 1))
done
check "first calls" sh -c "echo 100 >$parameters/calls"
mark 1
check "${VTL_CALLS:=2000} calls on each CPU: results and registers are right" \
	sh -c "echo $VTL_CALLS >$parameters/calls"
mark 2
touch /tmp/stop
wait
check "no program failed" [ ! -s /tmp/storm ]
check "no CPU was held up" no_stall
off_and_on() {
	for _ in 1 2 3; do
		echo 0 >/sys/devices/system/cpu/cpu1/online && echo 1 >/sys/devices/system/cpu/cpu1/online ||
			return 1
	done
}

check "a CPU with VTL1 goes off and on three times" off_and_on
check "and comes back with all CPUs" [ "$(grep -c '^processor' /proc/cpuinfo)" = 2 ]
check "VTL1 answers still" sh -c "echo 10 >$parameters/calls"
echo "# cycles for a call: $(cat $parameters/cycles)"
finish
