#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# debian.sh - a Debian 12 as it installs itself, with its own initrd and a disk, in VTL0 of the
# hypervisor: KTAP, last line "N passed, N failed"
#
# The disk comes from scripts/mkdisk, which takes some minutes and needs root.

set -u

cd "$(dirname "$0")/../.." || exit
logs=build/disk
passed=0
failed=0

result() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) $2"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) $2"
	fi
}

# boot NAME CPUS COMMAND [OPTION...]: the status of a command in the system, with options of hekivm
boot() {
	local name=$1 cpus=$2 command=$3
	shift 3
	QEMU_OPTIONS="-drive file=$logs/root.img,if=none,id=root,format=raw,snapshot=on
		-device virtio-blk-pci,drive=root" timeout 200 \
		build/host/hekivm run --hypervisor build/hypervisor/hypervisor.elf \
		--hypervisor-log "$logs/$name.hypervisor" --kernel build/disk/vmlinuz \
		--initramfs build/disk/initrd --cpus "$cpus" --memory 1024 --timeout 180 \
		--accel tcg-single --engine selftests/vm/engine --serial-log "$logs/$name.log" \
		--cmdline "console=ttyS0 root=/dev/vda rw panic=-1 loglevel=4 check=${command// /_}" \
		"$@" >/dev/null 2>"$logs/$name.err"
}

scripts/build-host && scripts/build-hypervisor && scripts/mkdisk || {
	echo "not ok 1 build"
	echo "0 passed, 1 failed"
	exit 1
}
# Nothing of the kernel's went wrong (its taint), no unit failed, the root is the disk.
check='systemctl is-failed --quiet "*" && exit 1; grep -qx 0 /proc/sys/kernel/tainted && grep -q "^/dev/vda / ext4" /proc/mounts && dmesg | grep -q "Hypervisor detected: Microsoft Hyper-V"'
boot alone 1 "$check"
result $? "Debian under the hypervisor, 1 CPU"
boot vtl1 2 "$check" --vtl1 build/hypervisor/vtl1.elf
result $? "Debian beside VTL1, 2 CPUs"
boot off 2 "systemctl --no-block -ff poweroff; sleep 60" --vtl1 build/hypervisor/vtl1.elf
grep -q ": poweroff" "$logs/off.err"
result $? "it goes off"
boot again 2 "systemctl --no-block -ff reboot; sleep 60" --vtl1 build/hypervisor/vtl1.elf
grep -q ": reboot" "$logs/again.err"
result $? "it starts again"

echo "1..$((passed + failed))"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
