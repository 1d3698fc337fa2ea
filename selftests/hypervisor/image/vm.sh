#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm.sh - run VTL1's test image behind the hypervisor, under a VTL0 that tries what it serves,
# refuses and outlives: KTAP, last line "N passed, N failed".  Once as it is, once with user and kernel
# execution told apart.
#
#   ENGINE   another QEMU, as build/qemu10/qemu-system-x86_64

set -u

cd "$(dirname "$0")/../../.." || exit
out=build/hypervisor
seconds=120

die() {
	printf 'not ok 1 %s\n0 passed, 1 failed\n' "$1"
	exit 1
}

scripts/build-host >&2 || die host
scripts/build-hypervisor >&2 || die hypervisor
scripts/mk -f selftests/hypervisor/image/guest/build.mk >&2 || die guest

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

# machine NAME OPTIONS: one run
machine() {
	local p f
	echo "# $1"
	# The test image ends without a verdict that hekivm knows: its words are read below.
	build/host/hekivm run --kernel "$out/image-guest.elf" --cmdline "" --vtl1 "$out/vtl1-test.elf" \
		--hypervisor "$out/hypervisor.elf" --hypervisor-cmdline "vtl1-memory=28 $2" \
		--engine "${ENGINE:-qemu-system-x86_64}" --accel tcg-single --cpus 3 --memory 256 \
		--timeout "$seconds" --serial-log "$tmp/guest" --hypervisor-log "$tmp/hypervisor" \
		>/dev/null 2>"$tmp/err"
	awk -v name="$1" -v n="$((passed + failed))" '/^KTAP|passed, / { next }
		match($0, /^(not )?ok [0-9]+/) { sub(/[0-9]+/, ++n " " name ":") } { print }' "$tmp/guest"
	read -r p f < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$tmp/guest")
	[ -n "${p:-}" ] || sed 's/^/# /' "$tmp/hypervisor"
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-1}))
}

echo "KTAP version 1"
machine plain ""
machine mbec mbec=emulated
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
