# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the benchmarks: bench-guest for VMs and bench-host, in build/bench/.
# OpenSSL is only there to be compared with.  Run from the top folder: make -f selftests/bench/build.mk

.DEFAULT_GOAL := all
MBEDTLS_VARIANT := plain

include vtl1_shim/user/build.mk

bench_dir := build/bench
bench_warnings := -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes

# What plays VTL0 is that of the host tests, without their tests.
host_parts := kernel loader place snapshot stock vtl0
host_objects := $(host_parts:%=$(user_dir)/objects/selftests/host/%.o) \
	$(patsubst %.c,$(user_dir)/objects/%.o,$(wildcard selftests/bench/host*.c))
$(host_objects): user_extra := -D_GNU_SOURCE -Iselftests/host

.PHONY: all
all: $(bench_dir)/bench-guest $(bench_dir)/bench-host

$(bench_dir)/bench-guest: selftests/bench/guest.c selftests/bench/build.mk
	@mkdir -p $(@D)
	$(CC) $(bench_warnings) -static -o $@ $<

$(bench_dir)/bench-host: $(host_objects) $(user_lib)
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) $(host_objects) $(user_lib) -lpthread -lcrypto -o $@

-include $(host_objects:.o=.d)
