#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Each way to load a module, with the same verdicts.

. "$(dirname "$0")/lib.sh"
need_heki
plan 11

EEXIST=17 EKEYREJECTED=129

compressed=$(find /lib/modules -name 'nls_cp865.ko.xz')
relocations=""
for way in init finit; do
	check "$way" modload $way "$DATA/stock.ko"
	count=$(record modules name nls_cp865 relocations)
	holds "$way: validated with $count relocations" "${count:-0}" -gt 0
	[ -z "$relocations" ] || equal "the same file, the same count" "$relocations" "$count"
	relocations=$count
	rmmod nls_cp865
	fails "$way: tampered" $EKEYREJECTED modload $way "$DATA/trusted-tampered.ko"
done
if [ -n "$compressed" ]; then
	check "compressed" modload compressed "$compressed"
	equal "compressed: the same count" "$relocations" \
		"$(record modules name nls_cp865 relocations)"
	rmmod nls_cp865
else
	skip "compressed" "this kernel's modules are not compressed"
	skip "compressed: the same count" "this kernel's modules are not compressed"
fi

modload finit "$DATA/stock.ko"
token=$(record modules name nls_cp865 token)
fails "a module that is loaded already" $EEXIST modload finit "$DATA/stock.ko"
equal "the first one keeps its token" "$token" "$(record modules name nls_cp865 token)"
rmmod nls_cp865
finish
