#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Static keys go on working, each step written by VTL1.

. "$(dirname "$0")/lib.sh"
need_heki
plan 5

flips=20
flip_all() {
	flip_i=0
	while [ $flip_i -lt $flips ]; do
		sysctl -qw kernel.sched_schedstats=1 || return 1
		sysctl -qw kernel.sched_schedstats=0 || return 1
		flip_i=$((flip_i + 1))
	done
}

pokes=$(refused_pokes)
allowed=$(status patch_allowed)
check "schedstats on and off $flips times" flip_all
# The key has more than one site, each takes more than one step.
holds "VTL1 wrote the patches" "$(status patch_allowed)" -ge $((allowed + 4 * flips))
equal "none refused" "$pokes" "$(refused_pokes)"
audit_clean "audit with the key off"
sysctl -qw kernel.sched_schedstats=1
audit_clean "audit with the key on"
sysctl -qw kernel.sched_schedstats=0
finish
