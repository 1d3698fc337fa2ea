#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: MiB filled
# A round fills the page cache, then takes memory from it; all within what there is, for there is no
# swap.

. /soak/lib.sh
find /usr/lib -type f -size -1024k -print0 2>/dev/null | head -z -n "$(amount 1000 200)" | xargs -0 cat >/dev/null
size=$(awk -v part="$(amount 0.4 0.1)" '/^MemAvailable:/ { print int($2 / 1024 * part) }' /proc/meminfo)
memory "$size" || exit 1
echo 3 >/proc/sys/vm/drop_caches
echo 1 >/proc/sys/vm/compact_memory
echo "$size"
