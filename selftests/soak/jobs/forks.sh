#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: processes
# A round is a storm of processes.

. /soak/lib.sh
forks 300 30 || exit 1
echo 300
