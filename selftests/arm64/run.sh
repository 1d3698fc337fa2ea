#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [--only WORD] - the hypervisor for arm64: host tests, then guests under it, of ours, U-Boot and
# Debian's kernels; KTAP, last line "N passed, N failed"

set -u

cd "$(dirname "$0")/../.." || exit
. selftests/hypervisor/lib.sh
: "${passed:=0}" "${failed:=0}"
only=
case ${1:-} in
--only) only=${2:?run.sh: --only needs a part: host, guests, uboot, linux} ;;
?*)
	echo "usage: run.sh [--only host|guests|uboot|linux]" >&2
	exit 2
	;;
esac

# die TEXT
die() {
	printf 'KTAP version 1\nnot ok 1 %s\n0 passed, 1 failed\n' "$1"
	exit 1
}

# guest STATUS NAME RUN-GUEST-ARGUMENTS: one run, which ends with this status; its console in $tmp/log
guest() {
	local want=$1 name=$2 status=0
	shift 2
	scripts/run-guest -t 100 -l "$tmp/log" "$@" >"$tmp/out" 2>&1 </dev/null || status=$?
	tr -d '\r' <"$tmp/log" >"$tmp/console"
	[ "$status" = "$want" ] || echo "# status $status, not $want"
	result $((status != want)) "$name" "$tmp/out"
}

# says NAME TEXT: the console of the last run has a line with this
says() {
	grep -q -- "$2" "$tmp/console"
	result $? "$1" "$tmp/console"
}

# binary FILE WORD...: little-endian instructions
binary() {
	local file=$1 word
	shift
	for word; do
		printf '%b' "\\x${word:6:2}\\x${word:4:2}\\x${word:2:2}\\x${word:0:2}"
	done >"$file"
}

host() {
	mkdir -p build/host/hypervisor-arm64
	make -s -j"$(nproc)" -f selftests/arm64/build.mk >&2 || {
		result 1 "build of the host tests"
		return
	}
	build/host/hypervisor-arm64/tests >"$tmp/out"
	local status=$? word rest
	while read -r word rest; do
		case $word in
		ok) result 0 "${rest#* }" ;;
		not) result 1 "$(cut -d ' ' -f 3- <<<"$rest")" ;;
		"#") echo "# $rest" ;;
		esac
	done <"$tmp/out"
	grep -q ' passed, 0 failed$' "$tmp/out" && [ $status = 0 ]
	result $? "host tests end well"
}

# The guest that prints Z: movz x0, #0x900, lsl 16; mov w1, #0x5a; str w1, [x0]; hvc #0
small_guests() {
	local z=(d2a12000 52800b41 b9000001)
	binary "$tmp/z" "${z[@]}" d4000002
	guest 0 "Z: prints and leaves" -o "counters dump" "$tmp/z"
	says "Z: what it prints" "^Zcounter 0 hvc 1$"
	says "Z: its memory in the dump" "^stage2 0x42000000-0x50000000 normal rwku 2 MiB$"
	guest 0 "Z: elsewhere, 2 CPUs, no FEAT_XNX" -a 0x60001000 -m 1 -n 2 -c cortex-a57 \
		-o dump "$tmp/z"
	says "Z: pages of 4 KiB where it ends in the midst of 2 MiB" \
		"^stage2 0x60000000-0x60101000 normal rwku 4 KiB$"
	guest 0 "Z: the hypervisor as an Image" -f image -a 0x50000000 "$tmp/z"
	binary "$tmp/code" "${z[@]}" d28000e0 d4000042 # mov x0, #7; hvc #2
	guest 7 "leaves with a code" "$tmp/code"
	binary "$tmp/code" 929fffe0 d4000042 # mov x0, #~0xffff; hvc #2
	guest 63 "leaves with a code that is too large" "$tmp/code"
	binary "$tmp/code" 52a80400 b9400001 # movz w0, #0x4020, lsl 16; ldr w1, [x0]
	guest 88 "reads the hypervisor, has no vectors" "$tmp/code"
	says "the address is named" "^hypervisor: read of 0x40200000 at 0x48000004 (EL1) denied$"
	binary "$tmp/code" d4000fe2 # hvc #127
	guest 88 "an unknown call, no vectors" "$tmp/code"
	binary "$tmp/code" 52b08000 72800120 d4000003 # w0 = 0x84000009; smc #0
	guest 64 "asks for a reset" "$tmp/code"
}

# Devices that write to memory are there only when they are named: a word of each.
devices() {
	local leave=(92401420 d4000042) # and x0, x1, #0x3f; hvc #2
	binary "$tmp/virtio" d2a14000 b9400001 "${leave[@]}" # "virt" at 0xa000000
	binary "$tmp/fw_cfg" d2a12040 39400001 "${leave[@]}" # "Q" at 0x9020000
	binary "$tmp/pci" d2a20000 f2c00800 b9400001 "${leave[@]}" # vendor 1b36 at 0x4010000000
	guest 0 "virtio is not there" "$tmp/virtio"
	guest 54 "virtio is there when it is named" -o allow=virtio "$tmp/virtio"
	guest 0 "fw_cfg is not there" "$tmp/fw_cfg"
	guest 17 "fw_cfg is there when it is named" -o allow=fw_cfg "$tmp/fw_cfg"
	guest 0 "PCI is not there" "$tmp/pci"
	guest 54 "PCI is there when it is named" -o "allow=pci allow=virtio" "$tmp/pci"
}

# Files and settings that are refused.  They lie behind the guest's memory.
refused() {
	local elf=build/hypervisor-arm64/hypervisor.elf
	guest 85 "an ELF file where the hypervisor is" -o kind=elf "$elf"
	says "it is said" "^hypervisor: fatal: the guest lies where the hypervisor is$"
	head -c 1000 "$elf" >"$tmp/cut"
	guest 84 "an ELF file that is cut" "$tmp/cut"
	cp "$elf" "$tmp/x86"
	printf '\x3e' | dd of="$tmp/x86" bs=1 seek=18 conv=notrunc status=none
	guest 83 "an ELF file for another machine" "$tmp/x86"
	printf 'none' >"$tmp/none"
	guest 84 "no ELF file" -o kind=elf "$tmp/none"
	guest 84 "no Image" -o kind=image "$tmp/none"
	guest 81 "an unknown option" -o speed=fast "$tmp/none"
	says "it is named" "^hypervisor: fatal: unknown option: speed=fast"
	: >"$tmp/nothing"
	guest 121 "an empty file" "$tmp/nothing"
	guest 121 "no file" "$tmp/missing"
	guest 87 "more CPUs than there may be" -n 9 "$tmp/none"
	says "their limit" "^hypervisor: fatal: device tree: more than 8 CPUs$"
	guest 86 "memory that is not there" -o "entry=0x47fffffc" "$tmp/none"
	guest 85 "memory where the hypervisor is" -a 0x40400000 -m 64 "$tmp/none"
}

# variant "FILE..." SED-COMMAND GUEST [OPTIONS]: the hypervisor with a change in each of these files; a run
# of a guest that prints Z, which it does not print; the status
variant() {
	local tree=$tmp/variant status=0 file
	rm -rf "$tree"
	mkdir -p "$tree/build/hypervisor-arm64" "$tree/scripts"
	ln -s "$PWD/build/host" "$tree/build/host"
	cp -a hypervisor "$tree/"
	cp -a build/hypervisor-arm64/. "$tree/build/hypervisor-arm64/"
	ln -s "$PWD/build/libfdt" "$tree/build/libfdt"
	cp scripts/run-guest "$tree/scripts/"
	for file in $1; do
		sed -i "$2" "$tree/hypervisor/arm64/$file"
		! cmp -s "$tree/hypervisor/arm64/$file" "hypervisor/arm64/$file" || return 1
	done
	make -s -j2 -C "$tree" -f hypervisor/arm64/build.mk >&2 || return 1
	"$tree/scripts/run-guest" -t 60 -o "${4:-}" "$3" </dev/null >"$tmp/out" 2>&1 || status=$?
	! grep -q '^Z' "$tmp/out" || return 1
	return $status
}

# wrong NAME SYNDROME SED-COMMAND [FILE]: one constant of encoding.h is wrong, and something in another file
# as well; the guest's first fault
wrong() {
	variant "encoding.h ${4:-}" "$3" "$tmp/z"
	[ $? = 88 ] && grep -q "ESR $2," "$tmp/out"
	result $? "wrong: $1: ESR $2" "$tmp/out"
}

# own NAME SYNDROME STATEMENT: the hypervisor does what it may not do itself, and says so
own() {
	variant main.c "s/^\tcheck_cpu();/\tcheck_cpu(); $3/" "$tmp/z"
	[ $? = 80 ] && grep -q "^hypervisor: fatal: exception 4, ESR $2, " "$tmp/out"
	result $? "EL2: $1: ESR $2" "$tmp/out"
}

own_memory() {
	own "its text is not written" 0x971f004f '*(uint32_t *)main = 0;'
	own "its data is not executed" 0x8600000f '((void (*)(void))\&partition)();'
	own "its stack ends in a page that is not there" 0x96000047 \
		'while (true) __asm__ volatile("str xzr, [sp, #-16]!");'
}

# assembled NAME: a flat guest of one file, in $tmp
assembled() {
	aarch64-linux-gnu-gcc -Ihypervisor/arm64 -c -o "$tmp/$1.o" "selftests/arm64/guest/$1.S" &&
		aarch64-linux-gnu-objcopy -O binary "$tmp/$1.o" "$tmp/$1"
	result $? "build of the guest $1"
}

# The last line is the hypervisor's, whatever another CPU prints and whoever holds a lock.
last_line() {
	local status=0
	assembled forge
	for _ in $(seq 20); do
		scripts/run-guest -t 60 -l "$tmp/log" -n 2 "$tmp/forge" >"$tmp/out" 2>&1 </dev/null
		status=$?
		[ $status = 7 ] || break
	done
	result $((status != 7)) "a CPU that prints codes while the other one leaves, 20 times" "$tmp/log"
	variant stage2.c 's/^\tc->prepare = true;/\tpanic("locked");/' "$tmp/z"
	[ $? = 80 ] && grep -q "^hypervisor: fatal: locked" "$tmp/out"
	result $? "a panic with the lock of Stage-2 held" "$tmp/out"
	binary "$tmp/code" d28000e0 d4000042 # mov x0, #7; hvc #2
	variant machine.c 's/^#define FR_TXFF .*/#define FR_TXFF BIT(7) \/* empty, which it always is *\//' "$tmp/code"
	[ $? = 7 ] && grep -q "^hypervisor: exit 7" "$tmp/out"
	result $? "a console that never takes a character" "$tmp/out"
}

# Guests of their own memory and vectors.
exceptions() {
	assembled vectors
	guest 0 "vectors beside a page that another CPU locks" -m 512 -n 2 "$tmp/vectors"
	assembled walk
	guest 88 "vectors behind tables where nothing answers" "$tmp/walk"
	says "it is the guest that cannot go on" "^hypervisor: the guest cannot go on at 0x[0-9a-f]*: ESR 0x5a000063,"
	assembled access
	guest 0 "walks that write to a locked table: an abort each" -o counters "$tmp/access"
	! grep -q "^counter 0 retried " "$tmp/console"
	result $? "none is tried again" "$tmp/console"
}

# What a guest of this machine's processors can do does not trap, other than on silicon: so more traps.
trapped() {
	assembled trapped
	guest 0 "nothing traps" "$tmp/trapped"
	variant vcpu.c 's/HCR_RW | HCR_VM/HCR_TWI | HCR_TVM | HCR_TRVM | HCR_RW | HCR_VM/' \
		"$tmp/trapped" counters
	result $(($? != 3)) "trapped: a register read, one written, WFI: undefined" "$tmp/out"
	tr -d '\r' <"$tmp/out" >"$tmp/console"
	says "trapped: the register is named" "^hypervisor: system register 0x323400 at 0x48000010: undefined$"
	says "trapped: the written one too" "^hypervisor: system register 0x323400 at 0x48000014: undefined$"
	says "trapped: exits of registers" "^counter 0 sysreg 2$"
	says "trapped: other exits" "^counter 0 other 1$"
	says "trapped: each told to the guest" "^counter 0 injected 3$"
}

# Settings that give no translation: what comes of them is told apart by the syndrome.
wrong_settings() {
	wrong "no access flag" 0x8200000a 's/^#define S2_AF .*/#define S2_AF 0ull/'
	wrong "no right to write" 0x9381004f 's/^#define S2_AP_WRITE .*/#define S2_AP_WRITE 0ull/'
	wrong "T0SZ 16 from level 1" 0x82000004 's/VTCR_T0SZ(25)/VTCR_T0SZ(16)/'
	wrong "39 bits from level 2" 0x82000004 's/^#define VTCR_SL0_LEVEL1 .*/#define VTCR_SL0_LEVEL1 0/'
	# The root, the first page of the pool, is taken for the second of two.
	wrong "T0SZ 24 with one page as root" 0x82000005 's/VTCR_T0SZ(25)/VTCR_T0SZ(24)/
		s/= align_up((uint64_t)image_end, PAGE_SIZE)/= align_up((uint64_t)image_end, 2 * PAGE_SIZE) + PAGE_SIZE/' \
		main.c
}

# test_guest CPU CPUS TESTS [OPTION...]: a guest that prints KTAP of its own; how many tests it has
test_guest() {
	local word rest name="guest, $1, $2 CPUs" before=$((passed + failed)) tests=$3
	[ $# = 3 ] || name="$name, ${5##*/}"
	guest 0 "$name: ends well" -c "$1" -n "$2" -o counters "${@:4}" build/arm64-guest/guest.elf
	while read -r word rest; do
		case $word in
		ok) result 0 "$name: ${rest#* }" ;;
		not) result 1 "$name: $(cut -d ' ' -f 3- <<<"$rest")" "$tmp/console" ;;
		esac
	done <"$tmp/console"
	result $((passed + failed - before != tests + 1)) "$name: $tests tests" "$tmp/console"
}

# newer: QEMU 10's processor has more to be opened (FEAT_MOPS); scripts/fetch-qemu10 brings it where this
# machine has an older one
newer() {
	local folder=$PWD/build/qemu10
	[ -x "$folder/root/usr/bin/qemu-system-aarch64" ] || {
		echo "# no QEMU 10 for arm64 in build/qemu10: its processor is not tested"
		return
	}
	sed "s#^root=.*#root=$folder/root#; s/qemu-system-x86_64/qemu-system-aarch64/" \
		"$folder/qemu-system-x86_64" >"$tmp/qemu10"
	chmod +x "$tmp/qemu10"
	test_guest max 2 11 -e "$tmp/qemu10"
}

# printed TEXT: wait until the console of the run that goes on has it, 20 s at most
printed() {
	for _ in $(seq 80); do
		sleep 0.25
		grep -q -- "$1" "$tmp/log" 2>/dev/null && return
	done
}

uboot() {
	local form
	for form in elf bin; do
		rm -f "$tmp/log"
		(
			printed autoboot
			echo
			echo version
			echo "md 40200000 1"
			printed "^hypervisor: exit"
		) | scripts/run-guest -t 60 -l "$tmp/log" -o counters "build/arm64/u-boot.$form" \
			>"$tmp/out" 2>&1
		result $((PIPESTATUS[1] != 64)) "u-boot.$form: leaves by a reset" "$tmp/out"
		tr -d '\r' <"$tmp/log" >"$tmp/console"
		says "u-boot.$form: answers version" "^U-Boot 20.*$"
		says "u-boot.$form: a prompt" "^=> version$"
		says "u-boot.$form: does not see the hypervisor" "^hypervisor: read of 0x40200000 .* denied$"
	done
}

# linux KERNEL CPU CPUS
linux() {
	local name="Linux $1, $2, $3 CPUs" release
	release=$(cat "build/arm64/$1/release")
	guest 0 "$name: runs and powers off" -m 256 -c "$2" -n "$3" -i "$tmp/initrd.gz" -o counters \
		-w "console=ttyAMA0 quiet panic=-1" "build/arm64/$1/Image"
	says "$name: a shell" "^guest: $release, $3 CPUs, [0-9]* MiB$"
	[ "$3" = 1 ] || says "$name: a CPU goes and comes back" "^guest: cpu1 off on off on off on$"
	says "$name: devices that are not open" "^guest: no fw_cfg, no virtio, no PCI$"
	says "$name: all exits are SMCs" "^counter 0 smc [0-9]*$"
	! grep -qE '^counter 0 (data_abort|instruction_abort|sysreg|other) ' "$tmp/console"
	result $? "$name: no other exits" "$tmp/console"
}

# modules KERNEL: those that lock pages, in $tmp/modules-KERNEL
modules() {
	local folder=$tmp/modules-$1
	cp -r selftests/arm64/kmod "$folder"
	make -s -C "build/arm64/$1/headers" M="$folder" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
		modules >"$tmp/out" 2>&1 && aarch64-linux-gnu-strip -g "$folder"/*.ko
	result $? "modules for $1" "$tmp/out"
}

# locks KERNEL CPU EXECUTION: the modules under a kernel; whether the processor has FEAT_XNX
locks() {
	local name="locks in Linux $1, $2"
	scripts/mkinitramfs-arm64 "$tmp/locks.gz" selftests/arm64/init-lock "$tmp/modules-$1"/*.ko
	guest 0 "$name: the kernel lives" -m 256 -c "$2" -n 2 -i "$tmp/locks.gz" \
		-w "console=ttyAMA0 quiet loglevel=0" "build/arm64/$1/Image"
	says "$name: and goes on" "^guest: 42, the kernel lives$"
	says "$name: text is written before" "^lock_text: written before$"
	says "$name: a page of text is locked and read" "^lock_text: read: 1$"
	says "$name: a write is a permission fault" "^  ESR = 0x000000009600004f$"
	says "$name: the task that writes is ended" "^guest: lock_text: ended with 1[0-9][0-9]$"
	! grep -q "^lock_text: written after$" "$tmp/console"
	result $? "$name: text is not written" "$tmp/console"
	if [ "$3" = yes ]; then
		says "$name: code is only user mode's" "^lock_execution: locked: 0$"
		says "$name: calling it is a permission fault" "^  ESR = 0x000000008600000f$"
		! grep -q "^lock_execution: called after" "$tmp/console"
		result $? "$name: it does not run" "$tmp/console"
	else
		says "$name: execution per level is refused" "^lock_execution: locked: 2$"
		says "$name: code runs as before" "^lock_execution: called after: 43$"
	fi
}

# part NAME: whether it is wanted
part() {
	[ -z "$only" ] || [ "$only" = "$1" ]
}

scripts/fetch-arm64 >&2 || die "fetching Debian's guests"
scripts/build-hypervisor-arm64 >&2 || die "build of the hypervisor"
scripts/build-host >&2 || die "build of hekivm"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo "KTAP version 1"
part host && host
part guests && {
	small_guests
	devices
	refused
	wrong_settings
	own_memory
	last_line
	exceptions
	trapped
	make -s -f selftests/arm64/guest/build.mk >&2 || die "build of the test guest"
	test_guest max 1 9
	test_guest cortex-a57 1 9
	test_guest max 2 11
	says "execution per level with FEAT_XNX" "^guest: execution per level$"
	newer
	test_guest cortex-a72 2 11
	! grep -q "^guest: execution per level$" "$tmp/console"
	result $? "a Cortex-A72 has no execution per level" "$tmp/console"
}
part uboot && uboot
part linux && {
	scripts/mkinitramfs-arm64 "$tmp/initrd.gz" selftests/arm64/init
	linux 6.1 cortex-a57 1
	linux 6.1 max,pauth-impdef=on 2
	linux 6.12 cortex-a57 2
	linux 6.12 max,pauth-impdef=on 1
	modules 6.1
	locks 6.1 max,pauth-impdef=on yes
	locks 6.1 cortex-a57 no
	modules 6.12
	locks 6.12 max,pauth-impdef=on yes
}
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
