# SPDX-License-Identifier: GPL-2.0-only
#
# The hypervisor for arm64: build/hypervisor-arm64/hypervisor.elf, and hypervisor.img, the same as an
# arm64 Image.  Run from the top folder.

out := build/hypervisor-arm64
cross := aarch64-linux-gnu-

.DEFAULT_GOAL := all

libfdt := build/libfdt/src
libfdt_objects := $(patsubst %,$(out)/libfdt/%.o,fdt fdt_addresses fdt_ro fdt_rw fdt_strerror fdt_wip)

sources := $(wildcard hypervisor/common/*.c hypervisor/arm64/*.c hypervisor/arm64/*.S)
objects := $(patsubst hypervisor/%,$(out)/%.o,$(basename $(sources)))

# Memory is a device's until the MMU is on: no access that is not aligned.
ARM64_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -march=armv8-a -mgeneral-regs-only -mstrict-align \
	-mno-outline-atomics -mbranch-protection=none -fno-pic -fno-stack-protector \
	-fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables -ffunction-sections

CFLAGS := $(ARM64_CFLAGS) -Wall -Wextra -Wstack-usage=4096 -Ihypervisor/common -Ihypervisor/arm64 \
	-isystem hypervisor/arm64/libc -isystem $(libfdt)

.PHONY: all
all: $(out)/hypervisor.elf $(out)/hypervisor.img

$(out)/%.o: hypervisor/%.c
	@mkdir -p $(@D)
	$(cross)gcc $(CFLAGS) -MMD -MP -c $< -o $@

$(out)/%.o: hypervisor/%.S
	@mkdir -p $(@D)
	$(cross)gcc -Ihypervisor/arm64 -MMD -MP -c $< -o $@

$(out)/libfdt/%.o: $(libfdt)/%.c
	@mkdir -p $(@D)
	$(cross)gcc -w $(ARM64_CFLAGS) -isystem hypervisor/arm64/libc -I$(libfdt) -MMD -MP -c $< -o $@

$(out)/hypervisor.elf: $(objects) $(libfdt_objects) hypervisor/arm64/linker.ld
	$(cross)ld -nostdlib -static -z noexecstack --gc-sections --fix-cortex-a53-843419 \
		-T hypervisor/arm64/linker.ld $(objects) $(libfdt_objects) -o $@

$(out)/hypervisor.img: $(out)/hypervisor.elf
	$(cross)objcopy -O binary $< $@

-include $(objects:.o=.d) $(libfdt_objects:.o=.d)
