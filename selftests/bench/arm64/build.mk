# SPDX-License-Identifier: GPL-2.0-only
#
# Builds what is measured on arm64: a guest and the first process of a kernel, in build/bench/arm64/.
# Run from the top folder: make -f selftests/bench/arm64/build.mk

out := build/bench/arm64
cross := aarch64-linux-gnu-
source := selftests/bench/arm64
start := selftests/arm64/guest/start.S selftests/arm64/guest/guest.ld
flags := -std=gnu11 -O2 -ffreestanding -march=armv8-a -mgeneral-regs-only -mstrict-align \
	-mno-outline-atomics -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables \
	-Wall -Wextra -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack

.PHONY: all
all: $(out)/guest.elf $(out)/init

$(out)/guest.elf: $(source)/guest.c $(start) hypervisor/arm64/encoding.h $(source)/build.mk
	@mkdir -p $(@D)
	$(cross)gcc $(flags) -Ihypervisor/arm64 -Wl,--no-warn-rwx-segments \
		-T selftests/arm64/guest/guest.ld $< selftests/arm64/guest/start.S -o $@

$(out)/init: $(source)/init.c $(source)/build.mk
	@mkdir -p $(@D)
	$(cross)gcc $(flags) $< -o $@
