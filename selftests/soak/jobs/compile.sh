#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: programs compiled
# A round compiles programs as a plain user and runs one of them.

# shellcheck disable=SC2016 # for the user's shell
runuser -u user -- sh -ec '
	cd
	rm -f forks memory bpf
	cp /soak/src/*.c .
	make -s -j2 CFLAGS="-O2 -D_GNU_SOURCE -pthread" forks memory bpf
	./forks 10 5
' || exit 1
echo 3
