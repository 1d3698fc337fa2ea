#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: tracepoints switched
# A round has tracepoints on while something happens, and sees that they were hit.

. /soak/lib.sh
cd /sys/kernel/tracing || exit 1
echo 64 >buffer_size_kb
count=0
for group in sched irq timer workqueue $(amount "module block signal task raw_syscalls kmem" ""); do
	echo 1 >events/$group/enable || exit 1
	count=$((count + 2 * $(find events/$group -mindepth 2 -name enable | wc -l)))
	[ $group != sched ] || {
		sleep 0.1
		grep -q sched_ trace || { echo "nothing was traced" >&2; exit 1; }
	}
	echo 0 >events/$group/enable || exit 1
done
echo >trace
echo $count
