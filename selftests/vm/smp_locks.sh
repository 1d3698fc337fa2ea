#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel that found one CPU has taken its LOCK prefixes out; when a second CPU comes they are put
# back, each by VTL1, in the kernel's text and in that of all modules.

. "$(dirname "$0")/lib.sh"
need_heki
ONLINE=/sys/devices/system/cpu/cpu1/online
[ -w $ONLINE ] && [ "$(cat $ONLINE)" = 0 ] || skip_all "needs a VM booted with maxcpus=1"
plan 22

fact() {
	kernel_facts locks | sed -n "s/^$1=//p"
}

# What VTL1 lists now
list() {
	grep type=smp_lock "$HEKI/patches" >/tmp/locks
}

# locks OWNER [PREFIX]: LOCK prefixes in the list, and how many of them stand so
locks() {
	grep -c "type=smp_lock owner=$1 current=${2:-}" /tmp/locks
}

# all OWNER PREFIX: there are some, and all stand so
all() {
	[ "$(locks "$1")" -gt 0 ] && [ "$(locks "$1")" = "$(locks "$1" "$2")" ]
}

token() {
	record modules name "$1" token
}

pokes=$(refused_pokes)
allowed=$(status patch_allowed)
check "ext4 comes with one CPU" modprobe ext4
list
equal "the kernel's are listed" "$(fact smp_locks)" "$(locks kernel)"
equal "all of them are taken out" "$(fact smp_locks)" "$(fact smp_locks_out)"
check "VTL1 sees the same" all kernel 3e
check "those of ext4 too" all "$(token ext4)" 3e
check "and of a module that came without a file" all "$(token heki_client)" 3e
audit_clean "audit with one CPU"

total=$(locks '[^ ]*')
check "the second CPU comes" sh -c "echo 1 >$ONLINE"
equal "two CPUs online" 2 "$(status cpus_online)"
equal "no patch refused" "$pokes" "$(refused_pokes)"
holds "VTL1 wrote them all" "$(status patch_allowed)" -ge $((allowed + total))
equal "none of the kernel's is taken out" "$(fact smp_locks) 0" \
	"$(fact smp_locks) $(fact smp_locks_out)"
list
check "VTL1 sees the same" all '[^ ]*' f0
equal "all CPUs are locked" "$(status cpus_online)" "$(status vps_locked)"
audit_clean "audit with two CPUs"

check "xfs comes with two CPUs" modprobe xfs
list
check "with all of its prefixes" all "$(token xfs)" f0
gone=$(token ext4)
check "ext4 goes" modprobe -r ext4
list
equal "so do its prefixes" 0 "$(locks "$gone")"
check "the second CPU goes and comes" sh -c "echo 0 >$ONLINE && echo 1 >$ONLINE"
equal "no patch refused" "$pokes" "$(refused_pokes)"
audit_clean "audit at the end"
finish
