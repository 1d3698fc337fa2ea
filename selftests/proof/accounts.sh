#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# accounts.sh FILE - in a VM: load each module that FILE names, print what explains its bytes
#
# Lines "heki-try NAME" before each, "heki-account ..." and "heki-module ..." as the client shows
# them, "heki-refused ..." for each that VTL1 refused, "heki-record ..." for each violation, intercept
# or fault of VTL1, "heki-done VALIDATED REFUSED RECORDS" at the end.
# Modules are loaded a few at a time, and all that came with them is unloaded again, so that the
# budgets and the memory of the VM are enough for any number.

. /selftests/lib.sh
need_heki
GROUP=40
echo 1 >/sys/kernel/rcu_expedited
last=$(status log_written)
before=$(($(status violations) + $(status intercepts)))
first=$(cut -d' ' -f1 /proc/modules)
shown=/tmp/shown
: >"$shown"

# Records of modules that were not there before and have not been shown.
show() {
	settle
	for kind in accounts modules; do
		grep ' flags= ' "$HEKI/$kind" | awk -v kind="${kind%s}" -v shown="$shown" '
			BEGIN { while ((getline line <shown) > 0) done[line] }
			!($1 in done) { print "heki-" kind, $0 }'
	done
	cut -d' ' -f1 "$HEKI/modules" >>"$shown"
}

# Records of what should not be, after the last that was shown.
show_records() {
	grep -E 'event=(violation|intercept|fault) ' "$HEKI/log" | awk -v after="$last" '
		{ for (i = 1; i <= NF; i++) if (index($i, "seq=") == 1) seq = substr($i, 5) + 0 }
		seq > after { print "heki-record", $0 }'
	last=$(status log_written)
}

# Some cannot be unloaded while another lives, so go on as long as there is progress.
clear_modules() {
	count=0
	while [ "$count" != "$(wc -l </proc/modules)" ]; do
		count=$(wc -l </proc/modules)
		for name in $(cut -d' ' -f1 /proc/modules); do
			echo "$first" | grep -qx "$name" || timeout 20 rmmod "$name" 2>/dev/null
		done
	done
}

n=0
while read -r name; do
	grep -qx "name=$name" "$shown" && continue
	echo "heki-try $name"
	timeout 60 modprobe -q "$name" >/dev/null 2>&1
	n=$((n + 1))
	[ $((n % GROUP)) = 0 ] || continue
	show
	clear_modules
	show_records
done <"$1"
show
clear_modules
hekictl audit >/dev/null
show_records
grep 'event=refusal call=VALIDATE_MODULE' "$HEKI/log" | sed 's/^/heki-refused /'
echo "heki-done $(status modules_validated) $(status modules_refused)" \
	"$(($(status violations) + $(status intercepts) - before))"
