#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: static keys switched
# A round switches static keys of the kernel on and off again.

for value in 1 0; do
	for key in sched_schedstats task_delayacct bpf_stats_enabled; do
		echo $value >/proc/sys/kernel/$key || exit 1
	done
done
sleep 0.2
echo 6
