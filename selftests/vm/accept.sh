#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Stock modules are accepted: every module of this VM is loaded and validated with all its
# relocations; unloading them leaves nothing behind.

. "$(dirname "$0")/lib.sh"
need_heki
release=$(uname -r)
modules=$(cut -d: -f1 "/lib/modules/$release/modules.dep" | grep '^kernel/')
plan $(($(echo "$modules" | wc -l) + 8))

settle
before=$(table_use)
refused=$(status modules_refused)
unverified=$(status modules_unverified)
loaded_before=$(cut -d' ' -f1 /proc/modules)
pokes=$(refused_pokes)

errors=$(for file in $modules; do
	name=$(basename "$file" | sed 's/\.ko.*//; s/-/_/g')
	modprobe "$name" 2>&1 | sed "s/^/$name: /"
done)
[ -z "$errors" ] || echo "$errors" | sed 's/^/# /'

# One pass over the records: a line for each file, with its verdict.
verdicts=$(echo "$modules" | awk -v records="$HEKI/modules" '
	BEGIN {
		while ((getline line <records) > 0) {
			delete field
			n = split(line, pair, " ")
			for (i = 1; i <= n; i++) {
				at = index(pair[i], "=")
				field[substr(pair[i], 1, at - 1)] = substr(pair[i], at + 1)
			}
			text[field["name"]] = "relocations=" field["relocations"] " sites=" field["sites"]
			# "live": validated at lock, for it was loaded before
			good[field["name"]] = field["flags"] ~ /^(live)?$/ && field["relocations"] != ""
		}
	}
	{
		name = $0
		sub(/.*\//, "", name)
		sub(/\.ko.*/, "", name)
		gsub(/-/, "_", name)
		print good[name] ? "accepted" : "missing", name, text[name]
	}')
accepted=$(echo "$verdicts" | grep -c ^accepted)
echo "$verdicts" >/tmp/verdicts
while read -r verdict name text; do
	if [ "$verdict" = accepted ]; then
		pass "$name $text"
	else
		fail "$name was validated" "$text"
	fi
done </tmp/verdicts

holds "at least 100 modules" "$accepted" -ge 100
equal "no module refused" "$refused" "$(status modules_refused)"
equal "none unverified" "$unverified" "$(status modules_unverified)"
equal "no poke refused" "$pokes" "$(refused_pokes)"
audit_clean "audit with all of them loaded"
# What explains each byte, against the pages that are protected now and those that init took.
unexplained=$(awk '
	FNR == 1 { file++; next }
	{
		delete field
		for (i = 1; i <= NF; i++) {
			at = index($i, "=")
			field[substr($i, 1, at - 1)] = substr($i, at + 1)
		}
		name = field["name"]
	}
	file == 1 {
		pages[name] = field["pages_text"] + field["pages_rodata"] + field["pages_ro_after_init"]
	}
	file == 2 && field["flags"] ~ /^(live)?$/ {
		left = 4096 * pages[name]
		for (key in field)
			if (key ~ /^compared_init/)
				left += field[key]
			else if (key !~ /^compared_/ && key != "name" && key != "token" && key != "flags")
				left -= field[key]
		if (left)
			print name, left
		count++
	}
	END { print "modules", count + 0 }' "$HEKI/modules" "$HEKI/accounts")
equal "every byte of each is explained" "modules" "$(echo "$unexplained" | cut -d' ' -f1 | xargs)"
holds "accounts of all of them" "$(echo "$unexplained" | sed -n 's/^modules //p')" -ge "$accepted"

# Some cannot be unloaded while another lives, so go on as long as there is progress.
count=0
while [ "$count" != "$(wc -l </proc/modules)" ]; do
	count=$(wc -l </proc/modules)
	for name in $(cut -d' ' -f1 /proc/modules); do
		echo "$loaded_before" | grep -qx "$name" || rmmod "$name" 2>/dev/null
	done
done
settle
left=$(cut -d' ' -f1 /proc/modules | grep -vxF "$loaded_before")
if [ -z "$left" ]; then
	equal "nothing is left after unloading" "$before" "$(table_use)"
else
	# A module that cannot be unloaded keeps what is its own.
	equal "only modules that stay are left" \
		"$(($(echo "$before" | sed -n 's/^modules=//p') + $(echo "$left" | wc -l)))" \
		"$(counter budget.modules.used)"
fi
finish
