#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [--full] [--engine QEMU] [--only TEST] - run the hypervisor's test guests, a VTL0 and a VTL1
# of some pages each, with 1 CPU, 2 CPUs, and 2 CPUs with MBEC emulated, start-ups with 3 CPUs, then
# machines with more and less memory for VTL1; KTAP, last line "N passed, N failed"

set -u

cd "$(dirname "$0")/../.." || exit
. selftests/hypervisor/lib.sh
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
	awk '/counter 1 pool_free / { before = $NF }
		/counter 2 pool_free / { n++; bad += $NF != before }
		/counter 2 pool_least / { bad += $NF >= before }
		END { exit !n || bad }' "$tmp/hypervisor"
	result $? "$1: the pool of tables does not shrink" "$tmp/hypervisor"
}

# start CPUS MIB WORDS HYPERVISOR-OPTIONS: a machine that ends soon; its status
start() {
	build/host/hekivm run --hypervisor build/hypervisor/hypervisor.elf --kernel "$out/vtl0.elf" \
		--vtl1 "$out/vtl1.elf" --cpus "$1" --memory "$2" --timeout 60 --accel tcg \
		--cmdline "$3" --hypervisor-cmdline "$4" --hypervisor-log "$tmp/hypervisor" \
		"${engine[@]}" >"$tmp/out" 2>&1 </dev/null
}

# machine CPUS MIB OPTIONS TEXT: a machine starts, or refuses to, with this line on the hypervisor's
# console; where it starts, VTL1 closes its memory and VTL0 cannot reach it
machine() {
	local status=0 want=0
	case $4 in "fatal: "*) want=125 ;; esac
	start "$1" "$2" only=_ "$3" || status=$?
	[ "$status" = "$want" ] && grep -q "^hypervisor: $4" "$tmp/hypervisor"
	result $? "$2 MiB, $1 CPUs, \"$3\"" "$tmp/hypervisor" "$tmp/out"
}

# no_way_on: a level that cannot be run ends the machine, and that is said
no_way_on() {
	start 1 256 no-way-on ""
	grep -q "hekivm: [^ ]*: reboot" "$tmp/out" &&
		grep -q "^hypervisor: VP 0: VTL0 cannot run at" "$tmp/hypervisor"
	result $? "VTL0 cannot be run" "$tmp/hypervisor" "$tmp/out"
}

# refusals: each is counted and told by a line, of many in a while some; the first of the next while says
# how many were not
refusals() {
	start 1 256 refusals counters
	sed -n 's/\r//; s/^counter \([1-4]\) refused \([0-9]*\) .*/counter \1 \2/p
		s/^hypervisor: VP 0: VTL0: \(refused: .*\), at RIP 0x[0-9a-f]*$/\1/p
		s/^hypervisor: \(refused: [0-9]* more\)$/\1/p' "$tmp/hypervisor" >"$tmp/told"
	{
		echo 'refused: hypercall 0xc, 0x6
refused: hypercall 0x7fff, 0x2
refused: output to port 0x518, 0x12345678
refused: input from port 0xb2, 0x0
refused: output to port 0x7e, 0x20
refused: write of MSR 0xc0010117, 0x5000
refused: write of MSR 0x10, 0x1000000000000000
refused: read of memory 0x100000, 0x0
refused: hypercall 0x50, 0x5
counter 2 9'
		for ((i = 9; i < 32; i++)); do echo "refused: hypercall 0x7fff, 0x2"; done
		echo 'counter 3 109
refused: 77 more
refused: input from port 0xb2, 0x0
counter 4 110'
	} | diff - "$tmp/told" >"$tmp/difference"
	result $? "refusals are told" "$tmp/difference" "$tmp/out"
}

# machines: memory for VTL1, as much as there is by itself and as the option says
machines() {
	machine 1 256 "" "1 VPs, 32 MiB for VTL1"
	machine 8 256 "" "8 VPs, 48 MiB for VTL1"
	machine 2 512 "" "2 VPs, 64 MiB for VTL1"
	machine 1 768 "" "1 VPs, 132 MiB for VTL1"
	machine 4 1024 mbec=emulated "4 VPs, 144 MiB for VTL1"
	machine 1 256 vtl1-memory=20 "1 VPs, 20 MiB for VTL1"
	machine 2 2304 vtl1-memory=2048 "2 VPs, 2048 MiB for VTL1"
	# What is mapped of it at first does not cross 1 GiB: it goes down to where that ends there.
	machine 1 1088 vtl1-memory=72 "1 VPs, 72 MiB for VTL1 at 0x3f000000"
	machine 1 256 vtl1-memory=18 "fatal: vtl1-memory=18: an even number of MiB, 20 to 4094"
	machine 2 256 vtl1-memory=22 "fatal: vtl1-memory=22: an even number of MiB, 24 to 4094"
	machine 1 256 vtl1-memory=21 "fatal: vtl1-memory=21: an even number"
	machine 1 256 vtl1-memory=4096 "fatal: vtl1-memory=4096: an even number"
	machine 1 256 vtl1-memory=1000000000 "fatal: vtl1-memory=: a number is missing, or has more"
	machine 1 256 vtl1-memory= "fatal: vtl1-memory=: a number is missing"
	machine 1 256 vtl1-memory=24M "fatal: vtl1-memory=: not a number"
	machine 1 256 "vtl1-memory=24 vtl1-memory=24" "fatal: vtl1-memory=: given twice"
	machine 1 256 vtl1-memory=250 "fatal: no room for .*(vtl1-memory=)"
	machine 1 256 vtl1-memory=4094 "fatal: no room for vtl1-memory=4094 .*(vtl1-memory=)"
}

# add NAME STATUS: print what a run has printed, renumbered, and count; a run that ends without its
# last line has failed once more
add() {
	local line p=0 f=0 done='' number=$((passed + failed))
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
scripts/mk -f selftests/hypervisor/guest/build.mk >&2 || die "build of the guests"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo "KTAP version 1"
guest "1 CPU" 1 "" ""
guest "2 CPUs" 2 "" ""
guest "2 CPUs, MBEC" 2 mbec mbec=emulated
case $only in
"" | only=start-up*) only=only=start-up: guest "3 CPUs" 3 "" "" ;;
esac
[ -n "$only" ] || {
	machines
	no_way_on
	refusals
}
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
