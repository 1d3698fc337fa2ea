#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# VTL1 in a trust level of its own: who enforces, that writes to protected memory do not land and are
# told, that what the kernel does by right goes on.  Expects the certificate "trusted".

. "$(dirname "$0")/lib.sh"
need_heki
[ "$(status grade)" = enforce ] || skip_all "needs a VTL1 that enforces"
plan 53

EPERM=1
P=/sys/module/heki_client/parameters
ATTACK=/sys/module/heki_attack/parameters
cpus=$(grep -c ^processor /proc/cpuinfo)

set_to() {
	echo "$2" >"$P/$1"
}

equal "VTL1" vtl1.elf "$(status host)"
equal "transport" hyperv "$(status transport)"
equal "it is a boundary" yes "$(status security_boundary)"
equal "mode" enforce "$(status mode)"
equal "loaded early" early "$(status load)"
equal "locked" locked "$(status phase)"
equal "CPUs locked" "$cpus" "$(status vps_locked)"
check "no shim is here" [ ! -e /sys/module/vtl1_shim ]
check "hekictl calls it enforced" sh -c "hekictl status | grep -q '^ENFORCED'"
check "hekictl doctor does not ask for a shim" sh -c "! hekictl doctor | grep -q vtl1_shim"
equal "the client stays" refused "$(status unload)"
fails "it cannot be unloaded" 1 rmmod heki_client
fails "mode cannot be loosened" 1 set_to mode audit
fails "patches cannot be loosened" 1 set_to patches report

check "a module that is signed loads" modload finit "$DATA/heki_attack.ko"
holds "it was validated" "$(record modules name heki_attack relocations)" -gt 0

for target in text rodata module; do
	before=$(cat $ATTACK/$target)
	last=$(status log_written)
	fails "a write to $target is a fault" 1 sh -c "echo 1 >$ATTACK/$target"
	equal "it does not land" "$before" "$(cat $ATTACK/$target)"
	equal "the log has its address" 1 "$(intercepts "${before#* }" "$last")"
	equal "and nothing else" 1 "$(intercepts "" "$last")"
done
check "hekictl shows it" sh -c "hekictl log | grep -q 'memory write'"
holds "and when it was" "$(sed -n 's/.* time_ns=\([0-9]*\).*/\1/p' "$HEKI/log" | tail -n 1)" -gt 0
for register in cr0 cr4 lstar; do
	last=$(status log_written)
	fails "a change of $register is a fault" 1 sh -c "echo 1 >$ATTACK/$register"
	equal "it is in the log" 1 "$(intercepts "" "$last")"
done
equal "each is counted" 6 "$(status intercepts)"
check "the module goes" rmmod heki_attack

last=$(status log_written)
pokes=$(refused_pokes)
allowed=$(status patch_allowed)
check "a static key is flipped" \
	sh -c "sysctl -qw kernel.sched_schedstats=1 && sysctl -qw kernel.sched_schedstats=0"
holds "VTL1 wrote it" "$(status patch_allowed)" -gt "$allowed"
equal "no patch was refused" "$pokes" "$(refused_pokes)"
check "ext4 loads" modprobe ext4
check "ext4 goes" sh -c "modprobe -r ext4"
forks() {
	forks_i=0
	while [ $forks_i -lt 100 ]; do
		/bin/true || return
		forks_i=$((forks_i + 1))
	done
}
check "programs start and end" forks
equal "nothing of this was an intercept" 0 "$(intercepts "" "$last")"

check "an image for kexec is accepted" kexec_load "$DATA/vmlinuz-cut"
fails "it is not run" $EPERM kexec_load -e
check "and the kernel's log says by whom" sh -c "dmesg | grep -q 'HEKI runs no image under grade enforce'"
check "unload it" kexec_load -u
for state in mem disk; do
	fails "sleep: $state" 1 sh -c "echo $state >/sys/power/state"
done
check "the kernel's log says by whom" sh -c "[ \$(dmesg | grep -c 'power.*refused by HEKI') = 2 ]"
equal "no intercept by that" 0 "$(intercepts "" "$last")"
finish
