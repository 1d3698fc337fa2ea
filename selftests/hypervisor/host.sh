#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host.sh - build and run the host tests of the hypervisor: KTAP, last line "N passed, N failed"

set -u

cd "$(dirname "$0")/../.." || exit
program=build/host/hypervisor/insn-tests
memory=build/host/hypervisor/memory-tests

# die TEXT
die() {
	printf 'KTAP version 1\nnot ok 1 %s\n0 passed, 1 failed\n' "$1"
	exit 1
}

# disassemble FILE: bytes and text of each instruction that objdump knows.  It takes a WAIT for a
# part of the instruction behind it.
disassemble() {
	objdump -d -w "$1" |
		awk -F '\t' 'NF >= 3 && $3 !~ /\(bad\)/ && $2 !~ /^9b [^ ]/ { print $2 "\t" $3 }'
}

# module KERNEL NAME: its path, of a copy when it is compressed
module() {
	local file
	file=$(find "build/kernel/$1/modules/" -name "$2.ko*" 2>/dev/null | head -n 1)
	case $file in
	*.xz) xz -dc "$file" >"$tmp/$2.ko" && file=$tmp/$2.ko ;;
	esac
	echo "$file"
}

mkdir -p build/host/hypervisor
exec 9>build/host/hypervisor/lock
flock 9 # two runs at once would write to the same archive
[ -e build/zydis/complete ] || scripts/fetch-zydis >&2 || die fetch-zydis
scripts/mk -f selftests/hypervisor/build.mk >&2 || die build
flock -u 9

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$program" >"$tmp/out"
sed '/^1[.][.]/d;/^[0-9]* passed, /d' "$tmp/out"
read -r passed failed < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$tmp/out")
: "${passed:=0}" "${failed:=1}"
"$memory" >"$tmp/out"
awk -v n="$((passed + failed))" '/^KTAP|^1[.][.]|passed, / { next }
	match($0, /^(not )?ok [0-9]+/) { sub(/[0-9]+/, ++n) } { print }' "$tmp/out"
read -r p f < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$tmp/out")
passed=$((passed + ${p:-0}))
failed=$((failed + ${f:-1}))

for kernel in 6.1 6.12; do
	for name in kvm aesni-intel; do
		file=$(module "$kernel" "$name")
		[ -n "$file" ] || continue
		if disassemble "$file" | "$program" lengths >"$tmp/out"; then
			passed=$((passed + 1))
			word=ok
		else
			failed=$((failed + 1))
			word="not ok"
		fi
		tail -n 20 "$tmp/out"
		echo "$word $((passed + failed)) lengths in $name of $kernel"
	done
done
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
