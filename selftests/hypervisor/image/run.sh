#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh - build and run the host tests of VTL1's bare-metal half: KTAP, last line "N passed,
# N failed"

set -u

cd "$(dirname "$0")/../../.." || exit
# die TEXT
die() {
	printf 'not ok 1 %s\n0 passed, 1 failed\n' "$1"
	exit 1
}

scripts/mk -f selftests/hypervisor/image/build.mk >&2 || die build
exec build/host/image-tests
