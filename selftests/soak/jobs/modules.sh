#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: modules loaded
# A round loads the next modules of the list, and unloads them and what came with them.  It goes before
# the other jobs, for it is long and what the others are there to disturb.

. /soak/lib.sh
renice -n -10 $$ >/dev/null
GROUP=$(amount 10 4)
total=$(wc -l <$SOAK/modules)
groups=$(((total + GROUP - 1) / GROUP))
first=$(($1 % groups * GROUP + 1))
for name in $(sed -n "$first,$((first + GROUP - 1))p" $SOAK/modules); do
	modprobe "$name" || exit 1
done
count=$(cut -d' ' -f1 /proc/modules | grep -cvxF -f "$RUN/loaded")
unload_new
echo "$count"
