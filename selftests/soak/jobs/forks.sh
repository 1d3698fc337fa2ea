#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: processes
# A round is a storm of processes.

. /soak/lib.sh
count=$(amount 300 60)
forks "$count" 30 || exit 1
echo "$count"
