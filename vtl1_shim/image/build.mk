# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# The bare-metal VTL1: build/hypervisor/vtl1.elf, and vtl1-test.elf with calls that fault on purpose.
# Run from the top folder.

IMAGE_OUT := build/hypervisor
IMAGE_STACK := -Wstack-usage=2048
image_out := $(IMAGE_OUT)
image_dir := vtl1_shim/image
image_test := $(image_dir)/test_calls.c
image_sources := $(filter-out $(image_test),$(sort $(wildcard $(image_dir)/*.c $(image_dir)/*.S)))
image_objects := $(patsubst %,$(image_out)/objects/%.o,$(basename $(image_sources)))
image_test_object := $(patsubst %.c,$(image_out)/objects/%.o,$(image_test))

IMAGE_CPPFLAGS := -Iinclude -Iinclude/uapi -Ivtl1_shim/core -I$(image_dir)
IMAGE_CFLAGS := -std=gnu11 -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-stack-protector \
	-fPIE -fvisibility=hidden -mcmodel=small -O2 -g -Wall -Wextra $(IMAGE_STACK) \
	-Wmissing-prototypes -fcf-protection=none -fno-asynchronous-unwind-tables $(IMAGE_EXTRA)
image_ldflags := -nostdlib -static-pie -Wl,--no-dynamic-linker -Wl,-z,text -Wl,-z,norelro \
	-Wl,-z,noexecstack -Wl,-z,max-page-size=0x200000 -Wl,--build-id=none \
	-Wl,-T,$(image_dir)/image.ld

# The image can apply one type of relocation.
define image_link
$(CC) $(image_ldflags) $(filter %.o,$^) -o $@
@! readelf -rW $@ | grep R_X86_64 | grep -v R_X86_64_RELATIVE || { rm $@; exit 1; }
endef

.PHONY: image
image: $(image_out)/vtl1.elf $(image_out)/vtl1-test.elf

$(image_out)/vtl1.elf: $(image_objects) $(image_dir)/image.ld
	$(image_link)

$(image_out)/vtl1-test.elf: $(image_objects) $(image_test_object) $(image_dir)/image.ld
	$(image_link)

$(image_out)/objects/$(image_dir)/%.o: $(image_dir)/%.c $(image_dir)/build.mk
	@mkdir -p $(@D)
	$(CC) $(IMAGE_CFLAGS) $(IMAGE_CPPFLAGS) -MMD -MP -c $< -o $@

$(image_out)/objects/$(image_dir)/%.o: $(image_dir)/%.S $(image_dir)/build.mk
	@mkdir -p $(@D)
	$(CC) $(IMAGE_CFLAGS) $(IMAGE_CPPFLAGS) -MMD -MP -c $< -o $@

-include $(image_objects:.o=.d) $(image_test_object:.o=.d)
