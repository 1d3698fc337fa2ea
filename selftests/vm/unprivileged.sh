#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An ordinary user sees neither addresses nor the device.

. "$(dirname "$0")/lib.sh"
need_heki
plan 9

try() {
	su nobody -c "$1"
}

for file in status modules certs counters; do
	mode=$(stat -c %a "$HEKI/$file")
	if try "cat $HEKI/$file" 2>/dev/null | grep -Eiq '(0x)?ffff[0-9a-f]{12}'; then
		fail "$file (mode $mode) has no addresses"
	else
		pass "$file (mode $mode) has no addresses"
	fi
done
for file in protections patches registers log; do
	if try "cat $HEKI/$file" >/dev/null 2>&1; then
		fail "$file is closed"
	else
		pass "$file is closed"
	fi
done
if try "cat /dev/heki" >/dev/null 2>&1; then
	fail "/dev/heki is closed"
else
	pass "/dev/heki is closed"
fi
finish
