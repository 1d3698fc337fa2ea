#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# exec=strict where VTL1 cannot hold it: nothing is called protected, and the kernel's log says why.

. "$(dirname "$0")/lib.sh"
need_heki
plan 4

equal "policy" strict "$(status exec_policy)"
equal "the lock has failed" failed "$(status phase)"
check "hekictl says so" sh -c "hekictl status | grep -q '^NOT PROTECTED'"
check "and the kernel's log, why" sh -c "dmesg | grep -q 'exec=strict asks for a hypervisor'"
finish
