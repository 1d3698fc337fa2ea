#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A hostile VTL0 that speaks to VTL1 first: all inputs of the fuzz targets of the core from two CPUs at once,
# in VTL1's boot phase, when most calls are open; then random calls. No client is here. Afterwards VTL1 is
# alive and all it counts adds up.
#
# /extra/hostile-calls is what scripts/fuzz --calls writes.
# In the environment: HOSTILE_CALLS, how many random calls (2000), HOSTILE_SEED.

. "$(dirname "$0")/lib.sh"
[ -r /extra/hostile-calls ] || skip_all "no calls of the fuzz targets"
: "${HOSTILE_CALLS:=2000}" "${HOSTILE_SEED:=1}"
plan 21

. "$(dirname "$0")/hostile_lib.sh"

check "VTL1 is started on all CPUs" insmod "$DATA/vtl_calls.ko"
check "the hostile module" insmod "$DATA/heki_hostile.ko" boot=1
check "memory that is not the kernel's" tell places "$(places)"
check "files to make calls with" tell files "$DATA/stock.ko $DATA/stranger.der"
check "begin to count" tell start 1
check "the inputs of the fuzz targets" tell replay /extra/hostile-calls
check "$HOSTILE_CALLS random calls, seed $HOSTILE_SEED" tell random "$HOSTILE_SEED $HOSTILE_CALLS"
judge_counts
check "VTL1 answers on all CPUs" sh -c "echo 10 >/sys/module/vtl_calls/parameters/calls"
check "and goes on counting" tell start 1
finish
