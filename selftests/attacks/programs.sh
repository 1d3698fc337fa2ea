# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034 # read by guest.sh
#
# Attacks that programs make.

try_modify_ldt() {
	effect su nobody -s /bin/sh -c modify_ldt
}

try_module_unsigned() {
	effect modload finit "$DATA/unsigned.ko"
}

undo_module_unsigned() {
	rmmod nls_cp865 2>/dev/null
}

# A reserved range of many MiB below 4 GiB: in front the hypervisor's tables, then VTL1's memory
reserved() {
	while read -r reserved_range _ reserved_what; do
		reserved_end=$((0x${reserved_range#*-}))
		[ "$reserved_what" = Reserved ] && [ $reserved_end -lt 3221225472 ] &&
			[ $((reserved_end - 0x${reserved_range%-*})) -gt 16777216 ] &&
			echo "0x${reserved_range%-*} 0x${reserved_range#*-}"
	done </proc/iomem
}

vtl1_memory() {
	reserved | while read -r _ vtl1_end; do
		printf '0x%x\n' $((vtl1_end + 1 - 65536))
	done
}

hypervisor_memory() {
	reserved | cut -d' ' -f1
}

# The token of a module
token() {
	sed -n "s/.*name=$1 token=\([0-9]*\).*/\1/p" $HEKI/modules
}

argument_call_at_vtl1() { vtl1_memory; }
argument_call_range_at_vtl1() { vtl1_memory; }
argument_ring_over_vtl1() { printf '0x%x\n' $(($(vtl1_memory) + 4096)); }
argument_reply_over_vtl1() { vtl1_memory; }
argument_hypercall_input_vtl1() { vtl1_memory; }
argument_hypercall_output_vtl1() { vtl1_memory; }
argument_hypercall_page_vtl1() { vtl1_memory; }
argument_firmware_dma_vtl1() { vtl1_memory; }
argument_vtl1_read() { vtl1_memory; }
argument_vtl1_write() { vtl1_memory; }
argument_hypervisor_read() { hypervisor_memory; }
argument_token_init_again() { token nls_cp866; }

# The module is gone when its token is used
argument_token_dead() {
	modload finit "$DATA/stock.ko"
	token nls_cp865
	rmmod nls_cp865
}

# A site of a module, which is gone when it is patched
argument_patch_freed_module() {
	modload finit "$DATA/stock.ko"
	sed -n "s/^pa=\(0x[0-9a-f]*\).* owner=$(token nls_cp865) .*/\1/p" $HEKI/patches | head -n 1
	rmmod nls_cp865
}

# The second CPU waits to be started
prepare_cpu_start_page() {
	echo 0 >/sys/devices/system/cpu/cpu1/online
}
undo_cpu_start_page() {
	echo 1 >/sys/devices/system/cpu/cpu1/online
}
prepare_hypercall_start_vtl0() { prepare_cpu_start_page; }
undo_hypercall_start_vtl0() { undo_cpu_start_page; }
prepare_hypercall_start_vtl1() { prepare_cpu_start_page; }
undo_hypercall_start_vtl1() { undo_cpu_start_page; }

# effect when the module is loaded: the client has not been told of it
try_notifier_unlink() {
	try_by_module notifier-unlink >/dev/null
	effect modload finit "$DATA/unsigned.ko"
}
undo_notifier_unlink() {
	rmmod nls_cp865 2>/dev/null
	undo_by_module
}

# Under exec=strict it is loaded, and its text cannot run
try_notifier_unlink_strict() {
	try_by_module notifier-unlink-strict >/dev/null
	modload finit "$DATA/unsigned.ko"
	try_by_module notifier-unlink-end
}
undo_notifier_unlink_strict() {
	rmmod nls_cp865 2>/dev/null
	try_by_module notifier-link >/dev/null
}

# A module that the kernel's own blocklist has: the kernel refuses it, until that list is emptied; the client
# asks VTL1 before that
try_module_blocklisted() {
	if [ ! -e $HEKI/status ] && modload finit "$DATA/listed.ko" 2>/dev/null; then
		echo "untried: the kernel does not know that it is listed"
	else
		try_by_module blocklist-empty >/dev/null
		refused_module listed
	fi
}
undo_module_blocklisted() { rmmod nls_cp869 2>/dev/null; }

refused_module() {
	effect modload finit "$DATA/$1.ko"
}
try_module_stranger() { refused_module stranger; }
undo_module_stranger() { undo_module_unsigned; }
try_module_tampered() { refused_module trusted-tampered; }
undo_module_tampered() { undo_module_unsigned; }
try_module_container() { refused_module wrong-kind; }
undo_module_container() { undo_module_unsigned; }
try_module_livepatch() { refused_module heki_livepatch; }

undo_kexec() {
	kexec_load -u 2>/dev/null
}
try_kexec_changed() { effect kexec_load "$DATA/vmlinuz-cut-changed"; }
undo_kexec_changed() { undo_kexec; }
try_kexec_old_call() { effect kexec_load -o; }
undo_kexec_old_call() { undo_kexec; }

# A process reads VTL1's memory through /dev/mem
try_vtl1_dev_mem() {
	effect devmem "$(vtl1_memory)"
}

argument_device_dma_vtl1() { vtl1_memory; }

# VTL1 is told that a module has gone which is still there
argument_token_release() {
	modload finit "$DATA/stock.ko"
	token nls_cp865
}
undo_token_release() { rmmod nls_cp865; }

# The module is loaded between two parts of the attack; again when it was refused before the other CPU came
# to write, and where nothing stops that CPU
try_module_race() {
	for race_round in 1 2 3 4 5 6 7 8; do
		attack_last=$(written)
		try_by_module module-race >/dev/null
		modload finit "$DATA/stock.ko" 2>/dev/null
		race_said=$(try_by_module module-race-end)
		case $race_said in "effect=0 error=0 "*) ! in_audit || break ;; *) break ;; esac
	done
	echo "$race_said"
}
undo_module_race() { undo_module_unsigned; }

# Kernel text is written to while modules come and go and keys are switched
try_text_race() {
	try_by_module text-race >/dev/null
	modload finit "$DATA/stock.ko"
	sysctl -qw kernel.sched_schedstats=1
	rmmod nls_cp865
	sysctl -qw kernel.sched_schedstats=0
	try_by_module text-race-end
}

# All refusals are counted, and records that the log has lost too
try_log_flood() {
	flood_refused=$(sed -n 's/^errors.UNKNOWN_CALL=//p' $HEKI/counters)
	flood_dropped=$(sed -n 's/^log_dropped=//p' $HEKI/status)
	try_by_module log-flood >/dev/null
	flood_refused=$(($(sed -n 's/^errors.UNKNOWN_CALL=//p' $HEKI/counters) - flood_refused))
	flood_dropped=$(($(sed -n 's/^log_dropped=//p' $HEKI/status) - flood_dropped))
	flood_effect=1
	[ $flood_refused != 3000 ] || [ $flood_dropped -le 0 ] || flood_effect=0
	echo "effect=$flood_effect error=22 address=0x0"
	# They are not shown one by one.
	attack_last=""
}

# The image is shown to VTL1 once more, changed, while it is loaded
kexec_again() {
	try_by_module "$1" >/dev/null
	kexec_load "$DATA/vmlinuz-cut"
	try_by_module image-end
}
try_kexec_segments() { kexec_again kexec-segments; }
undo_kexec_segments() { undo_kexec; }
try_kexec_replaced() { kexec_again kexec-replaced; }
undo_kexec_replaced() { undo_kexec; }
try_race_kexec_image() { kexec_again race-kexec-image; }
undo_race_kexec_image() { undo_kexec; }
try_race_kexec_segments() { kexec_again race-kexec-segments; }
undo_race_kexec_segments() { undo_kexec; }
try_race_kexec_pages() { kexec_again race-kexec-pages; }
undo_race_kexec_pages() { undo_kexec; }

# race_certificate CASE SET FILE: the effect is also that VTL1 has another certificate in that set than the file
race_certificate() {
	race_said=$(try_by_module "$1")
	race_others=$(grep "^set=$2 " $HEKI/certs | grep -vc "sha256=$(sha256sum "$DATA/$3" | cut -d' ' -f1)")
	[ "$race_others" = 0 ] || race_said=$(echo "$race_said" | sed 's/effect=0/effect=1/')
	echo "$race_said"
}
try_race_key() { race_certificate race-key secondary secondary.der; }
try_race_key_ranges() { race_certificate race-key-ranges secondary secondary.der; }
try_race_revoke() { race_certificate race-revoke revoked unrelated.der; }

prepare_kexec_written() { kexec_load "$DATA/vmlinuz-cut"; }
undo_kexec_written() { undo_kexec; }

# changed_kernel OFFSET BYTES: the image with other bytes, as /tmp/vmlinuz
changed_kernel() {
	[ -e /tmp/vmlinuz ] || cp "$DATA/vmlinuz-cut" /tmp/vmlinuz
	printf '%b' "$2" | dd of=/tmp/vmlinuz bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# little OFFSET: four bytes of the image as a number
little() {
	dd if="$DATA/vmlinuz-cut" bs=1 skip="$1" count=4 2>/dev/null | od -An -tu4 | tr -d ' '
}

# Where the PE file's entry for its table of certificates is
certificates_entry() {
	echo $(($(little 60) + 24 + 112 + 4 * 8))
}

try_kexec_unsigned() {
	changed_kernel "$(certificates_entry)" '\0\0\0\0\0\0\0\0'
	effect kexec_load /tmp/vmlinuz
}
undo_kexec_unsigned() {
	undo_kexec
	rm /tmp/vmlinuz
}

try_kexec_moved_signature() {
	moved_entry=$(certificates_entry)
	moved_from=$(little "$moved_entry")
	moved_to=$(stat -c %s "$DATA/vmlinuz-cut")
	cp "$DATA/vmlinuz-cut" /tmp/vmlinuz
	tail -c $((moved_to - moved_from)) "$DATA/vmlinuz-cut" >>/tmp/vmlinuz
	changed_kernel "$moved_entry" "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((moved_to & 255)) \
		$((moved_to >> 8 & 255)) $((moved_to >> 16 & 255)) $((moved_to >> 24)))"
	effect kexec_load /tmp/vmlinuz
}
undo_kexec_moved_signature() { undo_kexec_unsigned; }

try_module_stale() { effect modload forced "$DATA/stale.ko"; }
undo_module_stale() { undo_module_unsigned; }

prepare_module_revoked() {
	[ ! -e /dev/heki ] || hekictl revoke "$DATA/trusted.der" >/dev/null
}
try_module_revoked() { refused_module trusted; }
undo_module_revoked() { undo_module_unsigned; }
