#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh TEST... - run VM tests one after the other, print their KTAP and the totals
#
# Ends with "N passed, N failed"; a test that dies before its plan is done is one more failure.
# Status: 0 when all passed.

cd "$(dirname "$0")" || exit 1
# Waiting for grace periods would be most of the time of loading and unloading modules.
echo 1 >/sys/kernel/rcu_expedited
passed=0
failed=0
out=$(mktemp)

for name; do
	echo "# test: $name"
	start=$(cut -d. -f1 /proc/uptime)
	sh "./$name.sh" >"$out" 2>&1
	status=$?
	cat "$out"
	ok=$(grep -c '^ok [0-9]' "$out")
	bad=$(grep -c '^not ok [0-9]' "$out")
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out" | head -n 1)
	if [ "$((ok + bad))" != "${planned:-x}" ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
		echo "not ok - $name ended with status $status after $((ok + bad)) of ${planned:-0}"
		bad=$((bad + 1))
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	if [ "$bad" != 0 ]; then
		echo "# kernel log:"
		dmesg | tail -n 40 | sed 's/^/# /'
	fi
	echo "# $name: $ok passed, $bad failed, $(($(cut -d. -f1 /proc/uptime) - start)) s"
done
rm -f "$out"

# An oops, a warning or a lockup of the kernel is remembered in its taint.  A test that has an attacker
# die says so; that oops must be there then.
tainted=$(cat /proc/sys/kernel/tainted)
died=0
[ ! -e /tmp/attacker-dies ] || died=$((1 << 7))
if [ $((tainted & (1 << 7 | 1 << 9 | 1 << 14))) = $died ]; then
	echo "ok - the kernel is well"
	passed=$((passed + 1))
else
	echo "not ok - the kernel is not well: tainted $tainted"
	dmesg | grep -A 30 'cut here\|BUG\|Oops' | sed 's/^/# /'
	failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
