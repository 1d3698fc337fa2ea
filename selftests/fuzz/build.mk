# SPDX-License-Identifier: GPL-2.0-only
#
# The fuzz targets: core, guest model and Mbed TLS with clang's sanitizers and coverage, in
# build/fuzz/.  Run from the top folder.  Each target_NAME.c becomes build/fuzz/fuzz-NAME; with
# FUZZ_VARIANT=coverage it becomes build/fuzz/coverage/fuzz-NAME, which counts lines instead of
# looking for faults.  With FUZZ_VARIANT=calls, fuzz-calls makes build/fuzz/calls/calls-NAME, which
# writes down the calls of inputs.

CC := clang-14
FUZZ_VARIANT ?= fuzz
MBEDTLS_VARIANT := $(FUZZ_VARIANT)
ZYDIS_VARIANT := $(FUZZ_VARIANT)
user_dir_fuzz := build/fuzz
user_dir_coverage := build/fuzz/coverage
user_dir_calls := build/fuzz/calls
mbedtls_dir_fuzz := build/fuzz/mbedtls
mbedtls_dir_coverage := build/fuzz/coverage/mbedtls
mbedtls_dir_calls := build/fuzz/calls/mbedtls
mbedtls_cflags_calls := -O1 -g
mbedtls_cflags_coverage := -O1 -g -fsanitize=fuzzer-no-link -fprofile-instr-generate \
	-fcoverage-mapping
mbedtls_cflags_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
zydis_dir_fuzz := build/fuzz/hypervisor
zydis_dir_coverage := build/fuzz/coverage/hypervisor
zydis_dir_calls := build/fuzz/calls/hypervisor
zydis_cflags_calls := $(mbedtls_cflags_calls)
zydis_cflags_fuzz := $(mbedtls_cflags_fuzz)
zydis_cflags_coverage := $(mbedtls_cflags_coverage)
.DEFAULT_GOAL := fuzz-targets

include vtl1_shim/user/build.mk
include hypervisor/zydis.mk

USER_CPPFLAGS += -Iselftests/host -Iselftests/fuzz
USER_CFLAGS += -Werror=incompatible-pointer-types -Werror=implicit-function-declaration

fuzz_host := vtl0 kernel place loader kimage snapshot
fuzz_own := world bases fill parts mutate_der
fuzz_common := $(fuzz_host:%=$(user_dir)/objects/selftests/host/%.o) \
	$(fuzz_own:%=$(user_dir)/objects/selftests/fuzz/%.o)
fuzz_names := $(patsubst selftests/fuzz/target_%.c,%,$(sort $(wildcard selftests/fuzz/target_*.c)))
fuzz_programs := $(fuzz_names:%=$(user_dir)/fuzz-%)

# Each piece of scratch memory is one of the allocator's here, so that the sanitizer knows its end.
$(user_dir)/arena/arena.c: vtl1_shim/core/arena.c
	@mkdir -p $(@D)
	sed -e 's/^#define CHUNK_SIZE .*/#define CHUNK_SIZE 48u/' -e '1i #line 1 "$<"' $< >$@
	grep -q 'CHUNK_SIZE 48u' $@

$(user_dir)/objects/vtl1_shim/core/arena.o: $(user_dir)/arena/arena.c
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) -ffreestanding $(USER_CPPFLAGS) -MMD -MP -c $< -o $@

$(fuzz_programs): $(user_dir)/fuzz-%: $(user_dir)/objects/selftests/fuzz/target_%.o $(fuzz_common) \
		$(user_lib)
	$(CC) $(USER_CFLAGS) -fsanitize=fuzzer $^ -lpthread -o $@

# The hypervisor's decoder.
fuzz_insn := $(user_dir)/objects/hypervisor/x86/insn.o
$(user_dir)/fuzz-insn: $(fuzz_insn) $(zydis_lib)
$(fuzz_insn): user_extra := $(ZYDIS_CPPFLAGS) -Ihypervisor/common
$(user_dir)/objects/selftests/fuzz/target_insn.o: user_extra := -Ihypervisor/x86

# What the inputs of a target call, for selftests/vm/hostile.sh.
calls_names := $(filter-out insn,$(fuzz_names))
calls_programs := $(calls_names:%=$(user_dir)/calls-%)
$(calls_programs): $(user_dir)/calls-%: $(user_dir)/objects/selftests/fuzz/target_%.o \
		$(user_dir)/objects/selftests/fuzz/calls.o $(fuzz_common) $(user_lib)
	$(CC) $(USER_CFLAGS) $^ -lpthread -o $@
$(user_dir)/objects/selftests/fuzz/calls.o: user_extra := -Iselftests/vm/attack -Iinclude/uapi

.PHONY: fuzz-calls
fuzz-calls: $(calls_programs)

.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: fuzz-targets
fuzz-targets: $(fuzz_programs)

-include $(fuzz_common:.o=.d) $(fuzz_insn:.o=.d) \
	$(fuzz_names:%=$(user_dir)/objects/selftests/fuzz/target_%.d)
