#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# debian.sh [6.1] [6.12] - a Debian 12 as it installs itself, with its own initrd and a disk, alone in VTL0
# of the hypervisor on one CPU, with each of these kernels (both): KTAP, last line "N passed, N failed"
#
# The disk comes from scripts/mkdisk, which takes some minutes and needs root.  Beside a VTL1, with
# two CPUs, off and on again: scripts/soak.

# shellcheck disable=SC2154 # passed and failed are counted by lib.sh
set -u

cd "$(dirname "$0")/../.." || exit
. selftests/hypervisor/lib.sh
logs=build/disk

scripts/build-host && scripts/build-hypervisor && scripts/mkdisk || {
	echo "not ok 1 build"
	echo "0 passed, 1 failed"
	exit 1
}
# Nothing of the kernel's went wrong (its taint, but for HEKI's modules, which are not Debian's), no unit
# failed, the root is the disk.
check='systemctl is-failed --quiet "*" && exit 1; taint=$(cat /proc/sys/kernel/tainted); [ $((taint & ~(1 << 12 | 1 << 13))) = 0 ] && grep -q "^/dev/vda / ext4" /proc/mounts && dmesg | grep -q "Hypervisor detected: Microsoft Hyper-V"'
[ $# -gt 0 ] || set -- 6.1 6.12
for version; do
	QEMU_OPTIONS="-drive file=$logs/root.img,if=none,id=root,format=raw,snapshot=on
		-device virtio-blk-pci,drive=root" timeout 420 \
		build/host/hekivm run --hypervisor build/hypervisor/hypervisor.elf \
		--hypervisor-log "$logs/$version/hypervisor" --kernel "$logs/$version/vmlinuz" \
		--initramfs "$logs/$version/initrd" --cpus 1 --memory 1024 --timeout 400 \
		--accel tcg-single --engine selftests/vm/engine --serial-log "$logs/$version/log" \
		--cmdline "console=ttyS0 root=/dev/vda rw panic=-1 loglevel=4 heki=off check=${check// /_}" \
		>/dev/null 2>"$logs/$version/err"
	result $? "Debian with $version alone under the hypervisor, 1 CPU"
done

echo "1..$((passed + failed))"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
