# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Tests of boot with each of its steps failing in turn; read by run.sh.

# The functions of faults.c.
fault_functions() {
	sed -n 's/^FUNCTION([^,]*, \([a-z_0-9]*\),.*/\1/p; s/^[a-z].*[ *]__wrap_\([a-z_]*\)(.*);$/\1/p' \
		"$here/faults.c"
}

build_faults() {
	local wraps
	wraps=$(fault_functions | sed 's/^/-Wl,--wrap=/' | tr '\n' ' ')
	# shellcheck disable=SC2086
	gcc -O1 -g -std=gnu11 -D_GNU_SOURCE -fsanitize=undefined -fno-sanitize-recover=all -Wall -Wextra \
		-Werror -I"$top/tools/hekivm" -I"$top/tools/common" $wraps -o "$tmp/hekivm-faults" \
		"$top"/tools/hekivm/*.c "$top/tools/common/jsontext.c" "$here/faults.c" -ljansson 2>"$tmp/build.log"
	result $? "build with faults" "$(cat "$tmp/build.log")"
}

# fault NUMBER: one start in which this step fails
fault() {
	local number=$1 step status
	: >"$tmp/steps"
	HEKIVM_FAULT=$number HEKIVM_FAULT_LOG=$tmp/steps timeout -k 5 60 "$tmp/hekivm-faults" boot -n fault \
		-k "$guest" -c button >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	step=$(sed -n "s/^$number //p" "$tmp/steps" | head -n 1)
	case $status in
	0)
		# A step that can be done without, or one behind the start.
		"$hekivm" kill fault >"$tmp/out" 2>"$tmp/err"
		result $? "fault $number ($step): it has started" "$(cat "$tmp/err")"
		;;
	1 | 3)
		grep -q '^hekivm: .*: ' "$tmp/err"
		result $? "fault $number ($step): $(head -n 1 "$tmp/err")" "$(cat "$tmp/err")"
		;;
	*)
		result 1 "fault $number ($step): status $status" "$(cat "$tmp/out" "$tmp/err")"
		"$hekivm" kill fault >/dev/null 2>&1
		;;
	esac
	# What is ready is told to the caller before the process that is in vain has been reaped.
	wait_for clean >/dev/null
	cleaned "fault $number ($step)"
}

# Steps that are the same many times in a row, the words of a command line, fail now and then only.
chosen_steps() {
	awk '{ if ($2 != last || $1 % 8 == 0) print $1; last = $2 }' "$tmp/steps"
}

fault_tests() {
	local steps number
	build_faults
	: >"$tmp/steps"
	HEKIVM_FAULT=0 HEKIVM_FAULT_LOG=$tmp/steps "$tmp/hekivm-faults" boot -n fault -k "$guest" -c button >"$tmp/out" \
		2>"$tmp/err"
	result $? "start without a fault" "$(cat "$tmp/err")"
	steps=$(chosen_steps)
	echo "# $(wc -l <"$tmp/steps") steps"
	"$hekivm" kill fault >/dev/null
	for number in $steps; do
		fault "$number"
	done

	"$hekivm" boot -n fault -k "$guest" -e "$tmp/qemu-sleeps" >"$tmp/out" 2>"$tmp/err" &
	wait_for test -e "$HEKIVM_RUNTIME_DIR/default/fault/trace" -o -e \
		"$HEKIVM_RUNTIME_DIR/default/fault/engine.log"
	kill -KILL "$(pgrep -P $!)"
	wait $!
	[ $? = 1 ] && grep -q "its follower ended" "$tmp/err"
	result $? "a follower that is killed before it has started the VM" "$(cat "$tmp/err")"
	wait_for clean >/dev/null
	cleaned "a killed follower"
}
