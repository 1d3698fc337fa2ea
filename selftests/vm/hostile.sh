#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A hostile VTL0: all inputs of the fuzz targets of the core, then random calls, from two CPUs at once and
# beside a kernel that loads modules. Then VTL1 is alive, all it counts adds up, and it guards as before.
# Expects the certificate "trusted".
#
# /extra/hostile-calls is what scripts/fuzz --calls writes.
# In the environment: HOSTILE_CALLS, how many random calls (10000), HOSTILE_SEED. The long form:
#   scripts/build-vm 6.1 && scripts/build-hypervisor && scripts/fuzz --calls
#   KERNEL=6.1 MODE=enforce EXTRA=build/fuzz/calls/out MODULE_OPTIONS=certs=/testdata/trusted.der \
#       CMD="HOSTILE_SEED=2 HOSTILE_CALLS=100000 /selftests/run.sh hostile" TIMEOUT=3600 scripts/vm
# With ACCEL=tcg and ENGINE=build/qemu10/qemu-system-x86_64 the CPUs run on threads of their own, and a
# run may end by QEMU's fault (Documentation/hypervisor.md).

. "$(dirname "$0")/lib.sh"
need_heki
[ "$(status grade)" = enforce ] || skip_all "needs a VTL1 that enforces"
[ -r /extra/hostile-calls ] || skip_all "no calls of the fuzz targets"
: "${HOSTILE_CALLS:=10000}" "${HOSTILE_SEED:=1}"
plan 42

ATTACK=/sys/module/heki_attack/parameters
stop=/tmp/hostile-stop

. "$(dirname "$0")/hostile_lib.sh"

# What a kernel does meanwhile: a module that depends on another, and none that runs code of the spare.
loads() {
	while [ ! -e $stop ]; do
		modprobe nls_cp866 2>/dev/null && echo loaded
		modprobe -r nls_cp866 2>/dev/null
		cat "$HEKI/status" >/dev/null
	done >/tmp/hostile-loads
}

check "a module that VTL1 may be told to forget" modprobe crc16
check "the hostile module is signed, and loads" modload finit "$DATA/heki_hostile.ko"
grep -i reserved /proc/iomem | sed 's/^/# /'
check "memory that is not the kernel's" tell places "$(places)"
check "tokens" tell spares "$(record modules name crc16 token)"
check "files to make calls with" tell files "$DATA/stock.ko $DATA/stranger.der"
check "a load to make again is waited for" tell capture 1
check "it comes" modprobe nls_cp865
equal "it is kept" 1 "$(cat $P/capture)"
check "no more" tell capture 0
check "it goes" modprobe -r nls_cp865
settle
certs() {
	status certs_system
	status certs_secondary
	status certs_kexec
}
certs_before=$(certs)
check "begin to count" tell start 1

: >/tmp/hostile-loads
rm -f $stop
check "the inputs of the fuzz targets" tell replay /extra/hostile-calls
loads &
check "$HOSTILE_CALLS random calls, seed $HOSTILE_SEED" tell random "$HOSTILE_SEED $HOSTILE_CALLS"
touch $stop
wait
echo "# modules loaded meanwhile: $(wc -l </tmp/hostile-loads)"
check "the ring is where it was" tell ring 1
check "refused patches in a row" tell patches 4000
settle
judge_counts
holds "most of those patches have no record" "$(value omitted)" -gt 2000
holds "modules were validated" "$(value modules)" -gt 20
holds "calls were left in the middle" "$(value left)" -gt 20
equal "no slot is taken" 0 "$(value budget.slots | cut -d' ' -f2)"
equal "no scratch memory either" 0 "$(value budget.scratch | cut -d' ' -f2)"
equal "nobody is trusted who was not" "$certs_before" "$(certs)"

check "the hostile module goes" rmmod heki_hostile
check "with all its memory" sh -c "! dmesg | grep 'VTL1 keeps memory'"
check "ext4 loads, and what was forgotten too" sh -c "modprobe -r crc16 && modprobe ext4"
check "ext4 goes" modprobe -r ext4
check "a static key is flipped" \
	sh -c "sysctl -qw kernel.sched_schedstats=1 && sysctl -qw kernel.sched_schedstats=0"
check "an attack loads" modload finit "$DATA/heki_attack.ko"
fails "and cannot write to text" 1 sh -c "echo 1 >$ATTACK/text"
check "it goes" rmmod heki_attack
audit_clean "audit"
finish
