# SPDX-License-Identifier: GPL-2.0-only
#
# The host tests of VTL1's bare-metal half, with ASan and UBSan: build/host/image-tests.  Run from the
# top folder.

image_tests_out := build/host/image-tests.o
image_tests_sources := $(wildcard selftests/hypervisor/image/*.c) \
	$(addprefix vtl1_shim/image/,heap.c hypercall.c machine.c pagetable.c relocate.c scratch.c vsm.c words.c)
image_tests_objects := $(image_tests_sources:%.c=$(image_tests_out)/%.o)
image_tests_cflags := -std=gnu11 -O1 -g -Wall -Wextra -fsanitize=address,undefined \
	-fno-sanitize-recover=all -Iinclude -Iinclude/uapi -Ivtl1_shim/core -Ivtl1_shim/image \
	-Iselftests/host

build/host/image-tests: $(image_tests_objects)
	$(CC) $(image_tests_cflags) $^ -o $@

$(image_tests_out)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(image_tests_cflags) -MMD -MP -c $< -o $@

-include $(image_tests_objects:.o=.d)
