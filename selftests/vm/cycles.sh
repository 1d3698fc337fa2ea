#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 200 cycles of loading and unloading, on two CPUs at once, leave nothing behind.

. "$(dirname "$0")/lib.sh"
need_heki
plan 8
: "${rounds:=100}"

token_now() {
	modload finit "$DATA/stock.ko"
	record modules name nls_cp865 token
	rmmod nls_cp865
}

settle
before=$(table_use)
validated=$(status modules_validated)
refused=$(status modules_refused)
pokes=$(refused_pokes)
first=$(token_now)

taskset 1 modload cycle "$DATA/stock.ko" nls_cp865 $rounds &
one=$!
taskset 2 modload cycle "$DATA/other.ko" nls_cp866 $rounds &
two=$!
wait $one
equal "$rounds cycles on the first CPU" 0 $?
wait $two
equal "$rounds cycles on the second CPU" 0 $?

last=$(token_now)
settle
equal "each load had a token of its own" $((first + 2 * rounds + 1)) "$last"
equal "all were validated" $((validated + 2 * rounds + 2)) "$(status modules_validated)"
equal "none was refused" "$refused" "$(status modules_refused)"
equal "nothing is left" "$before" "$(table_use)"
equal "no poke refused" "$pokes" "$(refused_pokes)"
audit_clean "audit"
finish
