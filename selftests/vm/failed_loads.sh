#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Loads that fail after VTL1 has accepted the module, or before it is asked, leave nothing behind:
# no table entry, no protected page, no copy of the file. Nor do modules that go while others that
# used them are just going.

. "$(dirname "$0")/lib.sh"
need_heki
plan 12

EINVAL=22 ENOENT=2 EEXIST=17

# load MODULE [PARAMETERS]
load() {
	load_file=$(module_file "$1")
	case $load_file in
	*.ko) modload finit "$load_file" "${2:-}" ;;
	*) modload compressed "$load_file" "${2:-}" ;;
	esac
}

# Memory that the client holds in the kernel's list of such memory
copies() {
	grep -c '\[heki_client\]' /proc/vmallocinfo
}

# A chain of three, again and again, while another CPU unloads what is below as soon as it can; a
# load fails where that comes in between.
chain() {
	chain_loaded=0
	chain_i=0
	while [ $chain_loaded -lt 20 ] && [ $chain_i -lt 500 ]; do
		modprobe garp 2>/dev/null && chain_loaded=$((chain_loaded + 1))
		rmmod garp 2>/dev/null
		chain_i=$((chain_i + 1))
	done
	[ $chain_loaded = 20 ]
}

hammer() {
	while [ ! -e /tmp/hammer-stop ]; do
		rmmod stp 2>/dev/null
		rmmod llc 2>/dev/null
		usleep 50000
	done
}

settle
before=$(table_use)
memory=$(copies)
validated=$(status modules_validated)
refused=$(status modules_refused)
reports=$(counter client_reports)

fails "a parameter that is no number" $EINVAL load loop max_loop=abc
fails "an init function that fails" $EINVAL load loop max_part=100000
equal "VTL1 had accepted both" $((validated + 2)) "$(status modules_validated)"
fails "a symbol that is not there" $ENOENT load ext4
modload finit "$DATA/stock.ko"
fails "a module that is loaded already" $EEXIST modload finit "$DATA/stock.ko"
rmmod nls_cp865

hammer &
hammer_pid=$!
check "modules that use each other come and go" chain
touch /tmp/hammer-stop
wait $hammer_pid
rm -f /tmp/hammer-stop
rmmod stp 2>/dev/null
rmmod llc 2>/dev/null

settle
equal "VTL1's tables are as before" "$before" "$(table_use)"
equal "the client holds no copy of a file" "$memory" "$(copies)"
equal "VTL1 refused none" "$refused" "$(status modules_refused)"
equal "nothing was reported" "$reports" "$(counter client_reports)"
holds "unloading is over" "$(grep -c '^garp\|^stp\|^llc\|^loop' /proc/modules)" = 0
audit_clean "audit"
finish
