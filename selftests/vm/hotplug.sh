#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A CPU that comes back is locked again.

. "$(dirname "$0")/lib.sh"
need_heki
ONLINE=/sys/devices/system/cpu/cpu1/online
[ -w $ONLINE ] || skip_all "needs a second CPU that can be taken offline"
plan 8

starts=$(record registers vp 1 starts)
pokes=$(status patch_refused)
check "offline" sh -c "echo 0 >$ONLINE"
equal "one CPU online" 1 "$(status cpus_online)"
check "online" sh -c "echo 1 >$ONLINE"
equal "two CPUs online" 2 "$(status cpus_online)"
equal "locked once more" $((starts + 1)) "$(record registers vp 1 starts)"
equal "all CPUs are locked" "$(status cpus_online)" "$(status vps_locked)"
equal "no patch refused" "$pokes" "$(status patch_refused)"
audit_clean "audit"
finish
