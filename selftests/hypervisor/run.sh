#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [--full] [--engine QEMU] [--only TEST] - run the hypervisor's test guests, a VTL0 and a VTL1
# of some pages each, with 1 CPU, 2 CPUs, and 2 CPUs with MBEC emulated; KTAP, last line
# "N passed, N failed"

set -u

cd "$(dirname "$0")/../.." || exit
out=build/hypervisor-guest
full=
only=
timeout=120
engine=()

while [ $# -gt 0 ]; do
	case $1 in
	--full)
		full=full
		timeout=3600
		;;
	--engine)
		engine=(--engine "${2:?run.sh: --engine needs a QEMU}")
		shift
		;;
	--only)
		only="only=${2:?run.sh: --only needs the beginning of a name}"
		shift
		;;
	*)
		echo "usage: run.sh [--full] [--engine QEMU] [--only TEST]" >&2
		exit 2
		;;
	esac
	shift
done

# die TEXT
die() {
	printf 'KTAP version 1\nnot ok 1 %s\n0 passed, 1 failed\n' "$1"
	exit 1
}

# guest NAME CPUS WORDS HYPERVISOR-OPTIONS: one run, a subtest for each of its tests
guest() {
	local status=0
	echo "# $1"
	build/host/hekivm run --hypervisor build/hypervisor/hypervisor.elf --kernel "$out/vtl0.elf" \
		--vtl1 "$out/vtl1.elf" --cpus "$2" --memory 256 --timeout "$timeout" --accel tcg \
		--cmdline "$3 $full $only" --hypervisor-cmdline "counters $4" \
		--hypervisor-log "$tmp/hypervisor" "${engine[@]}" >"$tmp/out" </dev/null || status=$?
	add "$1" "$status"
	[ -n "$only" ] || pool "$1"
}

# pool NAME: between two marks of a run the pool of tables has lost nothing, and something was split
pool() {
	number=$((number + 1))
	if awk '/counter 1 pool_free / { before = $NF }
		/counter 2 pool_free / { n++; bad += $NF != before }
		/counter 2 pool_least / { bad += $NF >= before }
		END { exit !n || bad }' "$tmp/hypervisor"; then
		passed=$((passed + 1))
		echo "ok $number $1: the pool of tables does not shrink"
	else
		failed=$((failed + 1))
		echo "not ok $number $1: the pool of tables does not shrink"
		sed -n 's/.*counter \(. pool.*\)/# \1/p' "$tmp/hypervisor"
	fi
}

# add NAME STATUS: print what a run has printed, renumbered, and count; a run that ends without its
# last line has failed once more
add() {
	local line p=0 f=0 done=
	while read -r line; do
		case $line in
		"ok "* | "not ok "*)
			number=$((number + 1))
			printf '%s %u %s: %s\n' "${line%% [0-9]*}" "$number" "$1" \
				"$(sed 's/^[a-z ]*[0-9]* //' <<<"$line")"
			;;
		*" passed, "*" failed")
			read -r p _ f _ <<<"$line"
			done=yes
			;;
		"#"*) echo "$line" ;;
		esac
	done <"$tmp/out"
	if [ -z "$done" ] || { [ "$2" != 0 ] && [ "$f" = 0 ]; }; then
		number=$((number + 1))
		echo "not ok $number $1: ended with status $2"
		sed 's/^/# /' "$tmp/hypervisor"
		f=$((f + 1))
		p=$((number - passed - failed - f))
	fi
	passed=$((passed + p))
	failed=$((failed + f))
}

scripts/build-host >&2 || die "build of the tools"
scripts/build-hypervisor >&2 || die "build of the hypervisor"
mkdir -p "$out"
exec 9>"$out/lock"
flock 9 # two runs at once would write to the same files
make -s -j"$(nproc)" -f selftests/hypervisor/guest/build.mk >&2 || die "build of the guests"
flock -u 9

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
number=0
passed=0
failed=0
echo "KTAP version 1"
guest "1 CPU" 1 "" ""
guest "2 CPUs" 2 "" ""
guest "2 CPUs, MBEC" 2 mbec mbec=emulated
echo "1..$number"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
