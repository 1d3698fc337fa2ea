# SPDX-License-Identifier: GPL-2.0-only
#
# The host tests of the hypervisor for arm64, with ASan and UBSan.  Run from the top folder.

out := build/host/hypervisor-arm64

.DEFAULT_GOAL := $(out)/tests

objects := $(patsubst %,$(out)/%.o,hypervisor/common/console hypervisor/common/elf \
	hypervisor/common/memory hypervisor/common/options hypervisor/arm64/config \
	hypervisor/arm64/device_tree hypervisor/arm64/load hypervisor/arm64/stage2 \
	hypervisor/arm64/string selftests/arm64/host selftests/arm64/device_tree \
	selftests/arm64/encodings selftests/arm64/loader selftests/arm64/stage2 selftests/arm64/string)

libfdt := build/libfdt/src
libfdt_objects := $(patsubst %,$(out)/libfdt/%.o,fdt fdt_addresses fdt_ro fdt_rw fdt_strerror fdt_sw \
	fdt_wip)

sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# Beside the C library's.
$(out)/hypervisor/arm64/string.o: rename := -fno-builtin $(foreach f,memcpy memmove memset memchr \
	memcmp strlen strnlen strchr strrchr strtoul,-D$f=hv_$f)

$(out)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra $(sanitize) -Ihypervisor/common -Ihypervisor/arm64 \
		-Iselftests/arm64 -isystem $(libfdt) $(rename) -MMD -MP -c $< -o $@

$(out)/libfdt/%.o: $(libfdt)/%.c
	@mkdir -p $(@D)
	$(CC) -w $(sanitize) -I$(libfdt) -MMD -MP -c $< -o $@

$(out)/tests: $(objects) $(libfdt_objects)
	$(CC) $(sanitize) $^ -o $@

-include $(objects:.o=.d) $(libfdt_objects:.o=.d)
