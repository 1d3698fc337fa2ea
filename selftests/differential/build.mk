# SPDX-License-Identifier: GPL-2.0-only
#
# build/differential/differential: verdicts of the core, on Mbed TLS or by the device of
# heki_verdict.ko.  Static, for VMs.  Run from the top folder.

.DEFAULT_GOAL := all
MBEDTLS_VARIANT := plain

include vtl1_shim/user/build.mk

differential_objects := $(patsubst %.c,$(user_dir)/objects/%.o,$(wildcard selftests/differential/*.c))
$(differential_objects): user_extra := -D_GNU_SOURCE -Iselftests/differential -Wno-unused-parameter

.PHONY: all
all: build/differential/differential

build/differential/differential: $(differential_objects) $(user_lib)
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) -static $^ -o $@

-include $(differential_objects:.o=.d)
