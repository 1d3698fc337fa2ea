# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the tests with the module heki_hostile share; after lib.sh.

P=/sys/module/heki_hostile/parameters
result=/tmp/hostile-result

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

# Take what was counted, and judge it: 12 tests.
judge_counts() {
	cat $P/result >$result
	sed 's/^/# /' $result
	equal "no call changed a register" 0 "$(value registers)"
	equal "no result is strange" 0 "$(value results)"
	holds "calls were accepted" "$(value accepted)" -gt 300
	holds "calls were refused" "$(value refused)" -gt 1000
	equal "VTL1 has not faulted" 0 "$(value faults)"
	equal "no record was lost" 0 "$(value lost)"
	equal "every record is one that the ABI has" 0 "$(value unreadable)"
	equal "each refusal is a record, or told as omitted" "$(value errors)" \
		$(($(value refusals) + $(value omitted)))
	equal "refused calls and errors agree" "$(value refused_calls)" "$(value all_errors)"
	equal "and accepted calls" "$(value accepted_calls)" "$(value no_errors)"
	equal "each intercept is a record" "$(value intercepts)" "$(value counted_intercepts)"
	holds "lists have ends" -n "$(value list.patches)"
}
