#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: programs compiled
# A round compiles programs as a plain user and runs one of them.

. /soak/lib.sh
programs=$(amount "forks memory bpf" forks)
# shellcheck disable=SC2016 # for the user's shell
runuser -u user -- sh -ec '
	cd
	rm -f $0
	cp /soak/src/*.c .
	make -s -j2 CFLAGS="-O2 -D_GNU_SOURCE -pthread" $0
	./forks 10 5
' "$programs" || exit 1
echo "$programs" | wc -w
