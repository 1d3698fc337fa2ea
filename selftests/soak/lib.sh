# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the supervisor and the jobs share.  For a POSIX shell with coreutils and kmod.

SOAK=/soak
RUN=/run/soak
PATH=$PATH:$SOAK/load:$SOAK

# amount WHOLE SHORT: what a round does of something; SHORT where the run is a short one
amount() {
	[ -e $RUN/short ] && echo "$2" || echo "$1"
}

# unload_new: unload what was not there when the load began.  Some cannot be unloaded while another
# lives, so go on as long as there is progress.
unload_new() {
	unload_count=0
	while [ "$unload_count" != "$(wc -l </proc/modules)" ]; do
		unload_count=$(wc -l </proc/modules)
		for unload_name in $(cut -d' ' -f1 /proc/modules); do
			grep -qx "$unload_name" "$RUN/loaded" || rmmod "$unload_name" 2>/dev/null
		done
	done
}
