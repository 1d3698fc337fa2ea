# SPDX-License-Identifier: GPL-2.0-only
#
# Images in which mechanisms are switched off, so that the attacks that these stop are seen to succeed:
# build/hypervisor/off/NAME.elf of NAME.c here, a hypervisor when its name begins so, else VTL1's, of which
# NAME+NAME.elf lacks more than one.  A file's __wrap_ functions take the place of what the image itself has;
# the image's own sources know nothing of it.  Run from the top folder, after scripts/build-hypervisor.

off_dir := selftests/attacks/off
off_out := build/hypervisor/off
off_objects := $(patsubst $(off_dir)/%.c,$(off_out)/%.o,$(wildcard $(off_dir)/*.c))
off_hypervisors := $(basename $(filter $(off_out)/hypervisor%,$(off_objects)))

include vtl1_shim/image/build.mk
include hypervisor/build.mk

# wraps PREFIX,OBJECTS: the linker's options for what they replace
wraps = $$(nm $(2) | sed -n 's/.* [Tt] __wrap_/$(1)--wrap=/p')
link_option := -Wl,

# parts NAME+NAME: their objects
parts = $(patsubst %,$(off_out)/%.o,$(subst +, ,$(1)))

$(filter-out $(addsuffix .o,$(off_hypervisors)),$(off_objects)): $(off_out)/%.o: $(off_dir)/%.c $(off_dir)/build.mk
	@mkdir -p $(@D)
	$(CC) $(IMAGE_CFLAGS) $(IMAGE_CPPFLAGS) -c $< -o $@

.SECONDEXPANSION:
$(off_out)/%.elf: $$(call parts,$$*) $(image_objects) $(image_dir)/image.ld
	$(CC) $(image_ldflags) $(call wraps,$(link_option),$(call parts,$*)) $(filter %.o,$^) -lgcc -o $@

$(addsuffix .o,$(off_hypervisors)): $(off_out)/%.o: $(off_dir)/%.c $(off_dir)/build.mk
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ihypervisor/x86 -c $< -o $@

$(addsuffix .elf,$(off_hypervisors)): %.elf: %.o $(objects) $(zydis_lib) hypervisor/x86/linker.ld
	$(LD) -nostdlib -static -z noexecstack -T hypervisor/x86/linker.ld $(call wraps,,$<) \
		$(filter %.o %.a,$^) -o $@64
	objcopy -O elf32-i386 $@64 $@
