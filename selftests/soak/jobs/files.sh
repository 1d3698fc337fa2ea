#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: file systems
# A round makes a file system in a file, copies files to it and compares them.

mkdir -p there
truncate -s 0 image && truncate -s 16M image
/sbin/mkfs.ext4 -q image && mount -o loop image there || exit 1
cp -r /usr/lib/systemd/system there/ && sync -f there && echo 1 >/proc/sys/vm/drop_caches &&
	diff -r --no-dereference /usr/lib/systemd/system there/system
status=$?
umount there && [ $status = 0 ] || exit 1
echo 1
