#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A hostile VTL0: all inputs of the fuzz targets of the core, then random calls, from two CPUs at once and
# beside a kernel that loads modules. Then VTL1 is alive, all it counts adds up, and it guards as before.
# Expects the certificate "trusted".
#
# /extra/hostile-calls is what scripts/fuzz --calls writes.
# In the environment: HOSTILE_CALLS, how many random calls (10000), HOSTILE_SEED.

. "$(dirname "$0")/lib.sh"
need_heki
[ "$(status grade)" = enforce ] || skip_all "needs a VTL1 that enforces"
[ -r /extra/hostile-calls ] || skip_all "no calls of the fuzz targets"
: "${HOSTILE_CALLS:=10000}" "${HOSTILE_SEED:=1}"
plan 40

P=/sys/module/heki_hostile/parameters
ATTACK=/sys/module/heki_attack/parameters
result=/tmp/hostile-result
stop=/tmp/hostile-stop

# tell PARAMETER VALUE
tell() {
	echo "$2" >"$P/$1"
}

value() {
	sed -n "s/^$1=//p" "$result"
}

# Memory that is not the kernel's, the largest first: what the hypervisor keeps for VTL1 and itself.
places() {
	awk '/^[0-9a-f]+-[0-9a-f]+ : Reserved/ && length($1) < 18 { print $1 }' /proc/iomem |
		while IFS=- read -r first last; do
			size=$((0x$last - 0x$first))
			[ $size -lt 65535 ] || echo "$size $first-$last"
		done | sort -rn | awk '{ printf "%s%s", sep, $2; sep = "," }'
}

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
settle
cat $P/result >$result
sed 's/^/# /' $result

equal "no call changed a register" 0 "$(value registers)"
equal "no result is strange" 0 "$(value results)"
holds "calls were accepted" "$(value accepted)" -gt 1000
holds "calls were refused" "$(value refused)" -gt 1000
holds "modules were validated" "$(value modules)" -gt 20
holds "calls were left in the middle" "$(value left)" -gt 20
equal "VTL1 has not faulted" 0 "$(value faults)"
equal "no record was lost" 0 "$(value lost)"
equal "every record is one that the ABI has" 0 "$(value unreadable)"
equal "each refusal is a record, or told as omitted" "$(value errors)" \
	$(($(value refusals) + $(value omitted)))
equal "refused calls and errors agree" "$(value refused_calls)" "$(value all_errors)"
equal "and accepted calls" "$(value accepted_calls)" "$(value no_errors)"
equal "each intercept is a record" "$(value intercepts)" "$(value counted_intercepts)"
equal "no slot is taken" 0 "$(value budget.slots | cut -d' ' -f2)"
equal "no scratch memory either" 0 "$(value budget.scratch | cut -d' ' -f2)"
equal "nobody is trusted who was not" "$certs_before" "$(certs)"
holds "lists have ends" -n "$(value list.patches)"

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
