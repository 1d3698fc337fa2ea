#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: CPUs off and on
# A round takes the second CPU away from the others for a while.

online=/sys/devices/system/cpu/cpu1/online
echo 0 >$online && [ "$(grep -c '^processor' /proc/cpuinfo)" = 1 ] || exit 1
sleep 0.5
echo 1 >$online && [ "$(grep -c '^processor' /proc/cpuinfo)" = 2 ] || exit 1
sleep 3
echo 1
