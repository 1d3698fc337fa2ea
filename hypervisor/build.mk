# SPDX-License-Identifier: GPL-2.0-only
#
# The hypervisor: build/hypervisor/hypervisor.elf, an ELF32 file for multiboot loaders.  Run from the
# top folder.

out := build/hypervisor

.DEFAULT_GOAL := $(out)/hypervisor.elf

include hypervisor/zydis.mk

sources := $(wildcard hypervisor/common/*.c hypervisor/x86/*.c hypervisor/x86/*.S)
objects := $(patsubst hypervisor/%,$(out)/%.o,$(basename $(sources)))

CFLAGS := -std=gnu11 -O2 -g -ffreestanding -mgeneral-regs-only -mno-red-zone -mcmodel=small -fno-pic \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -Wall -Wextra \
	-Wstack-usage=2048 -Iinclude -Ihypervisor/common $(ZYDIS_CPPFLAGS)

$(out)/%.o: hypervisor/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(out)/%.o: hypervisor/%.S
	@mkdir -p $(@D)
	$(CC) -MMD -MP -c $< -o $@

$(out)/hypervisor.elf64: $(objects) $(zydis_lib) hypervisor/x86/linker.ld
	$(LD) -nostdlib -static -z noexecstack -T hypervisor/x86/linker.ld $(objects) $(zydis_lib) -o $@

# Multiboot 1 is for ELF32.
$(out)/hypervisor.elf: $(out)/hypervisor.elf64
	objcopy -O elf32-i386 $< $@

-include $(objects:.o=.d)
