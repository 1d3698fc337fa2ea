#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Static keys go on working, each step written by VTL1: a call for each site, or one for all of them.

. "$(dirname "$0")/lib.sh"
need_heki
plan 16

flips=20
# flip_all FILE: on and off, many times
flip_all() {
	flip_i=0
	while [ $flip_i -lt $flips ]; do
		echo 1 >"$1" && echo 0 >"$1" || return 1
		flip_i=$((flip_i + 1))
	done
}

calls() {
	echo $(($(counter calls.PATCH_TEXT) + $(counter calls.PATCH_TEXT_BATCH)))
}

key=/proc/sys/kernel/sched_schedstats
pokes=$(refused_pokes)
allowed=$(status patch_allowed)
made=$(calls)
check "schedstats on and off $flips times" flip_all $key
steps=$(($(status patch_allowed) - allowed))
made=$(($(calls) - made))
# The key has more than one site, each takes more than one step.
holds "VTL1 wrote the patches" $steps -ge $((4 * flips))
holds "in few calls: $made for $steps" $((10 * made)) -le $steps
equal "none refused" "$pokes" "$(refused_pokes)"
audit_clean "audit with the key off"
echo 1 >$key
audit_clean "audit with the key on"
echo 0 >$key

# The key of these tracepoints is looked at wherever a map is locked, which is all the time.
key=/sys/kernel/tracing/events/mmap_lock/enable
flips=10
busy() {
	while :; do
		cat /proc/self/maps >/dev/null
	done
}
busy &
first=$!
busy &
second=$!
allowed=$(status patch_allowed)
batched=$(counter client_pokes_batched)
batches=$(counter client_batches)
check "tracepoints of map locks on and off $flips times, two tasks busy" flip_all $key
steps=$(($(status patch_allowed) - allowed))
batched=$(($(counter client_pokes_batched) - batched))
batches=$(($(counter client_batches) - batches))
holds "hundreds of sites a flip" $steps -ge $((600 * 2 * flips))
holds "most steps in batches: $batched of $steps" $((10 * batched)) -ge $((9 * steps))
holds "large ones: $batches" $((20 * batches)) -le "$batched"
check "both tasks live" kill -0 $first $second
kill $first $second
equal "none refused" "$pokes" "$(refused_pokes)"
equal "no batch refused" 0 "$(counter client_batches_refused)"
audit_clean "audit with the tracepoints off"
echo 1 >$key
audit_clean "audit with the tracepoints on"
echo 0 >$key
equal "no violation" 0 "$(status violations)"
finish
