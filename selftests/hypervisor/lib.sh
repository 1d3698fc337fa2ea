# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lib.sh - results of the hypervisor's tests, counted; sourced by them

passed=0
failed=0

# result STATUS NAME [FILE...]: a test's line; of one that failed the files too, as comments
result() {
	local status=$1 name=$2
	shift 2
	if [ "$status" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) $name"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) $name"
		[ $# = 0 ] || sed 's/^/# /' "$@"
	fi
}
