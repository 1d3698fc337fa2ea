# SPDX-License-Identifier: GPL-2.0-only
#
# The test guests of the hypervisor: build/hypervisor-guest/vtl0.elf and vtl1.elf.  Run from the top
# folder.

out := build/hypervisor-guest
folder := selftests/hypervisor/guest

.DEFAULT_GOAL := guests

both := traps hypercall state trap_entries
vtl1 := vtl1 vtl1_entry
vtl0 := $(filter-out $(both) $(vtl1),$(basename $(notdir $(wildcard $(folder)/*.[cS]))))

CFLAGS := -std=gnu11 -O2 -g -ffreestanding -mgeneral-regs-only -mno-red-zone -fpie \
	-fvisibility=hidden -fno-stack-protector -fcf-protection=none -fno-jump-tables \
	-fno-asynchronous-unwind-tables -Wall -Wextra -Iinclude

$(out)/%.o: $(folder)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -c $< -o $@

$(out)/%.o: $(folder)/%.S
	@mkdir -p $(@D)
	$(CC) -MMD -c $< -o $@

objects = $(patsubst %,$(out)/%.o,$(both) $($(1)))

$(out)/vtl0.elf: $(call objects,vtl0) $(folder)/vtl0.ld
	$(LD) -nostdlib -static -z noexecstack --no-warn-rwx-segments -T $(folder)/vtl0.ld $(call objects,vtl0) -o $@

$(out)/vtl1.elf: $(call objects,vtl1) $(folder)/vtl1.ld
	$(LD) -nostdlib -pie --no-dynamic-linker -z noexecstack --no-warn-rwx-segments -T $(folder)/vtl1.ld \
		$(call objects,vtl1) -o $@

.PHONY: guests
guests: $(out)/vtl0.elf $(out)/vtl1.elf

-include $(wildcard $(out)/*.d)
