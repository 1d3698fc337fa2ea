# SPDX-License-Identifier: GPL-2.0-only
#
# The test guest for arm64: build/arm64-guest/guest.elf.  Run from the top folder.

out := build/arm64-guest
cross := aarch64-linux-gnu-

$(out)/guest.elf: selftests/arm64/guest/guest.c selftests/arm64/guest/start.S \
		selftests/arm64/guest/guest.ld hypervisor/arm64/encoding.h
	@mkdir -p $(@D)
	$(cross)gcc -std=gnu11 -O2 -ffreestanding -march=armv8-a -mgeneral-regs-only -mstrict-align \
		-mno-outline-atomics -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables \
		-Wall -Wextra -Ihypervisor/arm64 -nostdlib -static -Wl,--build-id=none \
		-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -T selftests/arm64/guest/guest.ld \
		selftests/arm64/guest/guest.c selftests/arm64/guest/start.S -o $@
