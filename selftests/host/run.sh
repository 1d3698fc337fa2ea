#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [FILTER...] - build and run the host tests of the core: KTAP, last line "N passed,
# N failed".  Only tests whose name contains one of FILTER, when there is one.

set -u

cd "$(dirname "$0")/../.." || exit
# die TEXT
die() {
	printf 'not ok 1 %s\n0 passed, 1 failed\n' "$1"
	exit 1
}

[ -e build/mbedtls/complete ] || scripts/fetch-mbedtls || die fetch-mbedtls
scripts/mk -f selftests/host/build.mk >&2 || die build
selftests/host/mkdata.sh >&2 || die mkdata
for kernel in build/kernel/*/vmlinuz; do
	[ ! -e "$kernel" ] ||
		scripts/mk -f selftests/tools/build.mk "${kernel%/*}/kernel-cert.der" >&2 || die kernel-cert
done
exec build/host/sanitize/host-tests "$@"
