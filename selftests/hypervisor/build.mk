# SPDX-License-Identifier: GPL-2.0-only
#
# The host tests of the hypervisor, with ASan and UBSan.  Run from the top folder.

ZYDIS_VARIANT := sanitize
.DEFAULT_GOAL := hypervisor-tests

include hypervisor/zydis.mk

insn_objects := $(patsubst %,$(zydis_dir)/objects/%.o,hypervisor/x86/insn \
	selftests/hypervisor/insn selftests/hypervisor/insn_cases)
memory_objects := $(patsubst %,$(zydis_dir)/objects/%.o,hypervisor/common/console \
	hypervisor/common/elf hypervisor/common/memory hypervisor/x86/npt selftests/hypervisor/memory)

$(zydis_dir)/objects/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra $(zydis_cflags_sanitize) $(ZYDIS_CPPFLAGS) -Ihypervisor/common \
		-Ihypervisor/x86 -Iinclude -MMD -MP -c $< -o $@

$(zydis_dir)/insn-tests: $(insn_objects) $(zydis_lib)
	$(CC) $(zydis_cflags_sanitize) $^ -o $@

$(zydis_dir)/memory-tests: $(memory_objects)
	$(CC) $(zydis_cflags_sanitize) $^ -o $@

.PHONY: hypervisor-tests
hypervisor-tests: $(zydis_dir)/insn-tests $(zydis_dir)/memory-tests

-include $(insn_objects:.o=.d) $(memory_objects:.o=.d)
