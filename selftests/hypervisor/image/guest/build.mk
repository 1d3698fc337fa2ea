# SPDX-License-Identifier: GPL-2.0-only
#
# The guest that tests VTL1's image: build/hypervisor/image-guest.elf.  Run from the top folder.

image_guest := selftests/hypervisor/image/guest
image_guest_cflags := -std=gnu11 -O2 -Wall -Wextra -ffreestanding -mgeneral-regs-only \
	-mno-red-zone -fno-stack-protector -fcf-protection=none -fno-pie \
	-fno-asynchronous-unwind-tables -Iinclude -Iinclude/uapi

build/hypervisor/image-guest.elf: $(wildcard $(image_guest)/*) selftests/hypervisor/instructions.h \
		selftests/hypervisor/push.inc $(wildcard include/*/*.h include/*/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(image_guest_cflags) -nostdlib -static -no-pie -Wl,--build-id=none \
		-Wl,--no-warn-rwx-segments -Wl,-T,$(image_guest)/guest.ld $(filter %.c %.S,$^) -o $@
