#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Late load: certificates from files, only the kernel's own; modules that were there before are
# validated from their files, or recorded; unloading leaves nothing.  Then an attack: a module
# that was loaded before changes a protected byte, and the audit finds it.

. "$(dirname "$0")/lib.sh"
[ "$(cat /etc/heki-mode 2>/dev/null)" = late ] || skip_all "needs a VM with MODE=late"
plan 51

load() {
	modprobe vtl1_shim && modprobe heki_client
}

unload() {
	rmmod heki_client && rmmod vtl1_shim
}

our_files() {
	ls -d $HEKI /dev/heki /sys/module/heki_client /sys/module/vtl1_shim 2>/dev/null | wc -l
}

facts=$(kernel_facts)
fact() {
	echo "$facts" | sed -n "s/^$1=//p"
}

modprobe ext4
modload finit "$DATA/heki_attack.ko"
ATTACK=/sys/module/heki_attack/parameters

check "load" load
equal "late" late "$(status load)"
equal "waiting" waiting "$(status phase)"
equal "no certificate yet" 0 "$(status certs_system)"
fails "a certificate that the kernel does not trust" 1 \
	hekictl start --cert "$DATA/trusted.der"
equal "nothing was locked" 0 "$(status end_of_boot)"
check "unload while not locked" unload
equal "unloading leaves no file" 0 "$(our_files)"

check "enforce where VTL1 can only audit" modprobe heki_client mode=enforce
fails "is not called protected" 1 hekictl status
equal "and what is missing is said" 1 "$(hekictl status 2>/dev/null |
	grep -c '^NOT PROTECTED: mode=enforce asks for grade enforce, VTL1 offers audit')"
holds "by the kernel's log too" \
	"$(dmesg | grep -c 'not protected: mode=enforce asks for grade enforce')" -ge 1
check "unload it" unload

# Fails when the device shows itself
watch_device() {
	while [ ! -e /tmp/watch-stop ]; do
		[ ! -c /dev/heki ] || return 1
	done
}

modprobe vtl1_shim
watch_device &
watcher=$!
check "anchors for kexec must be the kernel's own" \
	sh -c "! modprobe heki_client kexec_certs=$DATA/stranger.der"
touch /tmp/watch-stop
wait $watcher
equal "a load that fails shows no device" 0 $?
rm -f /tmp/watch-stop
equal "the client did not stay" 0 "$(grep -c ^heki_client /proc/modules)"
check "load again" load
check "certificates of the kernel's image" \
	hekictl cert extract "$DATA/vmlinuz" -o /tmp/kernel.der
check "start with them" hekictl start --cert /tmp/kernel.der --offer-modules
equal "locked" locked "$(status phase)"
holds "certificates" "$(status certs_system)" -ge 1
equal "plain symbols" "$(fact symbols)" "$(status symbols)"
equal "GPL symbols" "$(fact symbols_gpl)" "$(status symbols_gpl)"
equal "jump labels" "$(fact jump_entries)" "$(kernel_jump_labels)"
equal "all CPUs are locked" "$(status cpus_online)" "$(status vps_locked)"
for name in crc16 mbcache jbd2 ext4; do
	count=$(record modules name $name relocations)
	holds "$name was validated from its file, $count relocations" "${count:-0}" -gt 0
done
equal "a module without a file is only recorded" 1 \
	"$(record modules name heki_attack flags | grep -c unverified)"
fails "a second start" 1 hekictl start --cert /tmp/kernel.der
check "a stock module loads" modload finit "$DATA/stock.ko"
rmmod nls_cp865
fails "an unsigned one does not" 61 modload finit "$DATA/unsigned.ko"
audit_clean "audit"

for target in text rodata; do
	before=$(status violations)
	check "attack: a byte of $target is changed" sh -c "echo 1 >$ATTACK/$target"
	fails "the audit finds it" 1 hekictl audit
	holds "it is counted" "$(status violations)" -gt "$before"
	check "it is put back" sh -c "echo 0 >$ATTACK/$target"
	audit_clean "audit after it was put back"
done
holds "the log has the violations" "$(grep -c ' event=violation ' "$HEKI/log")" -ge 2

# What loads when one hook has gone and the others have not is nobody's to judge.
come_and_go() {
	while [ ! -e /tmp/stay-away ]; do
		modload finit "$DATA/other.ko" && rmmod nls_cp866 || return 1
	done
}

come_and_go &
comer=$!
check "unload in audit" unload
touch /tmp/stay-away
wait $comer
equal "a module that comes meanwhile is not refused" 0 $?
equal "no file is left" 0 "$(our_files)"
equal "no hook is left" 0 "$(grep -c '^__text_poke\|^load_module' \
	/sys/kernel/tracing/enabled_functions)"
check "a module loads without HEKI" modload finit "$DATA/unsigned.ko"
rmmod nls_cp865
check "static keys work without HEKI" sysctl -qw kernel.sched_schedstats=1
finish
