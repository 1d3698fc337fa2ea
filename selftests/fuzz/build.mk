# SPDX-License-Identifier: GPL-2.0-only
#
# The fuzz targets: core, guest model and Mbed TLS with clang's sanitizers and coverage, in
# build/fuzz/.  Run from the top folder.  Each target_NAME.c becomes build/fuzz/fuzz-NAME.

CC := clang-14
MBEDTLS_VARIANT := fuzz
user_dir_fuzz := build/fuzz
mbedtls_dir_fuzz := build/fuzz/mbedtls
mbedtls_cflags_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
.DEFAULT_GOAL := fuzz-targets

include vtl1_shim/user/build.mk

USER_CPPFLAGS += -Iselftests/host -Iselftests/fuzz

fuzz_host := vtl0 kernel place loader kimage snapshot
fuzz_common := $(fuzz_host:%=build/fuzz/objects/selftests/host/%.o) \
	build/fuzz/objects/selftests/fuzz/world.o
fuzz_names := $(patsubst selftests/fuzz/target_%.c,%,$(sort $(wildcard selftests/fuzz/target_*.c)))
fuzz_programs := $(fuzz_names:%=build/fuzz/fuzz-%)

$(fuzz_programs): build/fuzz/fuzz-%: build/fuzz/objects/selftests/fuzz/target_%.o $(fuzz_common) \
		$(user_lib)
	$(CC) $(USER_CFLAGS) -fsanitize=fuzzer $^ -lpthread -o $@

.SECONDARY:
.PHONY: fuzz-targets
fuzz-targets: $(fuzz_programs)

-include $(fuzz_common:.o=.d) $(fuzz_names:%=build/fuzz/objects/selftests/fuzz/target_%.d)
