# SPDX-License-Identifier: GPL-2.0-only
#
# Small programs that tests use.  From the top: make -f selftests/tools/build.mk

.DEFAULT_GOAL := test-tools
TEST_TOOLS_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -D_GNU_SOURCE -Itools/common

build/host/kernel-cert: selftests/tools/kernel-cert.c tools/common/file.c tools/common/vmlinuz.c \
		tools/common/file.h tools/common/vmlinuz.h
	@mkdir -p $(@D)
	$(CC) $(TEST_TOOLS_CFLAGS) -o $@ $(filter %.c,$^) -llzma -lzstd -lz

# The certificate of a fetched kernel: build/kernel/VERSION/kernel-cert.der
build/kernel/%/kernel-cert.der: build/host/kernel-cert build/kernel/%/vmlinuz
	build/host/kernel-cert build/kernel/$*/vmlinuz $@

.PHONY: test-tools
test-tools: build/host/kernel-cert
