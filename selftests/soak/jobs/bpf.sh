#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: BPF programs
# A round has BPF programs compiled by the kernel, runs and drops them.

. /soak/lib.sh
times=$(amount 50 10)
bpf "$times" || exit 1
sleep 0.2
echo $((2 * times))
