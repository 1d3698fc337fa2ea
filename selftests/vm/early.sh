#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Early load: what HEKI says it has, against what the kernel has.

. "$(dirname "$0")/lib.sh"
need_heki
plan 21

facts=$(kernel_facts)
fact() {
	echo "$facts" | sed -n "s/^$1=//p"
}

cpus=$(grep -c ^processor /proc/cpuinfo)

equal "loaded early" early "$(status load)"
equal "locked" locked "$(status phase)"
equal "end of boot" 1 "$(status end_of_boot)"
equal "grade" "$(cat /etc/heki-mode)" "$(status grade)"
equal "release" "$(uname -r)" "$(status kernel_release)"
equal "plain symbols" "$(fact symbols)" "$(status symbols)"
equal "GPL symbols" "$(fact symbols_gpl)" "$(status symbols_gpl)"
equal "jump labels" "$(fact jump_entries)" "$(kernel_jump_labels)"
equal "jump labels in status" "$(fact jump_entries)" "$(status jump_labels_kernel)"
holds "kernel patches" "$(status patches_kernel)" -ge "$(fact jump_entries)"
holds "text pages" "$(status pages_text)" -ge "$(fact pages_text)"
holds "all of rodata" "$(($(status pages_text) + $(status pages_rodata)))" -ge \
	"$(($(fact pages_text) + $(fact pages_rodata)))"
holds "certificates" "$(status certs_system)" -ge 1
equal "system certificates are listed" "$(status certs_system)" \
	"$(grep -c '^set=system ' "$HEKI/certs")"
equal "CPUs online" "$cpus" "$(status cpus_online)"
equal "CPUs locked" "$cpus" "$(status vps_locked)"
equal "a record for each CPU" "$cpus" "$(grep -c '^vp=' "$HEKI/registers")"
equal "no violation" 0 "$(status violations)"
equal "no poke refused" "0 0" "$(status patch_refused) $(status poke_refused)"
check "hekictl status" hekictl status
audit_clean "audit"
finish
